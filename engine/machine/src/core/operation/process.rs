//! What operators do with definitions, instances, their variables and incidents.

use super::{OPERATOR, Property, Subject, TASK_WORKER, suspension};
use crate::command::{Command, DefinitionTarget, VariablesCall};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::id::Id;

impl Work<'_> {
    /// All versions of a key are named by the key, as in Camunda.
    pub(super) fn about_definitions(&mut self, target: &DefinitionTarget) -> Run<Subject> {
        match target {
            DefinitionTarget::Id(id) => self.about_definition(*id),
            DefinitionTarget::Key { key, tenant } => Ok(Subject {
                definition_key: Some(key.clone()),
                tenant: tenant.clone().flatten(),
                ..Subject::default()
            }),
        }
    }

    pub(super) fn log_on_process(&mut self, command: &Command) -> Run<()> {
        match command {
            Command::SetVariables { scope, call, .. } => self.log_variables(*scope, *call),
            Command::SuspendInstance { id, suspended } => self.log_suspension(*id, *suspended),
            Command::DeleteInstance { id, .. } => {
                let subject = self.about_instance(*id)?;
                self.log_bare("Delete", "ProcessInstance", OPERATOR, &subject)
            }
            Command::ModifyInstance { id, modification } => {
                let subject = Subject {
                    annotation: modification.annotation.clone(),
                    ..self.about_instance(*id)?
                };
                self.log_bare("ModifyProcessInstance", "ProcessInstance", OPERATOR, &subject)
            }
            Command::SuspendDefinitions(spec) => {
                let subject = self.about_definitions(&spec.target)?;
                let operation_type = match spec.suspended {
                    true => "SuspendProcessDefinition",
                    false => "ActivateProcessDefinition",
                };
                let changes = vec![
                    suspension(spec.suspended),
                    Property::new("includeProcessInstances", spec.include_instances),
                ];
                self.log(operation_type, "ProcessDefinition", OPERATOR, &subject, changes)
            }
            Command::SetHistoryTimeToLive { definition, days } => {
                let subject = self.about_definition(*definition)?;
                let before = self
                    .definition(*definition)?
                    .and_then(|row| row.row.history_time_to_live);
                let [old, new] = [before, *days].map(|days| days.map(|days| days.to_string()));
                let change = Property::changed("historyTimeToLive", old, new);
                self.log(
                    "UpdateHistoryTimeToLive",
                    "ProcessDefinition",
                    OPERATOR,
                    &subject,
                    vec![change],
                )
            }
            Command::DeleteDefinition { id, cascade, .. } => {
                let subject = self.about_definition(*id)?;
                let change = Property::changed("cascade", Some("false".to_owned()), Some(cascade.to_string()));
                self.log("Delete", "ProcessDefinition", OPERATOR, &subject, vec![change])
            }
            Command::DeleteDeployment { id, cascade, .. } => {
                let subject = Subject {
                    deployment: Some(*id),
                    tenant: self.view.deployment(*id)?.and_then(|row| row.tenant),
                    ..Subject::default()
                };
                let change = Property::new("cascade", cascade);
                self.log("Delete", "Deployment", OPERATOR, &subject, vec![change])
            }
            Command::DeleteHistory(_) => {
                let changes = vec![Property::new("nrOfInstances", 1), Property::new("async", false)];
                self.log(
                    "DeleteHistory",
                    "ProcessInstance",
                    OPERATOR,
                    &Subject::default(),
                    changes,
                )
            }
            _ => self.log_on_incident(command),
        }
    }

    pub(super) fn log_suspension(&mut self, instance: Id, suspended: bool) -> Run<()> {
        let operation_type = if suspended { "Suspend" } else { "Activate" };
        let subject = self.about_instance(instance)?;
        let changes = vec![suspension(suspended)];
        self.log(operation_type, "ProcessInstance", OPERATOR, &subject, changes)
    }

    fn log_variables(&mut self, scope: Id, call: VariablesCall) -> Run<()> {
        let operation_type = match call {
            VariablesCall::Set => "SetVariable",
            VariablesCall::Modify => "ModifyVariable",
            VariablesCall::Remove => "RemoveVariable",
        };
        let (subject, category) = match self.task(scope)?.cloned() {
            Some(task) => (self.about_task(&task)?, TASK_WORKER),
            None => {
                let instance = match self.execution(scope)? {
                    Some(row) => row.instance,
                    None => scope,
                };
                let own = (instance != scope).then_some(scope);
                let subject = self.about_instance(instance)?;
                (
                    Subject {
                        execution: own,
                        ..subject
                    },
                    OPERATOR,
                )
            }
        };
        self.log_bare(operation_type, "Variable", category, &subject)
    }

    fn log_on_incident(&mut self, command: &Command) -> Run<()> {
        match command {
            Command::CreateIncident {
                execution,
                kind,
                configuration,
                ..
            } => {
                let instance = match self.execution(*execution)? {
                    Some(row) => row.instance,
                    None => *execution,
                };
                let subject = self.about_instance(instance)?;
                let changes = vec![
                    Property::new("incidentType", kind),
                    Property::changed("configuration", None, configuration.clone()),
                ];
                self.log("CreateIncident", "ProcessInstance", OPERATOR, &subject, changes)
            }
            Command::ResolveIncident(id) => {
                let subject = match self.incident(*id)?.and_then(|row| row.instance) {
                    Some(instance) => self.about_instance(instance)?,
                    None => Subject::default(),
                };
                let change = Property::new("incidentId", self.text(*id));
                self.log("Resolve", "ProcessInstance", OPERATOR, &subject, vec![change])
            }
            Command::AnnotateIncident { id, annotation } => {
                let change = Property::new("incidentId", self.text(*id));
                self.log_annotation("Incident", annotation.as_deref(), change)
            }
            Command::AnnotateOperation { operation, annotation } => {
                let change = Property::new("operationId", self.text(*operation));
                self.log_annotation("OperationLog", annotation.as_deref(), change)
            }
            _ => Ok(()),
        }
    }

    fn log_annotation(&mut self, entity_type: &str, annotation: Option<&str>, change: Property) -> Run<()> {
        let operation_type = if annotation.is_some() {
            "SetAnnotation"
        } else {
            "ClearAnnotation"
        };
        self.log(operation_type, entity_type, OPERATOR, &Subject::default(), vec![change])
    }
}
