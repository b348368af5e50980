//! The wasmtime engine: its configuration, the choice of the allocator, and the ticker that makes guests yield.

use std::{io, num::NonZeroUsize, time::Duration};

use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails,
};

use crate::{
    config::{Allocator, RuntimeConfig},
    error::RuntimeError,
};

/// How often a running guest is made to yield. A stop takes effect within one tick.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// What a component may consist of. Components of interpreted languages have a handful of core modules with huge
/// tables; these bounds hold JavaScript's and Python's with room to spare.
pub(crate) mod bounds {
    /// Linear memories of one component.
    pub(crate) const MEMORIES: u32 = 4;
    /// Tables of one component.
    pub(crate) const TABLES: u32 = 16;
    /// Core instances of one component.
    pub(crate) const CORE_INSTANCES: u32 = 100;
    /// Elements of one table.
    pub(crate) const TABLE_ELEMENTS: usize = 100_000;
    /// Bytes of the host's bookkeeping for one core instance or component.
    pub(crate) const INSTANCE_BYTES: usize = 10 << 20;
}

/// Candidates that are loaded, and at last instantiated, at once. Their slots are beside those of tasks and delegates.
pub(crate) const TRIAL_SLOTS: u32 = 8;

/// The stack of a guest, and of the fiber it runs on: what is left is for host functions.
const WASM_STACK: usize = 512 << 10;
const FIBER_STACK: usize = 2 << 20;

/// Makes the engine with the allocator that is configured and possible.
pub(crate) fn create(config: &RuntimeConfig) -> Result<(Engine, Allocator), RuntimeError> {
    let failed = |error: wasmtime::Error| RuntimeError::Engine(format!("{error:#}"));
    let (engine, allocator) = match config.allocator {
        Allocator::OnDemand => (Engine::new(&base()).map_err(failed)?, Allocator::OnDemand),
        Allocator::Pooling => (Engine::new(&pooling(config)).map_err(failed)?, Allocator::Pooling),
        // The pool reserves all of its address space when it is made, so making it is the most faithful probe.
        Allocator::Auto => match Engine::new(&pooling(config)) {
            Ok(engine) => (engine, Allocator::Pooling),
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "no address space for the pool of instances; instances are made on demand, which is slower. Lower the \
                     task slots or raise the limit on virtual memory"
                );
                (Engine::new(&base()).map_err(failed)?, Allocator::OnDemand)
            }
        },
    };
    let pooled = f64::from(u8::from(allocator == Allocator::Pooling));
    metrics::gauge!("handoff_worker_pool_enabled").set(pooled);
    Ok((engine, allocator))
}

/// An engine that only compiles, for the compile process: its output fits [`create`]'s engines of either allocator.
pub(crate) fn for_compiling() -> wasmtime::Result<Engine> {
    Engine::new(&base())
}

/// Everything but the allocator. What is compiled depends on this alone, so that one cache serves both allocators.
fn base() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .wasm_component_model(true)
        // The contract's functions are synchronous: without this a store has no state for concurrent tasks to set up.
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(30))
        .memory_init_cow(true)
        // JavaScript's and Python's heap images: beyond this size every instance would copy them.
        .memory_guaranteed_dense_image_size(64 << 20)
        .native_unwind_info(false);
    config
}

fn pooling(config: &RuntimeConfig) -> Config {
    let slots = config.task_slots + config.delegate_slots + TRIAL_SLOTS;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(bounds::CORE_INSTANCES))
        .total_memories(slots * bounds::MEMORIES)
        .total_tables(slots * bounds::TABLES)
        .total_stacks(slots)
        .max_memories_per_component(bounds::MEMORIES)
        .max_tables_per_component(bounds::TABLES)
        .max_core_instances_per_component(bounds::CORE_INSTANCES)
        .max_component_instance_size(bounds::INSTANCE_BYTES)
        .max_core_instance_size(bounds::INSTANCE_BYTES)
        .max_memories_per_module(bounds::MEMORIES)
        .max_tables_per_module(bounds::TABLES)
        .table_elements(bounds::TABLE_ELEMENTS)
        .max_memory_size(config.max_limits.memory_bytes)
        .max_unused_warm_slots(config.task_slots)
        .linear_memory_keep_resident(MEMORY_KEPT)
        .table_keep_resident(TABLES_KEPT)
        .pagemap_scan(Enabled::Auto);
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Memory of a slot that is written anew rather than given back between two calls, so that the next call faults in no
/// pages: what a worker in JavaScript changes. Only pages that a call has changed count, and wasmtime gives back what is
/// behind the 32nd run of them.
const MEMORY_KEPT: usize = 4 << 20;
/// The same for tables.
const TABLES_KEPT: usize = 256 << 10;

/// Starts the engine's only ticker. It ends when the engine is gone.
pub(crate) fn start_ticker(engine: &Engine) -> io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("handoff-epochs".to_owned())
        .spawn(move || tick(&engine))
        .map(drop)
}

fn tick(engine: &EngineWeak) {
    const TICKS_PER_REPORT: u64 = 100;
    let mut ticks: u64 = 0;
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        if ticks.is_multiple_of(TICKS_PER_REPORT) {
            report(&engine);
        }
        ticks += 1;
        drop(engine);
        std::thread::sleep(TICK);
    }
}

/// Sets the gauges of the pool.
#[allow(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
fn report(engine: &Engine) {
    if let Some(pool) = engine.pooling_allocator_metrics() {
        metrics::gauge!("handoff_worker_pool_instances").set(pool.component_instances() as f64);
        metrics::gauge!("handoff_worker_pool_memories").set(pool.memories() as f64);
        metrics::gauge!("handoff_worker_pool_warm_memories").set(f64::from(pool.unused_warm_memories()));
        metrics::gauge!("handoff_worker_pool_resident_bytes")
            .set((pool.unused_memory_bytes_resident() + pool.unused_table_bytes_resident()) as f64);
    }
}
