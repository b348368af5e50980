//! `cargo xtask demo`: the pattern, live. Order Management and Inventory are engines of their own, each with a database
//! of its own; the host runs the workers beside Inventory. Three processes on free ports.

mod progress;
mod swap;
mod table;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use handoff_harness::{
    orders::{Order, Outcome},
    pattern::{Pattern, Places},
};

use self::progress::Progress;
use crate::{
    cargo::{self, build_handoff, root, target_dir, workers_dir},
    setup, workers,
};

/// The longest that the orders of one round may take.
const ROUND_LIMIT: Duration = Duration::from_secs(180);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many orders to place at once, before as many are placed one by one during the hot swap
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    orders: u32,
    /// Leave all three processes running, and print their URLs
    #[arg(long)]
    keep: bool,
}

/// Runs the demo. The exit code is 0 only if both engines' history says that every order ended as its stock says, and
/// that the new version of the worker took over.
///
/// # Errors
/// Something cannot be built or does not come up.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::run(setup::Args::default())?;
    workers::run(workers::Args::default())?;
    let program = build_handoff(false)?;

    std::fs::create_dir_all(target_dir().join("demo"))?;
    let dir = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(target_dir().join("demo"))?;
    let places = Places {
        program,
        workers: workers_dir(),
        cache: target_dir().join("demo/cache"),
        dir: dir.path().to_owned(),
    };
    println!("\nstarting Order Management, Inventory and the host");
    let pattern = Pattern::launch(&places)?;
    print_addresses(&pattern);
    deploy(
        &places.program,
        pattern.order.rest().base(),
        &root().join("models/order-management.bpmn"),
    )?;
    deploy(
        &places.program,
        pattern.inventory.rest().base(),
        &root().join("models/inventory.bpmn"),
    )?;

    let went_right = rounds(args, &pattern);
    if let Err(error) = &went_right {
        println!("\nnot as it must be: {error:#}");
    }
    if args.keep {
        keep(pattern, dir.keep());
    } else if went_right.is_err() {
        drop(pattern);
        println!("databases and logs are kept in {}", dir.keep().display());
    }
    Ok(if went_right.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Both rounds, and the judgement of all orders together.
fn rounds(args: &Args, pattern: &Pattern) -> Result<()> {
    let count = args.orders as usize;
    println!("\nplacing {count} orders at once");
    let mut orders = Order::series("order", count);
    let progress = Progress::start(pattern, count);
    Order::place_all(&orders, pattern.order.rest())?;
    let outcome = pattern.await_orders(&orders, ROUND_LIMIT);
    progress.finish();
    // The table helps most where something went wrong.
    table::print(&orders, &Outcome::read(pattern.order.rest(), pattern.inventory.rest())?);
    outcome?;

    let swapped = swap::run(pattern, &workers_dir().join("variants/count-stock-2.wasm"), count)?;
    orders.extend(swapped);
    pattern.await_orders(&orders, ROUND_LIMIT)?;
    let mismatches = pattern.order.rest().description()?["mismatchedMessages"].as_u64();
    if mismatches != Some(0) {
        bail!("Order Management counts {mismatches:?} messages without a receiver, instead of none");
    }
    println!(
        "\nall {} orders ended as their stock says, once each; no message missed its receiver",
        orders.len()
    );
    Ok(())
}

/// Deploys by the command line, as anyone would.
fn deploy(program: &Path, url: &str, model: &Path) -> Result<()> {
    let mut command = Command::new(program);
    cargo::run(command.args(["deploy", "--url", url]).arg(model)).context("deploy")
}

fn print_addresses(pattern: &Pattern) {
    println!(
        "  Order Management   {}   (process {})",
        pattern.order.rest().base(),
        pattern.order.process().id()
    );
    println!(
        "  Inventory          {}   (process {})",
        pattern.inventory.rest().base(),
        pattern.inventory.process().id()
    );
    let (host, id) = (pattern.host.admin_address(), pattern.host.process().id());
    println!("  host               http://{host}   (process {id})");
}

fn keep(pattern: Pattern, dir: PathBuf) {
    println!("\nstill running:");
    print_addresses(&pattern);
    println!("  ask: curl {}/history/process-instance", pattern.order.rest().base());
    println!("  databases, logs and workers: {}", dir.display());
    let ids = [
        pattern.host.process().id(),
        pattern.order.process().id(),
        pattern.inventory.process().id(),
    ];
    println!("  stop: kill {}", ids.map(|id| id.to_string()).join(" "));
    pattern.leave_running();
}
