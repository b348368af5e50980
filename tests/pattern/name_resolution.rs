//! An engine whose name cannot be resolved, from the start and later on: the host says so, asks without hurry, and goes
//! on by itself when the name is there.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use handoff_harness::wait_until;

use crate::{
    counting::{Counting, ENGINE_NAME, PROCESS},
    limits::STATE_LIMIT,
    namespace::{is_possible, over},
    scene::Ground,
};

/// How long the name is missing at least.
const OUTAGE: Duration = Duration::from_secs(3);
/// How soon the host goes on when it is there.
const RECOVERY: Duration = Duration::from_secs(15);
/// Polls and probes while it is missing, with growing waits.
const REQUESTS_MAX: u64 = 40;

/// The names that the host knows: this file and no server.
struct Names(PathBuf);

impl Names {
    fn none(ground: &Ground) -> Self {
        let names = Self(ground.places.dir.join("hosts"));
        names.set(false);
        fs::write(ground.places.dir.join("nsswitch.conf"), "hosts: files\n").unwrap();
        names
    }

    /// In place: the file itself is mounted.
    fn set(&self, known: bool) {
        let engine = if known {
            format!("127.0.0.1 {ENGINE_NAME}\n")
        } else {
            String::new()
        };
        fs::write(&self.0, format!("127.0.0.1 localhost\n{engine}")).unwrap();
    }
}

/// The sum of a metric's lines that have this text.
fn metric(scene: &Counting, metric: &str, text: &str) -> u64 {
    let exposition = scene.host.metrics().unwrap();
    let lines = exposition
        .lines()
        .filter(|line| line.starts_with(metric) && line.contains(text));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum::<f64>() as u64
}

/// Waits until the host says what is wrong, for long enough to see whether it hurries.
fn assert_says_so(scene: &Counting) {
    let before = metric(scene, "handoff_engine_faults_total", "unreachable");
    wait_until("readiness to name the fault", STATE_LIMIT, || {
        let readiness = scene.host.readiness()?;
        Ok(readiness.status == 503 && readiness.text.contains("engine inventory: cannot connect"))
    })
    .unwrap();
    assert_eq!(metric(scene, "handoff_engine_reachable", "inventory"), 0);
    let processor = scene.host.process().processor_time().unwrap();
    std::thread::sleep(OUTAGE);
    let spent = scene.host.process().processor_time().unwrap().saturating_sub(processor);
    let asked = metric(scene, "handoff_engine_faults_total", "unreachable") - before;
    assert!((1..=REQUESTS_MAX).contains(&asked), "{asked} requests");
    assert!(spent < OUTAGE / 4, "{spent:?} of the processor in {OUTAGE:?}");
    assert_eq!(scene.host.readiness().unwrap().status, 503);
}

fn assert_recovers(scene: &mut Counting, instances: u64) {
    let mended = Instant::now();
    wait_until("the tasks to be done", STATE_LIMIT, || {
        Ok(handoff_harness::history::count_ended(scene.engine.rest(), PROCESS)? == instances)
    })
    .unwrap();
    scene.host.wait_ready().unwrap();
    assert!(mended.elapsed() < RECOVERY, "{:?}", mended.elapsed());
    assert_eq!(metric(scene, "handoff_engine_reachable", "inventory"), 1);
}

#[test]
fn a_name_that_cannot_be_resolved_is_said_and_waited_for() {
    if !is_possible() {
        return;
    }
    let mut names = None;
    let mut scene = Counting::spawn_with(|ground, mut options| {
        names = Some(Names::none(ground));
        let dir = &ground.places.dir;
        let mounts = ["hosts", "nsswitch.conf"].map(|file| (dir.join(file), PathBuf::from("/etc").join(file)));
        options.program = over(ground, &mounts);
        for (_, url) in &mut options.engines {
            *url = url.replace("127.0.0.1", ENGINE_NAME);
        }
        options
    });
    let names = names.unwrap();
    wait_until("the host to serve", STATE_LIMIT, || Ok(scene.host.readiness().is_ok())).unwrap();
    scene.begin("before");
    assert_says_so(&scene);
    names.set(true);
    assert_recovers(&mut scene, 1);

    // Later: what was connected goes, and the name with it.
    names.set(false);
    scene.engine.restart().unwrap();
    scene.begin("meanwhile");
    assert_says_so(&scene);
    names.set(true);
    assert_recovers(&mut scene, 2);
    let worker = scene.worker().unwrap();
    assert_eq!((&worker["ended"], &worker["failed"]), (&2.into(), &0.into()));
}
