//! The one clock of the engine. Everything that has to do with time takes it from here, so that tests and simulations
//! can drive it by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use handoff_machine::Millis;
use parking_lot::Mutex;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970.
    fn now(&self) -> Millis;

    /// Calls `wake` whenever time has jumped, so that who waits for an instant looks again. A clock that only ticks
    /// never does.
    fn on_jump(&self, wake: Box<dyn Fn() + Send + Sync>) {
        drop(wake);
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX))
    }
}

/// A clock that stands still until it is moved.
pub struct ManualClock {
    now: AtomicI64,
    wakers: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Millis) -> Self {
        Self {
            now: AtomicI64::new(now),
            wakers: Mutex::new(Vec::new()),
        }
    }

    /// Moves it by `millis`, also backwards.
    pub fn advance(&self, millis: Millis) {
        self.now.fetch_add(millis, Ordering::SeqCst);
        for wake in self.wakers.lock().iter() {
            wake();
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.now.load(Ordering::SeqCst)
    }

    fn on_jump(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.wakers.lock().push(wake);
    }
}
