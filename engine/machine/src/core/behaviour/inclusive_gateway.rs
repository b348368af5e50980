//! Inclusive gateway: waits while another token of its scope can still reach it, by a search of the model; takes all
//! flows whose conditions hold, or else the default flow. It looks again only when a token arrives, as in Camunda.

use std::collections::BTreeSet;

use super::{exclusive_gateway, joining};
use crate::core::activity::Flows;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::ElementIx;
use crate::row::ExecutionState;

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    if place.element().incoming.len() <= 1 {
        let flows = outgoing(work, place)?;
        return work.leave_by(place, &flows);
    }
    joining::wait(work, place);
    let waiting = joining::waiting(work, place)?;
    // As many tokens as flows are enough, even where others may still come around a loop.
    if waiting.len() < place.element().incoming.len() && others_may_come(work, place)? {
        return Ok(());
    }
    let flows = outgoing(work, place)?;
    joining::leave(work, place, &waiting, &flows)
}

fn outgoing(work: &mut Work<'_>, place: &Place) -> Run<Flows> {
    let element = place.element();
    let mut flows = Flows::new();
    for flow in &element.outgoing {
        if element.default_flow != Some(*flow) && work.holds(place, *flow)? {
            flows.push(*flow);
        }
    }
    if flows.is_empty() {
        flows.extend(element.default_flow);
    }
    if flows.is_empty() && !element.outgoing.is_empty() {
        return Err(exclusive_gateway::stuck(place));
    }
    Ok(flows)
}

fn others_may_come(work: &mut Work<'_>, place: &Place) -> Run<bool> {
    let model = place.model();
    for child in work.live_children(place.parent)? {
        let Some(row) = work.tables.executions.get(child) else {
            continue;
        };
        let Some(from) = model.find(&row.activity) else {
            continue;
        };
        if child == place.execution || (from == place.ix && matches!(row.state, ExecutionState::Joining { .. })) {
            continue;
        }
        // A token on its way to the gateway has yet to arrive.
        if from == place.ix || reaches(place, from) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a token at `from` can come to the gateway by flows. Camunda does not look at boundary events on its way.
fn reaches(place: &Place, from: ElementIx) -> bool {
    let model = place.model();
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(ix) = open.pop() {
        let element = model.at(ix);
        for next in element.outgoing.iter().map(|flow| model.flow(*flow).target) {
            if next == place.ix {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}
