//! What waits for nothing and does nothing: start events, boundary events once they have happened, none and manual
//! tasks.

use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    work.leave(place)
}
