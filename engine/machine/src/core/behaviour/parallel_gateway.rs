//! Parallel gateway: goes on when as many tokens have come as flows lead to it, whichever they came by, and takes all
//! flows.

use super::joining;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let flows = Work::all_outgoing(place);
    let needed = place.element().incoming.len();
    if needed <= 1 {
        return work.leave_by(place, &flows);
    }
    joining::wait(work, place);
    let waiting = joining::waiting(work, place)?;
    if waiting.len() < needed {
        return Ok(());
    }
    joining::leave(work, place, &waiting, &flows)
}
