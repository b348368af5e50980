//! What is allowed and will hurt: elements that no token reaches, gateways that may have no way out, and the rules of
//! the hand-off between two engines, where an answer must never find nobody waiting.

use std::collections::{BTreeSet, HashSet};

use super::element::{Element, Kind};
use super::event::{CatchKind, EndKind, ThrowKind, Trigger};
use super::extension::{Implementation, ListenerEvent};
use super::index::ElementIx;
use super::process::ProcessModel;
use super::task::{ExternalTask, ServiceTask};
use crate::error::Problem;

/// Looks at a model. With `topics` (those that somebody serves), also at the topics of its external tasks.
#[must_use]
pub fn lint(model: &ProcessModel, topics: Option<&BTreeSet<String>>) -> Vec<Problem> {
    let mut found = Vec::new();
    unreachable(model, &mut found);
    for (ix, element) in model.elements() {
        way_out(model, element, &mut found);
        message_start(model, element, &mut found);
        if let Some(task) = external(element) {
            hand_off(model, ix, &mut found);
            unserved(model, element, task, topics, &mut found);
        }
    }
    found.sort_by_key(|problem| (problem.line, problem.column));
    found
}

fn report(model: &ProcessModel, element: &Element, message: String, found: &mut Vec<Problem>) {
    found.push(model.problem(&element.id, message));
}

fn external(element: &Element) -> Option<&ExternalTask> {
    match &element.kind {
        Kind::Service(ServiceTask::External(task))
        | Kind::Throw(ThrowKind::Message(ServiceTask::External(task)))
        | Kind::End(EndKind::Message(ServiceTask::External(task))) => Some(task),
        _ => None,
    }
}

fn targets(model: &ProcessModel, element: &Element) -> Vec<ElementIx> {
    element.outgoing.iter().map(|flow| model.flow(*flow).target).collect()
}

/// Elements that no start event, boundary event or handler leads to.
fn unreachable(model: &ProcessModel, found: &mut Vec<Problem>) {
    let mut reached = HashSet::new();
    let mut open: Vec<ElementIx> = Vec::new();
    let starts = |scope: Option<ElementIx>| -> Vec<ElementIx> {
        let begins = |ix: &&ElementIx| match &model.at(**ix).kind {
            Kind::Start(_) | Kind::SubProcess { by_event: true, .. } => true,
            _ => model.at(**ix).for_compensation,
        };
        model.children_of(scope).iter().filter(begins).copied().collect()
    };
    open.extend(starts(None));
    while let Some(ix) = open.pop() {
        if !reached.insert(ix) {
            continue;
        }
        let element = model.at(ix);
        open.extend(targets(model, element));
        open.extend(&element.boundary);
        match element.kind {
            Kind::SubProcess { .. } => open.extend(starts(Some(ix))),
            Kind::MultiInstance(_) => open.extend(&element.children),
            _ => {}
        }
    }
    for (ix, element) in model.elements() {
        // What lies in something unreachable is not told of by itself.
        if !reached.contains(&ix) && element.scope.is_none_or(|scope| reached.contains(&scope)) {
            let message = format!(
                "'{}' is never reached: no start or boundary event leads to it",
                element.id
            );
            report(model, element, message, found);
        }
    }
}

/// Gateways from which a token may find no way.
fn way_out(model: &ProcessModel, element: &Element, found: &mut Vec<Problem>) {
    let (name, chooses) = match element.kind {
        Kind::Exclusive => ("exclusive", true),
        Kind::Inclusive => ("inclusive", true),
        Kind::Parallel => ("parallel", false),
        _ => return,
    };
    if element.outgoing.is_empty() {
        let message = format!("the {name} gateway '{}' has no way out: a token ends there", element.id);
        report(model, element, message, found);
    } else if chooses
        && element.default_flow.is_none()
        && element
            .outgoing
            .iter()
            .all(|flow| model.flow(*flow).condition.is_some())
    {
        let message = format!(
            "the {name} gateway '{}' has no way out where none of its conditions holds: give it a default flow",
            element.id
        );
        report(model, element, message, found);
    }
}

