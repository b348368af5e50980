//! The service on one thread, with a clock that is moved by hand: what is committed, who is woken, what is kept.

mod backup;
mod cleanup;
mod clock;
mod crash;
mod delegates;
mod durability;
mod fetching;
mod instructions;
mod jobs;
mod model;
mod polling;
mod property;
mod simulation;

use std::sync::Arc;
use std::time::Duration;

use handoff_machine::command::{Command, Deploy, ExternalTaskAction, Once, Reply, Start, StartTarget, VariableInput};
use handoff_machine::row::{ExternalTask, Job};
use handoff_machine::view::Tenant;
use handoff_machine::{Answer, Id, Millis, Value};
use rusqlite::types::ValueRef;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{Outgoing, Processor, Turn};
use crate::config::Config;
use crate::service::command::{Sender, Source, Work};
use crate::service::error::CommandError;
use crate::service::fetch::{FetchRequest, FetchTopic, LockedTask};
use crate::store::Store;
use crate::store::row::Table;

const NOW: Millis = 1_780_000_000_000;

/// A command's answer, when there is one.
type Receiver<T> = oneshot::Receiver<Result<T, CommandError>>;

/// A processor with its clock.
struct Rig {
    processor: Processor,
    now: Millis,
    /// Who sends the commands.
    user: Option<String>,
    config: Config,
    _directory: Arc<TempDir>,
}

impl Rig {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = TempDir::new().unwrap();
        let mut config = Config::new(directory.path());
        // What is due next is then what the test has made.
        config.retention.cleanup = false;
        change(&mut config);
        Self::open(config, Arc::new(directory), NOW)
    }

    fn open(config: Config, directory: Arc<TempDir>, now: Millis) -> Self {
        Self::open_on(config, directory, now, None)
    }

    /// With a file system layer of SQLite's, by its name.
    fn open_on(config: Config, directory: Arc<TempDir>, now: Millis, vfs: Option<&str>) -> Self {
        let store = Store::open_on(&config, now, vfs).unwrap();
        let processor = Processor::new(store, config.limits.clone(), config.retention.clone(), Arc::default());
        Self {
            processor,
            now,
            user: None,
            config,
            _directory: directory,
        }
    }

    /// Ends the process in mid-air, and starts another over what is on disk.
    fn crash(self) -> Self {
        let Self {
            processor,
            now,
            config,
            _directory: directory,
            ..
        } = self;
        drop(processor);
        Self::open(config, directory, now)
    }

    fn queue(&self, command: Command) -> (Work, Receiver<Reply>) {
        let (reply, receiver) = oneshot::channel();
        (
            Work::command(
                command,
                Source::Caller {
                    reply,
                    sender: Sender {
                        user: self.user.clone(),
                        ..Sender::default()
                    },
                },
            ),
            receiver,
        )
    }

    fn turn(&mut self, work: Vec<Work>) -> Turn {
        self.processor.turn(self.now, work, Vec::new())
    }

    /// Turns until nothing is due now; returns what goes out.
    fn settle(&mut self) -> Vec<Outgoing> {
        let mut outgoing = Vec::new();
        for _ in 0..1000 {
            let turn = self.turn(Vec::new());
            outgoing.extend(turn.outgoing);
            if turn.next.is_none_or(|next| next > self.now) {
                return outgoing;
            }
        }
        panic!("the service does not come to rest");
    }

    fn answer(&mut self, outgoing: &Outgoing, answer: Answer) {
        self.processor
            .turn(self.now, Vec::new(), vec![(outgoing.ticket, answer)]);
    }

    fn submit(&mut self, command: Command) -> Receiver<Reply> {
        let (work, receiver) = self.queue(command);
        self.turn(vec![work]);
        receiver
    }

    fn run(&mut self, command: Command) -> Result<Reply, CommandError> {
        let mut receiver = self.submit(command);
        self.settle();
        receiver.try_recv().expect("an answer")
    }

    fn deploy(&mut self, xml: &str) {
        self.deploy_for(xml, None);
    }

    fn deploy_for(&mut self, xml: &str, tenant: Option<&str>) {
        self.run(Command::Deploy(Deploy {
            name: None,
            source: None,
            tenant: tenant.map(str::to_owned),
            duplicate_filtering: false,
            changed_only: false,
            strict: false,
            resources: vec![("model.bpmn".to_owned(), xml.as_bytes().to_vec())],
        }))
        .unwrap();
    }

    fn start(&mut self, key: &str) -> Id {
        self.start_with(key, None, &[])
    }

    fn start_with(&mut self, key: &str, business_key: Option<&str>, variables: &[(&str, Value)]) -> Id {
        match self.run(start(key, business_key, variables)).unwrap() {
            Reply::Started(started) => started.instance.id,
            other => panic!("{other:?}"),
        }
    }

    fn poll(&mut self, request: FetchRequest) -> Receiver<Vec<LockedTask>> {
        let (reply, receiver) = oneshot::channel();
        self.turn(vec![Work::fetch(request, reply)]);
        receiver
    }

    /// Fetches at once.
    fn fetch(&mut self, request: FetchRequest) -> Vec<LockedTask> {
        self.poll(FetchRequest {
            timeout: None,
            ..request
        })
        .try_recv()
        .unwrap()
        .unwrap()
    }

    fn complete(&mut self, task: Id, worker: &str) -> Result<Reply, CommandError> {
        self.run(complete(task, worker))
    }

    fn act(&mut self, id: Id, action: ExternalTaskAction) {
        self.run(Command::ExternalTask { id, action }).unwrap();
    }

    fn rows<T: Table>(&self, table: &str) -> Vec<T> {
        let sql = format!("SELECT {} FROM {table} ORDER BY id", T::COLUMNS);
        let mut statement = self.processor.store.connection().prepare(&sql).unwrap();
        let rows = statement.query_map([], T::from_row).unwrap().collect::<Result<_, _>>();
        rows.unwrap()
    }

    fn tasks(&self) -> Vec<ExternalTask> {
        self.rows("external_task")
    }

    fn jobs(&self) -> Vec<Job> {
        self.rows("job")
    }

    fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.processor
            .store
            .connection()
            .query_row(&sql, [], |row| row.get(0))
            .unwrap()
    }

    /// All that is stored but the ceiling of ids, row by row.
    fn dump(&self) -> Vec<String> {
        let connection = self.processor.store.connection();
        let tables: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta' ORDER BY name")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let mut lines = Vec::new();
        for table in tables {
            let mut statement = connection
                .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))
                .unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let cells: Vec<String> = (0..columns).map(|column| cell(row.get_ref(column).unwrap())).collect();
                lines.push(format!("{table}: {}", cells.join(" | ")));
            }
        }
        lines
    }
}

