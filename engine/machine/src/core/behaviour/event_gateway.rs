//! Event-based gateway: waits; its subscriptions and timers are those of the events behind it, and the first that
//! happens ends the others. A condition that holds already happens at once.

use crate::core::context::Site;
use crate::core::event::Payload;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::Trigger;

pub(super) fn execute(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let model = place.model();
    for flow in &place.element().outgoing {
        let event = model.flow(*flow).target;
        if let Some(Trigger::Condition(condition)) = model.trigger(event)
            && work.holds_if_known(&Site::from(place), condition)?
        {
            return work.fire(place.execution, &model.at(event).id, Payload::default());
        }
    }
    Ok(())
}
