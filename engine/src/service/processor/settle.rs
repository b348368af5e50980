//! After the commit: who is told, who is woken, what is remembered.

use std::collections::BTreeMap;

use handoff_machine::command::{Command, Reply};
use handoff_machine::delta::{Change, Notice};
use handoff_machine::request::Request;
use handoff_machine::row::ExternalTask;
use handoff_machine::{Delta, Env, MachineError, Millis, Refusal};

use super::decide::Outcome;
use super::{JOB_PAUSE, Outgoing, Processor};
use crate::service::command::{Pending, PendingFetch, Source, Work};
use crate::service::error::CommandError;
use crate::service::fetch::{LockedTask, Turnout, next_offer};
use crate::service::metrics::count;
use crate::service::reservations::Ticket;
use crate::store::StoreError;

/// Until a job is tried again that came upon a reserved instance for too long, or found no room.
const JOB_BACKOFF: Millis = 1_000;

impl Processor {
    /// Does what follows from an outcome that is on disk.
    pub(super) fn settle(&mut self, work: Work, outcome: Outcome, now: Millis) {
        match (work, outcome) {
            (Work::Command(pending), Outcome::Done(delta)) => self.done(pending, *delta, now),
            (Work::Command(pending), Outcome::Refused(refusal)) => self.refused(pending, *refusal, now),
            (Work::Command(pending), Outcome::Needs { request, env, ticket }) => {
                self.needs(pending, request, *env, ticket, now);
            }
            (Work::Command(pending), Outcome::Blocked(holder)) => self.blocked(pending, holder, now),
            (Work::Fetch(fetch), Outcome::Fetched(tasks)) => self.fetched(*fetch, tasks),
            (Work::Fetch(fetch), Outcome::Nothing { passed_over }) => self.nothing(*fetch, passed_over, now),
            (Work::TakeBack(tasks), _) => tasks.iter().for_each(|task| self.waiters.wake(&task.topic, 1)),
            // Only a fetch whose client has gone is left.
            (Work::Command(_) | Work::Fetch(_), _) => {}
        }
    }

    fn done(&mut self, pending: Box<Pending>, delta: Delta, now: Millis) {
        self.remember(&delta.changes, now);
        delta.notices.iter().for_each(notice);
        self.release(&pending);
        match pending.source {
            Source::Caller { reply, .. } => drop(reply.send(Ok(delta.reply))),
            Source::Executor => {
                count(&self.counters.jobs);
                if let Some(job) = Self::job_of(&pending.command) {
                    self.horizon.finished(job);
                }
            }
            Source::Failure { job, caller } => {
                self.horizon.finished(job);
                tell(caller);
            }
        }
    }

    fn refused(&mut self, pending: Box<Pending>, refusal: Refusal, now: Millis) {
        let Refusal { error, activity } = refusal;
        self.release(&pending);
        if matches!(error, MachineError::Mismatch(_)) {
            count(&self.counters.mismatched_messages);
            metrics::counter!("handoff_engine_message_mismatches_total").increment(1);
        }
        let job = Self::job_of(&pending.command);
        match (pending.source, job) {
            (Source::Caller { reply, .. }, Some(job)) if costs_a_retry(&error) && is_run(&pending.command) => {
                self.fail_job(job, &error.to_string(), activity, Some((reply, error.into())));
            }
            (Source::Caller { reply, .. }, _) => drop(reply.send(Err(error.into()))),
            (Source::Executor, Some(job)) if costs_a_retry(&error) => {
                count(&self.counters.jobs);
                tracing::warn!(job = job.0, error = %error, "a job failed");
                self.fail_job(job, &error.to_string(), activity, None);
            }
            (Source::Executor, Some(job)) => match error {
                // It was run or deleted otherwise.
                MachineError::NotFound { .. } => self.horizon.finished(job),
                // It was suspended in its own group, and comes back when it is activated.
                MachineError::Suspended(_) if matches!(self.store.can_run(job), Ok(false)) => {
                    self.horizon.finished(job);
                }
                // What it wants to start is suspended.
                error @ MachineError::Suspended(_) => self.fail_job(job, &error.to_string(), activity, None),
                error => {
                    tracing::warn!(job = job.0, error = %error, "a job could not be run");
                    self.horizon.postpone(job, now.saturating_add(JOB_PAUSE));
                }
            },
            (Source::Executor, None) => {}
            (Source::Failure { job, caller }, _) => {
                match error {
                    MachineError::NotFound { .. } => self.horizon.finished(job),
                    error => {
                        tracing::error!(job = job.0, error = %error, "a job's failure could not be noted");
                        self.horizon.postpone(job, now.saturating_add(JOB_PAUSE));
                    }
                }
                tell(caller);
            }
        }
    }

    /// A second transaction notes a job's failure.
    fn fail_job(
        &mut self,
        job: handoff_machine::Id,
        message: &str,
        activity: Option<String>,
        caller: Option<(crate::service::command::ReplyTo<Reply>, CommandError)>,
    ) {
        let command = Command::FailJob {
            id: job,
            message: message.to_owned(),
            stacktrace: message.to_owned(),
            activity,
        };
        // Before whoever waited for the job's instance, and would reserve it for long.
        self.ready
            .insert(0, Work::command(command, Source::Failure { job, caller }));
    }

