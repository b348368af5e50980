//! Whether all that runs can go along. The words are Camunda's.

use super::Journey;
use super::tree::{Node, Tree, What};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::id::Id;
use crate::migration::{ActivityReport, InstanceReport, supports_instances};
use crate::model::Kind;
use crate::row::{Execution, ExecutionState};

const NO_INSTRUCTION: &str = "There is no migration instruction for this instance's activity";

impl Work<'_> {
    pub(super) fn check_tree(&mut self, journey: &Journey<'_>, tree: &Tree, report: &mut InstanceReport) -> Run<()> {
        for node in &tree.nodes {
            match node.what {
                What::Instance(id) | What::Activity(id) => {
                    let failures = activity_failures(journey, tree, node);
                    if !failures.is_empty() {
                        report.activities.push(self.report_on(journey, node, id, failures));
                    }
                }
                What::Transition(id) => {
                    let failures = self.transition_failures(journey, node, id)?;
                    if !failures.is_empty() {
                        report.transitions.push(self.report_on(journey, node, id, failures));
                    }
                }
                What::Kept { .. } | What::Compensation(_) => {}
            }
        }
        Ok(())
    }

    fn report_on(&self, journey: &Journey<'_>, node: &Node, id: Id, failures: Vec<String>) -> ActivityReport {
        let instructions = &journey.migration.instructions;
        let activity = match node.source {
            Some(ix) => journey.source.model.at(ix).id.clone(),
            None => self.definition_text(&journey.source.row),
        };
        ActivityReport {
            id: match node.what {
                What::Activity(_) => self.activity_instance_text(id),
                _ => self.text(id),
            },
            activity,
            instruction: node
                .instruction
                .and_then(|position| instructions.get(position))
                .cloned(),
            failures,
        }
    }

    /// The id of an activity instance, as the outside knows it.
    fn activity_instance_text(&self, id: Id) -> String {
        let activity = self.tables.executions.get(id).map(Execution::entered);
        format!("{}:{}", activity.unwrap_or_default(), self.text(id))
    }

    fn transition_failures(&mut self, journey: &Journey<'_>, node: &Node, id: Id) -> Run<Vec<String>> {
        let mut failures = Vec::new();
        let Some(target) = node.target.flatten() else {
            failures.push(NO_INSTRUCTION.to_owned());
            return Ok(failures);
        };
        let target = journey.target.model.at(target);
        let state = self.execution(id)?.map(|row| row.state.clone());
        if let Some(ExecutionState::AsyncAfter { flows }) = state {
            if target.outgoing.len() > 1 {
                let known = |flow: &String| {
                    let has = |ix: &crate::model::FlowIx| journey.target.model.flow(*ix).id == *flow;
                    target.outgoing.iter().any(has)
                };
                match flows.first() {
                    None => failures.push(
                        "Transition instance is assigned to no sequence flow and target activity has more than one outgoing sequence flow"
                            .to_owned(),
                    ),
                    Some(flow) if !known(flow) => failures.push(
                        "Transition instance is assigned to a sequence flow that cannot be matched in the target activity"
                            .to_owned(),
                    ),
                    Some(_) => {}
                }
            }
            if !target.async_after {
                failures.push("Target activity is not asyncAfter".to_owned());
            }
            return Ok(failures);
        }
        let starts_process = node.source.is_some_and(|ix| {
            let source = journey.source.model.at(ix);
            source.scope.is_none() && matches!(source.kind, Kind::Start(_))
        });
        if starts_process && target.scope.is_some() {
            failures.push(
                "A transition instance that instantiates the process can only be migrated to a process-level flow node"
                    .to_owned(),
            );
        }
        if !target.async_before {
            failures.push("Target activity is not asyncBefore".to_owned());
        }
        Ok(failures)
    }
}

fn activity_failures(journey: &Journey<'_>, tree: &Tree, node: &Node) -> Vec<String> {
    let model = &journey.source.model;
    let mut failures = Vec::new();
    if let Some(ix) = node.source {
        if node.instruction.is_none() && node.children.is_empty() {
            failures.push(NO_INSTRUCTION.to_owned());
        }
        if !supports_instances(model.at(ix)) {
            failures
                .push("The type of the source activity is not supported for activity instance migration".to_owned());
        }
    }
    // What has ended in it is told of it.
    let mut open: Vec<usize> = node.children.iter().rev().copied().collect();
    while let Some(at) = open.pop() {
        let child = &tree.nodes[at];
        match &child.what {
            What::Compensation(_) if child.instruction.is_none() => failures.push(format!(
                "Cannot migrate subscription for compensation handler '{}'. There is no migration instruction for the compensation boundary event",
                child.source.map_or("", |ix| &model.at(ix).id)
            )),
            What::Kept { subscription, .. } => {
                let handler = model.at(subscription.source);
                let by_event = matches!(handler.kind, Kind::SubProcess { by_event: true, .. });
                let is_leaf = child.children.is_empty() && !subscription.is_mapped;
                if is_leaf || by_event && subscription.target.is_none() && !child.children.is_empty() {
                    failures.push(format!(
                        "Cannot migrate subscription for compensation handler '{}'. There is no migration instruction for the compensation start event",
                        handler.id
                    ));
                }
                open.extend(child.children.iter().rev());
            }
            _ => {}
        }
    }
    failures
}
