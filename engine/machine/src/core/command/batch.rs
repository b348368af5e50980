//! Batches: a seed job makes jobs, each of which does the work for a few items. One of them fails alone.

use crate::command::{BatchWork, NewBatch};
use crate::core::halt::{Halt, Run};
use crate::core::scope::MILLIS_OF_DAY;
use crate::core::work::Work;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::{Id, Millis};
use crate::row::{Batch, HistoricBatch, Job, JobDefinition, JobKind, LogState};

/// Items that one batch may have.
const ITEMS_MAX: usize = 1_000_000;
/// Jobs that a seed job makes at once.
const JOBS_PER_SEED: i32 = 100;
/// Items that one job handles.
const INVOCATIONS_PER_JOB: i32 = 1;
/// Jobs of one batch that are suspended or deleted at once.
const JOBS_MAX: usize = 1_000_000;

impl Work<'_> {
    pub(super) fn start_batch(&mut self, new: &NewBatch) -> Run<Batch> {
        if new.items.len() > ITEMS_MAX {
            return Err(MachineError::BadUserRequest(format!(
                "a batch may have {ITEMS_MAX} items at most, not {}",
                new.items.len()
            ))
            .into());
        }
        let tenant = match &new.work {
            BatchWork::Migrate(migration) => self.known_definition(migration.source)?.row.tenant.clone(),
            _ => None,
        };
        let id = self.id()?;
        let kind = new.work.kind();
        let seed = self.define_batch_job(id, "batch-seed-job")?;
        let monitor = self.define_batch_job(id, "batch-monitor-job")?;
        let job = self.define_batch_job(id, kind)?;
        let work = serde_json::to_string(&new.work)
            .map_err(|error| Halt::execution(format!("the batch cannot be written down: {error}")))?;
        let total = new.items.len().div_ceil(INVOCATIONS_PER_JOB as usize);
        let batch = Batch {
            id,
            kind: kind.to_owned(),
            work,
            total_jobs: i32::try_from(total).unwrap_or(i32::MAX),
            jobs_created: 0,
            jobs_per_seed: JOBS_PER_SEED,
            invocations_per_job: INVOCATIONS_PER_JOB,
            seed_definition: seed,
            monitor_definition: monitor,
            job_definition: job,
            suspended: false,
            tenant,
            start_time: self.now(),
            execution_start: None,
            user: new.user.clone(),
        };
        self.others.push(Change::InsertBatch(batch.clone()));
        self.others.push(Change::InsertBatchItems {
            batch: id,
            items: new.items.clone(),
        });
        self.history.push(Change::HistoryBatchStart(HistoricBatch {
            batch: batch.clone(),
            end_time: None,
            removal_time: None,
        }));
        self.batch_job(&batch, JobKind::BatchSeed { batch: id }, seed, "batch-seed-job")?;
        Ok(batch)
    }

    fn define_batch_job(&mut self, batch: Id, job_type: &str) -> Run<Id> {
        let id = self.id()?;
        self.others.push(Change::InsertJobDefinition(JobDefinition {
            id,
            definition: None,
            definition_key: None,
            deployment: None,
            activity: None,
            job_type: job_type.to_owned(),
            configuration: Some(self.text(batch)),
            suspended: false,
            priority: None,
            tenant: None,
        }));
        Ok(id)
    }

    fn batch_job(&mut self, batch: &Batch, kind: JobKind, definition: Id, name: &str) -> Run<()> {
        let job = Job {
            id: self.id()?,
            kind,
            definition: None,
            definition_key: None,
            job_definition: Some(definition),
            instance: None,
            execution: None,
            activity: name.to_owned(),
            created: self.now(),
            due: None,
            retries: self.env.default_job_retries,
            failures: 0,
            exclusive: false,
            priority: 0,
            suspended: batch.suspended,
            tenant: None,
            exception_message: None,
            exception_stacktrace: None,
            failed_activity: None,
        };
        self.insert_job(job)
    }

    fn find_batch(&mut self, id: Id) -> Run<Batch> {
        self.view.batch(id)?.ok_or_else(|| {
            MachineError::NotFound {
                kind: Entity::Batch,
                message: format!("Batch for id '{}' cannot be found: batch is null", self.text(id)),
            }
            .into()
        })
    }

    /// Makes the next jobs, and another seed job where there is more.
    pub(in crate::core) fn seed_batch(&mut self, id: Id) -> Run<()> {
        let mut batch = self.find_batch(id)?;
        let more = (batch.total_jobs - batch.jobs_created).min(batch.jobs_per_seed);
        for _ in 0..more {
            let from = i64::from(batch.jobs_created) * i64::from(batch.invocations_per_job);
            let kind = JobKind::Batch { batch: id, from };
            let name = batch.kind.clone();
            self.batch_job(&batch, kind, batch.job_definition, &name)?;
            batch.jobs_created += 1;
        }
        if batch.jobs_created < batch.total_jobs {
            let seed = batch.seed_definition;
            self.batch_job(&batch, JobKind::BatchSeed { batch: id }, seed, "batch-seed-job")?;
        }
        self.others.push(Change::UpdateBatch(batch.clone()));
        self.history.push(Change::HistoryBatchUpdate(batch));
        Ok(())
    }

    /// Does the work for the items of one job; the last one ends the batch.
    pub(in crate::core) fn run_batch_job(&mut self, job: Id, id: Id, from: i64) -> Run<()> {
        let mut batch = self.find_batch(id)?;
        let work: BatchWork = serde_json::from_str(&batch.work)
            .map_err(|error| Halt::execution(format!("the batch's work cannot be read: {error}")))?;
        let count = usize::try_from(batch.invocations_per_job).unwrap_or(1);
        for item in self.view.batch_items(id, from, count)? {
            self.do_batch_work(&work, item)?;
        }
        if batch.execution_start.is_none() {
            batch.execution_start = Some(self.now());
            self.others.push(Change::UpdateBatch(batch.clone()));
            self.history.push(Change::HistoryBatchUpdate(batch.clone()));
        }
        let others = self.view.jobs_of_batch(id, 2)?;
        if batch.jobs_created >= batch.total_jobs && others.iter().all(|other| other.id == job) {
            self.end_batch(&batch);
        }
        Ok(())
    }

    fn end_batch(&mut self, batch: &Batch) {
        for definition in [batch.seed_definition, batch.monitor_definition, batch.job_definition] {
            self.last.push(Change::DeleteJobDefinition(definition));
        }
        self.last.push(Change::DeleteBatch(batch.id));
        let days = self.env.history_time_to_live;
        let removal_time = days.map(|days| self.now() + Millis::from(days) * MILLIS_OF_DAY);
        self.history.push(Change::HistoryBatchEnd {
            id: batch.id,
            end_time: self.now(),
            removal_time,
        });
    }

    pub(super) fn do_batch_work(&mut self, work: &BatchWork, item: Id) -> Run<()> {
        match work {
            BatchWork::DeleteInstances {
                reason,
                skip_custom_listeners,
                skip_io_mappings,
            } => {
                if self.instance(item)?.is_some() {
                    self.delete_instance(item, reason.as_deref(), *skip_custom_listeners, *skip_io_mappings)?;
                }
                Ok(())
            }
            BatchWork::DeleteHistory => self.delete_history(item, false),
            BatchWork::SetJobRetries(retries) => self.set_job_retries(item, *retries),
            BatchWork::SetExternalTaskRetries(retries) => match self.external_task(item)?.cloned() {
                Some(task) => self.set_external_task_retries(&task, *retries),
                None => Err(Halt::execution(format!(
                    "Cannot find external task with id {}: externalTask is null",
                    self.text(item)
                ))),
            },
            BatchWork::SetVariables(variables) => self.modify_variables(item, false, variables, &[]),
            BatchWork::Modify(modification) => self.modify_instance(item, modification),
            BatchWork::Migrate(migration) => self.migrate_instance(migration, item),
            BatchWork::Restart(restart) => self.restart_instance(restart, item),
            BatchWork::Suspend(suspended) => self.suspend_instance(item, *suspended),
            BatchWork::DeleteDecisions => {
                self.history.push(Change::HistoryDecisionDelete(item));
                Ok(())
            }
            BatchWork::SetDecisionRemovalTime(time) => {
                self.history
                    .push(Change::HistoryDecisionRemovalTime { id: item, time: *time });
                Ok(())
            }
            BatchWork::SetRemovalTime(time) => {
                self.history.push(Change::HistoryRemovalTime {
                    instance: item,
                    time: *time,
                });
                Ok(())
            }
        }
    }

    pub(super) fn suspend_batch(&mut self, id: Id, suspended: bool) -> Run<()> {
        let mut batch = self.find_batch(id)?;
        batch.suspended = suspended;
        for id in [batch.seed_definition, batch.monitor_definition, batch.job_definition] {
            if let Some(definition) = self.view.job_definition(id)? {
                self.others.push(Change::UpdateJobDefinition(JobDefinition {
                    suspended,
                    ..definition
                }));
            }
        }
        for job in self.view.jobs_of_batch(id, JOBS_MAX)? {
            let id = job.id;
            self.tables.jobs.load(job);
            self.change::<Job>(id, |row| row.suspended = suspended);
        }
        self.others.push(Change::UpdateBatch(batch));
        Ok(())
    }

    pub(super) fn delete_batch(&mut self, id: Id, cascade: bool) -> Run<()> {
        let batch = self.find_batch(id)?;
        for job in self.view.jobs_of_batch(id, JOBS_MAX)? {
            let id = job.id;
            self.tables.jobs.load(job);
            self.drop_job(id, LogState::Deleted)?;
        }
        self.end_batch(&batch);
        if cascade {
            self.last.push(Change::HistoryBatchDelete(id));
        }
        Ok(())
    }
}
