//! Intermediate catch event: waits, but for links, where an event-based gateway has waited already, and for a condition
//! that holds already.

use crate::core::context::Site;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::{CatchKind, Kind, Trigger};

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let element = place.element();
    let happened = element.after_event_gateway
        || match &element.kind {
            Kind::Catch(CatchKind::Link) => true,
            Kind::Catch(CatchKind::Event(Trigger::Condition(condition))) => {
                work.holds_if_known(&Site::from(place), condition)?
            }
            _ => false,
        };
    if happened { work.leave(place) } else { Ok(()) }
}
