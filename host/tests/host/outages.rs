//! Whatever goes wrong between host and engine, for a while: the same is asserted of each.
//!
//! Before it, tasks flow. While it lasts, tasks that run end and new ones wait; the host says that something is wrong
//! and asks again without hurry. After it, everything ends by itself within seconds, each task once in effect, those
//! that ran without being run again, and no lock is left behind.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use handoff_host::{Config, worker::Workforce};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    fake_engine::{FakeEngine, Fault},
    support::{NativeWorker, TestHost, config, done, topic, until},
    wire::{Mode, Wire},
};

/// How long it goes wrong.
const OUTAGE: Duration = Duration::from_millis(2_500);
/// How long the host may take to recover.
const RECOVERY: Duration = Duration::from_secs(12);
/// What may be asked while it goes wrong: polls, probes, looks for locks and eight reports, each with growing waits. A
/// busy loop asks thousands of times.
const REQUESTS_MAX: usize = 150;

/// What is to be seen while it goes wrong.
enum Seen {
    /// Readiness names the fault, with these words, and polls are counted under this result.
    Unready(&'static str, &'static str),
    /// Nothing: the host works on.
    Nothing,
}

struct Scene {
    engine: FakeEngine,
    wire: Wire,
    host: TestHost,
    runs: Arc<Mutex<HashMap<String, u32>>>,
    open: watch::Sender<bool>,
    name: &'static str,
}

impl Scene {
    /// A host under its own engine name, by which its metrics are told from those of other tests.
    async fn start(name: &'static str) -> Self {
        let engine = FakeEngine::start().await;
        let wire = Wire::to(engine.address).await;
        let runs: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
        let open = watch::Sender::new(false);
        let worker = NativeWorker::new("w", {
            let (runs, open) = (runs.clone(), open.clone());
            move |task, _| {
                *runs.lock().entry(task.id.id.clone()).or_default() += 1;
                let mut open = open.subscribe();
                async move {
                    if task.id.id.starts_with("running") {
                        open.wait_for(|open| *open).await.unwrap();
                    }
                    Ok(done())
                }
            }
        })
        // Enough that some stay free: a host without free slots does not poll.
        .with(|profile| profile.concurrency = 16);
        let workforce = Workforce::default().with_topic(name, topic("t"), Arc::new(worker));
        let host = TestHost::start(named(config(&wire.url(), ""), name), workforce).await;
        Self {
            engine,
            wire,
            host,
            runs,
            open,
            name,
        }
    }

    async fn survives(self, seen: Seen, breaks: impl Fn(&Self), mends: impl Fn(&Self)) {
        for index in 0..4 {
            self.engine.add(&format!("before-{index}"), "t");
            self.engine.add(&format!("running-{index}"), "t");
        }
        for index in 0..4 {
            self.engine.until_ended(&format!("before-{index}")).await;
        }
        let running = || (0..4).all(|index| self.runs.lock().contains_key(&format!("running-{index}")));
        until("four tasks run", running).await;
        // Their ends are reported, and the free slots asked for.
        let status = self.host.host.status().clone();
        until("the others are out of hand", || {
            status.readiness().engines[self.name].running == 4
        })
        .await;

        breaks(&self);
        let asked = || self.engine.calls().len() + self.wire.accepted();
        let (began, before) = (Instant::now(), asked());
        for index in 0..4 {
            self.engine.add(&format!("during-{index}"), "t");
        }
        self.open.send_replace(true);
        match seen {
            Seen::Unready(words, result) => {
                until("readiness names the fault", || {
                    let readiness = status.readiness();
                    !readiness.ready && readiness.problems.iter().any(|problem| problem.contains(words))
                })
                .await;
                let polls = || self.metric("handoff_polls_total", result);
                until("the failed polls are counted", || polls() >= 1).await;
            }
            Seen::Nothing => {}
        }
        tokio::time::sleep(OUTAGE.saturating_sub(began.elapsed())).await;
        if matches!(seen, Seen::Unready(..)) {
            assert!(!status.readiness().ready, "{:?}", status.readiness());
            let asked = asked() - before;
            assert!(asked <= REQUESTS_MAX, "{asked} requests in {:?}", began.elapsed());
        }

        mends(&self);
        let mended = Instant::now();
        let ids: Vec<_> = ["before", "running", "during"]
            .iter()
            .flat_map(|kind| (0..4).map(move |index| format!("{kind}-{index}")))
            .collect();
        let everything = async {
            for id in &ids {
                self.engine.until_ended(id).await;
            }
        };
        tokio::time::timeout(RECOVERY, everything)
            .await
            .unwrap_or_else(|_| panic!("not recovered in {RECOVERY:?}"));
        until("readiness says that it is over", || status.readiness().ready).await;
        assert!(mended.elapsed() < RECOVERY, "{:?}", mended.elapsed());
        for id in &ids {
            assert_eq!(self.engine.completions(id), 1, "{id} is completed once in effect");
            if !id.starts_with("during") {
                assert_eq!(self.runs.lock()[id], 1, "{id} is run once");
            }
        }
        // What was locked by an answer that was lost is given back, and what is given back is done: nothing is left.
        until("no lock is left", || self.engine.locked().is_empty()).await;
        assert_eq!(self.metric("handoff_engine_reachable", ""), 1, "the metrics say so too");
    }

