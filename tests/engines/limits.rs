//! How long anything is waited for before a case fails. All of it takes a fraction of this on an idle machine.

use std::time::Duration;

/// Until a state is seen.
pub(crate) const STATE_LIMIT: Duration = Duration::from_secs(90);
