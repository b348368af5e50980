//! Tokens that wait at a joining gateway, and how it goes on with them.

use crate::core::activity::Flows;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::id::Id;
use crate::row::{Execution, ExecutionState};

/// The token waits at the join. Which flow it came by is noted, but the join only counts.
pub(super) fn wait(work: &mut Work<'_>, place: &Place) {
    let flow = work
        .came_by
        .get(&place.execution)
        .map(|flow| place.model().flow(*flow).id.clone());
    let state = ExecutionState::Joining {
        flow: flow.unwrap_or_default(),
    };
    work.change::<Execution>(place.execution, |row| row.state = state);
}

/// The tokens that wait at this join in this scope, in the order of their coming.
pub(super) fn waiting(work: &mut Work<'_>, place: &Place) -> Run<Vec<Id>> {
    let id = &place.element().id;
    let mut waiting = work.children(place.parent)?;
    waiting.retain(|execution| {
        work.tables
            .executions
            .get(*execution)
            .is_some_and(|row| row.activity == *id && matches!(row.state, ExecutionState::Joining { .. }))
    });
    Ok(waiting)
}

/// Leaves the join with the last token; the others end here.
pub(super) fn leave(work: &mut Work<'_>, place: &Place, waiting: &[Id], flows: &Flows) -> Run<()> {
    for execution in waiting.iter().filter(|execution| **execution != place.execution) {
        let other = work.place(*execution)?;
        work.join_into(&other, flows.is_empty())?;
    }
    work.leave_by(place, flows)
}
