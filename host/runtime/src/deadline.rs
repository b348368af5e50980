//! A deadline that can be moved while what it limits is running, as a task's lock is extended.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// When a run has to end. Clones see every move of the [`DeadlineHandle`] they belong to.
#[derive(Clone, Debug)]
pub struct Deadline {
    at: watch::Receiver<Instant>,
    latest: Option<Instant>,
}

/// Moves a [`Deadline`]. When it is dropped the deadline stays where it was last.
#[derive(Debug)]
pub struct DeadlineHandle {
    at: watch::Sender<Instant>,
}

impl Deadline {
    /// A deadline with the handle that moves it.
    pub fn movable(at: Instant) -> (DeadlineHandle, Self) {
        let (tx, rx) = watch::channel(at);
        (DeadlineHandle { at: tx }, Self { at: rx, latest: None })
    }

    /// A deadline that never moves.
    pub fn at(at: Instant) -> Self {
        Self::movable(at).1
    }

    /// A deadline that never moves, this long from now.
    pub fn after(duration: Duration) -> Self {
        Self::at(Instant::now() + duration)
    }

    /// The same deadline, but never later than `latest`, wherever it is moved.
    pub fn capped(&self, latest: Instant) -> Self {
        let latest = self.latest.map_or(latest, |earlier| earlier.min(latest));
        Self {
            at: self.at.clone(),
            latest: Some(latest),
        }
    }

    /// Where the deadline stands now.
    pub fn instant(&self) -> Instant {
        let at = *self.at.borrow();
        self.latest.map_or(at, |latest| latest.min(at))
    }

    /// The time that is left now; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.instant().saturating_duration_since(Instant::now())
    }

    /// Completes when the deadline has passed and was not moved before it did.
    pub async fn passed(&mut self) {
        let mut movable = true;
        loop {
            self.at.mark_unchanged();
            let at = self.instant();
            if at <= Instant::now() {
                return;
            }
            let sleep = tokio::time::sleep_until(at.into());
            if movable {
                tokio::select! {
                    () = sleep => {}
                    changed = self.at.changed() => movable = changed.is_ok(),
                }
            } else {
                sleep.await;
            }
        }
    }
}

impl DeadlineHandle {
    /// Moves the deadline, either way.
    pub fn move_to(&self, at: Instant) {
        self.at.send_replace(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_moved_deadline_passes_later() {
        let start = Instant::now();
        let (handle, mut deadline) = Deadline::movable(start + Duration::from_millis(20));
        handle.move_to(start + Duration::from_millis(60));
        deadline.passed().await;
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[tokio::test]
    async fn a_cap_holds_wherever_it_is_moved() {
        let latest = Instant::now() + Duration::from_millis(10);
        let (handle, deadline) = Deadline::movable(Instant::now());
        let mut capped = deadline.capped(latest);
        handle.move_to(latest + Duration::from_secs(60));
        assert_eq!(capped.instant(), latest);
        capped.passed().await;
        assert!(!deadline.remaining().is_zero());
    }

    #[tokio::test]
    async fn it_passes_without_its_handle() {
        let (handle, mut deadline) = Deadline::movable(Instant::now() + Duration::from_millis(5));
        drop(handle);
        deadline.passed().await;
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }
}
