//! How Camunda's migration sees an element: the class of its behaviour, the scope that waits for its event, and what
//! of it can be moved.

use crate::model::{
    Boundary, CatchKind, Delegate, Element, ElementIx, EndKind, Implementation, Kind, ProcessModel, ServiceTask,
    ThrowKind, Trigger,
};

/// An element, or the process itself.
pub(crate) type Scope = Option<ElementIx>;

/// The name of Camunda's class that does what an element does: the reports have it.
pub(super) fn behaviour(element: &Element) -> &'static str {
    match &element.kind {
        Kind::User(_) => "UserTaskActivityBehavior",
        Kind::Service(service) => service_behaviour(service),
        Kind::Receive(_) => "ReceiveTaskActivityBehavior",
        Kind::Call(_) => "CallActivityBehavior",
        Kind::Pass if element.activity_type == "manualTask" => "ManualTaskActivityBehavior",
        Kind::Pass => "TaskActivityBehavior",
        Kind::SubProcess { by_event: true, .. } => "EventSubProcessActivityBehavior",
        Kind::SubProcess { .. } => "SubProcessActivityBehavior",
        Kind::MultiInstance(multi) if multi.sequential => "SequentialMultiInstanceActivityBehavior",
        Kind::MultiInstance(_) => "ParallelMultiInstanceActivityBehavior",
        Kind::Catch(CatchKind::Event(Trigger::Condition(_))) => "IntermediateConditionalEventBehavior",
        Kind::Catch(CatchKind::Event(_)) => "IntermediateCatchEventActivityBehavior",
        Kind::Catch(CatchKind::Link) => "IntermediateCatchLinkEventActivityBehavior",
        Kind::Throw(ThrowKind::None) => "IntermediateThrowNoneEventActivityBehavior",
        Kind::Throw(ThrowKind::Message(service)) | Kind::End(EndKind::Message(service)) => service_behaviour(service),
        Kind::Throw(ThrowKind::Signal(_)) | Kind::End(EndKind::Signal(_)) => "ThrowSignalEventActivityBehavior",
        Kind::Throw(ThrowKind::Escalation(_)) | Kind::End(EndKind::Escalation(_)) => {
            "ThrowEscalationEventActivityBehavior"
        }
        Kind::Throw(ThrowKind::Compensate(_)) | Kind::End(EndKind::Compensate(_)) => {
            "CompensationEventActivityBehavior"
        }
        Kind::End(EndKind::None) => "NoneEndEventActivityBehavior",
        Kind::End(EndKind::Terminate) => "TerminateEndEventActivityBehavior",
        Kind::End(EndKind::Error(_)) => "ErrorEndEventActivityBehavior",
        Kind::End(EndKind::Cancel) => "CancelEndEventActivityBehavior",
        Kind::Exclusive => "ExclusiveGatewayActivityBehavior",
        Kind::Parallel => "ParallelGatewayActivityBehavior",
        Kind::Inclusive => "InclusiveGatewayActivityBehavior",
        Kind::EventGateway => "EventBasedGatewayActivityBehavior",
        Kind::Boundary(boundary) => match boundary.trigger {
            Trigger::Condition(_) => "BoundaryConditionalEventActivityBehavior",
            Trigger::Cancel => "CancelBoundaryEventActivityBehavior",
            _ => "BoundaryEventActivityBehavior",
        },
        Kind::Start(start) => match start.trigger {
            // Only a sub-process that an event starts has a start event that is one.
            Trigger::None => "NoneStartEventActivityBehavior",
            _ if element.scope.is_none() => "NoneStartEventActivityBehavior",
            Trigger::Condition(_) => "EventSubProcessStartConditionalEventActivityBehavior",
            _ => "EventSubProcessStartEventActivityBehavior",
        },
    }
}

fn service_behaviour(service: &ServiceTask) -> &'static str {
    match service {
        ServiceTask::External(_) => "ExternalTaskActivityBehavior",
        ServiceTask::Decision(_) => "DmnBusinessRuleTaskActivityBehavior",
        ServiceTask::Call { implementation, .. } => match implementation {
            Implementation::Expression(_) => "ServiceTaskExpressionActivityBehavior",
            Implementation::Delegate(Delegate::Class(_)) => "ClassDelegateActivityBehavior",
            Implementation::Delegate(Delegate::Expression(_)) => "ServiceTaskDelegateExpressionActivityBehavior",
            Implementation::Script(_) => "ScriptTaskActivityBehavior",
        },
    }
}

