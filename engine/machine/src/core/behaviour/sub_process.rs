//! Embedded sub-process and event sub-process: a scope with a start event of its own, over when nothing runs in it.

use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::{Kind, Trigger};

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let by_event = matches!(place.element().kind, Kind::SubProcess { by_event: true, .. });
    let start = place
        .model()
        .starts_of(Some(place.ix))
        .find(|(_, _, start)| by_event || matches!(start.trigger, Trigger::None))
        .map(|(ix, _, _)| ix);
    let Some(start) = start else {
        let message = format!("No initial activity found for subprocess {}", place.element().id);
        return Err(Halt::execution(message));
    };
    work.send(place.instance, place.execution, &place.definition, start)?;
    Ok(())
}

pub(super) fn child_ended(work: &mut Work<'_>, place: &Place) -> Run<()> {
    if !work.live_children(place.execution)?.is_empty() {
        return Ok(());
    }
    work.leave(place)
}
