//! End events.

use super::{compensation, escalation, execute_service, signal};
use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::{EndKind, ErrorDefinition};

pub(super) fn execute(work: &mut Work<'_>, place: &Place, end: &EndKind) -> Run<()> {
    match end {
        EndKind::None => work.leave_by(place, &[]),
        // All else in the scope has ended when it was reached; the scope ends as if this path were its last.
        EndKind::Terminate => work.leave_by(place, &[]),
        EndKind::Error(error) => throw(work, place, error),
        EndKind::Message(service) => execute_service(work, place, service),
        EndKind::Signal(name) => {
            signal::throw(work, place, name)?;
            work.leave_if_there(place)
        }
        EndKind::Escalation(definition) => escalation::throw(work, place, definition),
        EndKind::Compensate(activity) => compensation::throw(work, place, activity.as_deref()),
        EndKind::Cancel => compensation::cancel(work, place),
    }
}

fn throw(work: &mut Work<'_>, place: &Place, error: &ErrorDefinition) -> Run<()> {
    let site = Site::from(place);
    let code = work.optional_text(&site, error.code.as_ref())?.unwrap_or_default();
    let message = work.optional_text(&site, error.message.as_ref())?;
    Err(Halt::bpmn(code, message, place.execution))
}
