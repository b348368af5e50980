//! The engine with its threads: many callers, the clock's jumps, the end.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use handoff_machine::command::{Command, Deploy, Once, Reply, Start, StartTarget};
use handoff_machine::request::DelegateCall;
use handoff_machine::view::Tenant;
use handoff_machine::{Answer, Millis, Node};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::clock::ManualClock;
use super::{CommandError, Delegates, Engine, FetchRequest, FetchTopic};
use crate::config::Config;

const NOW: Millis = 1_780_000_000_000;
const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="test">
  <process id="task" isExecutable="true" camunda:historyTimeToLive="P30D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="t"/>
    <sequenceFlow id="f2" sourceRef="work" targetRef="end"/><endEvent id="end"/>
  </process>
  <process id="slow" isExecutable="true" camunda:historyTimeToLive="P30D">
    <startEvent id="start2"/><sequenceFlow id="f3" sourceRef="start2" targetRef="call"/>
    <serviceTask id="call" camunda:delegateExpression="${slow}"/>
    <sequenceFlow id="f4" sourceRef="call" targetRef="end2"/><endEvent id="end2"/>
  </process>
</definitions>"#;

/// Delegates that answer when they are let go.
struct Gate(Arc<Semaphore>);

impl Delegates for Gate {
    fn call(&self, _node: Node, _call: DelegateCall) -> BoxFuture<'static, Answer> {
        let gate = Arc::clone(&self.0);
        async move {
            gate.acquire().await.unwrap().forget();
            Answer::Delegated {
                variables: Vec::new(),
                local_variables: Vec::new(),
            }
        }
        .boxed()
    }
}

struct Rig {
    engine: Engine,
    clock: Arc<ManualClock>,
    gate: Arc<Semaphore>,
    config: Config,
    _directory: TempDir,
}

async fn rig() -> Rig {
    let directory = TempDir::new().unwrap();
    let config = Config::new(directory.path());
    let clock = Arc::new(ManualClock::new(NOW));
    let gate = Arc::new(Semaphore::new(0));
    let delegates = Arc::new(Gate(Arc::clone(&gate)));
    let engine = Engine::open_with(&config, clock.clone(), delegates).unwrap();
    let deploy = Command::Deploy(Deploy {
        name: None,
        source: None,
        tenant: None,
        duplicate_filtering: false,
        changed_only: false,
        strict: false,
        resources: vec![("model.bpmn".to_owned(), MODEL.as_bytes().to_vec())],
    });
    engine.submit(deploy).await.unwrap();
    Rig {
        engine,
        clock,
        gate,
        config,
        _directory: directory,
    }
}

fn start(key: &str) -> Command {
    Command::Start(Start {
        target: StartTarget::Key {
            key: key.to_owned(),
            tenant: Tenant::None,
        },
        business_key: None,
        variables: Vec::new(),
        once: Once::default(),
        at: Vec::new(),
        skip_custom_listeners: false,
        skip_io_mappings: false,
        with_variables: false,
    })
}

fn fetch(timeout: u64) -> FetchRequest {
    FetchRequest {
        worker: "w".to_owned(),
        max_tasks: 1,
        use_priority: false,
        order: None,
        timeout: Some(Duration::from_millis(timeout)),
        topics: vec![FetchTopic {
            name: "t".to_owned(),
            lock_duration: 60_000,
            ..FetchTopic::default()
        }],
    }
}

async fn count(engine: &Engine, table: &'static str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let count = engine
        .read(move |connection| -> Result<i64, CommandError> { Ok(connection.query_row(&sql, [], |row| row.get(0))?) });
    count.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_commits_and_all_is_there_after_a_restart() {
    let rig = rig().await;
    let before = rig.engine.stats();
    let replies = join_all((0..300).map(|_| rig.engine.submit(start("task")))).await;
    assert!(replies.iter().all(|reply| matches!(reply, Ok(Reply::Started(_)))));
    let after = rig.engine.stats();
    assert_eq!(after.commands - before.commands, 300);
    assert!(
        after.commits - before.commits < 100,
        "{} commits",
        after.commits - before.commits
    );
    assert_eq!(count(&rig.engine, "external_task").await, 300);

    rig.engine.shutdown().await.unwrap();
    let node = rig.engine.node();
    drop(rig.engine);
    let engine = Engine::open(&rig.config).unwrap();
    assert_eq!(engine.node(), node);
    assert_eq!(count(&engine, "process_instance").await, 300);
    engine.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_delegate_holds_up_nobody_else() {
    let rig = rig().await;
    let slow = tokio::spawn({
        let engine = rig.engine.clone();
        async move { engine.submit(start("slow")).await }
    });
    let replies = join_all((0..200).map(|_| rig.engine.submit(start("task")))).await;
    assert!(replies.iter().all(Result::is_ok));
    assert!(!slow.is_finished());
    rig.gate.add_permits(1);
    assert!(matches!(slow.await.unwrap(), Ok(Reply::Started(started)) if started.ended));
    rig.engine.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_of_the_clock_is_noticed_at_once() {
    let rig = rig().await;
    rig.engine.submit(start("task")).await.unwrap();
    let first = rig.engine.fetch_and_lock(fetch(0)).await.unwrap();
    let poll = tokio::spawn({
        let engine = rig.engine.clone();
        async move { engine.fetch_and_lock(fetch(1_000_000)).await }
    });
    // Whatever is answered now has passed the queue behind the poll.
    while rig.engine.stats().commands < 4 {
        rig.engine.submit(start("nobody-knows")).await.unwrap_err();
    }
    rig.clock.advance(60_000);
    let again = tokio::time::timeout(Duration::from_secs(4), poll)
        .await
        .expect("the lock has run out")
        .unwrap()
        .unwrap();
    assert_eq!(again[0].task.id, first[0].task.id);
    rig.engine.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_finishes_what_is_queued_and_dismisses_who_waits() {
    let rig = rig().await;
    let poll = tokio::spawn({
        let engine = rig.engine.clone();
        async move { engine.fetch_and_lock(fetch(1_000_000)).await }
    });
    let slow = tokio::spawn({
        let engine = rig.engine.clone();
        async move { engine.submit(start("slow")).await }
    });
    while rig.engine.stats().commands < 3 {
        tokio::task::yield_now().await;
    }
    rig.engine.refuse();
    assert!(matches!(poll.await.unwrap(), Err(CommandError::ShuttingDown)));
    assert!(matches!(
        rig.engine.submit(start("task")).await,
        Err(CommandError::ShuttingDown)
    ));
    assert!(!slow.is_finished(), "it still has its delegate's time");
    rig.gate.add_permits(1);
    assert!(matches!(slow.await.unwrap(), Ok(Reply::Started(_))));
    rig.engine.shutdown().await.unwrap();
    rig.engine.stopped().await;
    let wal = rig.config.data_dir.join(format!("{}-wal", crate::store::DATABASE_FILE));
    assert!(
        std::fs::metadata(wal).map_or(0, |file| file.len()) == 0,
        "the log is folded into the database"
    );
}
