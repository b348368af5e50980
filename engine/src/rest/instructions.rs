//! Where tokens are put and taken away: the instructions of modification, restart and start
//! (`ProcessInstanceModificationInstructionDto`).

use handoff_machine::command::{Instruction, StartAt, StartPoint};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::body::{flag, text};
use super::error::{RestError, Result};
use super::id::Ids;
use super::variables::VariableDto;

/// The most instructions of one request.
const INSTRUCTIONS_MAX: usize = 1_000;

/// An instruction as it is sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct InstructionDto {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(deserialize_with = "text")]
    activity_id: Option<String>,
    #[serde(deserialize_with = "text")]
    transition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    activity_instance_id: Option<String>,
    #[serde(deserialize_with = "text")]
    transition_instance_id: Option<String>,
    #[serde(deserialize_with = "text")]
    ancestor_activity_instance_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    cancel_current_active_activity_instances: Option<bool>,
    variables: Option<Map<String, Json>>,
}

impl InstructionDto {
    fn wrong(&self, message: &str) -> RestError {
        let kind = self.kind.as_deref().unwrap_or_default();
        RestError::invalid(format!("For instruction type '{kind}': {message}"))
    }

    fn start_at(&self, ids: Ids, point: StartPoint) -> Result<StartAt> {
        let (mut variables, mut local_variables) = (Vec::new(), Vec::new());
        for (name, variable) in self.variables.iter().flatten() {
            let local = variable.get("local").and_then(Json::as_bool).unwrap_or(false);
            let dto: VariableDto = serde_json::from_value(variable.clone())
                .map_err(|error| self.wrong(&format!("the variable '{name}' cannot be read: {error}")))?;
            let input = dto.to_input(name.clone())?;
            if local {
                local_variables.push(input);
            } else {
                variables.push(input);
            }
        }
        let ancestor = self.ancestor_activity_instance_id.as_deref();
        Ok(StartAt {
            point,
            ancestor: ancestor.map(|id| ids.read_activity(id)),
            variables,
            local_variables,
        })
    }

    /// The instruction, if it says all that its type needs.
    ///
    /// # Errors
    /// 400, worded as Camunda's.
    fn read(&self, ids: Ids) -> Result<Instruction> {
        let activity = || {
            self.activity_id
                .clone()
                .ok_or_else(|| self.wrong("'activityId' must be set"))
        };
        let point = match self.kind.as_deref() {
            Some("startBeforeActivity") => StartPoint::Before(activity()?),
            Some("startAfterActivity") => StartPoint::After(activity()?),
            Some("startTransition") => StartPoint::Transition(
                self.transition_id
                    .clone()
                    .ok_or_else(|| self.wrong("'transitionId' must be set"))?,
            ),
            Some("cancel") => return self.cancel(ids),
            Some(other) => {
                return Err(RestError::invalid(format!(
                    "Unknown instruction type '{other}': use cancel, startBeforeActivity, startAfterActivity or startTransition"
                )));
            }
            None => return Err(RestError::invalid("An instruction needs its type")),
        };
        Ok(Instruction::Start(self.start_at(ids, point)?))
    }

    fn cancel(&self, ids: Ids) -> Result<Instruction> {
        match (
            self.activity_id.as_ref(),
            self.activity_instance_id.as_deref(),
            self.transition_instance_id.as_deref(),
        ) {
            (Some(activity), None, None) => Ok(Instruction::CancelActivity(activity.clone())),
            (None, Some(id), None) => Ok(Instruction::CancelActivityInstance(ids.read_activity(id))),
            (None, None, Some(id)) => Ok(Instruction::CancelTransitionInstance(ids.read_activity(id))),
            _ => {
                Err(self
                    .wrong("exactly one, 'activityId', 'activityInstanceId', or 'transitionInstanceId', is required"))
            }
        }
    }

    /// Whether all running instances of the activity are meant, as in modifications of many instances.
    pub(crate) fn cancels_all(&self) -> bool {
        self.cancel_current_active_activity_instances.unwrap_or(false)
    }
}

/// The instructions of a modification.
///
/// # Errors
/// 400: one that is none, or too many.
pub(crate) fn modification(ids: Ids, list: &[InstructionDto]) -> Result<Vec<Instruction>> {
    if list.len() > INSTRUCTIONS_MAX {
        return Err(RestError::invalid(format!(
            "at most {INSTRUCTIONS_MAX} instructions may be given"
        )));
    }
    list.iter().map(|dto| dto.read(ids)).collect()
}

/// The instructions by which an instance starts: nothing can be cancelled there.
///
/// # Errors
/// As [`modification`].
pub(crate) fn starts(ids: Ids, list: &[InstructionDto]) -> Result<Vec<StartAt>> {
    let starts = modification(ids, list)?
        .into_iter()
        .map(|instruction| match instruction {
            Instruction::Start(start) => Ok(start),
            _ => Err(RestError::invalid(
                "For instruction type 'cancel': only instructions that start are allowed here",
            )),
        });
    starts.collect()
}
