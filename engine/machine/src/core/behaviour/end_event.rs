//! End events.

use super::{execute_service, signal};
use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::{EndKind, ErrorDefinition};

pub(super) fn execute(work: &mut Work<'_>, place: &Place, end: &EndKind) -> Run<()> {
    match end {
        EndKind::None => work.leave_by(place, &[]),
        EndKind::Terminate => terminate(work, place),
        EndKind::Error(error) => throw(work, place, error),
        EndKind::Message(service) => execute_service(work, place, service),
        EndKind::Signal(name) => {
            signal::throw(work, place, name)?;
            work.leave_if_there(place)
        }
        // The reader refuses these.
        EndKind::Escalation(_) | EndKind::Compensate(_) | EndKind::Cancel => Err(Halt::execution(format!(
            "the end event '{}' is not executed",
            place.element().id
        ))),
    }
}

/// Everything else in the scope is cancelled; the scope then ends as if this path were its last.
fn terminate(work: &mut Work<'_>, place: &Place) -> Run<()> {
    for other in work.children(place.parent)? {
        if other != place.execution {
            work.cancel(other)?;
        }
    }
    work.leave_by(place, &[])
}

fn throw(work: &mut Work<'_>, place: &Place, error: &ErrorDefinition) -> Run<()> {
    let site = Site::from(place);
    let code = work.optional_text(&site, error.code.as_ref())?.unwrap_or_default();
    let message = work.optional_text(&site, error.message.as_ref())?;
    Err(Halt::bpmn(code, message, place.execution))
}
