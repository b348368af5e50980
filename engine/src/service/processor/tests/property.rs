//! Random commands: at every step, what is rebuilt from disk is what lives in memory.

use std::collections::BTreeSet;

use handoff_machine::command::{Command, ExternalTaskAction};
use handoff_machine::{Answer, Id, Millis};
use proptest::prelude::*;

use super::{Rig, complete, model, of, start};

/// One thing that happens. Positions choose among what there is.
#[derive(Clone, Debug)]
enum Happening {
    Start(usize),
    Fetch(usize),
    Complete(usize),
    Fail { task: usize, retries: i32, timeout: i64 },
    Unlock(usize),
    Retries { task: usize, retries: i32 },
    Suspend { instance: usize, suspended: bool },
    Delete(usize),
    Wait(Millis),
    Answer { call: usize, well: bool },
    Crash,
}

const KEYS: [&str; 4] = ["task", "delegate", "async", "timer"];
const TOPICS: [&str; 3] = ["t", "after", "late"];

fn happening() -> impl Strategy<Value = Happening> {
    let any = 0..64_usize;
    prop_oneof![
        4 => (0..KEYS.len()).prop_map(Happening::Start),
        4 => (0..TOPICS.len()).prop_map(Happening::Fetch),
        4 => any.clone().prop_map(Happening::Complete),
        2 => (any.clone(), 0..3, 0..3000_i64).prop_map(|(task, retries, timeout)| Happening::Fail { task, retries, timeout }),
        1 => any.clone().prop_map(Happening::Unlock),
        1 => (any.clone(), 0..3).prop_map(|(task, retries)| Happening::Retries { task, retries }),
        1 => (any.clone(), proptest::bool::ANY).prop_map(|(instance, suspended)| Happening::Suspend { instance, suspended }),
        1 => any.clone().prop_map(Happening::Delete),
        3 => (0..12_000_i64).prop_map(Happening::Wait),
        3 => (any, proptest::bool::ANY).prop_map(|(call, well)| Happening::Answer { call, well }),
        1 => Just(Happening::Crash),
    ]
}

fn pick<T: Clone>(from: &[T], position: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[position % from.len()].clone())
}

fn instances(rig: &Rig) -> Vec<Id> {
    rig.rows::<handoff_machine::row::Instance>("process_instance")
        .iter()
        .map(|row| row.id)
        .collect()
}

/// What the job executor has before it: in memory, and by the index.
fn near(rig: &Rig) -> BTreeSet<Id> {
    rig.processor.horizon.known().collect()
}

fn runnable(rig: &Rig) -> BTreeSet<Id> {
    rig.jobs()
        .iter()
        .filter(|job| job.retries > 0 && !job.suspended)
        .map(|job| job.id)
        .collect()
}

fn happen(mut rig: Rig, happening: &Happening) -> Rig {
    let action = |rig: &mut Rig, position: usize, action: &dyn Fn(String) -> ExternalTaskAction| {
        if let Some(task) = pick(&rig.tasks(), position) {
            let worker = task.worker.clone().unwrap_or_default();
            // A refusal is as good as a success: neither may leave memory and disk apart.
            drop(rig.submit(Command::ExternalTask {
                id: task.id,
                action: action(worker),
            }));
        }
    };
    match happening {
        Happening::Start(key) => drop(rig.submit(start(KEYS[*key], None, &[]))),
        Happening::Fetch(topic) => drop(rig.fetch(of(TOPICS[*topic]))),
        Happening::Complete(task) => {
            if let Some(task) = pick(&rig.tasks(), *task) {
                let worker = task.worker.clone().unwrap_or_default();
                drop(rig.submit(complete(task.id, &worker)));
            }
        }
        Happening::Fail { task, retries, timeout } => action(&mut rig, *task, &|worker| ExternalTaskAction::Fail {
            worker,
            message: None,
            details: None,
            retries: *retries,
            retry_timeout: *timeout,
            variables: Vec::new(),
            local_variables: Vec::new(),
        }),
        Happening::Unlock(task) => action(&mut rig, *task, &|_| ExternalTaskAction::Unlock),
        Happening::Retries { task, retries } => action(&mut rig, *task, &|_| ExternalTaskAction::SetRetries(*retries)),
        Happening::Suspend { instance, suspended } => {
            if let Some(id) = pick(&instances(&rig), *instance) {
                drop(rig.submit(Command::SuspendInstance {
                    id,
                    suspended: *suspended,
                }));
            }
        }
        Happening::Delete(instance) => {
            if let Some(id) = pick(&instances(&rig), *instance) {
                drop(rig.submit(Command::DeleteInstance {
                    id,
                    reason: None,
                    skip_io_mappings: false,
                    skip_custom_listeners: true,
                }));
            }
        }
        Happening::Wait(millis) => rig.now += millis,
        Happening::Answer { call, well } => {
            let mut waiting: Vec<_> = rig.processor.waiting.keys().copied().collect();
            waiting.sort_unstable();
            if let Some(ticket) = pick(&waiting, *call) {
                let answer = if *well {
                    Answer::Delegated {
                        variables: Vec::new(),
                        local_variables: Vec::new(),
                    }
                } else {
                    Answer::Failed { message: "no".into() }
                };
                rig.processor.turn(rig.now, Vec::new(), vec![(ticket, answer)]);
            }
        }
        Happening::Crash => {
            let before = rig.dump();
            rig = rig.crash();
            assert_eq!(rig.dump(), before);
        }
    }
    rig.settle();
    rig
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn memory_is_what_the_disk_says(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut rig = Rig::new();
        rig.deploy(&model::task("task", "t", ""));
        rig.deploy(&model::delegate_after_task("delegate", "book"));
        rig.deploy(&model::async_delegate("async", "book"));
        rig.deploy(&model::timer("timer"));
        for happening in &happenings {
            rig = happen(rig, happening);
            // Every job that can run is known, and nothing else.
            prop_assert_eq!(near(&rig), runnable(&rig));
            // Who is not waiting for a delegate reserves nothing.
            prop_assert_eq!(rig.processor.reservations.holders(), rig.processor.waiting.len());
        }
        // No foreign process reads a half-written row: each execution has its instance, each task its execution.
        for sql in [
            "SELECT count(*) FROM execution e WHERE NOT EXISTS (SELECT 1 FROM process_instance p WHERE p.id = e.instance)",
            "SELECT count(*) FROM external_task t WHERE NOT EXISTS (SELECT 1 FROM execution e WHERE e.id = t.execution)",
            "SELECT count(*) FROM variable v WHERE NOT EXISTS (SELECT 1 FROM process_instance p WHERE p.id = v.instance)",
            "SELECT count(*) FROM job j WHERE instance IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM process_instance p WHERE p.id = j.instance)",
        ] {
            let orphans: i64 = rig.processor.store.connection().query_row(sql, [], |row| row.get(0)).unwrap();
            prop_assert_eq!(orphans, 0, "{}", sql);
        }
        let disk = rig.dump();
        let rig = rig.crash();
        prop_assert_eq!(rig.dump(), disk);
    }
}
