//! Decisions from outside.

use crate::command::{Reply, VariableInput};
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::decision::DecisionError;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::Id;
use crate::row::DecisionRow;
use crate::value::Value;
use crate::view::DecisionQuery;

impl Work<'_> {
    pub(super) fn evaluate_decision(&mut self, id: Id, variables: &[VariableInput]) -> Run<Reply> {
        let definition = self
            .view
            .decision(&DecisionQuery::Id(id))?
            .ok_or_else(|| unknown(self.text(id)))?;
        let variables: Vec<(String, Value)> = variables
            .iter()
            .map(|input| (input.name.clone(), input.value.clone()))
            .collect();
        let evaluations = self
            .decide(&definition, &mut variables.as_slice())
            .map_err(|error| match error {
                DecisionError::Failed { message, .. } => Halt::execution(format!(
                    "Exception while evaluating decision with key '{}': {message}",
                    definition.row.key
                )),
                DecisionError::View(error) => error.into(),
            })?;
        let result = self.record_decision(&definition, evaluations, None)?;
        Ok(Reply::Decided(Box::new(result)))
    }

    pub(super) fn set_decision_time_to_live(&mut self, id: Id, days: Option<i32>) -> Run<()> {
        if days.is_some_and(|days| days < 0) {
            let message = "historyTimeToLive is not greater than or equal to 0";
            return Err(MachineError::BadUserRequest(message.to_owned()).into());
        }
        if days.is_none() && self.env.enforce_history_time_to_live {
            return Err(MachineError::NotAllowed("Null historyTimeToLive values are not allowed".to_owned()).into());
        }
        let definition = self
            .view
            .decision(&DecisionQuery::Id(id))?
            .ok_or_else(|| unknown(self.text(id)))?;
        self.others.push(Change::UpdateDecision(DecisionRow {
            history_time_to_live: days,
            ..definition.row.clone()
        }));
        Ok(())
    }
}

fn unknown(id: String) -> MachineError {
    MachineError::NotFound {
        kind: Entity::Decision,
        message: format!("no deployed decision definition found with id '{id}': decisionDefinition is null"),
    }
}
