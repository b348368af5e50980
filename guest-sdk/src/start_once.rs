//! Starting with a dedupe key that the caller did not choose.

use std::cell::RefCell;

use crate::EngineError;
use crate::processes::{self, StartRequest, StartTarget, Started};

thread_local! {
    /// What was started under which default key. An instance of a component lives for one run, so this stays small.
    static STARTED: RefCell<Vec<(String, Purpose)>> = const { RefCell::new(Vec::new()) };
}

/// What a request is for: where two of one run differ in it, they mean two instances.
#[derive(Clone, PartialEq)]
struct Purpose {
    engine: String,
    target: StartTarget,
    business_key: Option<String>,
}

/// Starts with `default_key` where the request has no key of its own.
///
/// Invariant: within one run, two different requests never share a default key. The engine would answer the second one
/// with the instance of the first, and nothing would be started for it.
pub(crate) fn start_once(mut request: StartRequest, default_key: String) -> Result<Started, EngineError> {
    if request.dedupe_key.is_none() {
        claim(&default_key, &request)?;
        request.dedupe_key = Some(default_key);
    }
    processes::start(&request)
}

fn claim(key: &str, request: &StartRequest) -> Result<(), EngineError> {
    let purpose = Purpose {
        engine: request.engine.clone(),
        target: request.target.clone(),
        business_key: request.business_key.clone(),
    };
    STARTED.with_borrow_mut(|started| match started.iter().find(|(taken, _)| taken == key) {
        Some((_, first)) if *first == purpose => Ok(()),
        Some(_) => Err(EngineError::Rejected(format!(
            "two different starts share the dedupe key `{key}`: give each one of its own by `StartRequest::dedupe_key`"
        ))),
        None => {
            started.push((key.to_owned(), purpose));
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Task, TaskRef};

    fn is_rejected(answer: Result<Started, EngineError>) -> bool {
        match answer {
            Err(EngineError::Rejected(_)) => true,
            Err(EngineError::Unavailable(_)) => false,
            other => unreachable!("outside of a component nothing is started: {other:?}"),
        }
    }

    #[test]
    fn a_second_different_start_needs_a_key_of_its_own() {
        let task = Task::new(TaskRef::new("order", "t1"), "topic");
        let first = StartRequest::message("inventory", "needed");
        assert!(!is_rejected(task.start(first.clone())));
        assert!(
            !is_rejected(task.start(first.clone())),
            "the same start may be tried again"
        );
        let second = StartRequest::message("inventory", "other");
        assert!(is_rejected(task.start(second.clone())));
        assert!(!is_rejected(
            task.start(second.dedupe_key(format!("{}/other", task.dedupe_key())))
        ));
        let other_task = Task::new(TaskRef::new("order", "t2"), "topic");
        assert!(!is_rejected(
            other_task.start(StartRequest::message("inventory", "other"))
        ));
    }
}