fn cell(value: ValueRef<'_>) -> String {
    format!("{value:?}")
}

fn start(key: &str, business_key: Option<&str>, variables: &[(&str, Value)]) -> Command {
    let variables = variables
        .iter()
        .map(|(name, value)| VariableInput {
            name: (*name).to_owned(),
            value: value.clone(),
            transient: false,
        })
        .collect();
    Command::Start(Start {
        target: StartTarget::Key {
            key: key.to_owned(),
            tenant: Tenant::Any,
        },
        business_key: business_key.map(str::to_owned),
        variables,
        once: Once::default(),
        at: Vec::new(),
        skip_custom_listeners: false,
        skip_io_mappings: false,
        with_variables: false,
    })
}

fn complete(id: Id, worker: &str) -> Command {
    let action = ExternalTaskAction::Complete {
        worker: worker.to_owned(),
        variables: Vec::new(),
        local_variables: Vec::new(),
    };
    Command::ExternalTask { id, action }
}

/// A fetch of 10 tasks of a topic for worker `w` and 1,000 ms, that waits for 20 s.
fn of(topic: &str) -> FetchRequest {
    FetchRequest {
        worker: "w".to_owned(),
        max_tasks: 10,
        use_priority: false,
        order: None,
        timeout: Some(Duration::from_secs(20)),
        topics: vec![FetchTopic {
            name: topic.to_owned(),
            lock_duration: 1000,
            ..FetchTopic::default()
        }],
    }
}

fn ids(tasks: &[LockedTask]) -> Vec<Id> {
    tasks.iter().map(|locked| locked.task.id).collect()
}
