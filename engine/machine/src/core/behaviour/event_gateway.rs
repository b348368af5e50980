//! Event-based gateway: waits; its subscriptions and timers are those of the events behind it, and the first that
//! happens ends the others.

use crate::core::halt::Run;

pub(super) fn execute() -> Run<()> {
    Ok(())
}
