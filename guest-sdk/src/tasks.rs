//! External tasks, apart from fetching them: what one worker was given, another can complete.

use std::time::Duration;

use crate::bindings::tasks as host;
use crate::engine_error::call;
use crate::outcome::milliseconds;
use crate::{BpmnError, Completion, EngineError, Failure, FileReference, TaskRef};

pub use crate::bindings::tasks::Ending;

/// Completes a task on behalf of whoever holds its lock.
///
/// [`Ending::Gone`] is success only for a caller that tried before, and may have lost the answer; for any other it
/// means that somebody else ended the task.
///
/// # Errors
/// When the task was not ended, or may not have been; see [`EngineError`].
pub fn complete(task: &TaskRef, completion: &Completion) -> Result<Ending, EngineError> {
    call(|| host::complete(task, completion))
}

/// Ends a task with a BPMN error on behalf of whoever holds its lock.
///
/// # Errors
/// As [`complete`].
pub fn throw_error(task: &TaskRef, error: &BpmnError) -> Result<Ending, EngineError> {
    call(|| host::throw_error(task, error))
}

/// Reports a failure of a task on behalf of whoever holds its lock.
///
/// # Errors
/// As [`complete`].
pub fn fail(task: &TaskRef, failure: &Failure) -> Result<Ending, EngineError> {
    call(|| host::fail(task, failure))
}

/// Lets the lock of a task run for this long from now: whole milliseconds, at most 49 days.
///
/// # Errors
/// As [`complete`].
pub fn extend_lock(task: &TaskRef, duration: Duration) -> Result<Ending, EngineError> {
    call(|| host::extend_lock(task, milliseconds(duration)))
}

/// Gives a task back: the engine offers it again at once.
///
/// # Errors
/// As [`complete`].
pub fn unlock(task: &TaskRef) -> Result<Ending, EngineError> {
    call(|| host::unlock(task))
}

/// Reads the content of a file variable.
///
/// # Errors
/// [`EngineError::NotFound`] where there is no such variable (any more), [`EngineError::LimitExceeded`] where the file
/// is larger than the worker may take.
pub fn read_file(reference: &FileReference) -> Result<Vec<u8>, EngineError> {
    call(|| host::read_file(reference))
}
