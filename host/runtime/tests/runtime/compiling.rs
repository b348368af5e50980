//! Compiling in a child process, and the cache.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use handoff_runtime::{CompileMode, Digest, OperatorPolicy, Registry, RegistryConfig, Runtime, RuntimeConfig};

use crate::{
    hot_swap::{runs, said, says},
    support::*,
};

/// The example that offers the compile subcommand; Cargo builds it with the tests.
fn compiler() -> CompileMode {
    let deps = std::env::current_exe().unwrap();
    let program: PathBuf = deps
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/compile_component");
    assert!(
        program.is_file(),
        "{} is missing: run the tests with `cargo test`",
        program.display()
    );
    CompileMode::Child { program }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_compiles_what_this_process_runs() {
    let config = RuntimeConfig {
        compile: compiler(),
        ..config()
    };
    let folder = Folder::open_with(
        &[("echo", &built_worker("echo"), &manifest("echo"))],
        config,
        OperatorPolicy::default(),
    )
    .await;
    folder
        .worker("echo")
        .handle(task(vec![text("orderId", "1")]), call())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_takes_too_much_is_stopped() {
    let config = RuntimeConfig {
        compile: compiler(),
        compile_memory_bytes: 4 << 20,
        ..config()
    };
    let echo = built_worker("echo");
    let folder = Folder::open_with(&[("echo", &echo, &manifest("echo"))], config, OperatorPolicy::default()).await;
    assert!(folder.refusal("echo").contains("memory"), "{}", folder.refusal("echo"));

    let config = RuntimeConfig {
        compile: compiler(),
        compile_timeout: Duration::from_millis(1),
        ..crate::support::config()
    };
    let folder = Folder::open_with(&[("echo", &echo, &manifest("echo"))], config, OperatorPolicy::default()).await;
    assert!(
        folder.refusal("echo").contains("longer than"),
        "{}",
        folder.refusal("echo")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_takes_gigabytes_to_compile_takes_nothing_from_the_host() {
    // One function of some megabytes: what a compiler keeps of it is many times as much.
    let huge = guest(
        "worker",
        &format!(
            "(func (param i64) (result i64) {} (local.get 0)) {}",
            "(local.set 0 (i64.rotl (i64.mul (local.get 0) (i64.const 3)) (i64.load (i32.wrap_i64 (local.get 0)))))"
                .repeat(100_000),
            handler("")
        ),
    );
    let config = RuntimeConfig {
        compile: compiler(),
        compile_memory_bytes: 128 << 20,
        ..config()
    };
    let folder = Folder::open_with(
        &[("w", &says("one"), &manifest("w"))],
        config,
        OperatorPolicy::default(),
    )
    .await;
    let worker = folder.worker("w");
    std::fs::write(folder.dir.path().join("w.wasm"), &huge).unwrap();
    let refused = folder.until_within(Duration::from_secs(120), "it is refused", |c| {
        c.worker("w").unwrap().last_error.is_some()
    });
    // Meanwhile calls go on.
    let calls = async {
        loop {
            worker.handle(task(vec![]), call()).await.unwrap();
        }
    };
    tokio::select! {
        () = refused => {}
        () = calls => {}
    }
    let refusal = folder.refusal("w");
    assert!(refusal.contains("memory") && refusal.contains("128 MiB"), "{refusal}");
    assert_eq!(said(&folder.worker("w")).await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_long_to_compile_takes_over_when_it_is_compiled_and_calls_go_on_meanwhile() {
    // As long as a component of an interpreted language takes, in small.
    let body = "(local.set 0 (i64.rotl (i64.mul (local.get 0) (i64.const 3)) (i64.load (i32.wrap_i64 (local.get 0)))))";
    let slow = guest(
        "worker",
        &format!(
            "(func (param i64) (result i64) {} (local.get 0)) {}",
            body.repeat(5_000),
            handler("")
        ),
    );
    let config = RuntimeConfig {
        compile: compiler(),
        ..config()
    };
    let folder = Folder::open_with(
        &[("w", &says("one"), &manifest("w"))],
        config,
        OperatorPolicy::default(),
    )
    .await;
    let old = folder.worker("w");
    let stall = Stall::watch();
    let written = Instant::now();
    std::fs::write(folder.dir.path().join("w.wasm"), &slow).unwrap();
    let taken_over = folder.until_within(Duration::from_secs(120), "it takes over", runs("w", Digest::of(&slow)));
    let mut calls = 0;
    let calling = async {
        loop {
            old.handle(task(vec![]), call()).await.unwrap();
            calls += 1;
        }
    };
    tokio::select! {
        () = taken_over => {}
        () = calling => {}
    }
    let (took, stall) = (written.elapsed(), stall.worst());
    let compiled_in = folder.worker("w").compiled_in().expect("it was not in the cache");
    println!("compiled in {compiled_in:?}, took over after {took:?}; {calls} calls meanwhile");
    assert!(
        took <= compiled_in + Duration::from_secs(1) + stall,
        "{took:?}, of which compiling {compiled_in:?}"
    );
    assert!(calls > 10, "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_component_is_refused_by_the_child_with_a_reason() {
    let config = RuntimeConfig {
        compile: compiler(),
        ..config()
    };
    let mut echo = built_worker("echo");
    echo.truncate(echo.len() / 2);
    let folder = Folder::open_with(&[("echo", &echo, &manifest("echo"))], config, OperatorPolicy::default()).await;
    assert!(
        folder.refusal("echo").contains("does not compile"),
        "{}",
        folder.refusal("echo")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_cache_needs_no_compiler() {
    let dir = tempfile::tempdir().unwrap();
    let (workers, cache) = (dir.path().join("workers"), dir.path().join("cache"));
    std::fs::create_dir(&workers).unwrap();
    write(&workers, "echo", &built_worker("echo"), &manifest("echo"));
    let registry = RegistryConfig {
        cache_dir: Some(cache),
        ..RegistryConfig::new(&workers)
    };

    let first = Registry::open(Runtime::new(config()).unwrap(), registry.clone())
        .await
        .unwrap();
    assert!(first.current().worker("echo").unwrap().current.is_some());

    let no_compiler = CompileMode::Child {
        program: "/nonexistent/compiler".into(),
    };
    let runtime = Runtime::new(RuntimeConfig {
        compile: no_compiler,
        ..config()
    })
    .unwrap();
    let second = Registry::open(runtime, registry).await.unwrap();
    let state = second.current().worker("echo").unwrap().clone();
    let version = state.current.unwrap_or_else(|| panic!("{:?}", state.last_error));
    version.handle(task(vec![]), call()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    let registry = RegistryConfig {
        cache_dir: Some(cache),
        ..RegistryConfig::new(dir.path())
    };
    let error = Registry::open(Runtime::new(config()).unwrap(), registry)
        .await
        .err()
        .expect("it must be refused");
    assert!(error.to_string().contains("chmod 700"), "{error}");
}
