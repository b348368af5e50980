//! Ending what runs from outside: its history says `canceled`.

use super::halt::{Halt, Run};
use super::work::Work;
use crate::error::MachineError;
use crate::id::Id;
use crate::model::{Kind, ListenerEvent};
use crate::row::{ExecutionState, InstanceState};

impl Work<'_> {
    /// Cancels an execution and everything in it, innermost first.
    ///
    /// The depth is that of the model's scopes and of calls, which are limited.
    pub(super) fn cancel(&mut self, execution: Id) -> Run<()> {
        for child in self.children(execution)? {
            self.cancel(child)?;
        }
        let Some(place) = self.find_place(execution)? else {
            return Ok(());
        };
        if matches!(place.element().kind, Kind::Call(_)) {
            self.cancel_called(execution)?;
        }
        let runs = !self.on_the_way.contains(&execution)
            && self
                .execution(execution)?
                .is_some_and(|row| matches!(row.state, ExecutionState::Active | ExecutionState::Joining { .. }));
        if runs {
            if !self.end_listeners_failed.contains(&execution) {
                match self.listeners(&place, ListenerEvent::End) {
                    // Nobody in the model can catch it: what would, is being left.
                    Err(Halt::Thrown(thrown)) => return Err(Halt::Error(thrown.into_error())),
                    outcome => outcome?,
                }
            }
            self.history.activity_end(execution, self.now(), true, false);
            self.map_outputs(&place)?;
        }
        self.dispose(&place)
    }

    /// Cancels all that runs in a scope, but not the scope. What has ended can still be compensated.
    pub(super) fn cancel_children(&mut self, scope: Id) -> Run<()> {
        for child in self.live_children(scope)? {
            self.cancel(child)?;
        }
        Ok(())
    }

    /// Cancels all that is in a scope, and forgets what has ended there.
    pub(super) fn cancel_all(&mut self, scope: Id) -> Run<()> {
        for child in self.children(scope)? {
            self.cancel(child)?;
        }
        Ok(())
    }

    /// Deletes an instance.
    pub(super) fn cancel_instance(&mut self, id: Id, state: InstanceState, reason: Option<&str>) -> Run<()> {
        self.cancel_all(id)?;
        match self.end_instance(id, Some((state, reason.map(str::to_owned)))) {
            Err(Halt::Thrown(thrown)) => Err(Halt::Error(thrown.into_error())),
            outcome => outcome,
        }
    }

    /// Deletes the instance that a call activity has started.
    fn cancel_called(&mut self, execution: Id) -> Run<()> {
        match self.called_instance(execution)? {
            Some(called) => self.cancel_instance(called, InstanceState::InternallyTerminated, None),
            None => Ok(()),
        }
    }
}

/// What cannot be cancelled because it is not there.
pub(super) fn no_such_instance(text: &str) -> MachineError {
    MachineError::NotFound {
        kind: crate::error::Entity::ProcessInstance,
        message: format!("No process instance found for id '{text}'"),
    }
}
