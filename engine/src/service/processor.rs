//! The heart of the service, without threads: takes work and the time, decides it in groups, and changes memory after
//! each commit.
//!
//! A group is one transaction. A command that is refused leaves no trace in it, because the machine writes nothing
//! before it is decided. If the store fails, the whole group is rolled back and its commands are run again one by one,
//! so that only the one that cannot be stored fails.

mod cleanup;
mod decide;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Instant;

use handoff_machine::command::Command;
use handoff_machine::request::Request;
use handoff_machine::{Answer, Id, Millis};

use self::decide::Outcome;
use self::settle::offers;
use super::command::{Pending, Source, Work};
use super::error::CommandError;
use super::fetch::Waiters;
use super::horizon::Horizon;
use super::metrics::{Counters, count};
use super::reservations::{Reservations, Ticket};
use crate::config::{HistoryConfig, Limits};
use crate::store::{Store, StoreError};

/// Until a job is tried again whose run or failure could not be stored.
const JOB_PAUSE: Millis = 5_000;
/// A clock that goes back by less is only corrected, and nobody waits noticeably longer.
const CORRECTION: Millis = 1_000;

/// A request that goes out. Its answer must come back, whatever it is.
pub(super) struct Outgoing {
    pub(super) ticket: Ticket,
    pub(super) request: Box<Request>,
}

/// What a turn came to.
pub(super) struct Turn {
    /// To be sent.
    pub(super) outgoing: Vec<Outgoing>,
    /// When the next turn is due, if nothing comes before.
    pub(super) next: Option<Millis>,
}

/// Decides and commits. It is driven by one thread.
pub(super) struct Processor {
    store: Store,
    limits: Limits,
    history: HistoryConfig,
    counters: Arc<Counters>,
    reservations: Reservations,
    waiters: Waiters,
    horizon: Horizon,
    /// Commands that wait for an answer.
    waiting: HashMap<Ticket, Box<Pending>>,
    /// What follows from the last turn: it is done in the next.
    ready: Vec<Work>,
    outgoing: Vec<Outgoing>,
    /// Topics of which a task was passed over because its instance was reserved.
    passed_over: HashSet<String>,
    /// Whether anything was released since the group that is settled was decided.
    released: bool,
    /// When history is looked at that has had its time.
    next_cleanup: Arc<AtomicI64>,
    /// The time of the last turn.
    seen: Millis,
    /// Made within the open transaction: they end with it if it comes to nothing.
    provisional: Vec<Ticket>,
    /// After this nothing is written any more.
    broken: Option<StoreError>,
}

impl Processor {
    pub(super) fn new(store: Store, limits: Limits, history: HistoryConfig, counters: Arc<Counters>) -> Self {
        Self {
            waiters: Waiters::new(limits.waiting_fetches),
            horizon: Horizon::new(limits.near_jobs),
            store,
            limits,
            history,
            counters,
            reservations: Reservations::default(),
            waiting: HashMap::new(),
            ready: Vec::new(),
            outgoing: Vec::new(),
            passed_over: HashSet::new(),
            released: false,
            next_cleanup: Arc::default(),
            seen: Millis::MIN,
            provisional: Vec::new(),
            broken: None,
        }
    }

    /// Does all that can be done now.
    pub(super) fn turn(&mut self, now: Millis, work: Vec<Work>, answers: Vec<(Ticket, Answer)>) -> Turn {
        self.look_at_clock(now);
        let mut all = std::mem::take(&mut self.ready);
        all.extend(
            answers
                .into_iter()
                .filter_map(|(ticket, answer)| self.answered(ticket, answer)),
        );
        self.waiters.wake_offers(now);
        all.extend(
            self.waiters
                .take_woken()
                .into_iter()
                .map(|fetch| Work::Fetch(Box::new(fetch))),
        );
        all.extend(work);
        all.extend(self.due_jobs(now));
        for fetch in self.waiters.take_late(now) {
            // Whose client has gone needs no answer.
            let _ = fetch.reply.send(Ok(Vec::new()));
        }
        for pending in self.reservations.give_up(now) {
            self.gave_up(Box::new(pending), now);
        }
        let busy = !all.is_empty();
        let size = self.limits.group_commands.max(1);
        let mut all = all.into_iter().peekable();
        while all.peek().is_some() {
            let group = all.by_ref().take(size).collect();
            self.run(group, now);
        }
        self.clean_up(now, busy);
        Turn {
            outgoing: std::mem::take(&mut self.outgoing),
            next: self.next(now),
        }
    }

