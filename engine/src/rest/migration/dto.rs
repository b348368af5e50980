//! Plans as they are sent (`MigrationPlanDto`, `MigrationExecutionDto`).

use handoff_machine::command::MigratingInstruction;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::VariablesDto;
use crate::rest::body::{flag, text};
use crate::rest::error::{RestError, Result};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GenerationDto {
    #[serde(deserialize_with = "text")]
    pub(super) source_process_definition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) target_process_definition_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub(super) update_event_triggers: Option<bool>,
    pub(super) variables: VariablesDto,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PlanDto {
    #[serde(deserialize_with = "text")]
    pub(super) source_process_definition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) target_process_definition_id: Option<String>,
    pub(super) instructions: Option<Vec<InstructionDto>>,
    pub(super) variables: VariablesDto,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct InstructionDto {
    source_activity_ids: Option<Vec<Option<String>>>,
    target_activity_ids: Option<Vec<Option<String>>>,
    #[serde(deserialize_with = "flag")]
    update_event_trigger: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ExecutionDto {
    pub(super) migration_plan: Option<PlanDto>,
    pub(super) process_instance_ids: Option<Vec<Option<String>>>,
    pub(super) process_instance_query: Option<Json>,
    #[serde(deserialize_with = "flag")]
    pub(super) skip_custom_listeners: Option<bool>,
    #[serde(deserialize_with = "flag")]
    pub(super) skip_io_mappings: Option<bool>,
}

/// An instruction whose ids may be null. Of several ids the first one counts, as in Camunda; none at all is refused,
/// where Camunda fails by an exception of Java's own.
pub(super) struct Planned {
    pub(super) source: Option<String>,
    pub(super) target: Option<String>,
    pub(super) update: bool,
}

impl Planned {
    pub(super) fn read(dto: InstructionDto) -> Result<Self> {
        let first = |name: &str, ids: Option<Vec<Option<String>>>| {
            let first = ids.and_then(|ids| ids.into_iter().next());
            first.ok_or_else(|| RestError::invalid(format!("An instruction needs one of the {name}")))
        };
        Ok(Self {
            source: first("sourceActivityIds", dto.source_activity_ids)?,
            target: first("targetActivityIds", dto.target_activity_ids)?,
            update: dto.update_event_trigger.unwrap_or(false),
        })
    }

    /// The instruction, where both ids are there.
    pub(super) fn whole(&self) -> Option<MigratingInstruction> {
        Some(MigratingInstruction {
            source: self.source.clone()?,
            target: self.target.clone()?,
            update_event_trigger: self.update,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "sourceActivityIds": [self.source],
            "targetActivityIds": [self.target],
            "updateEventTrigger": self.update,
        })
    }
}

/// An instruction in an answer.
pub(super) fn instruction(instruction: &MigratingInstruction) -> Json {
    json!({
        "sourceActivityIds": [instruction.source],
        "targetActivityIds": [instruction.target],
        "updateEventTrigger": instruction.update_event_trigger,
    })
}
