//! How many tries a failed task has left, and when the next one is.

use std::time::Duration;

use handoff_runtime::wit::types::Failure;

use crate::{
    backoff::{grown, jittered},
    engines::FailureReport,
    worker::WorkerProfile,
};

/// The longest wait that the host chooses.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(15 * 60);
/// The longest details that are sent; an engine keeps them for each failure.
const DETAILS_MAX_BYTES: usize = 64 << 10;

/// The report of a worker's failure. What the worker leaves open is decided here: a first failure leaves the retries
/// that the manifest says, each further one takes one; the wait doubles from the manifest's.
pub fn next_failure(profile: &WorkerProfile, retries: Option<u32>, failure: Failure) -> FailureReport {
    let left = failure
        .retries
        .unwrap_or_else(|| retries.map_or(profile.retries, |retries| retries.saturating_sub(1)));
    let retry_after = match failure.retry_after_ms {
        Some(ms) => Duration::from_millis(ms.into()),
        // Nobody waits for a task without retries.
        None if left == 0 => Duration::ZERO,
        None => jittered(grown(
            profile.retry_after,
            profile.retries.saturating_sub(left),
            RETRY_AFTER_MAX,
        )),
    };
    FailureReport {
        message: failure.message,
        details: failure.details.map(cut),
        retries: Some(left),
        retry_after,
        variables: failure.variables,
        local_variables: failure.local_variables,
    }
}

fn cut(mut details: String) -> String {
    if details.len() > DETAILS_MAX_BYTES {
        let end = (0..=DETAILS_MAX_BYTES)
            .rev()
            .find(|&end| details.is_char_boundary(end))
            .unwrap_or(0);
        details.truncate(end);
        details.push_str("\n… (cut)");
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> WorkerProfile {
        WorkerProfile {
            name: "w".into(),
            version: "v".into(),
            concurrency: 1,
            retries: 3,
            retry_after: Duration::from_secs(10),
            time_limit: Duration::from_secs(1),
        }
    }

    fn failure() -> Failure {
        Failure {
            message: "m".into(),
            details: None,
            retries: None,
            retry_after_ms: None,
            variables: Vec::new(),
            local_variables: Vec::new(),
        }
    }

    #[test]
    fn retries_count_down_from_the_manifests_number_and_waits_grow() {
        let steps: Vec<_> = [None, Some(3), Some(2), Some(1)]
            .into_iter()
            .map(|retries| next_failure(&profile(), retries, failure()))
            .collect();
        assert_eq!(
            steps.iter().map(|s| s.retries).collect::<Vec<_>>(),
            [Some(3), Some(2), Some(1), Some(0)]
        );
        for (step, seconds) in steps.iter().zip([10, 20, 40]) {
            let most = Duration::from_secs(seconds);
            assert!(step.retry_after <= most && step.retry_after >= most / 2, "{step:?}");
        }
        assert_eq!(steps[3].retry_after, Duration::ZERO);
    }

    #[test]
    fn what_the_worker_says_holds_and_details_are_bounded() {
        let said = Failure {
            retries: Some(7),
            retry_after_ms: Some(5),
            details: Some("ü".repeat(DETAILS_MAX_BYTES)),
            ..failure()
        };
        let report = next_failure(&profile(), Some(1), said);
        assert_eq!(
            (report.retries, report.retry_after),
            (Some(7), Duration::from_millis(5))
        );
        assert!(report.details.unwrap().len() < DETAILS_MAX_BYTES + 20);
    }
}
