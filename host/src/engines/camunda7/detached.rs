//! Completing what somebody else holds (design, F3).
//!
//! Camunda ends a task only for the worker id that is written on it, and refuses one that nobody locked. It does not
//! ask whether that worker's lock still runs. So: read the task; a holder is written on it: act in its name; none is:
//! lock it for this host, then act. A refusal means that somebody was faster, and the task is read again.
//!
//! A conflict and a failure of the engine were rolled back, so the same is tried again within the call. It must be: a
//! listener that has to try again takes a task that is gone by then for its own completion, which this was not.

use std::time::Duration;

use handoff_runtime::wit::tasks::Ending;

use super::Camunda7;
use crate::{
    backoff::Backoff,
    engines::{DEFAULT_RETRIES, Engine as _, FailureReport, Fault, Settlement},
};

/// How often a task is read before giving up: each further time somebody else has taken its lock in between, or the
/// engine has rolled back what was asked.
const READS_MAX: u32 = 5;

/// How long a task is locked for us that nobody held: as long as the call that follows may take.
const OWN_LOCK: Duration = Duration::from_secs(20);

/// Ends a task on behalf of whoever holds it.
pub(super) async fn settle(engine: &Camunda7, task_id: &str, settlement: &Settlement) -> Result<Ending, Fault> {
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));
    let mut refused: Option<(String, Fault)> = None;
    for _ in 0..READS_MAX {
        let Some(task) = engine.task(task_id).await? else {
            return Ok(Ending::Gone);
        };
        // The same holder as the one that was just refused: this engine minds that its lock has run out. Take the lock
        // over; if that is refused too the lock was alive and the refusal was about what we sent.
        let take_over = refused
            .as_ref()
            .is_some_and(|(holder, _)| task.worker_id.as_ref() == Some(holder));
        let holder = match task.worker_id {
            Some(holder) if !take_over => holder,
            _ => match engine.lock_for_us(task_id, OWN_LOCK).await {
                Ok(()) => engine.worker_id.clone(),
                Err(Fault::NotFound(_)) => return Ok(Ending::Gone),
                Err(Fault::Rejected(_)) if take_over => break,
                Err(Fault::Rejected(reason)) => {
                    refused = Some((String::new(), Fault::Rejected(reason)));
                    continue;
                }
                Err(fault) => return Err(fault),
            },
        };
        let settlement = count_down(settlement, task.retries);
        match engine.settle_as(task_id, &holder, &settlement).await {
            Ok(()) => return Ok(Ending::Completed),
            Err(Fault::NotFound(_)) => return Ok(Ending::Gone),
            Err(Fault::Rejected(reason)) => {
                let just_locked = holder == engine.worker_id && take_over;
                refused = Some((holder, Fault::Rejected(reason)));
                if just_locked {
                    // Ours beyond doubt, so the engine refuses what we sent. Do not keep others from the task.
                    let _ = engine.release(task_id).await;
                    break;
                }
            }
            Err(fault @ (Fault::Conflict(_) | Fault::Failed(_))) => {
                refused = Some((String::new(), fault));
                tokio::time::sleep(backoff.next_wait()).await;
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(refused.map_or_else(
        || Fault::Rejected(format!("the lock of task {task_id} keeps changing hands")),
        |(_, fault)| fault,
    ))
}

/// Lets a lock run on, for whoever holds it; takes it for this host if nobody does.
pub(super) async fn extend(engine: &Camunda7, task_id: &str, duration: Duration) -> Result<Ending, Fault> {
    let mut last = None;
    for _ in 0..READS_MAX {
        let Some(task) = engine.task(task_id).await? else {
            return Ok(Ending::Gone);
        };
        let result = match task.worker_id {
            Some(holder) if last.is_none() => engine.extend_as(task_id, &holder, duration).await,
            // The lock has run out, or never was: Camunda extends only what runs.
            _ => engine.lock_for_us(task_id, duration).await,
        };
        match result {
            Ok(()) => return Ok(Ending::Completed),
            Err(Fault::NotFound(_)) => return Ok(Ending::Gone),
            Err(fault @ (Fault::Rejected(_) | Fault::Conflict(_))) => last = Some(fault),
            Err(fault) => return Err(fault),
        }
    }
    Err(last.unwrap_or_else(|| Fault::Rejected(format!("the lock of task {task_id} keeps changing hands"))))
}

/// A failure that does not say how many retries are left takes one from what the task has.
fn count_down(settlement: &Settlement, retries: Option<i64>) -> Settlement {
    match settlement {
        Settlement::Failure(failure) if failure.retries.is_none() => {
            let left = retries
                .map_or(DEFAULT_RETRIES, |left| u32::try_from(left).unwrap_or(0))
                .saturating_sub(1);
            Settlement::Failure(FailureReport {
                retries: Some(left),
                ..failure.clone()
            })
        }
        other => other.clone(),
    }
}
