//! Tasks flow while the worker's file is replaced again and again, by two good versions and by broken files.
//!
//! `HANDOFF_TEST_LONG=1` (`cargo xtask test --long`) runs the long form: 10,000 tasks over 200 replacements.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use handoff_harness::{history, wait_until};
use serde_json::Value;

use crate::{
    counting::{Counting, PROCESS},
    limits::{ORDERS_LIMIT, STATE_LIMIT},
};

/// A good version takes over within this time of its write.
pub(crate) const TAKEOVER: Duration = Duration::from_secs(2);
/// What the host's memory may grow by after its first replacements.
const GROWTH: u64 = 24 << 20;
/// Replacements after which memory is as it stays.
const WARM: usize = 8;

struct Plan {
    tasks: usize,
    replacements: usize,
}

fn plan() -> Plan {
    if std::env::var_os("HANDOFF_TEST_LONG").is_some() {
        Plan {
            tasks: 10_000,
            replacements: 200,
        }
    } else {
        Plan {
            tasks: 1_200,
            replacements: 24,
        }
    }
}

#[test]
fn tasks_flow_while_the_file_is_replaced_again_and_again() {
    let Plan { tasks, replacements } = plan();
    let scene = Counting::start();
    let components = [scene.component(1), scene.component(2)];
    let digests = [digest_of(&scene, &components[0]), digest_of(&scene, &components[1])];
    assert_ne!(digests[0], digests[1]);

    let (round_now, swapping, stall) = (AtomicUsize::new(0), AtomicBool::new(true), Stall::default());
    let mut slowest = Duration::ZERO;
    let mut memory = 0;
    std::thread::scope(|scope| {
        // The tasks are spread over the replacements: while they last, each one has its share.
        scope.spawn(|| {
            for number in 0..tasks {
                while number * replacements >= tasks * (round_now.load(Ordering::Relaxed) + 1) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                scene.begin(&format!("flow-{number}"));
            }
        });
        scope.spawn(|| stall.watch(&swapping));
        for round in 0..replacements {
            let next = (round + 1) % 2;
            round_now.store(round, Ordering::Relaxed);
            if round.is_multiple_of(3) {
                let broken = &components[next][..components[next].len() / 2];
                scene.put(broken);
                scene.until("the broken file to be refused", STATE_LIMIT, |worker| {
                    worker["lastError"].is_string()
                });
            }
            stall.reset();
            let written = Instant::now();
            scene.put(&components[next]);
            scene.until("the newest version to take over", STATE_LIMIT, |worker| {
                worker["version"] == digests[next] && worker["state"] == "ready"
            });
            let took = written.elapsed();
            assert!(
                took <= TAKEOVER + stall.worst(),
                "replacement {round} took {took:?}, while the machine stalled for {:?}",
                stall.worst()
            );
            slowest = slowest.max(took);
            if round == WARM {
                memory = scene.host.process().resident_bytes().unwrap();
            }
        }
        swapping.store(false, Ordering::Relaxed);
    });
    wait_until("all instances to end", ORDERS_LIMIT, || {
        Ok(scene.engine.rest().count("/process-instance/count")? == 0)
    })
    .unwrap();
    let begun = history::count_ended(scene.engine.rest(), PROCESS).unwrap();
    assert!(begun >= tasks as u64);

    let worker = scene.worker().unwrap();
    assert_eq!(
        (&worker["failed"], &worker["lastFailure"]),
        (&Value::from(0), &Value::Null)
    );
    let counts = scene.counts();
    assert_eq!(counts.len() as u64, begun, "each task has one version");
    let versions: BTreeSet<_> = counts.values().filter_map(Value::as_str).collect();
    assert_eq!(versions, BTreeSet::from(["1", "2"]));
    let grown = scene.host.process().resident_bytes().unwrap().saturating_sub(memory);
    println!(
        "{begun} tasks over {replacements} replacements; the slowest took over in {slowest:?}; memory grew by {} KiB",
        grown >> 10
    );
    assert!(grown < GROWTH, "{replacements} replacements left {} MiB", grown >> 20);
}

/// Puts a component into the folder, and returns the version that it runs as.
fn digest_of(scene: &Counting, component: &[u8]) -> Value {
    scene.put(component);
    let expected = if component == scene.component(1) { "1" } else { "2" };
    scene.until("the version to run", STATE_LIMIT, |_| {
        scene.counted_by("probe") == expected
    });
    scene.worker().unwrap()["version"].clone()
}

/// How late a thread wakes up at worst: what this machine, and not the host, adds to a time.
#[derive(Default)]
pub(crate) struct Stall(std::sync::Mutex<Duration>);

impl Stall {
    pub(crate) fn watch(&self, on: &AtomicBool) {
        const NAP: Duration = Duration::from_millis(10);
        while on.load(Ordering::Relaxed) {
            let asleep = Instant::now();
            std::thread::sleep(NAP);
            let late = asleep.elapsed().saturating_sub(NAP);
            let mut worst = self.0.lock().unwrap();
            *worst = (*worst).max(late);
        }
    }

    pub(crate) fn reset(&self) {
        *self.0.lock().unwrap() = Duration::ZERO;
    }

    pub(crate) fn worst(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}