    fn needs(
        &mut self,
        mut pending: Box<Pending>,
        request: Box<Request>,
        env: Env,
        ticket: Option<Ticket>,
        now: Millis,
    ) {
        let Some(ticket) = ticket else {
            return self.overloaded(pending, now);
        };
        pending.progress.ticket = Some(ticket);
        pending.progress.env = Some(env);
        pending.progress.parked_until = None;
        self.outgoing.push(Outgoing { ticket, request });
        self.waiting.insert(ticket, pending);
    }

    fn blocked(&mut self, mut pending: Box<Pending>, holder: Ticket, now: Millis) {
        let invocation = match &pending.source {
            Source::Caller { sender, .. } => sender.invocation,
            Source::Executor | Source::Failure { .. } => None,
        };
        if let Some(calling) = self.reservations.cycle(invocation, holder) {
            let instance = self.reservations.instance_of(holder);
            self.release(&pending);
            let error = CommandError::Cycle {
                delegate: calling.delegate,
                invocation: calling.invocation,
                instance,
            };
            if let Source::Caller { reply, .. } = pending.source {
                drop(reply.send(Err(error)));
            }
            return;
        }
        let patience = Millis::try_from(self.limits.park_timeout.as_millis()).unwrap_or(Millis::MAX);
        let until = *pending
            .progress
            .parked_until
            .get_or_insert(now.saturating_add(patience));
        if until <= now {
            self.gave_up(pending, now);
        } else if self.reservations.parked() >= self.limits.parked_commands {
            self.overloaded(pending, now);
        } else if let Some(pending) = self.reservations.park(holder, *pending) {
            self.ready.push(Work::Command(Box::new(pending)));
        }
    }

    /// A command has waited too long for a reserved instance. A job loses no retry by it.
    pub(super) fn gave_up(&mut self, pending: Box<Pending>, now: Millis) {
        self.release(&pending);
        let job = Self::job_of(&pending.command);
        match (pending.source, job) {
            (Source::Caller { reply, .. }, _) => drop(
                reply.send(Err(CommandError::Conflict(
                    "ENGINE-03005 Entity was updated by another transaction concurrently: the process instance stayed \
                 reserved by a command that waits for a delegate"
                        .to_owned(),
                ))),
            ),
            (Source::Executor, Some(job)) => self.horizon.postpone(job, now.saturating_add(JOB_BACKOFF)),
            (Source::Executor, None) => {}
            (Source::Failure { job, caller }, _) => {
                self.horizon.postpone(job, now.saturating_add(JOB_BACKOFF));
                tell(caller);
            }
        }
    }

    /// There is no room for a command to wait.
    fn overloaded(&mut self, pending: Box<Pending>, now: Millis) {
        self.release(&pending);
        let job = Self::job_of(&pending.command);
        match (pending.source, job) {
            (Source::Caller { reply, .. }, _) => {
                drop(reply.send(Err(CommandError::Overloaded {
                    retry_after: std::time::Duration::from_secs(1),
                })));
            }
            (Source::Executor, Some(job)) => self.horizon.postpone(job, now.saturating_add(JOB_BACKOFF)),
            (Source::Executor, None) => {}
            (Source::Failure { job, caller }, _) => {
                self.horizon.postpone(job, now.saturating_add(JOB_BACKOFF));
                tell(caller);
            }
        }
    }

    /// The store has failed on a command.
    pub(super) fn not_stored(&mut self, pending: Box<Pending>, error: StoreError, now: Millis) {
        self.release(&pending);
        let job = Self::job_of(&pending.command);
        match (pending.source, job) {
            (Source::Caller { reply, .. }, _) => drop(reply.send(Err(error.into()))),
            (Source::Executor, Some(job)) => self.horizon.postpone(job, now.saturating_add(JOB_PAUSE)),
            (Source::Executor, None) => {}
            (Source::Failure { job, caller }, _) => {
                self.horizon.postpone(job, now.saturating_add(JOB_PAUSE));
                tell(caller);
            }
        }
    }

    /// Releases what a command has reserved; who waited for it is run anew.
    fn release(&mut self, pending: &Pending) {
        let Some(ticket) = pending.progress.ticket else { return };
        let parked = self.reservations.release(ticket);
        self.released = true;
        self.ready
            .extend(parked.into_iter().map(|pending| Work::Command(Box::new(pending))));
        for topic in self.passed_over.drain() {
            self.waiters.wake(&topic, usize::MAX);
        }
    }

    /// Takes what was committed into memory.
    fn remember(&mut self, changes: &[Change], now: Millis) {
        for change in changes {
            if let Some(task) = written(change) {
                self.offered(task, now);
            }
            match change {
                Change::InsertJob(job) | Change::UpdateJob(job) | Change::MigrateJob(job) => self.horizon.put(job),
                Change::DeleteJob(id) => self.horizon.remove(*id),
                _ => {}
            }
        }
    }

