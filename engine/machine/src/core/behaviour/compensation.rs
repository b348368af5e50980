//! Events that throw compensation: they wait until all has been compensated.

use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;

pub(super) fn throw(work: &mut Work<'_>, place: &Place, activity: Option<&str>) -> Run<()> {
    let rows = work.compensations_for(place, activity)?;
    if rows.is_empty() {
        return work.leave(place);
    }
    work.compensate(place, rows)
}

/// The cancel end event of a transaction: all else in it has ended when it was reached.
pub(super) fn cancel(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let rows = work.compensations_for(place, None)?;
    if rows.is_empty() {
        return work.cancel_transaction(place);
    }
    work.compensate(place, rows)
}
