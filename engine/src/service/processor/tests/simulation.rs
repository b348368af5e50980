//! Simulation: the machine, the store, the queues and the job executor on one thread, with a clock that is moved by hand, all
//! driven from one number. After each step what lives in memory is compared with what is rebuilt from disk, and what was
//! answered with what is stored; at the end everything is brought to its end, and nothing may be left.
//!
//! `HANDOFF_SEEDS=N` runs N seeds instead of [`SEEDS`]; `HANDOFF_SEED=N` runs seed N alone.

mod ledger;
mod world;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use self::world::World;
use super::{Rig, model};

/// Seeds of a run; each is some forty steps.
const SEEDS: u64 = 2_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number in the variable"))
}

/// A data directory with all models: the seeds begin with copies of it.
fn template() -> TempDir {
    let mut rig = Rig::new();
    rig.deploy(&model::task("task", "t", ""));
    rig.deploy(&model::delegate_after_task("delegate", "book"));
    rig.deploy(&model::async_delegate("async", "book"));
    rig.deploy(&model::timer("timer"));
    rig.deploy(&model::two_ways("two-ways"));
    rig.deploy(&model::message("message"));
    rig.deploy(&model::many("many"));
    rig.deploy(&model::call("caller", "task"));
    let directory = super::crash::folder();
    rig.processor.store.checkpoint(true).unwrap();
    let from = rig.config.data_dir.join(crate::store::DATABASE_FILE);
    std::fs::copy(from, directory.path().join(crate::store::DATABASE_FILE)).unwrap();
    directory
}

fn run(template: &Path, seed: u64) {
    let mut world = World::new(template, seed);
    for _ in 0..40 {
        world.step();
    }
    world.finish();
}

#[test]
fn what_was_answered_is_stored_and_memory_is_what_the_disk_says() {
    let template = template();
    if let Some(seed) = number("HANDOFF_SEED") {
        return run(template.path(), seed);
    }
    let (next, seeds) = (AtomicU64::new(0), number("HANDOFF_SEEDS").unwrap_or(SEEDS));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let outcome = std::panic::catch_unwind(|| run(template.path(), seed));
                    assert!(outcome.is_ok(), "seed {seed} failed: HANDOFF_SEED={seed} runs it again");
                }
            });
        }
    });
}
