//! Incidents: what a person must look at.

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
        self.insert(incident);
        Ok(())
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
                self.remove::<Incident>(id);
                self.history.incident_end(id, self.now(), false);
            }
        }
        Ok(())
    }

    /// Ends the incidents of a job or external task: resolved, or gone with what they were about.
    pub(super) fn end_incidents(&mut self, configuration: Id, resolved: bool) -> Run<()> {
        for incident in self.incidents_of(configuration)? {
            self.remove::<Incident>(incident.id);
            self.history.incident_end(incident.id, self.now(), resolved);
        }
        Ok(())
    }
}
