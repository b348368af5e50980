//! The log of what users do (Camunda's user operation log), written for commands of somebody who had to say who they are.
//!
//! What a command is about is noted before it is carried out, for some of it is gone then; what it makes, after. A
//! command that is refused leaves nothing, this log included. Calls that only move a process on (messages, signals,
//! external tasks that are completed) are not logged, as in Camunda.

mod job;
mod many;
mod process;
mod task;

use super::halt::Run;
use super::work::Work;
use crate::command::{Command, Deploy, Reply, StartStatus};
use crate::delta::Change;
use crate::id::Id;
use crate::row::{Deployment, UserOperation};

/// Whose affair an operation is.
const OPERATOR: &str = "Operator";
const TASK_WORKER: &str = "TaskWorker";

/// What an operation is about.
#[derive(Clone, Debug, Default)]
struct Subject {
    definition: Option<Id>,
    definition_key: Option<String>,
    deployment: Option<Id>,
    instance: Option<Id>,
    root: Option<Id>,
    execution: Option<Id>,
    task: Option<Id>,
    job: Option<Id>,
    job_definition: Option<Id>,
    external_task: Option<Id>,
    batch: Option<Id>,
    tenant: Option<String>,
    annotation: Option<String>,
}

/// One property of an operation: what it was, and what it is now.
struct Property {
    name: String,
    old: Option<String>,
    new: Option<String>,
}

impl Property {
    fn new(name: &str, new: impl ToString) -> Self {
        Self {
            name: name.to_owned(),
            old: None,
            new: Some(new.to_string()),
        }
    }

    fn changed(name: &str, old: Option<String>, new: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            old,
            new,
        }
    }
}

/// The word for a state of suspension.
fn suspension(suspended: bool) -> Property {
    Property::new("suspensionState", if suspended { "suspended" } else { "active" })
}

impl Work<'_> {
    /// Notes a command that is about to be carried out.
    pub(super) fn log_command(&mut self, command: &Command) -> Run<()> {
        if self.env.user.is_none() {
            return Ok(());
        }
        match command {
            Command::Task { .. }
            | Command::CompleteTask { .. }
            | Command::SubmitTaskForm { .. }
            | Command::DeleteTask(_)
            | Command::AddAttachment(_)
            | Command::DeleteAttachment(_)
            | Command::EditComment { .. }
            | Command::DeleteComment(_)
            | Command::DeleteComments { .. } => self.log_on_task(command),
            Command::ExternalTask { .. }
            | Command::SuspendJobDefinitions(_)
            | Command::Jobs { .. }
            | Command::SetJobDefinitionPriority { .. }
            | Command::DeleteJob(_)
            | Command::SetJobRetries { .. }
            | Command::SetJobDue { .. } => self.log_on_job(command),
            Command::StartBatch(_)
            | Command::DoAtOnce(_)
            | Command::SuspendBatch { .. }
            | Command::DeleteBatch { .. }
            | Command::DeleteHistoricBatch(_)
            | Command::MigrateInstances { .. }
            | Command::RestartInstances { .. } => self.log_on_many(command),
            _ => self.log_on_process(command),
        }
    }

    /// Notes what a command has made.
    pub(super) fn log_reply(&mut self, command: &Command, reply: &Reply) -> Run<()> {
        if self.env.user.is_none() {
            return Ok(());
        }
        match (command, reply) {
            (Command::Start(_) | Command::SubmitStartForm(_), Reply::Started(started))
                if started.status == StartStatus::Created =>
            {
                self.log_started(started.instance.id)
            }
            _ => Ok(()),
        }
    }

    /// A deployment that this command has made.
    pub(super) fn log_deployed(&mut self, deployment: &Deployment, deploy: &Deploy) -> Run<()> {
        if self.env.user.is_none() {
            return Ok(());
        }
        let subject = Subject {
            deployment: Some(deployment.id),
            tenant: deployment.tenant.clone(),
            ..Subject::default()
        };
        let mut properties = vec![Property::new("duplicateFilterEnabled", deploy.duplicate_filtering)];
        if deploy.duplicate_filtering {
            properties.push(Property::new("deployChangedOnly", deploy.changed_only));
        }
        self.log("Create", "Deployment", OPERATOR, &subject, properties)
    }

    /// An instance that this command has started.
    pub(super) fn log_started(&mut self, instance: Id) -> Run<()> {
        if self.env.user.is_none() {
            return Ok(());
        }
        let subject = self.about_instance(instance)?;
        self.log_bare("Create", "ProcessInstance", OPERATOR, &subject)
    }

    /// Writes an operation, a row for each property.
    fn log(
        &mut self,
        operation_type: &str,
        entity_type: &str,
        category: &str,
        subject: &Subject,
        properties: Vec<Property>,
    ) -> Run<()> {
        for property in properties {
            let row = self.operation_row(operation_type, entity_type, category, subject)?;
            self.history.push(Change::HistoryOperation(UserOperation {
                property: Some(property.name),
                old_value: property.old,
                new_value: property.new,
                ..row
            }));
        }
        Ok(())
    }

    /// Writes an operation that changes no property.
    fn log_bare(&mut self, operation_type: &str, entity_type: &str, category: &str, subject: &Subject) -> Run<()> {
        let row = self.operation_row(operation_type, entity_type, category, subject)?;
        self.history.push(Change::HistoryOperation(row));
        Ok(())
    }

    fn operation_row(
        &mut self,
        operation_type: &str,
        entity_type: &str,
        category: &str,
        subject: &Subject,
    ) -> Run<UserOperation> {
        let operation = match self.operation {
            Some(operation) => operation,
            None => self.id()?,
        };
        self.operation = Some(operation);
        let subject = subject.clone();
        Ok(UserOperation {
            id: self.id()?,
            operation,
            time: self.now(),
            user: self.env.user.clone(),
            operation_type: operation_type.to_owned(),
            entity_type: entity_type.to_owned(),
            category: category.to_owned(),
            property: None,
            old_value: None,
            new_value: None,
            definition: subject.definition,
            definition_key: subject.definition_key,
            deployment: subject.deployment,
            instance: subject.instance,
            root: subject.root,
            execution: subject.execution,
            task: subject.task,
            job: subject.job,
            job_definition: subject.job_definition,
            external_task: subject.external_task,
            batch: subject.batch,
            annotation: subject.annotation,
            tenant: subject.tenant,
            removal_time: None,
        })
    }

    fn about_definition(&mut self, id: Id) -> Run<Subject> {
        let Some(definition) = self.definition(id)? else {
            return Ok(Subject::default());
        };
        Ok(Subject {
            definition: Some(id),
            definition_key: Some(definition.row.key.clone()),
            deployment: Some(definition.row.deployment),
            tenant: definition.row.tenant.clone(),
            ..Subject::default()
        })
    }

    fn about_instance(&mut self, id: Id) -> Run<Subject> {
        let fresh = self.history.fresh_instance(id);
        let found = match fresh.map(|row| (row.definition, row.root, row.tenant.clone())) {
            None => self
                .instance(id)?
                .map(|row| (row.definition, row.root, row.tenant.clone())),
            found => found,
        };
        let Some((definition, root, tenant)) = found else {
            return Ok(Subject::default());
        };
        Ok(Subject {
            instance: Some(id),
            root: Some(root),
            tenant,
            ..self.about_definition(definition)?
        })
    }
}
