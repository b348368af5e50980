//! One call of a worker: a store and an instance of its own, a deadline, and a reason when it has no result.
//!
//! The guest runs on the runtime's guest threads; the caller waits on its own. At the deadline a guest that computes is
//! stopped by its next epoch check, which tells where it was; one that is parked in a host call is dropped.

mod exports;
mod failure;
mod size;
mod trial;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;
use wasmtime::{Store, UpdateDeadline};

pub(crate) use exports::Export;
pub use trial::NoEngines;
pub(crate) use trial::try_out;

use crate::{
    capabilities::{Caller, Capabilities},
    deadline::Deadline,
    error::{CallError, CallErrorKind},
    logs::RunLog,
    runtime::Runtime,
    state::{Run, RunState},
    version::WorkerVersion,
};
use failure::Stop;

/// What a call needs from the embedder.
#[derive(Clone)]
pub struct CallContext {
    /// When the call has to end. It can be moved while the call runs.
    pub deadline: Deadline,
    /// The engines' side of the worker's capabilities.
    pub capabilities: Arc<dyn Capabilities>,
    /// Stops the call when it is cancelled.
    pub cancel: CancellationToken,
    /// The W3C `traceparent` of the run, which the worker may pass on.
    pub traceparent: Option<String>,
}

/// How long a stopped guest has to say where it was before it is dropped: two epoch ticks.
const GRACE: Duration = Duration::from_millis(20);

/// What a guest may hand over at once beyond its payload limit: names and fields around the values.
const HOSTCALL_OVERHEAD: usize = 64 << 10;

/// The slots that a call holds while its instance lives.
struct Slots {
    _worker: OwnedSemaphorePermit,
    _host: OwnedSemaphorePermit,
}

/// Calls an export of a worker in a fresh instance, within all limits.
pub(crate) async fn call<E: Export>(
    version: &Arc<WorkerVersion>,
    input: E,
    context: CallContext,
) -> Result<E::Output, CallError> {
    let started = Instant::now();
    let log = RunLog::new(
        version.shared_name.clone(),
        input.id(),
        version.limits.log_lines,
        version.runtime.log_volume.clone(),
    );
    let mut result = run(version, input, context, &log).await;
    if let Ok(output) = &mut result {
        log.redact_in(output);
    }
    let (tail, dropped) = log.finish();
    version.metrics.finished(
        started.elapsed(),
        result.as_ref().err().map(|error| error.kind),
        dropped,
    );
    result.map_err(|error| failure::with_log(error, &log, tail))
}

async fn run<E: Export>(
    version: &Arc<WorkerVersion>,
    input: E,
    context: CallContext,
    log: &RunLog,
) -> Result<E::Output, CallError> {
    input.check(version)?;
    let runtime = &version.runtime;
    let slots = acquire(version, E::slots(runtime), &context).await?;

    let limit = version.limits.time;
    let mut deadline = context.deadline.capped(Instant::now() + limit);
    let caller = Caller {
        worker: version.shared_name.clone(),
        version: version.shared_digest.clone(),
        task: input.task(),
        invocation: input.invocation(),
        deadline: deadline.clone(),
        traceparent: context.traceparent,
    };
    let run = Run {
        caller: Arc::new(caller),
        capabilities: context.capabilities,
        grants: version.grants.clone(),
        config: version.config.clone(),
        secrets: version.secrets.clone(),
        http: runtime.http.clone(),
        log: log.clone(),
        own_files: input.files(),
        payload_bytes: version.limits.payload_bytes,
        host: runtime.host.clone(),
    };
    let guest = guest(
        version.clone(),
        input,
        run,
        deadline.clone(),
        context.cancel.clone(),
        slots,
    );
    let mut guest = AbortOnDropHandle::new(runtime.guests().spawn(guest.in_current_span()));
    let stopped = tokio::select! {
        biased;
        joined = &mut guest => return joined.unwrap_or_else(|error| Err(failure::of_join(&error))),
        () = context.cancel.cancelled() => Stop::Cancelled,
        () = deadline.passed() => Stop::Deadline,
    };
    if stopped == Stop::Deadline
        && let Ok(Ok(result)) = tokio::time::timeout(GRACE, &mut guest).await
    {
        return result;
    }
    Err(stopped.into_error())
}

/// Waits for a slot of the worker, then for one of the host, so that a worker at its cap keeps no slot from others.
async fn acquire(version: &WorkerVersion, host: &Arc<Semaphore>, context: &CallContext) -> Result<Slots, CallError> {
    let mut deadline = context.deadline.clone();
    let acquiring = async {
        let worker = version.slots.clone().acquire_owned().await?;
        let host = host.clone().acquire_owned().await?;
        Ok::<_, tokio::sync::AcquireError>(Slots {
            _worker: worker,
            _host: host,
        })
    };
    tokio::select! {
        biased;
        slots = acquiring => slots.map_err(|_| CallError::new(CallErrorKind::Internal, "the host is shutting down")),
        () = context.cancel.cancelled() => Err(Stop::Cancelled.into_error()),
        () = deadline.passed() => Err(CallError::new(
            CallErrorKind::NoCapacity,
            format!("worker `{}` had no free slot before the deadline; it was not called", version.name),
        )),
    }
}

/// The guest's side of a call, on the guest threads.
async fn guest<E: Export>(
    version: Arc<WorkerVersion>,
    input: E,
    run: Run,
    deadline: Deadline,
    cancel: CancellationToken,
    slots: Slots,
) -> Result<E::Output, CallError> {
    let _slots = slots;
    let _running = version.metrics.running();
    let mut store = store(&version.runtime, run, &version.limits, deadline, cancel);
    let result = input.invoke(&mut store, &version).await;
    version.metrics.memory(store.data().limiter.used());
    result.map_err(|error| failure::of_guest(error, store.data()))
}

/// A store with all limits set.
fn store(
    runtime: &Runtime,
    run: Run,
    limits: &crate::config::WorkerLimits,
    deadline: Deadline,
    cancel: CancellationToken,
) -> Store<RunState> {
    let mut store = Store::new(
        &runtime.engine,
        RunState::new(run, limits.memory_bytes, runtime.memory.clone()),
    );
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.payload_bytes.saturating_add(HOSTCALL_OVERHEAD));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if cancel.is_cancelled() {
            return Err(wasmtime::Error::new(Stop::Cancelled));
        }
        if deadline.remaining().is_zero() {
            return Err(wasmtime::Error::new(Stop::Deadline));
        }
        // Yields to the scheduler in a way that lets its timers and sockets be polled too.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    store
}
