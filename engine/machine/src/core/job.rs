//! Jobs: made for asynchronous continuations and timers; run, failed, retried.

use std::sync::Arc;

use super::behaviour::SignalPayload;
use super::calendar::{self, RetryCycle};
use super::context::Site;
use super::event::Payload;
use super::halt::{Halt, Run};
use super::incident::IncidentOf;
use super::place::Place;
use super::work::Work;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::{Id, Millis};
use crate::model::{ASYNC_AFTER, ASYNC_BEFORE, Element, ElementIx, Kind, Timer};
use crate::row::{EventSubscription, ExecutionState, Job, JobDefinition, JobKind, JobLog, LogState};
use crate::view::Definition;

/// How long a failure's message may be, in characters, as in Camunda.
const MESSAGE_MAX: usize = 4000;

/// The job definition of an activity's jobs: those before or after it, or else those of its timer.
pub(super) fn job_definition<'d>(
    definition: &'d Definition,
    activity: &str,
    moment: Option<&str>,
) -> Option<&'d JobDefinition> {
    definition.jobs.iter().find(|jobs| {
        jobs.activity.as_deref() == Some(activity)
            && match moment {
                Some(moment) => jobs.configuration.as_deref() == Some(moment),
                None => jobs.job_type.starts_with("timer-"),
            }
    })
}

