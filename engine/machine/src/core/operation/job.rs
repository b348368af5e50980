//! What operators do with jobs, their definitions, and external tasks.

use super::{OPERATOR, Property, Subject, suspension};
use crate::command::{Command, ExternalTaskAction, JobAction, JobTarget};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::id::Id;

impl Work<'_> {
    fn about_job(&mut self, id: Id) -> Run<Subject> {
        let Some(job) = self.job(id)?.cloned() else {
            return Ok(Subject::default());
        };
        let subject = match (job.instance, job.definition) {
            (Some(instance), _) => self.about_instance(instance)?,
            (None, Some(definition)) => self.about_definition(definition)?,
            (None, None) => Subject::default(),
        };
        Ok(Subject {
            job: Some(id),
            job_definition: job.job_definition,
            tenant: job.tenant,
            ..subject
        })
    }

    fn about_job_definition(&mut self, id: Id) -> Run<Subject> {
        let process = self.view.job_definition(id)?.and_then(|row| row.definition);
        let subject = match process {
            Some(definition) => self.about_definition(definition)?,
            None => Subject::default(),
        };
        Ok(Subject {
            job_definition: Some(id),
            ..subject
        })
    }

    fn about_jobs(&mut self, target: &JobTarget) -> Run<Subject> {
        match target {
            JobTarget::Jobs(ids) => match ids.as_slice() {
                [id] => self.about_job(*id),
                _ => Ok(Subject::default()),
            },
            JobTarget::JobDefinition(id) => self.about_job_definition(*id),
            JobTarget::Definitions(target) => self.about_definitions(target),
            JobTarget::Instance(id) => self.about_instance(*id),
        }
    }

    pub(super) fn log_on_job(&mut self, command: &Command) -> Run<()> {
        match command {
            Command::ExternalTask { id, action } => self.log_on_external_task(*id, action),
            Command::SuspendJobDefinitions(spec) => {
                let operation_type = match spec.suspended {
                    true => "SuspendJobDefinition",
                    false => "ActivateJobDefinition",
                };
                let subject = self.about_jobs(&spec.target)?;
                let changes = vec![suspension(spec.suspended)];
                self.log(operation_type, "JobDefinition", OPERATOR, &subject, changes)
            }
            Command::Jobs { target, action } => {
                let subject = self.about_jobs(target)?;
                let job = match subject.job {
                    Some(id) => self.job(id)?.cloned(),
                    None => None,
                };
                let (operation_type, change) = match action {
                    JobAction::Suspend(true) => ("SuspendJob", suspension(true)),
                    JobAction::Suspend(false) => ("ActivateJob", suspension(false)),
                    JobAction::Retries(retries) => {
                        let old = job.map(|job| job.retries.to_string());
                        let change = Property::changed("retries", old, Some(retries.to_string()));
                        ("SetJobRetries", change)
                    }
                    JobAction::Priority(priority) => {
                        let old = job.map(|job| job.priority.to_string());
                        let change = Property::changed("priority", old, Some(priority.to_string()));
                        ("SetPriority", change)
                    }
                };
                self.log(operation_type, "Job", OPERATOR, &subject, vec![change])
            }
            Command::SetJobDefinitionPriority {
                id,
                priority,
                include_jobs,
            } => {
                let subject = self.about_job_definition(*id)?;
                let before = self.view.job_definition(*id)?.and_then(|row| row.priority);
                let [old, new] = [before, *priority].map(|number| number.map(|number| number.to_string()));
                if *include_jobs && new.is_some() {
                    let change = Property::changed("priority", None, new.clone());
                    self.log("SetPriority", "Job", OPERATOR, &subject, vec![change])?;
                }
                let change = Property::changed("overridingPriority", old, new);
                self.log("SetPriority", "JobDefinition", OPERATOR, &subject, vec![change])
            }
            Command::DeleteJob(id) => {
                let subject = self.about_job(*id)?;
                self.log_bare("Delete", "Job", OPERATOR, &subject)
            }
            Command::SetJobRetries { id, retries } => {
                let old = self.job(*id)?.map(|job| job.retries.to_string());
                let change = Property::changed("retries", old, Some(retries.to_string()));
                let subject = self.about_job(*id)?;
                self.log("SetJobRetries", "Job", OPERATOR, &subject, vec![change])
            }
            Command::SetJobDue { id, due } => {
                let old = self.job(*id)?.and_then(|job| job.due).map(|due| due.to_string());
                let change = Property::changed("duedate", old, due.map(|due| due.to_string()));
                let subject = self.about_job(*id)?;
                self.log("SetDueDate", "Job", OPERATOR, &subject, vec![change])
            }
            _ => Ok(()),
        }
    }

    fn log_on_external_task(&mut self, id: Id, action: &ExternalTaskAction) -> Run<()> {
        let Some(task) = self.external_task(id)?.cloned() else {
            return Ok(());
        };
        let (operation_type, change) = match action {
            ExternalTaskAction::Unlock => ("Unlock", None),
            ExternalTaskAction::SetPriority(priority) => {
                let old = Some(task.priority.to_string());
                let change = Property::changed("priority", old, Some(priority.to_string()));
                ("SetPriority", Some(change))
            }
            ExternalTaskAction::SetRetries(retries) => {
                let old = task.retries.map(|retries| retries.to_string());
                let change = Property::changed("retries", old, Some(retries.to_string()));
                ("SetExternalTaskRetries", Some(change))
            }
            ExternalTaskAction::Complete { .. }
            | ExternalTaskAction::Fail { .. }
            | ExternalTaskAction::BpmnError { .. }
            | ExternalTaskAction::Lock { .. }
            | ExternalTaskAction::ExtendLock { .. } => return Ok(()),
        };
        let subject = Subject {
            external_task: Some(id),
            ..self.about_instance(task.instance)?
        };
        match change {
            Some(change) => self.log(operation_type, "ExternalTask", OPERATOR, &subject, vec![change]),
            None => self.log_bare(operation_type, "ExternalTask", OPERATOR, &subject),
        }
    }
}