/// A message start event that completes another engine's task must not do so in the sender's transaction.
fn message_start(model: &ProcessModel, element: &Element, found: &mut Vec<Problem>) {
    let Kind::Start(start) = &element.kind else { return };
    let calls = element.listeners.iter().any(|listener| {
        listener.event == ListenerEvent::End && matches!(listener.implementation, Implementation::Delegate(_))
    });
    if element.scope.is_some() || !matches!(start.trigger, Trigger::Message(_)) || !calls {
        return;
    }
    let id = &element.id;
    if !element.async_before {
        let message = format!(
            "the message start event '{id}' calls a delegate when it ends, but is not async before: if the call fails, the instance is lost and nobody retries it"
        );
        report(model, element, message, found);
    }
    if !element.async_after {
        let message = format!(
            "the message start event '{id}' calls a delegate when it ends, but is not async after: a later failure rolls back past a call that has happened"
        );
        report(model, element, message, found);
    }
}

/// What a token stops at.
#[derive(PartialEq, Eq)]
enum Stop {
    /// A message is waited for.
    Message,
    /// Another worker: a hand-off of its own.
    Work,
    /// Any other wait state.
    Wait,
    /// It goes on.
    No,
}

fn stop(model: &ProcessModel, element: &Element) -> Stop {
    let message = |ix: ElementIx| matches!(model.trigger(ix), Some(Trigger::Message(_)));
    match &element.kind {
        _ if element.async_before => Stop::Wait,
        Kind::Receive(Some(_)) => Stop::Message,
        Kind::Catch(CatchKind::Event(Trigger::Message(_))) => Stop::Message,
        Kind::EventGateway if targets(model, element).into_iter().any(message) => Stop::Message,
        Kind::Call(_) | Kind::SubProcess { .. } | Kind::MultiInstance(_) => Stop::Work,
        _ if external(element).is_some() => Stop::Work,
        Kind::User(_) | Kind::Receive(None) | Kind::Catch(CatchKind::Event(_)) | Kind::EventGateway => Stop::Wait,
        _ if element.async_after => Stop::Wait,
        _ => Stop::No,
    }
}

/// Between an external task and the message that answers it there must be no wait state: the task's completion and the
/// subscription are then one transaction, and no answer can come too early.
fn hand_off(model: &ProcessModel, task: ElementIx, found: &mut Vec<Problem>) {
    let element = model.at(task);
    let mut waits = Vec::new();
    if element.async_after {
        waits.push((task, "its own async after"));
    } else {
        for ix in stops(model, task) {
            if stop(model, model.at(ix)) == Stop::Wait {
                waits.push((ix, "a wait state"));
            }
        }
    }
    for (wait, what) in waits {
        let before = model.at(wait);
        let messages: Vec<ElementIx> = match stop(model, before) {
            // A job before the very event.
            _ if wait != task && before.async_before && waits_for_message(model, before) => vec![wait],
            _ => {
                let found = stops(model, wait).into_iter();
                found.filter(|ix| waits_for_message(model, model.at(*ix))).collect()
            }
        };
        let Some(message) = messages.first() else { continue };
        let text = format!(
            "between the external task '{}' and the message of '{}' lies {what} ('{}'): if that message answers the task, it may come before anybody waits for it",
            element.id,
            model.at(*message).id,
            before.id
        );
        report(model, element, text, found);
    }
}

fn waits_for_message(model: &ProcessModel, element: &Element) -> bool {
    let message = |ix: ElementIx| matches!(model.trigger(ix), Some(Trigger::Message(_)));
    match &element.kind {
        Kind::Receive(Some(_)) | Kind::Catch(CatchKind::Event(Trigger::Message(_))) => true,
        Kind::EventGateway => targets(model, element).into_iter().any(message),
        _ => false,
    }
}

/// Where the tokens that leave an element stop first.
fn stops(model: &ProcessModel, from: ElementIx) -> Vec<ElementIx> {
    let mut seen = HashSet::new();
    let mut open = targets(model, model.at(from));
    let mut stopped = Vec::new();
    while let Some(ix) = open.pop() {
        if !seen.insert(ix) {
            continue;
        }
        if stop(model, model.at(ix)) == Stop::No {
            open.extend(targets(model, model.at(ix)));
        } else {
            stopped.push(ix);
        }
    }
    stopped
}

fn unserved(
    model: &ProcessModel,
    element: &Element,
    task: &ExternalTask,
    topics: Option<&BTreeSet<String>>,
    found: &mut Vec<Problem>,
) {
    if let (Some(topics), Some(topic)) = (topics, task.topic.literal())
        && !topics.contains(topic)
    {
        let message = format!(
            "nobody serves the topic '{topic}' of '{}': no worker of the folder names it in its manifest",
            element.id
        );
        report(model, element, message, found);
    }
}

#[cfg(test)]
mod tests;
