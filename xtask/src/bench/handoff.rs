//! The pattern under load: hand-offs per second from the order placed to its answer, the time of the two crossings
//! between the engines, and the memory of each process.
//!
//! The times are the engines' own, from their histories; all processes share one clock.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use handoff_harness::{
    orders::{Order, Outcome},
    pattern::{Pattern, Places},
};
use serde_json::{Value, json};

use super::machine;
use crate::{
    cargo::{build_handoff, target_dir, workers_dir},
    setup, workers,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Orders that are placed as fast as possible
    #[arg(long, default_value_t = 5_000)]
    orders: usize,
    /// Orders per second of the run at a steady rate
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Seconds of the run at a steady rate
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Orders before anything is measured.
const WARM_UP: usize = 200;
const LIMIT: Duration = Duration::from_secs(600);

pub(super) fn run(args: &Args) -> Result<()> {
    setup::run(setup::Args::default())?;
    workers::run(workers::Args::default())?;
    let program = build_handoff(true)?;
    std::fs::create_dir_all(target_dir().join("bench"))?;
    let dir = tempfile::tempdir_in(target_dir().join("bench"))?;
    let places = Places {
        program,
        workers: workers_dir(),
        cache: target_dir().join("bench/cache"),
        dir: dir.path().to_owned(),
    };
    let pattern = Pattern::start(&places)?;
    let idle = memory(&pattern)?;
    let warm_up = Order::series("warm", WARM_UP);
    Order::place_all(&warm_up, pattern.order.rest())?;
    pattern.await_orders(&warm_up, LIMIT)?;

    let all_at_once = Order::series("burst", args.orders);
    Order::place_all(&all_at_once, pattern.order.rest())?;
    let so_far = [&warm_up[..], &all_at_once[..]].concat();
    let burst = Figures::of(&all_at_once, &pattern.await_orders(&so_far, LIMIT)?)?;
    let loaded = memory(&pattern)?;

    let steady_orders = Order::series("steady", (args.rate * args.seconds) as usize);
    place_steadily(&steady_orders, args.rate, &pattern)?;
    let all = [&so_far[..], &steady_orders[..]].concat();
    let steady = Figures::of(&steady_orders, &pattern.await_orders(&all, LIMIT)?)?;

    let result = json!({
        "machine": machine::describe(),
        "orders": args.orders,
        "handoffsPerSecond": burst.per_second,
        "burst": burst.json(),
        "steady": {"rate": args.rate, "seconds": args.seconds, "crossings": steady.json()},
        "memoryMb": {"idle": idle, "loaded": loaded},
    });
    print(args, &result);
    Ok(())
}

/// Places one order per period, each on time however long the last one took.
fn place_steadily(orders: &[Order], rate: u32, pattern: &Pattern) -> Result<()> {
    let start = Instant::now();
    for (place, order) in (0..).zip(orders) {
        let due = start + Duration::from_secs(1) * place / rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        order.place(pattern.order.rest())?;
    }
    Ok(())
}

/// What was measured of some orders, in milliseconds.
struct Figures {
    per_second: f64,
    /// Placed until the external task is completed: fetch, start of the other process, its listener, completion.
    there: Vec<i64>,
    /// Counted until the answer has arrived: fetch of the answering task, correlation.
    back: Vec<i64>,
    /// Placed until answered.
    whole: Vec<i64>,
}

impl Figures {
    fn of(orders: &[Order], outcome: &Outcome) -> Result<Self> {
        let (mut there, mut back, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for order in orders {
            let find = |instances: &std::collections::HashMap<String, Vec<_>>| {
                instances.get(&order.key).and_then(|found| found.first().cloned())
            };
            let placed = find(&outcome.orders).context("an order without an instance")?;
            let check = find(&outcome.checks).context("an order without a check")?;
            let completed = placed
                .ended("check-inventory")
                .context("an order that was not handed over")?;
            let counted = check.ended("count-stock").context("an order that was not counted")?;
            let answered = placed
                .ended("inventory-checked")
                .or_else(|| placed.ended("no-goods-available"));
            let answered = answered.context("an order without an answer")?;
            there.push(completed - placed.started_ms);
            back.push(answered - counted);
            whole.push(answered - placed.started_ms);
            first = first.min(placed.started_ms);
            last = last.max(answered);
        }
        [&mut there, &mut back, &mut whole]
            .into_iter()
            .for_each(|times| times.sort_unstable());
        let seconds = (last - first).max(1) as f64 / 1000.0;
        Ok(Self {
            per_second: orders.len() as f64 / seconds,
            there,
            back,
            whole,
        })
    }

    fn json(&self) -> Value {
        let both = |times: &[i64]| json!({"p50": percentile(times, 50), "p99": percentile(times, 99)});
        json!({"thereMs": both(&self.there), "backMs": both(&self.back), "placedToAnsweredMs": both(&self.whole)})
    }
}

/// The value that `percent` of the sorted values do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// Resident megabytes of each process.
fn memory(pattern: &Pattern) -> Result<Value> {
    let megabytes = |bytes: u64| bytes >> 20;
    Ok(json!({
        "orderManagement": megabytes(pattern.order.process().resident_bytes()?),
        "inventory": megabytes(pattern.inventory.process().resident_bytes()?),
        "host": megabytes(pattern.host.process().resident_bytes()?),
    }))
}

fn print(args: &Args, result: &Value) {
    if args.json {
        println!("{result}");
        return;
    }
    println!("\n{}", result["machine"].as_str().unwrap_or_default());
    println!(
        "{} orders at once: {:.0} hand-offs/s",
        args.orders,
        result["handoffsPerSecond"].as_f64().unwrap_or(0.0)
    );
    let line =
        |name: &str, times: &Value| println!("  {name:<44} p50 {:>6} ms   p99 {:>6} ms", times["p50"], times["p99"]);
    let lines = |figures: &Value| {
        line("there (placed → its task is completed)", &figures["thereMs"]);
        line("back (counted → answered)", &figures["backMs"]);
        line("placed → answered", &figures["placedToAnsweredMs"]);
    };
    lines(&result["burst"]);
    println!("{} orders/s for {} s:", args.rate, args.seconds);
    lines(&result["steady"]["crossings"]);
    for state in ["idle", "loaded"] {
        let memory = &result["memoryMb"][state];
        let (order, inventory, host) = (&memory["orderManagement"], &memory["inventory"], &memory["host"]);
        println!("memory, {state}: Order Management {order} MB, Inventory {inventory} MB, host {host} MB");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let times: Vec<i64> = (1..=100).collect();
        assert_eq!(
            (percentile(&times, 50), percentile(&times, 99), percentile(&[7], 99)),
            (50, 99, 7)
        );
        assert_eq!(percentile(&[], 50), 0);
    }
}
