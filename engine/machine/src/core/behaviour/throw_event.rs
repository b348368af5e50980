//! Intermediate throw events.

use super::{compensation, escalation, execute_service, signal};
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::ThrowKind;

pub(super) fn execute(work: &mut Work<'_>, place: &Place, throw: &ThrowKind) -> Run<()> {
    match throw {
        ThrowKind::None => work.leave(place),
        ThrowKind::Message(service) => execute_service(work, place, service),
        ThrowKind::Signal(name) => {
            signal::throw(work, place, name)?;
            work.leave_if_there(place)
        }
        ThrowKind::Escalation(definition) => escalation::throw(work, place, definition),
        ThrowKind::Compensate(activity) => compensation::throw(work, place, activity.as_deref()),
    }
}
