//! One run: an engine, a ledger, and a source of numbers that decides what happens.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use handoff_machine::command::{Command, ExternalTaskAction, Reply, Start, StartStatus, VariableInput};
use handoff_machine::row::{EventSubscription, Instance, UserTask};
use handoff_machine::{Answer, Id, Millis, Value};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rusqlite::ffi;

use super::super::{NOW, Receiver, Rig, complete, of, start};
use super::ledger::Ledger;
use crate::config::Config;
use crate::service::command::Work;
use crate::service::fetch::{self, FetchRequest, LockedTask};
use crate::service::horizon::Horizon;
use crate::store::FaultPoint;

const KEYS: [&str; 8] = [
    "task", "delegate", "async", "timer", "two-ways", "message", "many", "caller",
];
const TOPICS: [&str; 3] = ["t", "after", "late"];
const HOUR: Millis = 3_600_000;
/// Jobs that a small engine has in memory, and runs at a time.
const SMALL: usize = 2;

/// The tables of what runs: empty when nothing does.
const RUNTIME: [&str; 8] = [
    "process_instance",
    "execution",
    "variable",
    "external_task",
    "job",
    "task",
    "event_subscription",
    "incident",
];

/// What an answer is awaited for.
enum Awaited {
    Start {
        once: Option<String>,
    },
    Complete(Id),
    /// A lock ends with it.
    Free(Id),
    Value(Id, i32),
    Other,
}

/// One run.
pub(super) struct World {
    rig: Rig,
    draw: StdRng,
    ledger: Ledger,
    open: Vec<(Awaited, Receiver<Reply>)>,
    polls: Vec<(FetchRequest, Receiver<Vec<LockedTask>>)>,
}

impl World {
    /// Begins over a copy of `template`.
    pub(super) fn new(template: &Path, seed: u64) -> Self {
        let mut draw = StdRng::seed_from_u64(seed);
        let directory = super::super::crash::folder();
        let file = crate::store::DATABASE_FILE;
        std::fs::copy(template.join(file), directory.path().join(file)).unwrap();
        let mut config = Config::new(directory.path());
        config.retention.cleanup = false;
        // Some engines have less room in memory than there are jobs, and run few of them at a time.
        if draw.random_ratio(1, 4) {
            config.limits.near_jobs = SMALL;
            config.limits.running_jobs = SMALL;
        }
        // And some keep few instances in memory, or none.
        if draw.random_ratio(1, 4) {
            config.limits.resident_bytes = draw.random_range(0..4) * 2048;
        }
        Self {
            rig: Rig::open(config, Arc::new(directory), NOW + HOUR),
            draw,
            ledger: Ledger::default(),
            open: Vec::new(),
            polls: Vec::new(),
        }
    }

    /// Something happens.
    pub(super) fn step(&mut self) {
        match self.draw.random_range(0..100) {
            0..8 => self.rig.now += self.draw.random_range(0..12_000),
            8..10 => self.rig.now += self.draw.random_range(0..5) * HOUR,
            // A clock that is set back.
            10..12 => self.rig.now -= self.draw.random_range(0..3) * HOUR,
            12..26 => self.answer_call(),
            26..29 => self.crash(),
            29..33 => self.disturb(ffi::SQLITE_FULL),
            33..34 => self.disturb(ffi::SQLITE_IOERR_FSYNC),
            _ => {}
        }
        let many = self.draw.random_range(1..=5);
        let mut work = Vec::new();
        for _ in 0..many {
            work.extend(self.work());
        }
        self.rig.turn(work);
        self.settled();
    }

