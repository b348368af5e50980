//! What operators do: suspension of definitions and of their jobs, retries and priorities of many jobs.

use std::sync::Arc;

use crate::command::{DefinitionTarget, JobAction, JobTarget, SuspendDefinitions, SuspendJobs, Timed};
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::{Id, Millis};
use crate::row::{DefinitionRow, Job, JobDefinition, JobKind};
use crate::view::{Definition, Tenant};

/// Instances of one definition that are suspended in one transaction.
const INSTANCES_MAX: usize = 20_000;
/// Jobs that are changed in one transaction.
const JOBS_MAX: usize = 100_000;

impl Work<'_> {
    pub(super) fn suspend_definitions(&mut self, spec: &SuspendDefinitions) -> Run<()> {
        let definitions = self.target_definitions(&spec.target)?;
        if let Some(at) = spec.at {
            let name = match spec.suspended {
                true => "suspend-processdefinition",
                false => "activate-processdefinition",
            };
            let later = Timed::Definitions(SuspendDefinitions {
                at: None,
                ..spec.clone()
            });
            return self.do_later(&later, at, name, definitions.first());
        }
        for definition in &definitions {
            self.suspend_definition(definition, spec.suspended)?;
            if spec.include_instances {
                self.suspend_instances_of(definition, spec.suspended)?;
            }
        }
        Ok(())
    }

    fn suspend_definition(&mut self, definition: &Definition, suspended: bool) -> Run<()> {
        self.others.push(Change::UpdateDefinition(DefinitionRow {
            suspended,
            ..definition.row.clone()
        }));
        for jobs in &definition.jobs {
            self.others.push(Change::UpdateJobDefinition(JobDefinition {
                suspended,
                ..jobs.clone()
            }));
        }
        for job in self.view.start_jobs(definition.row.id)? {
            self.set_job_suspended(job, suspended);
        }
        Ok(())
    }

    fn suspend_instances_of(&mut self, definition: &Definition, suspended: bool) -> Run<()> {
        let instances = self
            .view
            .instances_of_definition(definition.row.id, INSTANCES_MAX + 1)?;
        if instances.len() > INSTANCES_MAX {
            return Err(Halt::execution(format!(
                "more than {INSTANCES_MAX} instances run: suspend them by POST /process-instance/suspended-async first"
            )));
        }
        for instance in instances {
            self.suspend_instance(instance.id, suspended)?;
        }
        Ok(())
    }

    fn set_job_suspended(&mut self, job: Job, suspended: bool) {
        let id = job.id;
        self.tables.jobs.load(job);
        self.change::<Job>(id, |row| row.suspended = suspended);
    }

    /// The definitions that are meant.
    fn target_definitions(&mut self, target: &DefinitionTarget) -> Run<Vec<Arc<Definition>>> {
        let found = match target {
            DefinitionTarget::Id(id) => self.definition(*id)?.into_iter().collect(),
            DefinitionTarget::Key { key, tenant } => {
                let tenant = match tenant {
                    None => Tenant::Any,
                    Some(None) => Tenant::None,
                    Some(Some(tenant)) => Tenant::Is(tenant.clone()),
                };
                let mut found = Vec::new();
                for latest in self.view.latest_definitions(key, &tenant)? {
                    let tenant = latest.row.tenant.clone().map_or(Tenant::None, Tenant::Is);
                    for version in 1..=latest.row.version {
                        found.extend(self.view.definition_by_version(key, version, &tenant)?);
                    }
                }
                found
            }
        };
        if found.is_empty() {
            let message = match target {
                DefinitionTarget::Id(id) => format!("No process definition found for id '{}'", self.text(*id)),
                DefinitionTarget::Key { key, .. } => format!("No process definition found for key '{key}'"),
            };
            return Err(MachineError::NotFound {
                kind: Entity::ProcessDefinition,
                message,
            }
            .into());
        }
        for definition in &found {
            self.put_definition(Arc::clone(definition));
        }
        Ok(found)
    }

    pub(super) fn suspend_job_definitions(&mut self, spec: &SuspendJobs) -> Run<()> {
        let definitions = self.target_job_definitions(&spec.target)?;
        if let Some(at) = spec.at {
            let name = match spec.suspended {
                true => "suspend-job-definition",
                false => "activate-job-definition",
            };
            let later = Timed::JobDefinitions(SuspendJobs {
                at: None,
                ..spec.clone()
            });
            let process = match definitions.first().and_then(|jobs| jobs.definition) {
                Some(id) => self.definition(id)?,
                None => None,
            };
            return self.do_later(&later, at, name, process.as_ref());
        }
        for jobs in definitions {
            if spec.include_jobs {
                for job in self.view.jobs_of_definition(jobs.id, JOBS_MAX)? {
                    self.set_job_suspended(job, spec.suspended);
                }
            }
            self.others.push(Change::UpdateJobDefinition(JobDefinition {
                suspended: spec.suspended,
                ..jobs
            }));
        }
        Ok(())
    }

    fn target_job_definitions(&mut self, target: &JobTarget) -> Run<Vec<JobDefinition>> {
        match target {
            JobTarget::JobDefinition(id) => Ok(vec![self.find_job_definition(*id)?]),
            JobTarget::Definitions(target) => {
                let definitions = self.target_definitions(target)?;
                Ok(definitions.iter().flat_map(|row| row.jobs.iter().cloned()).collect())
            }
            JobTarget::Jobs(_) | JobTarget::Instance(_) => Err(Halt::execution(
                "only a job definition or a process definition has job definitions",
            )),
        }
    }

    fn find_job_definition(&mut self, id: Id) -> Run<JobDefinition> {
        self.view.job_definition(id)?.ok_or_else(|| {
            MachineError::NotFound {
                kind: Entity::JobDefinition,
                message: format!("Job Definition with id {} does not exist", self.text(id)),
            }
            .into()
        })
    }

    /// A job does it at its time.
    fn do_later(&mut self, later: &Timed, at: Millis, name: &str, of: Option<&Arc<Definition>>) -> Run<()> {
        let work = serde_json::to_string(later)
            .map_err(|error| Halt::execution(format!("the job cannot be written down: {error}")))?;
        let job = Job {
            id: self.id()?,
            kind: JobKind::Timed { work },
            definition: of.map(|definition| definition.row.id),
            definition_key: of.map(|definition| definition.row.key.clone()),
            job_definition: None,
            instance: None,
            execution: None,
            activity: name.to_owned(),
            created: self.now(),
            due: Some(at),
            retries: self.env.default_job_retries,
            failures: 0,
            exclusive: false,
            priority: 0,
            suspended: false,
            tenant: of.and_then(|definition| definition.row.tenant.clone()),
            exception_message: None,
            exception_stacktrace: None,
            failed_activity: None,
        };
        self.insert_job(job)
    }

    /// The time has come.
    pub(in crate::core) fn run_timed(&mut self, work: &str) -> Run<()> {
        let work = serde_json::from_str(work)
            .map_err(|error| Halt::execution(format!("the job's work cannot be read: {error}")))?;
        match work {
            Timed::Definitions(spec) => self.suspend_definitions(&spec),
            Timed::JobDefinitions(spec) => self.suspend_job_definitions(&spec),
        }
    }

    pub(super) fn act_on_jobs(&mut self, target: &JobTarget, action: JobAction) -> Run<()> {
        let listed = matches!(target, JobTarget::Jobs(_));
        for id in self.target_jobs(target)? {
            let job = self.find_job(id)?;
            match action {
                JobAction::Suspend(suspended) => self.change::<Job>(id, |row| row.suspended = suspended),
                JobAction::Priority(priority) => self.change::<Job>(id, |row| row.priority = priority),
                JobAction::Retries(retries) if listed || job.retries <= 0 => self.set_job_retries(id, retries)?,
                JobAction::Retries(_) => {}
            }
        }
        Ok(())
    }

    fn target_jobs(&mut self, target: &JobTarget) -> Run<Vec<Id>> {
        match target {
            JobTarget::Jobs(ids) => Ok(ids.clone()),
            JobTarget::JobDefinition(_) | JobTarget::Definitions(_) => {
                let mut found = Vec::new();
                for definition in self.target_job_definitions(target)? {
                    for job in self.view.jobs_of_definition(definition.id, JOBS_MAX)? {
                        found.push(job.id);
                        self.tables.jobs.load(job);
                    }
                }
                Ok(found)
            }
            JobTarget::Instance(instance) => {
                let mut found = self.jobs_of(*instance)?;
                for execution in self.find_executions(*instance, |_| true)? {
                    found.extend(self.jobs_of(execution)?);
                }
                Ok(found)
            }
        }
    }

    pub(super) fn set_job_definition_priority(&mut self, id: Id, priority: Option<i64>, include_jobs: bool) -> Run<()> {
        let definition = self.find_job_definition(id)?;
        if let (true, Some(priority)) = (include_jobs, priority) {
            self.act_on_jobs(&JobTarget::JobDefinition(id), JobAction::Priority(priority))?;
        }
        self.others
            .push(Change::UpdateJobDefinition(JobDefinition { priority, ..definition }));
        Ok(())
    }

    pub(super) fn set_history_time_to_live(&mut self, id: Id, days: Option<i32>) -> Run<()> {
        if days.is_some_and(|days| days < 0) {
            return Err(MachineError::BadUserRequest("historyTimeToLive must be non-negative".to_owned()).into());
        }
        if days.is_none() && self.env.enforce_history_time_to_live {
            return Err(MachineError::NotValid(
                "Null historyTimeToLive values are not allowed: history cleanup needs one".to_owned(),
            )
            .into());
        }
        let definitions = self.target_definitions(&DefinitionTarget::Id(id))?;
        for definition in definitions {
            self.others.push(Change::UpdateDefinition(DefinitionRow {
                history_time_to_live: days,
                ..definition.row.clone()
            }));
        }
        Ok(())
    }

    pub(super) fn annotate_operation(&mut self, operation: Id, annotation: Option<&str>) -> Run<()> {
        if !self.view.has_operation(operation)? {
            return Err(MachineError::BadUserRequest("operation is null".to_owned()).into());
        }
        self.history.push(Change::HistoryOperationAnnotation {
            operation,
            annotation: annotation.map(str::to_owned),
        });
        Ok(())
    }

    /// Deletes the history of an ended instance.
    pub(super) fn delete_history(&mut self, id: Id, must_exist: bool) -> Run<()> {
        let text = self.text(id);
        let history = self.view.historic_instance(id)?;
        match history {
            None if must_exist => Err(MachineError::NotFound {
                kind: Entity::ProcessInstance,
                message: format!("No historic process instance found with id: {text}"),
            }
            .into()),
            None => Ok(()),
            Some(row) if row.end_time.is_none() => Err(MachineError::BadUserRequest(format!(
                "Process instance is still running, cannot delete historic process instance: {text}"
            ))
            .into()),
            Some(_) => {
                self.history.push(Change::HistoryInstanceDelete(id));
                Ok(())
            }
        }
    }
}
