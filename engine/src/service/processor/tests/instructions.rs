//! What a command costs the machine and the store, as a count of instructions: it needs no clock, and nothing else that
//! runs distorts it. Valgrind counts, in a process of this test binary that runs [`workload`] alone; where there is no
//! valgrind, the test says so and counts nothing.
//!
//! The bounds are those of our crates without optimisation (`opt-level` 0), which takes the most instructions: SQLite and
//! the other dependencies are optimised in every profile. What is lowered on purpose lowers its bound; a count far below
//! one is told.

use std::path::Path;
use std::process::Command as Process;

use handoff_machine::command::Command;
use handoff_machine::{Id, Value};

use super::{Receiver, Rig, complete, ids, model, of, start};
use crate::service::command::Work;
use crate::service::fetch::{FetchRequest, LockedTask};

/// Instances that are run.
const INSTANCES: usize = 200;
/// Commands in one commit, and tasks of one fetch.
const GROUP: usize = 20;

/// What is counted, and how many instructions each may take.
const BOUNDS: [(&str, u64); 3] = [
    ("count_starts", 450_000),
    ("count_fetches", 69_400),
    ("count_completions", 347_500),
];
/// A count may be above its bound by this much: compilers, C libraries and random keys of hash tables differ.
const TOLERANCE_PERCENT: u64 = 15;

/// All that is counted, in its order.
#[test]
fn workload() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("task", "t", ""));
    // What is compiled or cached on the first use is not counted.
    run(&mut rig, GROUP, [starts, fetches, completions]);
    run(&mut rig, INSTANCES, [count_starts, count_fetches, count_completions]);
    assert_eq!(rig.count("process_instance"), 0);
    assert_eq!(rig.count("historic_instance"), (GROUP + INSTANCES) as i64);
}

/// A part of the work over so many instances, given the tasks that were fetched.
type Part = fn(&mut Rig, usize, &mut Vec<Id>);

fn run(rig: &mut Rig, instances: usize, parts: [Part; 3]) {
    let mut tasks = Vec::new();
    for part in parts {
        part(rig, instances, &mut tasks);
    }
}

#[inline(never)]
fn count_starts(rig: &mut Rig, instances: usize, tasks: &mut Vec<Id>) {
    starts(rig, instances, tasks);
}

#[inline(never)]
fn count_fetches(rig: &mut Rig, instances: usize, tasks: &mut Vec<Id>) {
    fetches(rig, instances, tasks);
}

#[inline(never)]
fn count_completions(rig: &mut Rig, instances: usize, tasks: &mut Vec<Id>) {
    completions(rig, instances, tasks);
}

fn starts(rig: &mut Rig, instances: usize, _: &mut Vec<Id>) {
    let variables = [("orderId", Value::String("o-1".into())), ("amount", Value::Integer(1))];
    let commands: Vec<_> = (0..instances)
        .map(|number| start("task", Some(&format!("key-{number}")), &variables))
        .collect();
    in_groups(rig, commands);
}

fn fetches(rig: &mut Rig, instances: usize, tasks: &mut Vec<Id>) {
    let request = FetchRequest {
        max_tasks: GROUP,
        ..of("t")
    };
    while tasks.len() < instances {
        let fetched: Vec<LockedTask> = rig.fetch(request.clone());
        assert_eq!(fetched.len(), GROUP);
        tasks.extend(ids(&fetched));
    }
}

fn completions(rig: &mut Rig, _: usize, tasks: &mut Vec<Id>) {
    let commands: Vec<_> = tasks.drain(..).map(|task| complete(task, "w")).collect();
    in_groups(rig, commands);
}

fn in_groups(rig: &mut Rig, commands: Vec<Command>) {
    let mut commands = commands.into_iter().peekable();
    while commands.peek().is_some() {
        let group: Vec<(Work, Receiver<_>)> = commands
            .by_ref()
            .take(GROUP)
            .map(|command| rig.queue(command))
            .collect();
        let (work, receivers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        rig.turn(work);
        for mut receiver in receivers {
            receiver.try_recv().unwrap().unwrap();
        }
    }
}

#[test]
fn no_command_takes_more_instructions_than_it_may() {
    if let Err(error) = Process::new("valgrind").arg("--version").output() {
        eprintln!("skipped: instructions are counted by valgrind, which cannot be run: {error}");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let counts = count(directory.path(), &BOUNDS.map(|(name, _)| name));
    for ((name, bound), count) in BOUNDS.into_iter().zip(counts) {
        let each = count / INSTANCES as u64;
        println!("{name}: {each} instructions each, of {bound}");
        if each < bound * (100 - TOLERANCE_PERCENT) / 100 {
            println!("{name}: the bound can be lowered");
        }
        assert!(
            each <= bound * (100 + TOLERANCE_PERCENT) / 100,
            "{name} takes {each} instructions for each, and {bound} are its bound: see where with \
             `valgrind --tool=callgrind` over this test binary and `--exact` {}, and raise the bound only for a reason",
            workload_name()
        );
    }
}

/// Runs the workload under valgrind, which counts the instructions of these functions.
fn count(directory: &Path, functions: &[&str]) -> Vec<u64> {
    let out = directory.join("counts");
    let mut valgrind = Process::new("valgrind");
    valgrind.args(["--tool=callgrind", "--combine-dumps=no"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    for function in functions {
        let name = format!("{}::{function}", module_path!());
        valgrind.arg(format!("--zero-before={name}"));
        valgrind.arg(format!("--dump-after={name}"));
    }
    let output = valgrind
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", workload_name().as_str(), "--test-threads=1"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = (1..=functions.len()).map(|number| format!("{}.{number}", out.display()));
    files
        .map(|file| total(&std::fs::read_to_string(file).unwrap()))
        .collect()
}

/// The path of the test [`workload`], as the test runner knows it.
fn workload_name() -> String {
    let module = module_path!().split_once("::").unwrap().1;
    format!("{module}::workload")
}

/// The instructions of one dump.
fn total(dump: &str) -> u64 {
    let line = dump.lines().find_map(|line| line.strip_prefix("totals: "));
    line.expect("a dump has a total").trim().parse().unwrap()
}
