//! Calls of delegates: they are requests, and their answers are taken in order.

use super::context::Site;
use super::halt::{Halt, Run};
use super::work::Work;
use crate::error::MachineError;
use crate::id::{Id, Node};
use crate::model::Delegate;
use crate::request::{Answer, DelegateCall, DelegateEvent, RequestKind};

/// What a delegate's failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// The command fails.
    EndCommand,
    /// An event of the model that catches exceptions of Java may catch it.
    Throw,
}

impl Work<'_> {
    /// Calls a delegate, and sets the variables that it answers.
    pub(super) fn call_delegate(
        &mut self,
        site: &Site,
        delegate: &Delegate,
        event: DelegateEvent,
        transition: Option<&str>,
        on_failure: OnFailure,
    ) -> Run<()> {
        let name = self.delegate_name(site, delegate)?;
        let (node, invocation, attempt) = (self.env.node, self.env.invocation, self.env.attempt);
        let instance = self.instance(site.instance)?.cloned();
        let call = DelegateCall {
            name: name.clone(),
            invocation: uuid::Uuid::nil(),
            attempt,
            event,
            activity_id: site.activity_id().to_owned(),
            activity_name: site.activity_name().map(str::to_owned),
            transition_id: transition.map(str::to_owned),
            process_instance: site.instance,
            process_definition_id: self.definition_text(&site.definition.row),
            process_definition_key: site.definition.row.key.clone(),
            execution: site.execution,
            business_key: instance.as_ref().and_then(|row| row.business_key.clone()),
            tenant: instance.and_then(|row| row.tenant),
            variables: self.visible_values(site.execution)?,
            properties: site.properties().to_vec(),
        };
        let answer = self.ask(site.instance, |ordinal| {
            RequestKind::Delegate(DelegateCall {
                invocation: invocation_id(invocation, node, ordinal),
                ..call
            })
        })?;
        match answer {
            Answer::Delegated {
                variables,
                local_variables,
            } => {
                let local = self.local_scope(site.execution)?;
                self.set_local_variables(local, local_variables)?;
                self.set_variables(site.execution, variables)
            }
            Answer::BpmnError {
                code,
                message,
                variables,
            } => {
                self.set_variables(site.execution, variables)?;
                Err(Halt::bpmn(code.clone(), message.clone(), site.execution))
            }
            Answer::Failed { message } => {
                let error = MachineError::Delegate(message.clone());
                Err(match on_failure {
                    OnFailure::EndCommand => Halt::Error(error),
                    OnFailure::Throw => Halt::failure(error, site.execution),
                })
            }
            Answer::Evaluated { .. } => Err(Halt::execution(format!(
                "the delegate '{name}' was answered by the result of a script"
            ))),
        }
    }

    fn delegate_name(&mut self, site: &Site, delegate: &Delegate) -> Run<String> {
        let expression = match delegate {
            Delegate::Class(name) => return Ok(name.clone()),
            Delegate::Expression(expression) => expression,
        };
        if let Some(name) = expression.identifier() {
            return Ok(name.to_owned());
        }
        self.evaluate_text(site, expression)?.ok_or_else(|| {
            Halt::execution(format!(
                "Delegate expression '{}' did not name a delegate",
                expression.source()
            ))
        })
    }
}

/// The id of a call: the same in every attempt of a command, another for each call and each database.
fn invocation_id(command: Id, node: Node, ordinal: u32) -> uuid::Uuid {
    let (high, low) = command.to_uuid(node).as_u64_pair();
    // Version 8: of our own making. An odd factor keeps the ordinals of a command apart.
    let high = high & !0xf000 | 0x8000;
    let mask = (1 << 54) - 1;
    let low = low ^ (u64::from(ordinal).wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask);
    uuid::Uuid::from_u64_pair(high, low)
}
