//! Incidents that people make, resolve and annotate.

use crate::core::halt::Run;
use crate::core::work::Work;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::Id;
use crate::row::Incident;

impl Work<'_> {
    pub(super) fn create_incident(
        &mut self,
        execution: Id,
        kind: &str,
        configuration: Option<&str>,
        message: Option<&str>,
    ) -> Run<()> {
        let text = self.text(execution);
        let Some(place) = self.find_place(execution)? else {
            return Err(MachineError::BadUserRequest(format!(
                "Cannot find an execution with executionId '{text}': execution is null"
            ))
            .into());
        };
        let id = self.id()?;
        let (root, tenant) = match self.instance(place.instance)? {
            Some(row) => (Some(row.root), row.tenant.clone()),
            None => (None, None),
        };
        let incident = Incident {
            id,
            kind: kind.to_owned(),
            time: self.now(),
            instance: Some(place.instance),
            execution: Some(execution),
            definition: Some(place.definition.row.id),
            activity: place.element().id.clone(),
            failed_activity: None,
            cause: id,
            root_cause: id,
            configuration: id,
            custom: Some(configuration.unwrap_or_default().to_owned()),
            message: message.map(str::to_owned),
            annotation: None,
            tenant,
        };
        self.insert_incident(incident, root)
    }

    fn find_incident(&mut self, id: Id) -> Run<Incident> {
        match self.incident(id)?.cloned() {
            Some(incident) => Ok(incident),
            None => Err(MachineError::NotFound {
                kind: Entity::Incident,
                message: format!("Cannot find an incident with id '{}'", self.text(id)),
            }
            .into()),
        }
    }

    /// Only one that somebody has made: the others go with what they are about.
    pub(super) fn resolve_incident(&mut self, id: Id) -> Run<()> {
        let incident = self.find_incident(id)?;
        if incident.kind == "failedJob" || incident.kind == "failedExternalTask" {
            return Err(
                MachineError::BadUserRequest(format!("Cannot resolve an incident of type {}", incident.kind)).into(),
            );
        }
        if incident.is_handed_on() {
            // As in Camunda: it ends with its cause, and by nothing else.
            return Ok(());
        }
        self.end_incident(id, true)
    }

    pub(super) fn annotate_incident(&mut self, id: Id, annotation: Option<&str>) -> Run<()> {
        self.find_incident(id)?;
        let annotation = annotation.map(str::to_owned);
        self.change::<Incident>(id, |row| row.annotation.clone_from(&annotation));
        self.history.push(Change::HistoryIncidentAnnotation { id, annotation });
        Ok(())
    }
}
