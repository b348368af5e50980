//! Something that is shut until a test opens it.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// No test holds anything for longer, so that a forgotten gate is a failure and not a test that hangs.
const HELD_MAX: Duration = Duration::from_secs(120);

/// A gate that is open or shut. Who comes to a shut one can wait or turn back.
#[derive(Debug, Default)]
pub struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    /// A gate that is shut.
    #[must_use]
    pub fn shut() -> Self {
        Self::default()
    }

    /// Opens it for all who wait and all who come.
    pub fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is open; false if nobody opened it in two minutes.
    pub fn wait(&self) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(open, HELD_MAX, |open| !*open);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
