//! Exclusive gateway: the first flow, in XML order, whose condition holds.

use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let element = place.element();
    if element.outgoing.is_empty() {
        return work.leave_by(place, &[]);
    }
    for flow in &element.outgoing {
        if element.default_flow != Some(*flow) && work.holds(place, *flow)? {
            return work.leave_by(place, &[*flow]);
        }
    }
    match element.default_flow {
        Some(flow) => work.leave_by(place, &[flow]),
        None => Err(stuck(place)),
    }
}

pub(super) fn stuck(place: &Place) -> Halt {
    Halt::execution(format!(
        "ENGINE-02004 No outgoing sequence flow for the element with id '{}' could be selected for continuing the process.",
        place.element().id
    ))
}
