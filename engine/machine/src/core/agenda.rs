//! What a command still has to do. The agenda is a stack: a token runs until it rests before the next one moves, in
//! the order in which the tokens were made, as in Camunda.

use super::halt::{Halt, Run};
use super::work::Work;
use crate::id::Id;
use crate::model::FlowIx;

/// A thing to do. What it is about may be gone when its turn comes: then it is void.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// A token arrives at the element of its execution, by a flow or without one.
    Arrive { execution: Id, flow: Option<FlowIx> },
    /// An activity instance of this scope has ended without leaving by a flow.
    ChildEnded { scope: Id },
    /// The instance that a call activity has started is at its end.
    Returned { execution: Id },
}

impl Work<'_> {
    /// Works until all tokens rest.
    pub(super) fn run_agenda(&mut self) -> Run<()> {
        while let Some(op) = self.agenda.pop() {
            self.attempt(|work| work.perform(op))?;
        }
        Ok(())
    }

    /// Runs something within the model: what it throws may be caught there.
    pub(super) fn attempt(&mut self, act: impl FnOnce(&mut Self) -> Run<()>) -> Run<()> {
        let mut outcome = act(self);
        while let Err(Halt::Thrown(thrown)) = outcome {
            outcome = self.propagate(*thrown);
        }
        outcome
    }

    fn perform(&mut self, op: Op) -> Run<()> {
        match op {
            Op::Arrive { execution, flow } => match self.find_place(execution)? {
                Some(place) => self.arrive(&place, flow),
                None => Ok(()),
            },
            Op::ChildEnded { scope } => self.child_ended(scope),
            Op::Returned { execution } => match self.find_place(execution)? {
                Some(place) => self.leave(&place),
                None => Ok(()),
            },
        }
    }
}
