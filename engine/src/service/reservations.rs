//! What commands that wait for an answer have read, kept still for them, and who waits for it.
//!
//! A command that comes upon something reserved is parked behind the one that holds it, and run anew when that one is
//! done. It may be parked several times, but all in all until one deadline.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use handoff_machine::view::{Seen, ViewError};
use handoff_machine::{Id, Millis};
use uuid::Uuid;

use super::command::{Pending, Source};
use crate::store::view::{Guard, Key};

/// A command that waits, or has waited, for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ticket(pub(super) u64);

/// What can be reserved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Held {
    /// An instance with all its rows.
    Instance(Id),
    /// A key.
    Key(Key),
}

/// A delegate that is being called.
#[derive(Clone, Debug)]
pub(super) struct Calling {
    pub(super) delegate: String,
    pub(super) invocation: Uuid,
}

/// What one holder has.
#[derive(Default)]
struct Holder {
    held: Vec<Held>,
    calling: Option<Calling>,
    parked: Vec<Pending>,
}

/// All reservations.
#[derive(Default)]
pub(super) struct Reservations {
    held: HashMap<Held, Ticket>,
    holders: HashMap<Ticket, Holder>,
    parked: usize,
    last: u64,
}

/// The reads of one run of a command.
pub(super) struct Visit<'r> {
    reservations: &'r Reservations,
    own: Option<Ticket>,
    read: RefCell<Vec<Held>>,
    blocked: Cell<Option<Ticket>>,
}

impl Visit<'_> {
    fn visit(&self, held: Held, id: Id) -> Seen<()> {
        if !self.reservations.held.is_empty()
            && let Some(holder) = self.reservations.held.get(&held)
            && self.own != Some(*holder)
        {
            self.blocked.set(Some(*holder));
            return Err(ViewError::Reserved(id));
        }
        let mut read = self.read.borrow_mut();
        if !read.contains(&held) {
            read.push(held);
        }
        Ok(())
    }

    /// What was read.
    pub(super) fn into_reads(self) -> Vec<Held> {
        self.read.into_inner()
    }

    /// Who has what the command needs.
    pub(super) fn blocked(&self) -> Option<Ticket> {
        self.blocked.get()
    }
}

impl Guard for Visit<'_> {
    fn instance(&self, id: Id) -> Seen<()> {
        // Rows of one instance come one after the other.
        if self.read.borrow().last() == Some(&Held::Instance(id)) {
            return Ok(());
        }
        self.visit(Held::Instance(id), id)
    }

    fn key(&self, key: Key) -> Seen<()> {
        self.visit(Held::Key(key), Id(0))
    }
}

impl Reservations {
    /// Begins a run of a command.
    pub(super) fn visit(&self, own: Option<Ticket>) -> Visit<'_> {
        Visit {
            reservations: self,
            own,
            read: RefCell::default(),
            blocked: Cell::new(None),
        }
    }

    /// A new ticket.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.last += 1;
        Ticket(self.last)
    }

    /// Reserves what a command has read, for as long as `calling` takes.
    pub(super) fn reserve(&mut self, ticket: Ticket, reads: Vec<Held>, calling: Option<Calling>) {
        let holder = self.holders.entry(ticket).or_default();
        holder.calling = calling;
        for held in reads {
            self.held.insert(held.clone(), ticket);
            if !holder.held.contains(&held) {
                holder.held.push(held);
            }
        }
        self.report();
    }

    /// Releases all that a command has reserved, and returns who waited for it, in order.
    pub(super) fn release(&mut self, ticket: Ticket) -> Vec<Pending> {
        let Some(holder) = self.holders.remove(&ticket) else {
            return Vec::new();
        };
        for held in &holder.held {
            self.held.remove(held);
        }
        self.parked -= holder.parked.len();
        self.report();
        holder.parked
    }

    /// Whether an instance is reserved.
    pub(super) fn has(&self, instance: Id) -> bool {
        !self.held.is_empty() && self.held.contains_key(&Held::Instance(instance))
    }

    /// An instance that a holder has.
    pub(super) fn instance_of(&self, holder: Ticket) -> Id {
        let held = self.holders.get(&holder).into_iter().flat_map(|holder| &holder.held);
        let mut instances = held.filter_map(|held| match held {
            Held::Instance(id) => Some(*id),
            Held::Key(_) => None,
        });
        instances.next().unwrap_or(Id(0))
    }

    /// How many commands hold something.
    pub(super) fn holders(&self) -> usize {
        self.holders.len()
    }

    /// How many commands are parked.
    pub(super) fn parked(&self) -> usize {
        self.parked
    }

    /// Parks a command behind a holder; gives it back if that one is done already.
    pub(super) fn park(&mut self, holder: Ticket, pending: Pending) -> Option<Pending> {
        let Some(holder) = self.holders.get_mut(&holder) else {
            return Some(pending);
        };
        holder.parked.push(pending);
        self.parked += 1;
        self.report();
        None
    }

    /// The delegate whose own call can never be served if it waits for `holder`: `invocation` runs within `holder`, or
    /// within a command that `holder`'s delegate waits for in turn.
    pub(super) fn cycle(&self, invocation: Option<Uuid>, holder: Ticket) -> Option<Calling> {
        let invocation = invocation?;
        let mut seen = Vec::new();
        let mut next = vec![holder];
        while let Some(ticket) = next.pop() {
            if seen.contains(&ticket) {
                continue;
            }
            seen.push(ticket);
            let Some(calling) = self.holders.get(&ticket).and_then(|holder| holder.calling.as_ref()) else {
                continue;
            };
            if calling.invocation == invocation {
                return Some(calling.clone());
            }
            next.extend(self.waits_for(calling.invocation));
        }
        None
    }

    /// The holders for which calls from within a delegate wait.
    fn waits_for(&self, caller: Uuid) -> impl Iterator<Item = Ticket> + '_ {
        self.holders
            .iter()
            .filter(move |(_, holder)| {
                holder.parked.iter().any(
                    |pending| matches!(&pending.source, Source::Caller { sender, .. } if sender.invocation == Some(caller)),
                )
            })
            .map(|(ticket, _)| *ticket)
    }

    /// Takes out who has waited long enough.
    pub(super) fn give_up(&mut self, now: Millis) -> Vec<Pending> {
        if self.parked == 0 {
            return Vec::new();
        }
        let mut late = Vec::new();
        for holder in self.holders.values_mut() {
            let over = |pending: &mut Pending| pending.progress.parked_until.is_some_and(|until| until <= now);
            late.extend(holder.parked.extract_if(.., over));
        }
        self.parked -= late.len();
        self.report();
        late
    }

    /// The clock was set back by `millis`: who waits, waits for as long as before.
    pub(super) fn set_back(&mut self, millis: Millis) {
        let parked = self.holders.values_mut().flat_map(|holder| &mut holder.parked);
        for until in parked.filter_map(|pending| pending.progress.parked_until.as_mut()) {
            *until -= millis;
        }
    }

    /// When somebody will have waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        if self.parked == 0 {
            return None;
        }
        let parked = self.holders.values().flat_map(|holder| &holder.parked);
        parked.filter_map(|pending| pending.progress.parked_until).min()
    }

    fn report(&self) {
        metrics::gauge!("handoff_engine_reserved").set(self.held.len() as f64);
        metrics::gauge!("handoff_engine_parked_commands").set(self.parked as f64);
    }
}
