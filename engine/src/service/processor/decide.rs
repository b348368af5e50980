//! Deciding one piece of work within the open transaction.

use std::cell::Cell;

use handoff_machine::command::Command;
use handoff_machine::request::{Request, RequestKind};
use handoff_machine::view::ViewError;
use handoff_machine::{Delta, Env, Id, MachineError, Millis, Refusal, Step, try_step};

use super::Processor;
use crate::service::command::{Pending, PendingFetch, Source, Work};
use crate::service::fetch::{self, LockedTask};
use crate::service::reservations::{Calling, Held, Ticket};
use crate::store::StoreError;
use crate::store::ids::WAITING_IDS;
use crate::store::view::Findings;

/// What a piece of work came to. It holds when the transaction is committed.
pub(super) enum Outcome {
    /// Decided and applied.
    Done(Box<Delta>),
    /// Refused.
    Refused(Box<Refusal>),
    /// It needs an answer, and what it has read must stay as it is.
    Needs {
        /// What is asked.
        request: Box<Request>,
        /// Its surroundings, the same in its next run.
        env: Box<Env>,
        /// By which it has reserved what it has read; none: there is no room for another one to wait.
        ticket: Option<Ticket>,
    },
    /// It needs what another command has reserved.
    Blocked(Ticket),
    /// A fetch has locked these.
    Fetched(Vec<LockedTask>),
    /// A fetch has found nothing.
    Nothing {
        /// Because what there is, is reserved.
        passed_over: bool,
    },
    /// The fetch's client has gone, or locks were taken back.
    Settled,
}

impl Processor {
    /// Decides. An error is the store's: the transaction must be rolled back.
    pub(super) fn decide(&mut self, work: &mut Work, now: Millis) -> Result<Outcome, StoreError> {
        match work {
            Work::Command(pending) => self.decide_command(pending, now),
            Work::Fetch(fetch) => self.decide_fetch(fetch, now),
            Work::TakeBack(tasks) => {
                fetch::take_back(&self.store, tasks)?;
                Ok(Outcome::Settled)
            }
        }
    }

    fn decide_command(&mut self, pending: &mut Pending, now: Millis) -> Result<Outcome, StoreError> {
        let progress = &mut pending.progress;
        if progress.ticket.is_none() {
            // It may have been run in a transaction that came to nothing.
            progress.findings = Findings::default();
        }
        let first_run = progress.env.is_none();
        let env = match &progress.env {
            Some(env) => env.clone(),
            None => self.env(&pending.command, &pending.source, now)?,
        };
        let progress = &pending.progress;
        let visit = self.reservations.visit(progress.ticket);
        let decided = {
            let view = self.store.view(&visit, &progress.findings);
            try_step(&view, &pending.command, &env, &progress.answers)
        };
        match decided {
            Err(refusal) => Ok(match (&refusal.error, visit.blocked()) {
                (MachineError::View(ViewError::Reserved(_)), Some(holder)) => Outcome::Blocked(holder),
                _ => Outcome::Refused(refusal),
            }),
            Ok(Step::Need(request)) => {
                let reads = visit.into_reads();
                if first_run {
                    self.store.ids().take(env.first_id, WAITING_IDS);
                    self.note_attempt(&pending.command, &request)?;
                }
                let ticket = self.reserve(pending.progress.ticket, reads, &request);
                Ok(Outcome::Needs {
                    request,
                    env: Box::new(env),
                    ticket,
                })
            }
            Ok(Step::Done(delta)) => {
                let allowed = if first_run { Env::IDS_MAX } else { WAITING_IDS };
                if delta.ids > allowed {
                    return Err(StoreError::TooManyIds {
                        given: delta.ids,
                        allowed,
                    });
                }
                self.store.apply(&delta.changes)?;
                self.store.ids().take(env.first_id, delta.ids);
                Ok(Outcome::Done(delta))
            }
        }
    }

    /// Keeps what a command has read still, from here on: also for what comes after it in its own group.
    fn reserve(&mut self, ticket: Option<Ticket>, reads: Vec<Held>, request: &Request) -> Option<Ticket> {
        let ticket = match ticket {
            Some(ticket) => ticket,
            None if self.reservations.holders() >= self.limits.waiting_commands => return None,
            None => {
                let ticket = self.reservations.ticket();
                self.provisional.push(ticket);
                ticket
            }
        };
        let calling = match &request.kind {
            RequestKind::Delegate(call) => Some(Calling {
                delegate: call.name.clone(),
                invocation: call.invocation,
            }),
            RequestKind::Script(_) => None,
        };
        self.reservations.reserve(ticket, reads, calling);
        Some(ticket)
    }

    /// The surroundings of a command's first run.
    fn env(&mut self, command: &Command, source: &Source, now: Millis) -> Result<Env, StoreError> {
        let first = self.store.ids().first(now);
        let (invocation, attempt, first_id) = match command {
            Command::ExecuteJob(job) => (*job, self.store.attempts(*job)?.saturating_add(1), first),
            _ => (first, 1, Id(first.0.saturating_add(1))),
        };
        Ok(Env {
            now,
            first_id,
            node: self.store.node(),
            invocation,
            attempt,
            default_job_retries: self.limits.job_retries,
            history_time_to_live: self.history.time_to_live,
            enforce_history_time_to_live: self.history.enforce_time_to_live,
            removal_time_at_start: self.history.removal_time_at_start,
            user: source.user(),
            steps_max: self.limits.command_steps,
        })
    }

    /// A call is on disk before it is made: if its commit is lost, the next attempt knows that it is not the first.
    fn note_attempt(&mut self, command: &Command, request: &Request) -> Result<(), StoreError> {
        match (command, &request.kind) {
            // Without room to wait the call is not made.
            _ if self.reservations.holders() >= self.limits.waiting_commands => Ok(()),
            (Command::ExecuteJob(job), RequestKind::Delegate(_)) => self.store.note_attempt(*job),
            _ => Ok(()),
        }
    }

    fn decide_fetch(&mut self, fetch: &PendingFetch, now: Millis) -> Result<Outcome, StoreError> {
        if fetch.reply.is_closed() {
            return Ok(Outcome::Settled);
        }
        let passed_over = Cell::new(false);
        let reserved = |instance: Id| {
            let reserved = self.reservations.has(instance);
            passed_over.set(passed_over.get() || reserved);
            reserved
        };
        let candidates = fetch::select(&self.store, &fetch.request, now, &reserved)?;
        if candidates.is_empty() {
            return Ok(Outcome::Nothing {
                passed_over: passed_over.get(),
            });
        }
        let locked = fetch::lock(&self.store, &fetch.request, candidates, now)?;
        Ok(Outcome::Fetched(locked))
    }
}
