//! What a token does in each kind of element, one file for each.

mod call_activity;
mod catch_event;
mod compensation;
mod decision;
mod end_event;
mod escalation;
mod event_gateway;
mod exclusive_gateway;
mod external_task;
mod inclusive_gateway;
mod joining;
mod multi_instance;
mod parallel_gateway;
mod pass;
mod receive_task;
mod service_task;
mod signal;
mod sub_process;
mod throw_event;
mod user_task;

pub(super) use self::call_activity::no_start;
pub(super) use self::external_task::external_task_site;
pub(super) use self::multi_instance::{add_inner_instance, open_multi_instance, remove_inner_instance};
pub(super) use self::signal::{RECEIVERS_MAX, SignalPayload};

use super::halt::Run;
use super::place::Place;
use super::work::Work;
use crate::model::{Kind, ServiceTask};

/// The activity instance has begun: what does it do?
pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    match &place.element().kind {
        Kind::Start(_) | Kind::Boundary(_) | Kind::Pass => pass::execute(work, place),
        Kind::End(end) => end_event::execute(work, place, end),
        Kind::Catch(_) => catch_event::execute(work, place),
        Kind::Throw(throw) => throw_event::execute(work, place, throw),
        Kind::Service(service) => execute_service(work, place, service),
        Kind::User(task) => user_task::execute(work, place, task),
        Kind::Receive(_) => receive_task::execute(),
        Kind::Call(call) => call_activity::execute(work, place, call),
        Kind::SubProcess { .. } => sub_process::execute(work, place),
        Kind::MultiInstance(multi) => multi_instance::execute(work, place, multi),
        Kind::Exclusive => exclusive_gateway::execute(work, place),
        Kind::Parallel => parallel_gateway::execute(work, place),
        Kind::Inclusive => inclusive_gateway::execute(work, place),
        Kind::EventGateway => event_gateway::execute(work, place),
    }
}

/// A service task, or an event that sends a message as one.
fn execute_service(work: &mut Work<'_>, place: &Place, service: &ServiceTask) -> Run<()> {
    match service {
        ServiceTask::External(task) => external_task::execute(work, place, task),
        ServiceTask::Decision(task) => decision::execute(work, place, task),
        ServiceTask::Call {
            implementation,
            result_variable,
        } => service_task::execute(work, place, implementation, result_variable.as_deref()),
    }
}

/// An activity instance inside of this one has ended without leaving by a flow.
pub(super) fn child_ended(work: &mut Work<'_>, place: &Place) -> Run<()> {
    match &place.element().kind {
        Kind::MultiInstance(multi) => multi_instance::child_ended(work, place, multi),
        _ => sub_process::child_ended(work, place),
    }
}
