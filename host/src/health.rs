//! What is known of an engine: whether it answers, since when, and what it can do.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    engines::{Engine, Fault, Features},
};

/// An engine that nothing was heard of for this long is asked for a sign of life.
const QUIET_MAX: Duration = Duration::from_secs(30);

/// What is known of one engine.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    features: Option<Features>,
    last_answer: Option<Instant>,
    last_poll: Option<Instant>,
    outage: Option<Outage>,
    /// When the poller has to be heard of again; none while it has nothing to wait for.
    poller_due: Option<Instant>,
}

/// An engine that does not do what is asked of it.
#[derive(Debug)]
struct Outage {
    since: Instant,
    message: String,
    /// Polls fail. An engine that answers other requests is no better for it.
    of_polls: bool,
}

/// A picture of one engine for people and probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthReport {
    /// It answered last time.
    pub reachable: bool,
    /// Why not.
    pub fault: Option<String>,
    /// For how long it has not answered.
    pub failing_for: Option<Duration>,
    /// How long ago a poll was last read to its end.
    pub last_poll: Option<Duration>,
    /// For how long the poller should have been heard of: it hangs.
    pub overdue: Option<Duration>,
    /// What it calls itself.
    pub product: Option<String>,
}

impl Health {
    /// A poll was read to its end.
    pub fn polled(&self, engine: &str) {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.last_poll = Some(now);
        if let Some(outage) = &mut state.outage {
            outage.of_polls = false;
        }
        drop(state);
        self.answered(engine);
    }

    /// There is nothing to poll for. What polls found no longer tells anything.
    pub fn not_polled(&self) {
        let mut state = self.state.lock();
        if let Some(outage) = &mut state.outage {
            outage.of_polls = false;
        }
    }

    /// The poller is heard of, and will be again by then.
    pub fn poller_due(&self, due: Option<Instant>) {
        self.state.lock().poller_due = due;
    }

    /// The engine answered something.
    pub fn answered(&self, engine: &str) {
        let mut state = self.state.lock();
        state.last_answer = Some(Instant::now());
        if state.outage.as_ref().is_some_and(|outage| outage.of_polls) {
            return;
        }
        if let Some(outage) = state.outage.take() {
            tracing::info!(
                engine,
                after_ms = outage.since.elapsed().as_millis(),
                "the engine answers again"
            );
        }
        drop(state);
        metrics::gauge!("handoff_engine_reachable", "engine" => engine.to_owned()).set(1.0);
    }

    /// A poll failed.
    pub fn poll_failed(&self, engine: &str, fault: &Fault) {
        self.note(engine, fault, true);
    }

    /// The engine did not answer, or not as an engine.
    pub fn failed(&self, engine: &str, fault: &Fault) {
        self.note(engine, fault, false);
    }

    fn note(&self, engine: &str, fault: &Fault, of_polls: bool) {
        let mut state = self.state.lock();
        let message = fault.to_string();
        match &mut state.outage {
            // Once per outage: a host that waits for its engine must not fill the log.
            None => {
                tracing::warn!(engine, fault = message, "the engine does not answer; trying on");
                state.outage = Some(Outage {
                    since: Instant::now(),
                    message,
                    of_polls,
                });
            }
            Some(outage) => {
                if outage.message != message {
                    tracing::warn!(engine, fault = message, "the engine still does not answer");
                }
                outage.message = message;
                outage.of_polls |= of_polls;
            }
        }
        drop(state);
        metrics::gauge!("handoff_engine_reachable", "engine" => engine.to_owned()).set(0.0);
        metrics::counter!("handoff_engine_faults_total", "engine" => engine.to_owned(), "fault" => fault.label())
            .increment(1);
    }

    /// What the engine can do, as far as it is known.
    pub fn features(&self) -> Option<Features> {
        self.state.lock().features.clone()
    }

    /// A picture for people and probes.
    pub fn report(&self) -> HealthReport {
        let state = self.state.lock();
        HealthReport {
            reachable: state.outage.is_none() && state.last_answer.is_some(),
            fault: state.outage.as_ref().map(|outage| outage.message.clone()),
            failing_for: state.outage.as_ref().map(|outage| outage.since.elapsed()),
            overdue: state
                .poller_due
                .and_then(|due| Instant::now().checked_duration_since(due)),
            last_poll: state.last_poll.map(|at| at.elapsed()),
            product: state.features.as_ref().map(|features| features.product.clone()),
        }
    }

    /// Finds out what the engine can do, again after each outage, and asks for a sign of life where no poll does.
    pub async fn watch(&self, engine: &dyn Engine, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        let mut failed = true;
        loop {
            let pause = {
                let state = self.state.lock();
                let quiet = state.last_answer.is_none_or(|at| at.elapsed() >= QUIET_MAX);
                let due = failed || quiet || state.outage.is_some();
                (!due).then(|| QUIET_MAX / 10)
            };
            let pause = match pause {
                Some(pause) => pause,
                None => {
                    let probed = tokio::select! {
                        () = stop.cancelled() => return,
                        probed = engine.probe() => probed,
                    };
                    match probed {
                        Ok(features) => {
                            if failed {
                                tracing::info!(
                                    engine = engine.name(),
                                    product = features.product,
                                    dedupe_keys = features.dedupe_keys,
                                    "the engine answers"
                                );
                            }
                            self.state.lock().features = Some(features);
                            self.answered(engine.name());
                            failed = false;
                            backoff.reset();
                            QUIET_MAX / 10
                        }
                        Err(fault) => {
                            failed = true;
                            self.failed(engine.name(), &fault);
                            backoff.next_wait_at_least(fault.retry_after())
                        }
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
