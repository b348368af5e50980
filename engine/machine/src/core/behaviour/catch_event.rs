//! Intermediate catch event: waits, but for links and where an event-based gateway has waited already.

use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::{CatchKind, Kind};

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let element = place.element();
    if element.after_event_gateway || matches!(element.kind, Kind::Catch(CatchKind::Link)) {
        return work.leave(place);
    }
    Ok(())
}
