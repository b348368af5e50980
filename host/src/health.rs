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
    fault: Option<(Instant, String)>,
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
    /// What it calls itself.
    pub product: Option<String>,
}

impl Health {
    /// A poll was read to its end.
    pub fn polled(&self, engine: &str) {
        let now = Instant::now();
        self.state.lock().last_poll = Some(now);
        self.answered(engine);
    }

    /// The engine answered something.
    pub fn answered(&self, engine: &str) {
        let mut state = self.state.lock();
        state.last_answer = Some(Instant::now());
        if let Some((since, _)) = state.fault.take() {
            tracing::info!(
                engine,
                after_ms = since.elapsed().as_millis(),
                "the engine answers again"
            );
        }
        drop(state);
        metrics::gauge!("handoff_engine_reachable", "engine" => engine.to_owned()).set(1.0);
    }

    /// The engine did not answer, or not as an engine.
    pub fn failed(&self, engine: &str, fault: &Fault) {
        let mut state = self.state.lock();
        let message = fault.to_string();
        match &mut state.fault {
            // Once per outage: a host that waits for its engine must not fill the log.
            None => {
                tracing::warn!(engine, fault = message, "the engine does not answer; trying on");
                state.fault = Some((Instant::now(), message));
            }
            Some((_, last)) => {
                if *last != message {
                    tracing::warn!(engine, fault = message, "the engine still does not answer");
                }
                *last = message;
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
            reachable: state.fault.is_none() && state.last_answer.is_some(),
            fault: state.fault.as_ref().map(|(_, message)| message.clone()),
            failing_for: state.fault.as_ref().map(|(since, _)| since.elapsed()),
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
                let due = failed || quiet || state.fault.is_some();
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
