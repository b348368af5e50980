//! Running scripts: JavaScript in QuickJS, a runtime of its own for each, without any I/O.
//!
//! A script runs on a thread beside the writer, within a limit of time, memory and stack, and sees only what its call
//! brings: no files, no network, no modules, no other script. What it sets comes back in the answer.

mod convert;
#[allow(
    unsafe_code,
    reason = "an allocator is an unsafe trait; reviewed: it counts what the inner one gives"
)]
mod memory;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use handoff_machine::Answer;
use handoff_machine::request::ScriptCall;
use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt as _, Context, Ctx, Function, Object, Runtime};
use tokio::sync::Semaphore;

use self::memory::Bounded;

/// Defines what scripts see.
const PRELUDE: &str = include_str!("scripts/prelude.js");

/// Bytes of the stack of a script: a thread of the pool has 2 MiB.
const STACK_BYTES: usize = 512 << 10;

/// What a script may use.
#[derive(Clone, Copy, Debug)]
pub struct ScriptLimits {
    /// How long one may run, and wait for a free thread.
    pub timeout: Duration,
    /// Bytes of memory of one.
    pub memory: usize,
    /// How many run at a time.
    pub concurrency: usize,
}

impl Default for ScriptLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            memory: 64 << 20,
            concurrency: 8,
        }
    }
}

/// Runs scripts, so many at a time.
pub(super) struct Scripts {
    limits: ScriptLimits,
    slots: Arc<Semaphore>,
}

impl Scripts {
    pub(super) fn new(limits: ScriptLimits) -> Self {
        Self {
            limits,
            slots: Arc::new(Semaphore::new(limits.concurrency.max(1))),
        }
    }

    /// Runs one, within its own time. What goes wrong is an [`Answer::Failed`].
    pub(super) fn run(&self, call: ScriptCall) -> impl Future<Output = Answer> + Send + 'static {
        let (limits, slots) = (self.limits, Arc::clone(&self.slots));
        async move {
            let Ok(Ok(slot)) = tokio::time::timeout(limits.timeout, slots.acquire_owned()).await else {
                let message = format!(
                    "no thread was free for the script within {} ms",
                    limits.timeout.as_millis()
                );
                return Answer::Failed { message };
            };
            let ran = tokio::task::spawn_blocking(move || {
                let _slot = slot;
                evaluate(&call, limits)
            });
            ran.await.unwrap_or_else(|error| Answer::Failed {
                message: format!("the script's thread ended: {error}"),
            })
        }
    }
}

/// Runs a script to its end or its limits.
fn evaluate(call: &ScriptCall, limits: ScriptLimits) -> Answer {
    let deadline = Instant::now() + limits.timeout;
    let over = Arc::new(AtomicBool::new(false));
    let memory = Bounded::new(limits.memory, Arc::clone(&over));
    let outcome = Runtime::new_with_alloc(memory).and_then(|runtime| {
        let over = Arc::clone(&over);
        runtime.set_max_stack_size(STACK_BYTES);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            over.load(Ordering::Relaxed) || Instant::now() >= deadline
        })));
        let context = Context::full(&runtime)?;
        Ok(context.with(|ctx| within(&ctx, call)))
    });
    let report = outcome.unwrap_or_else(|error| Err(error.to_string()));
    // An interruption is an exception like others by then: the clock tells it apart.
    if Instant::now() >= deadline {
        let message = format!("the script ran longer than {} ms", limits.timeout.as_millis());
        return Answer::Failed { message };
    }
    if over.load(Ordering::Relaxed) {
        let message = format!("the script needs more than {} bytes of memory", limits.memory);
        return Answer::Failed { message };
    }
    match report {
        Ok(report) => convert::answer(call, &report).unwrap_or_else(|message| Answer::Failed { message }),
        Err(message) => Answer::Failed { message },
    }
}

/// The report of a script as JSON, or why there is none.
fn within<'js>(ctx: &Ctx<'js>, call: &ScriptCall) -> Result<String, String> {
    let prelude: Function<'js> = ctx.eval(PRELUDE).catch(ctx).map_err(|error| error.to_string())?;
    let ends: Object<'js> = prelude
        .call((convert::input(call),))
        .catch(ctx)
        .map_err(|error| error.to_string())?;
    let mut options = EvalOptions::default();
    options.strict = false;
    let result: rquickjs::Result<rquickjs::Value<'js>> = ctx.eval_with_options(call.source.as_str(), options);
    let (end, value) = match result {
        Ok(value) => ("finish", value),
        Err(rquickjs::Error::Exception) => ("failed", ctx.catch()),
        Err(error) => return Err(error.to_string()),
    };
    let end: Function<'js> = ends.get(end).map_err(|error| error.to_string())?;
    end.call((value,)).catch(ctx).map_err(|error| error.to_string())
}
