//! Incidents: what a person must look at. One of a called instance is one of its caller too, and so on to the top; they end
//! together.

use super::halt::Run;
use super::work::Work;
use crate::id::Id;
use crate::row::{HistoricIncident, Incident};

/// What an incident is about.
pub(super) struct IncidentOf {
    pub(super) kind: String,
    /// The job or external task.
    pub(super) configuration: Id,
    pub(super) instance: Option<Id>,
    pub(super) execution: Option<Id>,
    pub(super) definition: Option<Id>,
    pub(super) activity: String,
    pub(super) failed_activity: Option<String>,
    pub(super) message: Option<String>,
    pub(super) tenant: Option<String>,
}

impl Work<'_> {
    pub(super) fn raise_incident(&mut self, of: IncidentOf) -> Run<()> {
        let id = self.id()?;
        let incident = Incident {
            id,
            kind: of.kind,
            time: self.now(),
            instance: of.instance,
            execution: of.execution,
            definition: of.definition,
            activity: of.activity,
            failed_activity: of.failed_activity,
            cause: id,
            root_cause: id,
            configuration: of.configuration,
            custom: None,
            message: of.message,
            annotation: None,
            tenant: of.tenant,
        };
        let root = match of.instance {
            Some(instance) => self.instance(instance)?.map(|row| row.root),
            None => None,
        };
        self.insert_incident(incident, root)
    }

    pub(super) fn insert_incident(&mut self, incident: Incident, root: Option<Id>) -> Run<()> {
        let definition_key = match incident.definition {
            Some(definition) => Some(self.known_definition(definition)?.row.key.clone()),
            None => None,
        };
        self.history.incident_start(HistoricIncident {
            incident: incident.clone(),
            root,
            definition_key,
            end_time: None,
            deleted: false,
            resolved: false,
            removal_time: None,
        });
        let handed_on = self.handed_on(&incident)?;
        self.insert(incident);
        match handed_on {
            Some(incident) => self.insert_incident(incident, root),
            None => Ok(()),
        }
    }

    /// The incident that an incident of a called instance is for its caller (Camunda's `createRecursiveIncidents`).
    fn handed_on(&mut self, cause: &Incident) -> Run<Option<Incident>> {
        let Some(instance) = cause.instance else {
            return Ok(None);
        };
        let Some(call) = self.instance(instance)?.and_then(|row| row.super_execution) else {
            return Ok(None);
        };
        let Some(caller) = self.execution(call)?.cloned() else {
            return Ok(None);
        };
        let tenant = self.instance(caller.instance)?.and_then(|row| row.tenant.clone());
        Ok(Some(Incident {
            id: self.id()?,
            kind: cause.kind.clone(),
            time: cause.time,
            instance: Some(caller.instance),
            execution: Some(call),
            definition: Some(caller.definition),
            failed_activity: Some(caller.activity.clone()),
            activity: caller.activity,
            cause: cause.id,
            root_cause: cause.root_cause,
            configuration: cause.id,
            custom: None,
            message: None,
            annotation: None,
            tenant,
        }))
    }

    /// Ends the incidents that somebody has made for an execution that ends.
    pub(super) fn drop_own_incidents(&mut self, execution: Id) -> Run<()> {
        if self.is_new_scope(execution) {
            return Ok(());
        }
        for incident in self.view.incidents_of_execution(execution)? {
            if incident.custom.is_some() && !self.tables.incidents.knows(incident.id) {
                let id = incident.id;
                self.tables.incidents.load(incident);
                self.end_incident(id, false)?;
            }
        }
        Ok(())
    }

    /// Ends the incidents of a job or external task: resolved, or gone with what they were about.
    pub(super) fn end_incidents(&mut self, configuration: Id, resolved: bool) -> Run<()> {
        for incident in self.incidents_of(configuration)? {
            self.end_incident(incident.id, resolved)?;
        }
        Ok(())
    }

    /// Ends an incident, and what it is for those who have called its instance.
    pub(super) fn end_incident(&mut self, id: Id, resolved: bool) -> Run<()> {
        self.remove::<Incident>(id);
        self.history.incident_end(id, self.now(), resolved);
        self.end_incidents(id, resolved)
    }
}
