//! Business rule tasks that evaluate a decision.

use super::super::task::{Binding, DecisionTask, ServiceTask};
use super::super::xml::Node;
use super::activity::result_variable;
use super::process::Builder;
use crate::decision::Mapper;
use crate::expression::Expression;

pub(super) fn read(builder: &mut Builder<'_>, node: &Node, decision: &str) -> Option<ServiceTask> {
    let decision = builder.problems.expression(node, decision)?;
    let binding = match node.camunda("decisionRefBinding") {
        Some("deployment") => Binding::Deployment,
        Some("version") => Binding::Version(needed(builder, node, "version", "decisionRefVersion")?),
        Some("versionTag") => Binding::VersionTag(needed(builder, node, "versionTag", "decisionRefVersionTag")?),
        None | Some("latest") => Binding::Latest,
        Some(other) => {
            let message = format!("the decisionRefBinding '{other}' is not known and read as 'latest', as in Camunda");
            builder.problems.warn(node, message);
            Binding::Latest
        }
    };
    let mapper = match node.camunda("mapDecisionResult") {
        None => Mapper::default(),
        Some(name) => match Mapper::of(name) {
            Some(mapper) => mapper,
            None => {
                let message = format!(
                    "No decision result mapper found for name '{name}'. Supported mappers are 'singleEntry', 'singleResult', 'collectEntries' and 'resultList'."
                );
                builder.problems.error(node, message);
                return None;
            }
        },
    };
    let tenant = builder.problems.attribute(node, "decisionRefTenantId");
    Some(ServiceTask::Decision(Box::new(DecisionTask {
        decision,
        binding,
        tenant,
        mapper,
        result_variable: result_variable(node),
    })))
}

fn needed(builder: &mut Builder<'_>, node: &Node, binding: &str, name: &str) -> Option<Expression> {
    match node.camunda(name) {
        Some(text) => builder.problems.expression(node, text),
        None => {
            let message = format!("Missing attribute '{name}' when 'decisionRefBinding' has value '{binding}'");
            builder.problems.error(node, message);
            None
        }
    }
}
