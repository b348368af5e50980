//! Telling an engine how a task ended, until it knows.
//!
//! A report is repeated while the lock is kept: after network errors and answers that say "not now" for as long as that
//! lasts, after a conflict many times, after another failure of the engine a few times. A task that is gone needs no
//! report. What the engine refuses although the task is ours is the content of the report.

use std::time::{Duration, Instant};

use crate::{
    backoff::Backoff,
    engines::{Engine, Fault, Holder, Settlement},
    health::Health,
    lock::Lease,
};

/// How long after the end of its lock a report is still tried. Engines accept it as long as nobody else has locked the
/// task, and an engine that was away for longer than a lock has not given it to anybody else.
const GRACE: Duration = Duration::from_secs(60);
/// Tries after optimistic locking: parallel branches of one instance collide in bursts.
const CONFLICTS_MAX: u32 = 40;
/// Tries after another failure of the engine, such as a script behind the task: it was rolled back and may be transient.
const FAILURES_MAX: u32 = 4;

/// How a report ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// The engine knows.
    Done,
    /// There is no such task any more.
    Gone,
    /// Somebody else holds it now; this result is dropped.
    Lost,
    /// The task is ours, but the engine does not take this report.
    Refused(String),
    /// The engine could not be reached for too long.
    GaveUp(Fault),
}

/// Reports how a task ended.
pub async fn report(
    engine: &dyn Engine,
    health: &Health,
    task_id: &str,
    settlement: &Settlement,
    lease: &Lease,
) -> Reported {
    let mut slow = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    let mut fast = Backoff::new(Duration::from_millis(5), Duration::from_millis(500));
    let (mut conflicts, mut failures) = (0, 0);
    let mut may_have_ended_it = false;
    loop {
        let fault = match engine.report(task_id, settlement).await {
            Ok(()) => return Reported::Done,
            Err(fault) => fault,
        };
        metrics::counter!("handoff_report_faults_total", "engine" => engine.name().to_owned(), "fault" => fault.label())
            .increment(1);
        may_have_ended_it |= fault.may_have_had_effect() && !matches!(settlement, Settlement::Failure(_));
        let wait = match &fault {
            // Gone since an attempt of which no answer came: that one ended it.
            Fault::NotFound(_) if may_have_ended_it => return Reported::Done,
            Fault::NotFound(_) => return Reported::Gone,
            Fault::Rejected(reason) => match engine.holder(task_id).await {
                Ok(Holder::Us) => return Reported::Refused(reason.clone()),
                Ok(Holder::Gone) => return Reported::Gone,
                Ok(Holder::Nobody | Holder::Other(_)) => return Reported::Lost,
                Err(_) => slow.next_wait(),
            },
            Fault::Conflict(reason) => {
                conflicts += 1;
                if conflicts >= CONFLICTS_MAX {
                    return Reported::Refused(reason.clone());
                }
                fast.next_wait()
            }
            Fault::Failed(reason) | Fault::Mismatch(reason) | Fault::TooLarge(reason) => {
                failures += 1;
                if failures >= FAILURES_MAX {
                    return Reported::Refused(reason.clone());
                }
                slow.next_wait()
            }
            Fault::Unreachable(_)
            | Fault::Interrupted(_)
            | Fault::TimedOut(_)
            | Fault::Unavailable { .. }
            | Fault::Unauthorized(_)
            | Fault::Foreign(_) => {
                // A host whose tasks all wait to be reported does not poll, and would not know otherwise.
                health.failed(engine.name(), &fault);
                slow.next_wait_at_least(fault.retry_after())
            }
        };
        tracing::debug!(engine = engine.name(), task = task_id, %fault, wait_ms = wait.as_millis(), "the report is tried again");
        if Instant::now() + wait > lease.until() + GRACE {
            return Reported::GaveUp(fault);
        }
        tokio::time::sleep(wait).await;
    }
}