impl Work<'_> {
    /// A job that continues an execution before or after its activity.
    pub(super) fn create_async_job(&mut self, place: &Place, execution: Id) -> Run<()> {
        let site = Site {
            execution,
            ..Site::from(place)
        };
        let after = self
            .execution(execution)?
            .is_some_and(|row| matches!(row.state, ExecutionState::AsyncAfter { .. }));
        let moment = if after { ASYNC_AFTER } else { ASYNC_BEFORE };
        self.create_job(&site, place.element(), JobKind::AsyncContinuation, Some(moment), None)
    }

    /// A job that fires an event of an execution or instance.
    pub(super) fn create_timer_job(&mut self, site: &Site, event: ElementIx, timer: &Timer, repeats: bool) -> Run<()> {
        let next = self.timer_due(site, timer)?;
        let definition = Arc::clone(&site.definition);
        let kind = JobKind::Timer {
            repeat: next.repeat.filter(|_| repeats),
        };
        self.create_job(site, definition.model.at(event), kind, None, Some(next.due))
    }

    /// A job that calls a timeout listener of a user task.
    pub(super) fn create_timeout_job(&mut self, site: &Site, task: &Element, listener: &str, timer: &Timer) -> Run<()> {
        let next = self.timer_due(site, timer)?;
        let kind = JobKind::TaskTimeout {
            listener: listener.to_owned(),
            repeat: next.repeat,
        };
        self.create_job(site, task, kind, None, Some(next.due))
    }

    fn create_job(
        &mut self,
        site: &Site,
        element: &Element,
        kind: JobKind,
        moment: Option<&str>,
        due: Option<Millis>,
    ) -> Run<()> {
        let priority = self.priority(site, element.job_priority.as_ref())?;
        let row = self.instance(site.instance)?;
        let tenant = row.and_then(|row| row.tenant.clone());
        let suspended = row.is_some_and(|row| row.suspended);
        let execution = Some(site.execution);
        let instance = Some(site.instance);
        let job = self.new_job(&site.definition, element, kind, moment, due)?;
        let overridden = job_definition(&site.definition, &element.id, moment).and_then(|jobs| jobs.priority);
        self.insert_job(Job {
            execution,
            instance,
            priority: overridden.unwrap_or(priority),
            suspended: job.suspended || suspended,
            tenant,
            ..job
        })
    }

    /// A job that hands an event to one who waits for it, or to a start event.
    pub(super) fn create_event_job(&mut self, subscription: &EventSubscription) -> Run<()> {
        let definition = self.known_definition(subscription.definition)?;
        let Some(ix) = definition.model.find(&subscription.activity) else {
            return Err(Halt::execution(format!(
                "the process model has no element '{}'",
                subscription.activity
            )));
        };
        let element = definition.model.at(ix);
        let kind = JobKind::Event {
            subscription: subscription.id,
        };
        if let (Some(execution), Some(instance)) = (subscription.execution, subscription.instance) {
            let site = Site {
                execution,
                instance,
                definition: Arc::clone(&definition),
                ix: Some(ix),
            };
            return self.create_job(&site, element, kind, None, None);
        }
        let job = self.new_job(&definition, element, kind, None, None)?;
        self.insert_job(Job {
            tenant: definition.row.tenant.clone(),
            ..job
        })
    }

    /// A job that starts an instance by a timer start event.
    pub(super) fn create_start_job(&mut self, definition: &Arc<Definition>, event: &Element, timer: &Timer) -> Run<()> {
        let next = self.start_timer_due(timer)?;
        let kind = JobKind::TimerStart { repeat: next.repeat };
        let job = self.new_job(definition, event, kind, None, Some(next.due))?;
        self.insert_job(Job {
            tenant: definition.row.tenant.clone(),
            ..job
        })
    }

    fn new_job(
        &mut self,
        definition: &Definition,
        element: &Element,
        kind: JobKind,
        moment: Option<&str>,
        due: Option<Millis>,
    ) -> Run<Job> {
        let jobs = job_definition(definition, &element.id, moment);
        Ok(Job {
            id: self.id()?,
            kind,
            definition: Some(definition.row.id),
            definition_key: Some(definition.row.key.clone()),
            job_definition: jobs.map(|jobs| jobs.id),
            instance: None,
            execution: None,
            activity: element.id.clone(),
            created: self.now(),
            due,
            retries: self.env.default_job_retries,
            failures: 0,
            exclusive: element.exclusive,
            priority: 0,
            suspended: jobs.is_some_and(|jobs| jobs.suspended),
            tenant: None,
            exception_message: None,
            exception_stacktrace: None,
            failed_activity: None,
        })
    }

    /// Writes a new job down, with as many retries as its cycle has attempts.
    pub(super) fn insert_job(&mut self, job: Job) -> Run<()> {
        let retries = self
            .retry_cycle(&job)?
            .map_or(job.retries, |cycle| cycle.attempts.max(1));
        let job = Job { retries, ..job };
        self.log_job(&job, LogState::Created)?;
        self.insert(job);
        Ok(())
    }

    fn log_job(&mut self, job: &Job, state: LogState) -> Run<()> {
        let id = self.id()?;
        let root = match job.instance {
            Some(instance) => self.instance(instance)?.map(|row| row.root),
            None => None,
        };
        let deployment = match job.definition {
            Some(definition) => Some(self.known_definition(definition)?.row.deployment),
            None => None,
        };
        let time = self.now();
        self.history.push(Change::HistoryJob(JobLog {
            id,
            time,
            root,
            job: job.clone(),
            deployment,
            state,
            removal_time: None,
        }));
        Ok(())
    }

    /// Removes a job that has run or is not needed any more.
    pub(super) fn drop_job(&mut self, id: Id, state: LogState) -> Run<()> {
        let Some(job) = self.job(id)?.cloned() else {
            return Ok(());
        };
        self.log_job(&job, state)?;
        if job.retries <= 0 {
            self.end_incidents(id, state == LogState::Successful)?;
        }
        self.remove::<Job>(id);
        Ok(())
    }

    pub(super) fn find_job(&mut self, id: Id) -> Run<Job> {
        match self.job(id)?.cloned() {
            Some(job) => Ok(job),
            None => Err(MachineError::NotFound {
                kind: Entity::Job,
                message: format!("No job found with id '{}'", self.text(id)),
            }
            .into()),
        }
    }

    /// Runs a job.
    pub(super) fn execute_job(&mut self, id: Id) -> Run<()> {
        let job = self.find_job(id)?;
        if job.suspended {
            return Err(
                MachineError::Suspended(format!("ENGINE-03043 job with id '{}' is suspended.", self.text(id))).into(),
            );
        }
        self.drop_job(id, LogState::Successful)?;
        match (&job.kind, job.execution) {
            (JobKind::AsyncContinuation, Some(execution)) => self.continue_execution(execution)?,
            (JobKind::Timer { repeat }, Some(execution)) => {
                self.repeat_timer(&job, repeat.as_deref())?;
                self.attempt(|work| work.fire(execution, &job.activity, Payload::default()))?;
            }
            (JobKind::Event { subscription }, _) => {
                if let Some(row) = self.subscription(*subscription)?.cloned() {
                    self.deliver_signal(&row, &SignalPayload::default())?;
                }
            }
            (JobKind::TaskTimeout { listener, repeat }, Some(execution)) => {
                self.repeat_timer(&job, repeat.as_deref())?;
                self.attempt(|work| work.task_timeout(execution, listener))?;
            }
            (JobKind::TimerStart { repeat }, _) => {
                self.repeat_timer(&job, repeat.as_deref())?;
                self.start_by_timer(&job)?;
            }
            (JobKind::Timed { work }, _) => self.run_timed(work)?,
            (JobKind::BatchSeed { batch }, _) => self.seed_batch(*batch)?,
            (JobKind::Batch { batch, from }, _) => self.run_batch_job(id, *batch, *from)?,
            (_, None) => return Err(Halt::execution("the job has no execution")),
        }
        self.run_agenda()
    }

    fn continue_execution(&mut self, execution: Id) -> Run<()> {
        let place = self.place(execution)?;
        let state = self.execution(execution)?.map(|row| row.state.clone());
        self.attempt(|work| match &state {
            Some(ExecutionState::AsyncBefore) => {
                if matches!(place.element().kind, Kind::Start(_)) && place.element().scope.is_none() {
                    let site = Site {
                        execution: place.instance,
                        ix: None,
                        ..Site::from(&place)
                    };
                    if !work.start_process(&site)? {
                        return Ok(());
                    }
                }
                work.begin(&place)
            }
            Some(ExecutionState::AsyncAfter { flows }) => work.continue_after(&place, flows),
            _ => Err(Halt::execution(format!(
                "the activity '{}' does not wait for a job",
                place.element().id
            ))),
        })
    }

    /// The next job of a cycle.
    fn repeat_timer(&mut self, job: &Job, repeat: Option<&str>) -> Run<()> {
        let Some(repeat) = repeat else { return Ok(()) };
        let now = self.now().max(job.due.unwrap_or_default());
        let Some(next) = calendar::following(repeat, now).map_err(Halt::execution)? else {
            return Ok(());
        };
        let kind = match job.kind {
            JobKind::TimerStart { .. } => JobKind::TimerStart { repeat: next.repeat },
            JobKind::TaskTimeout { ref listener, .. } => JobKind::TaskTimeout {
                listener: listener.clone(),
                repeat: next.repeat,
            },
            _ => JobKind::Timer { repeat: next.repeat },
        };
        let job = Job {
            id: self.id()?,
            kind,
            created: self.now(),
            due: Some(next.due),
            retries: self.env.default_job_retries,
            failures: 0,
            exception_message: None,
            exception_stacktrace: None,
            failed_activity: None,
            ..job.clone()
        };
        self.insert_job(job)
    }

    /// Notes that running a job failed.
    pub(super) fn fail_job(&mut self, id: Id, message: &str, stacktrace: &str, activity: Option<&str>) -> Run<()> {
        let job = self.find_job(id)?;
        let cycle = self.retry_cycle(&job)?;
        let first = job.exception_message.is_none() && job.exception_stacktrace.is_none();
        let mut retries = job.retries;
        let mut due = job.due;
        if let Some(cycle) = &cycle {
            if first {
                retries = cycle.attempts;
            }
            due = Some(cycle.due(retries, self.now()).map_err(Halt::execution)?);
        }
        let retries = (retries - 1).max(0);
        let message: String = message.chars().take(MESSAGE_MAX).collect();
        self.change::<Job>(id, |row| {
            row.due = due;
            row.retries = retries;
            row.failures += 1;
            row.exception_message = Some(message.clone());
            row.exception_stacktrace = Some(stacktrace.to_owned());
            // A batch's job is of no activity.
            let own = row.definition.is_some().then_some(row.activity.as_str());
            row.failed_activity = activity.or(own).map(str::to_owned);
        });
        let failed = self.find_job(id)?;
        // As it was when it failed, as in Camunda: before the failure counted.
        let logged = Job {
            retries: job.retries,
            due: job.due,
            ..failed.clone()
        };
        self.log_job(&logged, LogState::Failed)?;
        if retries == 0 && job.retries > 0 {
            self.job_incident(&failed)?;
        }
        Ok(())
    }

    /// The retry cycle of the job's element; one that cannot be read counts as none, so that the failure is noted.
    fn retry_cycle(&mut self, job: &Job) -> Run<Option<RetryCycle>> {
        let Some(definition) = job.definition else {
            return Ok(None);
        };
        let definition = self.known_definition(definition)?;
        let Some(ix) = definition.model.find(&job.activity) else {
            return Ok(None);
        };
        let Some(expression) = definition.model.at(ix).retry_cycle.clone() else {
            return Ok(None);
        };
        let text = match (job.execution, job.instance) {
            (Some(execution), Some(instance)) => {
                let site = Site {
                    execution,
                    instance,
                    definition,
                    ix: Some(ix),
                };
                self.evaluate_text(&site, &expression)
            }
            _ => Ok(expression.literal().map(str::to_owned)),
        };
        let cycle = match text {
            Ok(None) => return Ok(None),
            Ok(Some(text)) if text.trim().is_empty() => return Ok(None),
            Ok(Some(text)) => RetryCycle::parse(&text),
            Err(error) => Err(error.to_string()),
        };
        Ok(match cycle {
            Ok(cycle) => Some(cycle),
            Err(message) => {
                self.notice(
                    job.instance,
                    &job.activity,
                    format!("failedJobRetryTimeCycle is ignored: {message}"),
                );
                None
            }
        })
    }

    fn job_incident(&mut self, job: &Job) -> Run<()> {
        self.raise_incident(IncidentOf {
            kind: "failedJob".to_owned(),
            configuration: job.id,
            instance: job.instance,
            execution: job.execution,
            definition: job.definition,
            activity: job.activity.clone(),
            failed_activity: job.failed_activity.clone(),
            message: job.exception_message.clone(),
            tenant: job.tenant.clone(),
        })
    }

    pub(super) fn set_job_retries(&mut self, id: Id, retries: i32) -> Run<()> {
        let job = self.find_job(id)?;
        if retries < 0 {
            return Err(MachineError::BadUserRequest(format!(
                "The number of job retries must be a non-negative Integer, but '{retries}' has been provided."
            ))
            .into());
        }
        self.change::<Job>(id, |row| row.retries = retries);
        if retries == 0 && job.retries > 0 {
            let job = self.find_job(id)?;
            self.job_incident(&job)?;
        } else if retries > 0 && job.retries <= 0 {
            self.end_incidents(id, true)?;
        }
        Ok(())
    }

    pub(super) fn set_job_due(&mut self, id: Id, due: Option<Millis>) -> Run<()> {
        self.find_job(id)?;
        let now = self.now();
        self.change::<Job>(id, |row| row.due = due.or(Some(now)));
        Ok(())
    }
}
