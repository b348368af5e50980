//! File variables in a worker's result.
//!
//! Engines send a file as a reference, and a worker may hand that on without having read it. A reference cannot be
//! written: sent as it is, it would empty the variable. So what is the task's own variable, unchanged, is left out, and
//! anything else is written with the content that is read for it.

use std::time::{Duration, Instant};

use handoff_runtime::wit::types::{File, FileContent, FileReference, Value, Variable};

use crate::{
    backoff::Backoff,
    engines::{Engine, Fault, Settlement},
    lock::Lease,
};

/// The largest file that is carried from one variable to another.
const CARRIED_MAX_BYTES: u64 = 64 << 20;

/// The settlement with the content of every file in it. `own`: the task's variables, whose files may be handed on;
/// what else can be referred to is for `tasks.read-file` and its grants. An engine that cannot be asked now is asked again
/// for as long as the task is ours.
pub(crate) async fn with_contents(
    engine: &dyn Engine,
    own: &[Variable],
    settlement: Settlement,
    lease: &Lease,
) -> Result<Settlement, Fault> {
    let mut settlement = settlement;
    let (variables, local_variables) = match &mut settlement {
        Settlement::Complete(completion) => (&mut completion.variables, Some(&mut completion.local_variables)),
        Settlement::Failure(failure) => (&mut failure.variables, Some(&mut failure.local_variables)),
        Settlement::Error(error) => (&mut error.variables, None),
    };
    variables.retain(|variable| reference(variable).is_none() || !own.contains(variable));
    for variable in variables.iter_mut().chain(local_variables.into_iter().flatten()) {
        let Some(file) = reference(variable) else { continue };
        if !own.iter().any(|variable| reference(variable) == Some(file)) {
            return Err(Fault::Rejected(format!(
                "the file `{}` refers to a variable that is not the task's own; read it by tasks.read-file and return its bytes",
                variable.name
            )));
        }
        let content = read(engine, file, lease).await?;
        if let Value::File(File { content: place, .. }) = &mut variable.value {
            *place = FileContent::Bytes(content);
        }
    }
    Ok(settlement)
}

async fn read(engine: &dyn Engine, file: &FileReference, lease: &Lease) -> Result<Vec<u8>, Fault> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    loop {
        let fault = match engine.read_file(file, CARRIED_MAX_BYTES).await {
            Ok(content) => return Ok(content),
            Err(fault) => fault,
        };
        let wait = backoff.next_wait_at_least(fault.retry_after());
        if !fault.is_transient() || Instant::now() + wait > lease.until() {
            return Err(fault);
        }
        tokio::time::sleep(wait).await;
    }
}

fn reference(variable: &Variable) -> Option<&FileReference> {
    match &variable.value {
        Value::File(File {
            content: FileContent::Reference(reference),
            ..
        }) => Some(reference),
        _ => None,
    }
}