    fn offered(&mut self, task: &ExternalTask, now: Millis) {
        match offer(task, now) {
            Some(Offer::Now) => self.waiters.wake(&task.topic, 1),
            Some(Offer::At(at)) => self.waiters.offer(&task.topic, at),
            None => {}
        }
    }

    fn fetched(&mut self, fetch: PendingFetch, tasks: Vec<LockedTask>) {
        for locked in &tasks {
            if let Some(at) = locked.task.lock_expiration {
                self.waiters.offer(&locked.task.topic, at);
            }
        }
        if fetch.waiting.is_some() {
            self.waiters.tried(&fetch.request, Turnout::Served, tasks.len());
        }
        metrics::counter!("handoff_engine_tasks_locked_total").increment(tasks.len() as u64);
        if let Err(Ok(tasks)) = fetch.reply.send(Ok(tasks)) {
            // The client went while its tasks were being locked: nobody knows of them.
            self.ready
                .push(Work::TakeBack(tasks.into_iter().map(|locked| locked.task).collect()));
        }
    }

    fn nothing(&mut self, fetch: PendingFetch, passed_over: bool, now: Millis) {
        if fetch.waiting.is_some() {
            self.waiters.tried(&fetch.request, Turnout::Empty, 0);
        }
        let patience = fetch
            .request
            .timeout
            .map(|timeout| Millis::try_from(timeout.as_millis()).unwrap_or(Millis::MAX));
        let deadline = fetch
            .waiting
            .map(|(_, deadline)| deadline)
            .or(patience.map(|patience| now.saturating_add(patience)));
        let Some(deadline) = deadline.filter(|deadline| *deadline > now) else {
            drop(fetch.reply.send(Ok(Vec::new())));
            return;
        };
        if fetch.waiting.is_none() && !self.waiters.has_room() {
            drop(fetch.reply.send(Err(CommandError::TooManyFetches)));
            return;
        }
        let topics = passed_over.then(|| {
            fetch
                .request
                .topics
                .iter()
                .map(|topic| topic.name.clone())
                .collect::<Vec<_>>()
        });
        self.wait(fetch, deadline, now);
        for topic in topics.into_iter().flatten() {
            if self.released {
                // What it passed over may have been released by a command of its own group: nobody else would wake it.
                self.waiters.wake(&topic, usize::MAX);
            }
            self.passed_over.insert(topic);
        }
    }

    /// Lets a fetch wait until somebody wakes it, or time offers it a task.
    pub(super) fn wait(&mut self, fetch: PendingFetch, deadline: Millis, now: Millis) {
        let mut offers = Vec::new();
        for topic in self.waiters.topics_without_offer(&fetch.request) {
            match next_offer(self.store.connection(), topic, now) {
                Ok(Some(at)) => offers.push((topic.to_owned(), at)),
                Ok(None) => {}
                Err(error) => {
                    drop(fetch.reply.send(Err(error.into())));
                    return;
                }
            }
        }
        self.waiters.wait(fetch, deadline);
        for (topic, at) in offers {
            self.waiters.offer(&topic, at);
        }
    }
}

/// When a task may be fetched.
enum Offer {
    Now,
    At(Millis),
}

/// The external task that a change writes.
fn written(change: &Change) -> Option<&ExternalTask> {
    match change {
        Change::InsertExternalTask(task) | Change::UpdateExternalTask(task) | Change::MigrateExternalTask(task) => {
            Some(task)
        }
        _ => None,
    }
}

/// None: only after somebody has changed it.
fn offer(task: &ExternalTask, now: Millis) -> Option<Offer> {
    if task.suspended || task.retries.is_some_and(|retries| retries <= 0) {
        return None;
    }
    Some(match task.lock_expiration {
        Some(at) if at > now => Offer::At(at),
        Some(_) | None => Offer::Now,
    })
}

/// The tasks that outcomes offer at once: how many of each topic.
pub(super) fn offers(outcomes: &[Outcome], now: Millis) -> BTreeMap<&str, usize> {
    let mut offers = BTreeMap::new();
    let changes = outcomes.iter().flat_map(|outcome| match outcome {
        Outcome::Done(delta) => delta.changes.as_slice(),
        _ => &[],
    });
    for task in changes.filter_map(written) {
        if matches!(offer(task, now), Some(Offer::Now)) {
            *offers.entry(task.topic.as_str()).or_default() += 1;
        }
    }
    offers
}

/// Tells the caller of a job that has failed.
fn tell(caller: Option<(crate::service::command::ReplyTo<Reply>, CommandError)>) {
    if let Some((reply, error)) = caller {
        drop(reply.send(Err(error)));
    }
}

/// Whether the command runs a job (and does not only note its failure).
fn is_run(command: &Command) -> bool {
    matches!(command, Command::ExecuteJob(_))
}

/// Whether an error is the job's own.
fn costs_a_retry(error: &MachineError) -> bool {
    !matches!(
        error,
        MachineError::NotFound { .. } | MachineError::View(_) | MachineError::Suspended(_)
    )
}

fn notice(notice: &Notice) {
    tracing::warn!(
        instance = notice.instance.map(|id| id.0),
        activity = %notice.activity,
        "{}",
        notice.message
    );
}