    /// The sum of a metric's lines of this engine that have this text.
    fn metric(&self, metric: &str, text: &str) -> u64 {
        let of_this = |line: &&str| {
            line.starts_with(metric) && line.contains(&format!("engine=\"{}\"", self.name)) && line.contains(text)
        };
        let rendered = self.host.host.status().metrics();
        rendered
            .lines()
            .filter(of_this)
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum::<f64>() as u64
    }
}

/// A configuration whose only engine has another name.
fn named(mut config: Config, name: &str) -> Config {
    let mut engine = config.engines.remove("order").unwrap();
    engine.long_poll_ms = 1_000;
    engine.request_timeout_ms = 400;
    config.engines.insert(name.to_owned(), engine);
    config
}

async fn network(name: &'static str, seen: Seen, mode: Mode) {
    let scene = Scene::start(name).await;
    scene
        .survives(seen, |scene| scene.wire.set(mode), |scene| scene.wire.set(Mode::Pass))
        .await;
}

async fn answers(name: &'static str, seen: Seen, fault: Fault) {
    let scene = Scene::start(name).await;
    scene
        .survives(
            seen,
            |scene| scene.engine.break_all(Some(fault.clone())),
            |scene| scene.engine.break_all(None),
        )
        .await;
}

#[tokio::test]
async fn connection_refused() {
    network("refused", Seen::Unready("cannot connect", "unreachable"), Mode::Refuse).await;
}

#[tokio::test]
async fn connection_reset() {
    network("reset", Seen::Unready("engine reset: ", ""), Mode::Reset).await;
}

#[tokio::test]
async fn half_open() {
    network(
        "half-open",
        Seen::Unready("no answer within", "timed_out"),
        Mode::HalfOpen,
    )
    .await;
}

#[tokio::test]
async fn slow_answers() {
    network("slow", Seen::Nothing, Mode::Slow(Duration::from_millis(250))).await;
}

#[tokio::test]
async fn answers_slower_than_the_host_waits() {
    network(
        "slower",
        Seen::Unready("no answer within", "timed_out"),
        Mode::Slow(Duration::from_secs(2)),
    )
    .await;
}

#[tokio::test]
async fn truncated_head() {
    network(
        "cut-head",
        Seen::Unready("the connection broke", "interrupted"),
        Mode::Cut(10),
    )
    .await;
}

#[tokio::test]
async fn truncated_body() {
    answers(
        "cut-body",
        Seen::Unready("the connection broke", "interrupted"),
        Fault::Truncate,
    )
    .await;
}

#[tokio::test]
async fn unauthorized_401() {
    answers(
        "401",
        Seen::Unready("not authorised", "unauthorized"),
        Fault::Answer(401, String::new()),
    )
    .await;
}

#[tokio::test]
async fn not_found_404() {
    answers(
        "404",
        Seen::Unready("no engine's answer", "foreign"),
        Fault::Answer(
            404,
            r#"{"type":"NotFoundException","message":"HTTP 404 Not Found","code":null}"#.into(),
        ),
    )
    .await;
}

#[tokio::test]
async fn error_500_with_code_1() {
    answers(
        "500-1",
        Seen::Unready("another change came first", "conflict"),
        Fault::Answer(
            500,
            r#"{"type":"OptimisticLockingException","message":"m","code":1}"#.into(),
        ),
    )
    .await;
}

#[tokio::test]
async fn unavailable_503_with_retry_after() {
    answers("503", Seen::Unready("is unavailable", "unavailable"), Fault::Busy(1)).await;
}

#[tokio::test]
async fn html_error_page() {
    for (name, status) in [("html-200", 200), ("html-500", 500)] {
        answers(
            name,
            Seen::Unready("no engine's answer", "foreign"),
            Fault::Answer(status, "<html>Sorry</html>".into()),
        )
        .await;
    }
}

#[tokio::test]
async fn clock_an_hour_off() {
    for (name, hours) in [("an-hour-ahead", 1), ("an-hour-behind", -1)] {
        let scene = Scene::start(name).await;
        scene
            .survives(
                Seen::Nothing,
                |scene| scene.engine.clock_off(hours),
                |scene| scene.engine.clock_off(0),
            )
            .await;
    }
}

#[tokio::test]
async fn dns_failing() {
    let workforce = Workforce::default().with_topic("dns", topic("t"), Arc::new(crate::support::completing("w")));
    // A name that is reserved never to exist.
    let config = named(config("http://engine.invalid/engine-rest", ""), "dns");
    let host = TestHost::start(config, workforce).await;
    let status = host.host.status().clone();
    until("readiness names the fault", || {
        status
            .readiness()
            .problems
            .iter()
            .any(|problem| problem.contains("engine dns: cannot connect"))
    })
    .await;
    tokio::time::sleep(OUTAGE).await;
    let rendered = status.metrics();
    let polls = rendered.lines().find(|line| {
        line.starts_with("handoff_polls_total") && line.contains("engine=\"dns\"") && line.contains("unreachable")
    });
    let polls: u32 = polls.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!((1..=12).contains(&polls), "{polls} polls");
    let began = Instant::now();
    host.stop(1_000).await;
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}
