//! What the exports of a component do around the worker's function.

use std::panic::PanicHookInfo;

use crate::bindings::delegate::DelegateError;
use crate::bindings::logging as host;
use crate::delegation::failure_text;
use crate::logging::HostLogger;
use crate::{Delegation, Error, Execution, IntoDelegation, IntoOutcome, Outcome, Task};

/// Runs a handler.
pub fn call_handler<O: IntoOutcome>(handler: impl FnOnce(Task) -> O, task: Task) -> Outcome {
    prepare();
    handler(task).into_outcome()
}

/// Runs a delegate.
///
/// # Errors
/// The delegate's own.
pub fn call_delegate<D: IntoDelegation>(
    delegate: impl FnOnce(Execution) -> D,
    execution: Execution,
) -> Result<Delegation, DelegateError> {
    prepare();
    delegate(execution).into_delegation().map_err(|error| match error {
        Error::Bpmn(error) => DelegateError::BpmnError(error),
        Error::Failure(failure) => DelegateError::Failure(failure_text(failure)),
    })
}

/// Logs and panics go to the host. Not every build of the standard library has a standard error to write a panic to.
fn prepare() {
    // Fails where the worker has a logger of its own, which then is the one to use.
    if log::set_logger(&HostLogger).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
    std::panic::set_hook(Box::new(report));
}

/// Runs before the panic traps, which ends the instance.
fn report(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("(the panic's payload is no text)");
    let location = panic
        .location()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string);
    host::log(
        host::Level::Error,
        &format!("panicked: {message}"),
        &[("location".to_owned(), location)],
    );
}