    fn settled(&mut self) {
        self.rig.settle();
        if self.rig.processor.is_broken() {
            // The process ends itself.
            self.answers();
            return self.crash();
        }
        self.answers();
        self.check();
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.draw.random_range(0..from.len())].clone())
    }

    fn work(&mut self) -> Option<Work> {
        if self.draw.random_ratio(1, 5) {
            return Some(self.poll());
        }
        let (awaited, command) = self.command()?;
        let (work, answer) = self.rig.queue(command);
        self.open.push((awaited, answer));
        Some(work)
    }

    fn poll(&mut self) -> Work {
        let topic = TOPICS[self.draw.random_range(0..TOPICS.len())];
        let request = FetchRequest {
            worker: format!("w{}", self.draw.random_range(0..3)),
            max_tasks: self.draw.random_range(1..4),
            ..of(topic)
        };
        let (reply, answer) = tokio::sync::oneshot::channel();
        // Some clients go away.
        if !self.draw.random_ratio(1, 8) {
            self.polls.push((request.clone(), answer));
        }
        Work::fetch(request, reply)
    }

    fn command(&mut self) -> Option<(Awaited, Command)> {
        match self.draw.random_range(0..20) {
            0..5 => {
                let key = KEYS[self.draw.random_range(0..KEYS.len())];
                let once = self
                    .draw
                    .random_ratio(1, 3)
                    .then(|| format!("k{}", self.draw.random_range(0..4)));
                let Command::Start(mut start) = start(key, None, &[("n", Value::Integer(0))]) else {
                    return None;
                };
                start.once.dedupe_key.clone_from(&once);
                Some((Awaited::Start { once }, Command::Start(Start { ..start })))
            }
            5..14 => self.task_command(),
            14..16 => {
                let instance = self.instance()?;
                let busy = |awaited: &Awaited| matches!(awaited, Awaited::Value(id, _) if *id == instance);
                if self.open.iter().any(|(awaited, _)| busy(awaited)) {
                    return None;
                }
                let value = self.draw.random();
                let variable = VariableInput {
                    name: "n".to_owned(),
                    value: Value::Integer(value),
                    transient: false,
                };
                let command = Command::SetVariables {
                    scope: instance,
                    local: false,
                    variables: vec![variable],
                    deletions: Vec::new(),
                    call: handoff_machine::command::VariablesCall::Set,
                };
                Some((Awaited::Value(instance, value), command))
            }
            16 => {
                let (id, suspended) = (self.instance()?, self.draw.random());
                Some((Awaited::Other, Command::SuspendInstance { id, suspended }))
            }
            17 => {
                let command = Command::DeleteInstance {
                    id: self.instance()?,
                    reason: None,
                    skip_io_mappings: false,
                    skip_custom_listeners: true,
                };
                Some((Awaited::Other, command))
            }
            18 => self.messages().map(|command| (Awaited::Other, command)),
            _ => self.user_task().map(|command| (Awaited::Other, command)),
        }
    }

    fn task_command(&mut self) -> Option<(Awaited, Command)> {
        let tasks = self.rig.tasks();
        let task = self.pick(&tasks)?;
        let (id, worker) = (task.id, task.worker.unwrap_or_default());
        let action = match self.draw.random_range(0..8) {
            0..4 => return Some((Awaited::Complete(id), complete(id, &worker))),
            4 => ExternalTaskAction::Fail {
                worker,
                message: None,
                details: None,
                retries: self.draw.random_range(0..3),
                retry_timeout: self.draw.random_range(0..3000),
                variables: Vec::new(),
                local_variables: Vec::new(),
            },
            5 => ExternalTaskAction::Unlock,
            6 => ExternalTaskAction::SetRetries(self.draw.random_range(0..3)),
            // An error that nobody catches ends its path, and the other one would wait for it for ever.
            _ if task.definition_key == "two-ways" => return None,
            _ => ExternalTaskAction::BpmnError {
                worker,
                code: "nobody-catches-it".to_owned(),
                message: None,
                variables: Vec::new(),
            },
        };
        Some((Awaited::Free(id), Command::ExternalTask { id, action }))
    }

    fn instance(&mut self) -> Option<Id> {
        let instances: Vec<Id> = self.instances().iter().map(|row| row.id).collect();
        self.pick(&instances)
    }

    fn instances(&self) -> Vec<Instance> {
        self.rig.rows("process_instance")
    }

    /// The message for somebody who waits for it.
    fn messages(&mut self) -> Option<Command> {
        let waiting: Vec<EventSubscription> = self.rig.rows("event_subscription");
        let subscription = self.pick(&waiting)?;
        Some(Command::TriggerMessage {
            execution: subscription.execution?,
            name: subscription.name,
            variables: Vec::new(),
        })
    }

    fn user_task(&mut self) -> Option<Command> {
        let tasks: Vec<UserTask> = self.rig.rows("task");
        Some(Command::CompleteTask {
            id: self.pick(&tasks)?.id,
            variables: Vec::new(),
            with_variables: false,
        })
    }

    /// A delegate answers, well or not.
    fn answer_call(&mut self) {
        let mut waiting: Vec<_> = self.rig.processor.waiting.keys().copied().collect();
        waiting.sort_unstable();
        let Some(ticket) = self.pick(&waiting) else { return };
        let answer = if self.draw.random_ratio(2, 3) {
            delegated()
        } else {
            Answer::Failed { message: "no".into() }
        };
        self.rig
            .processor
            .turn(self.rig.now, Vec::new(), vec![(ticket, answer)]);
        self.settled();
    }

    /// The store will fail once, somewhere in what comes.
    fn disturb(&mut self, code: i32) {
        let point = if self.draw.random() {
            FaultPoint::Apply
        } else {
            FaultPoint::Commit
        };
        let mut left = self.draw.random_range(0..6_u32);
        self.rig.processor.store.faults = Some(Box::new(move |at| {
            if at != point || left == u32::MAX {
                return None;
            }
            let now = left == 0;
            left = left.wrapping_sub(1);
            now.then(|| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
        }));
    }

    /// The process is killed, and another one begins over what is on disk.
    fn crash(&mut self) {
        let before = self.rig.dump();
        let directory = Arc::clone(&self.rig._directory);
        let (config, now) = (self.rig.config.clone(), self.rig.now);
        let aside = Rig::with(|_| {});
        drop(std::mem::replace(&mut self.rig, aside));
        self.rig = Rig::open(config, directory, now);
        assert_eq!(self.rig.dump(), before);
        self.open.clear();
        self.polls.clear();
        self.rig.settle();
        self.check();
    }

    /// Takes what was answered into the ledger.
    fn answers(&mut self) {
        let (mut freed, mut open) = (HashSet::new(), Vec::new());
        for (awaited, mut receiver) in std::mem::take(&mut self.open) {
            let Ok(answer) = receiver.try_recv() else {
                open.push((awaited, receiver));
                continue;
            };
            let Ok(reply) = answer else { continue };
            match (awaited, reply) {
                (Awaited::Start { once }, Reply::Started(started)) => {
                    let id = started.instance.id;
                    let new = self.ledger.started.insert(id);
                    assert_eq!(new, started.status == StartStatus::Created, "{id:?}");
                    if let Some(key) = once {
                        assert_eq!(*self.ledger.once.entry(key).or_insert(id), id, "one instance for a key");
                    }
                }
                (Awaited::Complete(id), _) => {
                    assert!(self.ledger.completed.insert(id), "{id:?} was completed twice");
                    freed.insert(id);
                    self.ledger.locks.remove(&id);
                }
                (Awaited::Free(id), _) => {
                    freed.insert(id);
                    self.ledger.locks.remove(&id);
                }
                (Awaited::Value(id, value), _) => drop(self.ledger.values.insert(id, value)),
                (Awaited::Start { .. } | Awaited::Other, _) => {}
            }
        }
        self.open = open;
        let now = self.rig.now;
        for (request, mut receiver) in std::mem::take(&mut self.polls) {
            match receiver.try_recv() {
                Ok(Ok(tasks)) => self.ledger.fetched(&tasks, now, &freed),
                Ok(Err(_)) => {}
                Err(_) => self.polls.push((request, receiver)),
            }
        }
    }

    fn column(&self, sql: &str) -> HashSet<Id> {
        let connection = self.rig.processor.store.connection();
        let mut statement = connection.prepare_cached(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0).map(Id)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// What must hold whenever nothing is due.
    fn check(&mut self) {
        let (ledger, processor) = (&self.ledger, &self.rig.processor);
        // Every instance that was acknowledged is there, and no other.
        let stored = self.column("SELECT id FROM historic_instance WHERE super_instance IS NULL");
        assert_eq!(stored, ledger.started);
        // No task that was acknowledged as completed is.
        let tasks = self.column("SELECT id FROM external_task");
        assert!(tasks.is_disjoint(&ledger.completed), "a completed task is there");
        for (instance, value) in &ledger.values {
            let sql = "SELECT value FROM variable WHERE scope = ?1 AND name = 'n'";
            let mut statement = processor.store.connection().prepare_cached(sql).unwrap();
            let mut rows = statement.query([instance.0]).unwrap();
            if let Some(row) = rows.next().unwrap() {
                assert_eq!(row.get::<_, i32>(0).unwrap(), *value, "{instance:?}");
            }
        }
        // What is in memory of instances is what is stored. To look at all of it takes as long as some steps.
        if self.draw.random_ratio(1, 4) {
            processor.store.compare_residents();
        }
        // Who is not waiting for a delegate reserves nothing.
        let (holders, parked) = (processor.reservations.holders(), processor.reservations.parked());
        assert_eq!(holders, processor.waiting.len(), "{parked} are parked");
        // The job executor knows what one that begins anew would know.
        let runnable = self.column("SELECT id FROM job WHERE retries > 0 AND suspended = 0");
        let known: HashSet<Id> = processor.horizon.known().collect();
        assert!(
            known.is_subset(&runnable),
            "jobs that cannot run: {known:?} of {runnable:?}"
        );
        let near = self.rig.config.limits.near_jobs;
        if near > SMALL {
            let mut anew = Horizon::new(near);
            anew.refill(processor.store.connection()).unwrap();
            assert_eq!(known, anew.known().collect());
        } else {
            // What does not fit is read when its time comes near.
            let idle = runnable.len() > processor.horizon.running();
            assert!(
                !idle || processor.horizon.next().is_some(),
                "a job is forgotten: {runnable:?}"
            );
        }
        // Nobody waits for a task that is there.
        let reserved = |instance: Id| processor.reservations.has(instance);
        for (request, _) in &self.polls {
            let found = fetch::select(&processor.store, request, self.rig.now, &reserved).unwrap();
            assert!(
                found.is_empty(),
                "a long poll waits for {:?} while there is one",
                request.topics[0].name
            );
        }
    }

    /// Everything is brought to its end: nothing may be left.
    pub(super) fn finish(&mut self) {
        self.rig.processor.store.faults = None;
        self.polls.clear();
        for _ in 0..200 {
            if self.instances().is_empty() {
                return self.check_end();
            }
            self.round();
        }
        let mut rows = self.rig.dump();
        rows.retain(|row| RUNTIME.iter().any(|table| row.starts_with(&format!("{table}:"))));
        let processor = &self.rig.processor;
        panic!(
            "what runs does not come to its end: {rows:#?}\nknown jobs {:?}, {} of them run, {} commands wait, {} are parked",
            processor.horizon.known().collect::<Vec<_>>(),
            processor.horizon.running(),
            processor.waiting.len(),
            processor.reservations.parked()
        );
    }

    fn round(&mut self) {
        let tickets: Vec<_> = self.rig.processor.waiting.keys().copied().collect();
        let answers = tickets.into_iter().map(|ticket| (ticket, delegated())).collect();
        self.rig.processor.turn(self.rig.now, Vec::new(), answers);
        self.settled();
        let mut commands = Vec::new();
        for instance in self.instances().iter().filter(|instance| instance.suspended) {
            commands.push(Command::SuspendInstance {
                id: instance.id,
                suspended: false,
            });
        }
        for job in self.rig.jobs().iter().filter(|job| job.retries <= 0) {
            commands.push(Command::SetJobRetries { id: job.id, retries: 3 });
        }
        let tasks = self.rig.tasks();
        for task in tasks
            .iter()
            .filter(|task| task.retries.is_some_and(|retries| retries <= 0))
        {
            commands.push(Command::ExternalTask {
                id: task.id,
                action: ExternalTaskAction::SetRetries(3),
            });
        }
        commands.extend(self.user_task());
        commands.extend(self.messages());
        for command in commands {
            drop(self.rig.submit(command));
            self.settled();
        }
        let due = self.rig.jobs().iter().filter_map(|job| job.due).max();
        let locked = tasks.iter().filter_map(|task| task.lock_expiration).max();
        let latest = due.max(locked).unwrap_or(0);
        self.rig.now = latest.max(self.rig.now + 11_000);
        self.settled();
        for topic in TOPICS {
            let request = FetchRequest {
                max_tasks: 100,
                ..of(topic)
            };
            let tasks = self.rig.fetch(request);
            self.ledger.fetched(&tasks, self.rig.now, &HashSet::new());
            for locked in tasks {
                let (work, answer) = self.rig.queue(complete(locked.task.id, "w"));
                self.open.push((Awaited::Complete(locked.task.id), answer));
                self.rig.turn(vec![work]);
                self.settled();
            }
        }
    }

    fn check_end(&self) {
        for table in RUNTIME {
            assert_eq!(self.rig.count(table), 0, "{table}");
        }
        let open = self.column("SELECT id FROM historic_instance WHERE end_time IS NULL");
        assert!(open.is_empty(), "no end in the history: {open:?}");
        let open = self.column("SELECT id FROM historic_activity WHERE end_time IS NULL");
        assert!(open.is_empty(), "no end in the history: {open:?}");
    }
}

fn delegated() -> Answer {
    Answer::Delegated {
        variables: Vec::new(),
        local_variables: Vec::new(),
    }
}
