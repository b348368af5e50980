//! What is wrong with a plan or an instance, as it is answered (`MigrationPlanReportDto`,
//! `MigratingProcessInstanceValidationReportDto`).

use std::fmt::Write as _;

use handoff_machine::command::VariableInput;
use handoff_machine::migration::{ActivityReport, InstanceReport, InstructionReport};
use handoff_machine::value::Value;
use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::dto::{Planned, instruction};
use crate::rest::error::RestError;
use crate::rest::variables::{Objects, typed};

/// Serialised objects of Java's own are never taken.
const JAVA: &str = "application/x-java-serialized-object";

/// What is wrong with a plan.
pub(super) struct PlanReport {
    /// Instructions that do not name what they are about.
    pub(super) nameless: Vec<Planned>,
    pub(super) instructions: Vec<InstructionReport>,
    pub(super) variables: Vec<VariableInput>,
}

/// The variables that may not be set.
pub(super) fn prohibited(variables: &[VariableInput]) -> Vec<VariableInput> {
    let is_java = |input: &&VariableInput| matches!(&input.value, Value::Object(object) if object.format.as_deref() == Some(JAVA) && object.data.is_some());
    variables.iter().filter(is_java).cloned().collect()
}

fn nameless(planned: &Planned) -> Vec<&'static str> {
    let mut failures = Vec::new();
    if planned.source.is_none() {
        failures.push("Source activity id is null");
    }
    if planned.target.is_none() {
        failures.push("Target activity id is null");
    }
    failures
}

fn variable_failure(input: &VariableInput) -> String {
    format!(
        "Cannot set variable with name {}. Java serialization format is prohibited",
        input.name
    )
}

impl PlanReport {
    pub(super) fn is_empty(&self) -> bool {
        self.nameless.is_empty() && self.instructions.is_empty() && self.variables.is_empty()
    }

    pub(super) fn to_json(&self) -> Json {
        let mut instructions: Vec<Json> = self
            .nameless
            .iter()
            .map(|planned| json!({ "instruction": planned.to_json(), "failures": nameless(planned) }))
            .collect();
        instructions.extend(
            self.instructions
                .iter()
                .map(|report| json!({ "instruction": instruction(&report.instruction), "failures": report.failures })),
        );
        let variables = self.variables.iter().map(|input| {
            let mut report = typed(&input.value, Objects::Serialised);
            report.insert("failures".into(), json!([variable_failure(input)]));
            (input.name.clone(), Json::Object(report))
        });
        json!({ "instructionReports": instructions, "variableReports": variables.collect::<Map<_, _>>() })
    }

    /// 400 `MigrationPlanValidationException`
    pub(super) fn into_error(self, source: &str, target: &str) -> RestError {
        let mut message =
            format!("ENGINE-23001 Migration plan for process definition '{source}' to '{target}' is not valid:\n");
        let mut tell = |what: &str, failures: &[String]| {
            // Writing to a text cannot fail.
            let _ = writeln!(message, "\t {what} is not valid:");
            for failure in failures {
                let _ = writeln!(message, "\t\t{failure}");
            }
        };
        for planned in &self.nameless {
            let failures: Vec<String> = nameless(planned).into_iter().map(str::to_owned).collect();
            let (from, to) = (planned.source.as_deref(), planned.target.as_deref());
            tell(&described(from, to, planned.update), &failures);
        }
        for report in &self.instructions {
            let of = &report.instruction;
            let what = described(Some(&of.source), Some(&of.target), of.update_event_trigger);
            tell(&what, &report.failures);
        }
        for input in &self.variables {
            tell(
                &format!("Migration variable {}", input.name),
                &[variable_failure(input)],
            );
        }
        RestError::of_engine(StatusCode::BAD_REQUEST, "MigrationPlanValidationException", message)
            .with_report(self.to_json())
    }
}

fn described(source: Option<&str>, target: Option<&str>, update: bool) -> String {
    format!(
        "Migration instruction MigrationInstructionImpl{{sourceActivityId='{}', targetActivityId='{}', updateEventTrigger='{update}'}}",
        source.unwrap_or("null"),
        target.unwrap_or("null")
    )
}

/// What is wrong with an instance, in an answer.
pub(crate) fn instance_report(report: &InstanceReport) -> Json {
    let list = |reports: &[ActivityReport], id: &str| {
        let one = |report: &ActivityReport| {
            let mut dto = Map::new();
            dto.insert(
                "migrationInstruction".into(),
                report.instruction.as_ref().map(instruction).into(),
            );
            dto.insert(id.to_owned(), report.id.clone().into());
            dto.insert("sourceScopeId".into(), report.activity.clone().into());
            dto.insert("failures".into(), report.failures.clone().into());
            Json::Object(dto)
        };
        reports.iter().map(one).collect::<Vec<_>>()
    };
    json!({
        "processInstanceId": report.instance,
        "failures": report.failures,
        "activityInstanceValidationReports": list(&report.activities, "activityInstanceId"),
        "transitionInstanceValidationReports": list(&report.transitions, "transitionInstanceId"),
    })
}