/// Whether a running instance of an element can migrate: it waits there, or holds what does.
pub(crate) fn supports_instances(element: &Element) -> bool {
    match &element.kind {
        Kind::Service(service) | Kind::Throw(ThrowKind::Message(service)) | Kind::End(EndKind::Message(service)) => {
            matches!(service, ServiceTask::External(_))
        }
        Kind::Boundary(boundary) => !matches!(boundary.trigger, Trigger::Cancel),
        Kind::Start(_) => is_passive(element),
        Kind::User(_)
        | Kind::Receive(_)
        | Kind::Call(_)
        | Kind::SubProcess { .. }
        | Kind::MultiInstance(_)
        | Kind::Catch(CatchKind::Event(_))
        | Kind::EventGateway
        | Kind::Parallel
        | Kind::Inclusive => true,
        Kind::Pass | Kind::End(_) | Kind::Throw(_) | Kind::Catch(CatchKind::Link) | Kind::Exclusive => false,
    }
}

/// Whether an element waits in the name of another one: a boundary event, or the start of an event sub-process.
pub(super) fn is_passive(element: &Element) -> bool {
    match &element.kind {
        Kind::Boundary(_) => true,
        Kind::Start(start) => element.scope.is_some() && !matches!(start.trigger, Trigger::None),
        _ => false,
    }
}

/// Whether an element can be in a plan that is generated.
pub(super) fn can_be_generated(element: &Element) -> bool {
    let supported = supports_instances(element) || element.async_before || element.async_after;
    let persistent = !is_passive(element)
        || matches!(
            trigger_of(element),
            Some(
                Trigger::Message(_)
                    | Trigger::Signal(_)
                    | Trigger::Timer(_)
                    | Trigger::Condition(_)
                    | Trigger::Compensate
            )
        );
    supported && persistent && !element.for_compensation
}

fn trigger_of(element: &Element) -> Option<&Trigger> {
    match &element.kind {
        Kind::Start(start) => Some(&start.trigger),
        Kind::Boundary(boundary) => Some(&boundary.trigger),
        Kind::Catch(CatchKind::Event(trigger)) => Some(trigger),
        _ => None,
    }
}

pub(super) fn is_conditional(element: &Element) -> bool {
    matches!(trigger_of(element), Some(Trigger::Condition(_))) && !behaviour(element).starts_with("None")
}

pub(super) fn is_compensation_boundary(element: &Element) -> bool {
    matches!(&element.kind, Kind::Boundary(boundary) if matches!(boundary.trigger, Trigger::Compensate))
}

pub(super) fn has_timeouts(element: &Element) -> bool {
    element.task_listeners.iter().any(|listener| listener.timer.is_some())
}

/// The scope that an element lies in.
pub(crate) fn flow_scope(model: &ProcessModel, ix: ElementIx) -> Scope {
    model.at(ix).scope
}

/// The scope whose instances wait for an element's event; none where nobody does.
pub(crate) fn event_scope(model: &ProcessModel, ix: ElementIx) -> Option<Scope> {
    let element = model.at(ix);
    match &element.kind {
        Kind::Boundary(boundary) => Some(Some(boundary.host)),
        Kind::Start(_) if is_passive(element) => element.scope.map(|around| model.at(around).scope),
        Kind::SubProcess { by_event: true, .. } => Some(element.scope),
        Kind::Catch(CatchKind::Event(_)) if element.after_event_gateway => {
            let gateway = element.incoming.iter().map(|flow| model.flow(*flow).source);
            gateway
                .filter(|source| matches!(model.at(*source).kind, Kind::EventGateway))
                .map(Some)
                .next()
        }
        Kind::Catch(CatchKind::Event(_)) | Kind::Receive(Some(_)) => Some(Some(ix)),
        Kind::User(_) if has_timeouts(element) => Some(Some(ix)),
        _ => None,
    }
}

/// Whether something is stored that waits for an element's event.
pub(super) fn is_persistent(model: &ProcessModel, ix: ElementIx) -> bool {
    let element = model.at(ix);
    let waits = match trigger_of(element) {
        Some(trigger) => trigger.subscription().is_some() || matches!(trigger, Trigger::Timer(_)),
        None => matches!(element.kind, Kind::Receive(Some(_))) || has_timeouts(element),
    };
    waits && event_scope(model, ix).is_some()
}

/// The boundary event by which an activity is compensated, or the start event of an event sub-process that does it.
pub(crate) fn compensation_trigger(model: &ProcessModel, handler: ElementIx) -> Option<ElementIx> {
    if !model.at(handler).for_compensation {
        return model.starts_of(Some(handler)).next().map(|(start, _, _)| start);
    }
    model.elements().map(|(ix, _)| ix).find(|ix| {
        matches!(&model.at(*ix).kind, Kind::Boundary(Boundary { host, trigger: Trigger::Compensate, .. })
            if model.at(*host).compensation_handler == Some(handler))
    })
}
