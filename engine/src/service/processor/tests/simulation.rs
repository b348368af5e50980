//! Simulation: the machine, the store, the queues and the job executor on one thread, with a clock that is moved by hand, all
//! driven from one number. After each step what lives in memory is compared with what is rebuilt from disk, and what was
//! answered with what is stored; at the end everything is brought to its end, and nothing may be left.
//!
//! Seeds are as [`each_seed`] has them.

mod ledger;
mod world;

use std::path::Path;
use std::time::Duration;

use handoff_machine::testing::each_seed;
use tempfile::TempDir;

use self::world::World;
use super::{Rig, model};

/// Seeds of a run; each is some forty steps.
const SEEDS: u64 = 2_000;

/// The longest that a seed may take.
const LIMIT: Duration = Duration::from_secs(60);

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
    rig.processor.store.checkpoint().unwrap();
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
    each_seed(SEEDS, LIMIT, move |seed| run(template.path(), seed));
}
