//! Events that throw an escalation. They go on, caught or not, unless they are interrupted by what catches it.

use crate::core::escalation::Escalated;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::model::EscalationDefinition;

pub(super) fn throw(work: &mut Work<'_>, place: &Place, escalation: &EscalationDefinition) -> Run<()> {
    let code = escalation.code.as_deref().unwrap_or_default();
    match work.escalate(place, code)? {
        Escalated::Uncaught | Escalated::Beside => work.leave_if_there(place),
        Escalated::Interrupting => Ok(()),
    }
}
