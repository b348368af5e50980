//! Commands on one execution that waits.

use crate::command::VariableInput;
use crate::core::event::Payload;
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::error::{Entity, MachineError};
use crate::id::Id;
use crate::model::Kind;
use crate::row::{EventKind, ExecutionState};

impl Work<'_> {
    /// Lets a receive task go on, whatever it waits for.
    pub(super) fn signal_execution(&mut self, id: Id, variables: &[VariableInput]) -> Run<()> {
        let text = self.text(id);
        let Some(place) = self.find_place(id)? else {
            if self.instance(id)?.is_some() {
                return Err(Halt::execution(format!(
                    "cannot signal execution {text}: it has no current activity"
                )));
            }
            return Err(MachineError::NotFound {
                kind: Entity::Execution,
                message: format!("execution {text} doesn't exist: execution is null"),
            }
            .into());
        };
        if self.execution(id)?.is_some_and(|row| row.suspended) {
            return Err(
                MachineError::Suspended(format!("ENGINE-03043 execution with id '{text}' is suspended.")).into(),
            );
        }
        let waits = matches!(place.element().kind, Kind::Receive(_))
            && self
                .execution(id)?
                .is_some_and(|row| row.state == ExecutionState::Active);
        if !waits {
            return Err(Halt::execution(format!(
                "cannot signal execution {text}: '{}' is not a receive task that waits",
                place.element().id
            )));
        }
        self.attempt(|work| {
            work.set_variables(id, variables)?;
            work.leave(&place)
        })?;
        self.run_agenda()
    }

    /// Delivers a message to the execution that waits for it.
    pub(super) fn trigger_message(&mut self, execution: Id, name: &str, variables: &[VariableInput]) -> Run<()> {
        let mut waiting = None;
        for id in self.subscriptions_of(execution)? {
            waiting = waiting.or(self
                .subscription(id)?
                .filter(|row| row.kind == EventKind::Message && row.name == name)
                .cloned());
        }
        let Some(subscription) = waiting else {
            let text = self.text(execution);
            return Err(Halt::execution(format!(
                "Execution with id '{text}' does not have a subscription to a message event with name '{name}': eventSubscriptions is empty"
            )));
        };
        if self.execution(execution)?.is_some_and(|row| row.suspended) {
            let text = self.text(subscription.id);
            return Err(MachineError::Suspended(format!(
                "ENGINE-03043 event subscription with id '{text}' is suspended."
            ))
            .into());
        }
        let payload = Payload {
            variables,
            local: &[],
            triggered: &[],
        };
        self.attempt(|work| work.fire(execution, &subscription.activity, payload))?;
        self.run_agenda()
    }
}
