//! How long anything is waited for before a test fails. All of it takes a fraction of this on an idle machine.

use std::time::Duration;

/// Until all orders of a test have ended.
pub(crate) const ORDERS_LIMIT: Duration = Duration::from_secs(120);

/// Until something else is seen.
pub(crate) const STATE_LIMIT: Duration = Duration::from_secs(60);