    /// Whether commands are under way that will still be answered.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.ready.is_empty()
    }

    /// Whether the database can no longer be written.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Answers all waiting fetches: the engine stops.
    pub(super) fn dismiss_waiters(&mut self) {
        for fetch in self.waiters.take_all() {
            let _ = fetch.reply.send(Err(CommandError::ShuttingDown));
        }
    }

    /// Closes the store.
    pub(super) fn close(self) -> Result<(), StoreError> {
        match self.broken {
            Some(error) => Err(error),
            None => self.store.close(),
        }
    }

    /// What waits for a while, and not for an instant, goes by a clock that may be set back.
    fn look_at_clock(&mut self, now: Millis) {
        let back = self.seen.saturating_sub(now);
        self.seen = now;
        if back < CORRECTION {
            return;
        }
        tracing::warn!(millis = back, "the clock was set back");
        self.horizon.start_over();
        self.waiters.set_back(back);
        self.reservations.set_back(back);
        let interval = Millis::try_from(self.history.cleanup_interval.as_millis()).unwrap_or(Millis::MAX);
        let latest = now.saturating_add(interval);
        self.next_cleanup
            .fetch_min(latest, std::sync::atomic::Ordering::Relaxed);
    }

    fn answered(&mut self, ticket: Ticket, answer: Answer) -> Option<Work> {
        let mut pending = self.waiting.remove(&ticket)?;
        pending.progress.answers.push(answer);
        Some(Work::Command(pending))
    }

    fn due_jobs(&mut self, now: Millis) -> Vec<Work> {
        if self.broken.is_some() {
            return Vec::new();
        }
        if let Err(error) = self.horizon.refill(self.store.connection()) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the jobs that are due could not be read"
            );
            return Vec::new();
        }
        let due = self.horizon.take_due(now, self.limits.running_jobs);
        due.into_iter()
            .map(|job| Work::command(Command::ExecuteJob(job), Source::Executor))
            .collect()
    }

    /// Runs a group as one transaction; if the store fails, each of it as its own.
    fn run(&mut self, mut group: Vec<Work>, now: Millis) {
        if let Some(broken) = self.broken.as_ref().map(StoreError::repeat) {
            return self.fail_all(group, &broken, now);
        }
        let begun = Instant::now();
        let own = group.len();
        match self.transact(&mut group, now) {
            Ok(outcomes) => {
                count(&self.counters.commits);
                metrics::histogram!("handoff_engine_commit_seconds").record(begun.elapsed().as_secs_f64());
                metrics::histogram!("handoff_engine_commit_commands").record(group.len() as f64);
                self.released = false;
                for (work, outcome) in group.into_iter().zip(outcomes) {
                    count(&self.counters.commands);
                    metrics::counter!("handoff_engine_commands_total", "kind" => work.kind()).increment(1);
                    self.settle(work, outcome, now);
                }
            }
            Err(error) => {
                let joined = group.split_off(own);
                self.failed(group, joined, error, now);
            }
        }
    }

    /// Decides each of a group and commits them together. The outcomes hold only after this has returned.
    ///
    /// Fetches that wait for what the group makes join it, at its end: what they lock is on disk with the tasks
    /// themselves, one sync earlier. If the group comes to nothing they wait again, at their old place.
    fn transact(&mut self, group: &mut Vec<Work>, now: Millis) -> Result<Vec<Outcome>, StoreError> {
        self.provisional.clear();
        self.store.begin()?;
        let mut outcomes = Vec::with_capacity(group.len());
        self.decide_all(group, &mut outcomes, now)?;
        let waiting = self.waiters.take_for(&offers(&outcomes, now));
        group.extend(waiting.into_iter().map(|fetch| Work::Fetch(Box::new(fetch))));
        self.decide_all(group, &mut outcomes, now)?;
        self.store.commit()?;
        Ok(outcomes)
    }

    /// Decides what has no outcome yet.
    fn decide_all(&mut self, group: &mut [Work], outcomes: &mut Vec<Outcome>, now: Millis) -> Result<(), StoreError> {
        for work in group.iter_mut().skip(outcomes.len()) {
            outcomes.push(self.decide(work, now)?);
            self.store.check_transaction()?;
        }
        Ok(())
    }

    /// `joined`: the fetches that had joined the group. They wait as before, and may join again.
    fn failed(&mut self, group: Vec<Work>, joined: Vec<Work>, error: StoreError, now: Millis) {
        let rolled_back = self.store.rollback();
        for ticket in std::mem::take(&mut self.provisional) {
            // Nobody waits for it yet: that is settled after a commit only.
            self.reservations.release(ticket);
        }
        for work in joined {
            if let Work::Fetch(fetch) = work
                && let Some((_, deadline)) = fetch.waiting
            {
                self.wait(*fetch, deadline, now);
            }
        }
        if let Some(cause) = [Err(error.repeat()), rolled_back]
            .into_iter()
            .filter_map(Result::err)
            .find(StoreError::is_io)
        {
            self.break_off(&cause);
            self.fail_all(group, &error, now);
        } else if group.len() > 1 {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                commands = group.len(),
                "a group could not be committed; running its commands one by one"
            );
            for work in group {
                self.run(vec![work], now);
            }
        } else {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a command could not be stored"
            );
            self.fail_all(group, &error, now);
        }
    }

    /// Nothing is written any more.
    fn break_off(&mut self, cause: &StoreError) {
        tracing::error!(
            error = cause as &dyn std::error::Error,
            "writing failed: no more commands are taken"
        );
        self.broken = Some(StoreError::Broken(cause.to_string()));
    }

    fn fail_all(&mut self, group: Vec<Work>, error: &StoreError, now: Millis) {
        for work in group {
            match work {
                Work::Command(pending) => self.not_stored(pending, error.repeat(), now),
                Work::Fetch(fetch) => drop(fetch.reply.send(Err(error.repeat().into()))),
                // The locks run out by themselves.
                Work::TakeBack(_) => {}
            }
        }
    }

    /// When there is something to do again.
    fn next(&self, now: Millis) -> Option<Millis> {
        if !self.ready.is_empty() {
            return Some(now);
        }
        let jobs = (self.broken.is_none() && self.horizon.running() < self.limits.running_jobs)
            .then(|| self.horizon.next())
            .flatten();
        [
            jobs,
            self.waiters.next(now),
            self.reservations.next_deadline(),
            self.due_cleanup(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The job that a command runs.
    fn job_of(command: &Command) -> Option<Id> {
        match command {
            Command::ExecuteJob(id) | Command::FailJob { id, .. } => Some(*id),
            _ => None,
        }
    }
}
