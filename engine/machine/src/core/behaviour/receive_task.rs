//! Receive task: waits for its message, or for a signal by its execution's id.

use crate::core::halt::Run;

pub(super) fn execute() -> Run<()> {
    Ok(())
}
