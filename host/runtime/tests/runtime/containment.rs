//! Workers that misbehave: each fails with a reason that a person understands, in time, and nothing else notices.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use handoff_runtime::{CallContext, CallError, CallErrorKind, Deadline};
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// How much later than the deadline a call may end.
const OVERSHOOT: Duration = Duration::from_millis(50);

async fn failure(body: &str, context: CallContext) -> (CallError, Duration) {
    failure_with(body, "", context).await
}

/// How a call failed, and after what time, less what the machine itself was late by meanwhile.
async fn failure_with(body: &str, extra_manifest: &str, context: CallContext) -> (CallError, Duration) {
    let folder = Folder::open(&[("w", &guest("worker", body), &(manifest("w") + extra_manifest))]).await;
    let stall = Stall::watch();
    let started = Instant::now();
    let error = folder
        .worker("w")
        .handle(task(vec![text("a", "b")]), context)
        .await
        .expect_err("the guest misbehaves");
    let elapsed = started.elapsed().saturating_sub(stall.worst());
    assert!(!error.to_string().is_empty());
    // The slot comes back.
    let freed = async {
        while folder.runtime.free_task_slots() < folder.runtime.config().task_slots {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), freed)
        .await
        .expect("the slot does not come back");
    assert_eq!(folder.runtime.memory_used(), 0, "its memory does not come back");
    (error, elapsed)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_is_stopped_at_the_deadline() {
    let (error, elapsed) = failure(&handler("(loop $l (br $l))"), within(Duration::from_millis(100))).await;
    assert_eq!(error.kind, CallErrorKind::Deadline);
    assert!(error.backtrace.is_some(), "where it was: {error:?}");
    assert!(elapsed < Duration::from_millis(100) + OVERSHOOT, "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_allocation_is_stopped_at_the_deadline() {
    // `cabi_realloc` is called by the host to lower the task: the loop runs before the handler does.
    let text = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $l (br $l)) (i32.const 0))
        (func (export "handoff:worker/handler@0.1.0#handle") (param i32) (result i32) (i32.const 8)))"#;
    let component = raw_worker(text);
    let folder = Folder::one(&component).await;
    let stall = Stall::watch();
    let started = Instant::now();
    let error = folder
        .worker("w")
        .handle(task(vec![]), within(Duration::from_millis(100)))
        .await
        .unwrap_err();
    let elapsed = started.elapsed().saturating_sub(stall.worst());
    assert_eq!(error.kind, CallErrorKind::Deadline);
    assert!(elapsed < Duration::from_millis(100) + OVERSHOOT, "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_can_be_moved_while_it_runs() {
    let folder = Folder::one(&guest("worker", &handler("(loop $l (br $l))"))).await;
    let started = Instant::now();
    let (handle, deadline) = Deadline::movable(started + Duration::from_millis(50));
    let worker = folder.worker("w");
    let context = CallContext { deadline, ..call() };
    let running = tokio::spawn(async move { worker.handle(task(vec![]), context).await });
    handle.move_to(started + Duration::from_millis(200));
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Deadline);
    assert!(
        started.elapsed() >= Duration::from_millis(200),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workers_own_time_limit_holds_whatever_its_lock_does() {
    let (error, elapsed) = failure_with(
        &handler("(loop $l (br $l))"),
        "[limits]\ntime-ms = 60",
        within(Duration::from_secs(60)),
    )
    .await;
    assert_eq!(error.kind, CallErrorKind::Deadline);
    assert!(elapsed < Duration::from_millis(60) + OVERSHOOT, "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_host_call_is_dropped_at_the_deadline() {
    let component = guest("worker", &calls_complete(""));
    let policy = handoff_runtime::OperatorPolicy {
        default_grants: toml::from_str("tasks = [\"*\"]").unwrap(),
        ..Default::default()
    };
    let manifest = manifest("w") + "[grants]\ntasks = [\"order\"]";
    let folder = Folder::open_with(&[("w", &component, &manifest)], config(), policy).await;
    let context = CallContext {
        capabilities: Arc::new(Engines {
            delay: Duration::from_secs(60),
            ..Engines::default()
        }),
        ..within(Duration::from_millis(100))
    };
    let stall = Stall::watch();
    let started = Instant::now();
    let error = folder.worker("w").handle(task(vec![]), context).await.unwrap_err();
    let elapsed = started.elapsed().saturating_sub(stall.worst());
    assert_eq!(error.kind, CallErrorKind::Deadline);
    assert!(elapsed < Duration::from_millis(100) + OVERSHOOT, "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_ends_at_once() {
    let folder = Folder::one(&guest("worker", &handler("(loop $l (br $l))"))).await;
    let cancel = CancellationToken::new();
    let (worker, context) = (
        folder.worker("w"),
        CallContext {
            cancel: cancel.clone(),
            ..call()
        },
    );
    let running = tokio::spawn(async move { worker.handle(task(vec![]), context).await });
    while folder.worker("w").running() == 0 {
        tokio::task::yield_now().await;
    }
    let stall = Stall::watch();
    let cancelled = Instant::now();
    cancel.cancel();
    let error = running.await.unwrap().unwrap_err();
    let elapsed = cancelled.elapsed().saturating_sub(stall.worst());
    assert_eq!(error.kind, CallErrorKind::Cancelled);
    assert!(!error.is_attempt());
    assert!(elapsed < OVERSHOOT, "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_beyond_the_limit_is_refused_with_the_limits_name() {
    let grow = handler("(loop $l (drop (memory.grow (i32.const 16))) (br $l))");
    let (error, _) = failure_with(&grow, "[limits]\nmemory-mb = 8", call()).await;
    assert_eq!(error.kind, CallErrorKind::OutOfMemory);
    assert!(
        error.message.contains("its limit is 8 MiB") && error.message.contains("memory-mb"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_recursion_overflows_the_guests_stack_only() {
    let recurse = format!(
        "(func $f (param i64) (call $f (i64.const 1)) (drop (local.get 0))) {}",
        handler("(call $f (i64.const 0))")
    );
    let (error, _) = failure(&recurse, call()).await;
    assert_eq!(error.kind, CallErrorKind::StackOverflow);
    assert!(error.message.contains("recursed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_says_what_and_where() {
    let body = format!("(func $check_stock unreachable) {}", handler("(call $check_stock)"));
    let (error, _) = failure(&body, call()).await;
    assert_eq!(error.kind, CallErrorKind::Trap);
    assert!(error.message.contains("unreachable"), "{error}");
    assert!(
        error.backtrace.as_deref().is_some_and(|b| b.contains("check_stock")),
        "{error:?}"
    );
    assert!(error.details().is_some_and(|details| details.contains("check_stock")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_log_lines_are_cut_and_said() {
    let body = format!(
        r#"(import "handoff:worker/logging@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
           (data (i32.const 2048) "again and again")
           {}"#,
        handler(
            "(local $n i32)
             (loop $l
               (call $log (i32.const 2) (i32.const 2048) (i32.const 15) (i32.const 0) (i32.const 0))
               (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000000))))
             unreachable"
        )
    );
    let (error, _) = failure_with(&body, "[limits]\nlog-lines = 100", within(Duration::from_secs(60))).await;
    let last = error.log_tail.last().unwrap();
    assert!(last.contains("999900 lines are not in the log"), "{last}");
    assert!(error.log_tail.len() < 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn filling_memory_in_single_instructions_ends_at_the_deadline_too() {
    // Each instruction runs to its end before the guest can be stopped; the caller does not wait for that.
    let fill = handler(
        "(drop (memory.grow (i32.const 6000)))
         (loop $l (memory.fill (i32.const 65536) (i32.const 7) (i32.const 390000000)) (br $l))",
    );
    let (error, elapsed) = failure_with(&fill, "[limits]\nmemory-mb = 512", within(Duration::from_millis(100))).await;
    assert_eq!(error.kind, CallErrorKind::Deadline);
    assert!(elapsed < Duration::from_millis(100) + OVERSHOOT, "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_up_to_the_limit_is_the_workers_and_not_a_page_more() {
    // 8 MiB are 128 pages, of which the guest has two.
    let grows = |pages: u32| {
        let code = format!("(if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then unreachable))");
        guest("worker", &handler(&code))
    };
    let limit = manifest("w") + "[limits]\nmemory-mb = 8";
    let folder = Folder::open(&[("w", &grows(126), &limit)]).await;
    // Without variables nothing has to be allocated for the task.
    folder.worker("w").handle(task(vec![]), call()).await.unwrap();
    let folder = Folder::open(&[("w", &grows(127), &limit)]).await;
    let error = folder.worker("w").handle(task(vec![]), call()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::OutOfMemory);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_memory_is_shared_by_all_and_its_limit_says_so() {
    let holds = guest(
        "worker",
        &handler("(drop (memory.grow (i32.const 160))) (loop $l (br $l))"),
    );
    let wants = guest("worker", &handler("(drop (memory.grow (i32.const 160)))"));
    let config = handoff_runtime::RuntimeConfig {
        memory_bytes: 16 << 20,
        ..config()
    };
    let workers = [
        ("holds", holds.as_slice(), manifest("holds")),
        ("wants", wants.as_slice(), manifest("wants")),
    ];
    let workers: Vec<_> = workers
        .iter()
        .map(|(name, component, manifest)| (*name, *component, manifest.as_str()))
        .collect();
    let folder = Folder::open_with(&workers, config, handoff_runtime::OperatorPolicy::default()).await;
    let cancel = CancellationToken::new();
    let (holder, context) = (
        folder.worker("holds"),
        CallContext {
            cancel: cancel.clone(),
            ..call()
        },
    );
    let holding = tokio::spawn(async move { holder.handle(task(vec![]), context).await });
    while folder.runtime.memory_used() < 10 << 20 {
        tokio::task::yield_now().await;
    }
    let error = folder.worker("wants").handle(task(vec![]), call()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::OutOfMemory);
    assert!(
        error.message.contains("all workers together") && error.message.contains("16 MiB"),
        "{error}"
    );
    cancel.cancel();
    holding.await.unwrap().unwrap_err();
    while folder.runtime.memory_used() > 0 {
        tokio::task::yield_now().await;
    }
    folder.worker("wants").handle(task(vec![]), call()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_of_100_mb_is_refused() {
    // A failure (2) whose message has 100 MB.
    let body = handler(
        "(drop (memory.grow (i32.const 1600)))
         (i32.store8 (i32.const 1024) (i32.const 2))
         (i32.store (i32.const 1028) (i32.const 65536))
         (i32.store (i32.const 1032) (i32.const 100000000))",
    );
    let (error, _) = failure(&body, call()).await;
    assert_eq!(error.kind, CallErrorKind::PayloadTooLarge);
    assert!(error.message.contains("payload-kb"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_too_large_is_not_handed_over() {
    let folder = Folder::one(&guest("worker", &handler(""))).await;
    let error = folder
        .worker("w")
        .handle(task(vec![text("big", &"x".repeat(5 << 20))]), call())
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::PayloadTooLarge);
    assert!(
        error.message.contains("5121 KiB") && error.message.contains("payload-kb"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_is_no_attempt() {
    let spin = guest("worker", &handler("(loop $l (br $l))"));
    let folder = Folder::open(&[("w", &spin, &(manifest("w") + "[limits]\nconcurrency = 1"))]).await;
    let worker = folder.worker("w");
    let (first, context) = (worker.clone(), within(Duration::from_secs(1)));
    let running = tokio::spawn(async move { first.handle(task(vec![]), context).await });
    while worker.running() == 0 {
        tokio::task::yield_now().await;
    }
    let error = worker
        .handle(task(vec![]), within(Duration::from_millis(50)))
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::NoCapacity);
    assert!(!error.is_attempt());
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_comes_back() {
    let allocate = guest(
        "worker",
        &handler(
            "(drop (memory.grow (i32.const 800))) (memory.fill (i32.const 65536) (i32.const 7) (i32.const 50000000))",
        ),
    );
    let folder = Folder::one(&allocate).await;
    let worker = folder.worker("w");
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    };
    worker.handle(task(vec![]), call()).await.unwrap();
    let before = resident();
    for _ in 0..50 {
        worker.handle(task(vec![]), call()).await.unwrap();
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 150 << 20, "50 calls of 50 MB each left {} MB", grown >> 20);
}
