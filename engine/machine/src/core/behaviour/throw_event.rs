//! Intermediate throw events.

use super::{execute_service, signal};
use crate::core::halt::{Halt, Run};
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
        // The reader refuses these.
        ThrowKind::Escalation(_) | ThrowKind::Compensate(_) => Err(Halt::execution(format!(
            "the throw event '{}' is not executed",
            place.element().id
        ))),
    }
}
