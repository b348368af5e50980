//! `cargo xtask test`: everything that must pass, with all the set-up that it needs.
//!
//! The suites are built once, as one workspace, and then run one after another, so that each one's time is its own. The
//! last lines are the test runners' own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    camunda,
    cargo::{self, cargo},
    setup, workers,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only suites whose name contains this, such as `handoff-host` or `pattern`
    #[arg(long)]
    suite: Option<String>,
    /// Run the long forms of tests that have one
    #[arg(long)]
    long: bool,
    /// Only tests whose name contains this
    filter: Option<String>,
}

/// What tests look at to run their long forms.
const LONG: &str = "HANDOFF_TEST_LONG";

/// The longest that a suite should take on a machine with two cores, in seconds. More is reported, not failed: machines
/// differ.
const BUDGETS: &[(&str, u64)] = &[
    ("handoff-engine", 180),
    ("handoff/engines", 240),
    ("handoff/pattern", 420),
    ("handoff-runtime", 180),
    ("handoff-host", 240),
];
const BUDGET_OF_OTHERS: u64 = 90;

/// A test binary.
struct Suite {
    name: String,
    package_dir: PathBuf,
    program: PathBuf,
}

/// How a suite went.
struct Outcome {
    name: String,
    passed: bool,
    elapsed: Duration,
    /// The runner's own lines.
    results: Vec<String>,
}

/// Runs everything.
///
/// # Errors
/// The set-up fails or something does not build; failed tests are an exit code.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let start = Instant::now();
    setup::run(setup::Args::default())?;
    phase("set-up", start);
    let workers_start = Instant::now();
    workers::run(workers::Args::default())?;
    phase("workers", workers_start);
    let camunda_start = Instant::now();
    camunda::run(&camunda::Args::default())?;
    phase("Camunda 7", camunda_start);

    let build_start = Instant::now();
    // Without `--all-targets`, which would make test runners of the examples: tests run these as programs.
    let mut suites = build(&["--workspace"], &[])?;
    // The SDK and the workers are no members: they are built for another target, and their lock files are their own.
    let target = cargo::target_dir();
    let target = target.to_string_lossy();
    for apart in ["guest-sdk/Cargo.toml", "workers/Cargo.toml"] {
        suites.extend(build(
            &["--manifest-path", apart, "--workspace"],
            &["--target-dir", &target],
        )?);
    }
    phase("build of the tests", build_start);
    if let Some(wanted) = &args.suite {
        suites.retain(|suite| suite.name.contains(wanted));
    }

    let mut outcomes = Vec::new();
    for suite in &suites {
        outcomes.push(run_suite(suite, args)?);
    }
    if args.suite.is_none() {
        for manifest in ["Cargo.toml", "guest-sdk/Cargo.toml"] {
            outcomes.push(run_doc_tests(manifest, args.filter.as_deref())?);
        }
    }
    Ok(report(&outcomes, start.elapsed()))
}

fn phase(name: &str, start: Instant) {
    println!("== {name}: {:.1} s", start.elapsed().as_secs_f64());
}

/// Builds test binaries and finds them.
fn build(selection: &[&str], more: &[&str]) -> Result<Vec<Suite>> {
    println!("== building the tests of {}", selection.join(" "));
    let mut command = cargo();
    command
        .args(["test", "--no-run", "--message-format=json-render-diagnostics"])
        .args(selection)
        .args(more);
    let mut child = command.stdout(Stdio::piped()).spawn().context("run cargo")?;
    let mut suites = Vec::new();
    let messages = child.stdout.take().context("cargo's output")?;
    for line in BufReader::new(messages).lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else {
            continue;
        };
        suites.extend(suite(&message));
    }
    if !child.wait()?.success() {
        bail!("the tests do not build");
    }
    suites.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(suites)
}

fn suite(message: &Value) -> Option<Suite> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let program = PathBuf::from(message["executable"].as_str()?);
    let package_dir = PathBuf::from(message["manifest_path"].as_str()?).parent()?.to_owned();
    let kind = message["target"]["kind"][0].as_str()?;
    let target = message["target"]["name"].as_str()?;
    // The package's name is the folder's or the fragment of its id: `path+file:///…/engine#handoff-engine@0.1.0`.
    let id = message["package_id"].as_str()?;
    let fragment = id.rsplit('#').next()?;
    let folder = package_dir.file_name()?.to_str()?;
    let package = fragment.split_once('@').map_or(folder, |(name, _)| name);
    let package = if package_dir == cargo::root() {
        "handoff"
    } else {
        package
    };
    let name = if kind == "lib" {
        package.to_owned()
    } else {
        format!("{package}/{target}")
    };
    Some(Suite {
        name,
        package_dir,
        program,
    })
}

fn run_suite(suite: &Suite, args: &Args) -> Result<Outcome> {
    println!("\n== {}", suite.name);
    let mut command = Command::new(&suite.program);
    command
        .args(args.filter.as_deref())
        .envs(args.long.then_some((LONG, "1")))
        .current_dir(&suite.package_dir)
        .env("CARGO_MANIFEST_DIR", &suite.package_dir);
    observe(suite.name.clone(), &mut command)
}

fn run_doc_tests(manifest: &str, filter: Option<&str>) -> Result<Outcome> {
    let name = format!("documentation of {manifest}");
    println!("\n== {name}");
    let mut command = cargo();
    command.args([
        "test",
        "--quiet",
        "--locked",
        "--workspace",
        "--doc",
        "--manifest-path",
        manifest,
    ]);
    command.arg("--target-dir").arg(cargo::target_dir());
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    observe(name, &mut command)
}

/// Runs a test runner, passes its output on as it comes, and keeps its last words.
fn observe(name: String, command: &mut Command) -> Result<Outcome> {
    let start = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("run {command:?}"))?;
    let mut output = child.stdout.take().context("the runner's output")?;
    let mut all = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let length = output.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        std::io::stdout().write_all(&buffer[..length])?;
        std::io::stdout().flush()?;
        all.extend_from_slice(&buffer[..length]);
    }
    let passed = child.wait()?.success();
    let all = String::from_utf8_lossy(&all);
    let results = all
        .lines()
        .filter(|line| line.starts_with("test result:"))
        .map(str::to_owned)
        .collect();
    Ok(Outcome {
        name,
        passed,
        elapsed: start.elapsed(),
        results,
    })
}

fn report(outcomes: &[Outcome], elapsed: Duration) -> ExitCode {
    println!("\n== time of each suite");
    for outcome in outcomes {
        let seconds = outcome.elapsed.as_secs_f64();
        let budget = BUDGETS
            .iter()
            .find(|(name, _)| *name == outcome.name)
            .map_or(BUDGET_OF_OTHERS, |(_, s)| *s);
        let over = if seconds > budget as f64 {
            "  OVER its budget"
        } else {
            ""
        };
        println!("{seconds:>8.1} s of {budget:>4} s  {}{over}", outcome.name);
    }
    println!("{:>8.1} s in all", elapsed.as_secs_f64());
    println!("\n== results");
    for outcome in outcomes {
        for line in &outcome.results {
            println!("{:<40} {line}", outcome.name);
        }
        if !outcome.passed {
            println!("{:<40} FAILED", outcome.name);
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
