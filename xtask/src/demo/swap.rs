//! A worker's file is replaced while orders run: the new version takes over, and none is lost.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use handoff_harness::{
    eventually, history,
    orders::{INVENTORY_PROCESS, Order},
    pattern::Pattern,
};

/// The worker that is replaced; it leaves its version in this variable.
const WORKER: &str = "count-stock";
const VERSION_VARIABLE: &str = "countedBy";
/// The pause between two orders of this round.
const PERIOD: Duration = Duration::from_millis(20);
/// Compiling the new version on a busy machine, and then some.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(60);

/// Places orders all the while: `count` before the file is replaced, then until the new version counts, then `count`
/// more. Gives all of them.
///
/// # Errors
/// The new version does not take over, or an order that was placed after it did was still counted by the old one.
pub(super) fn run(pattern: &Pattern, new_version: &Path, count: usize) -> Result<Vec<Order>> {
    println!("\nplacing orders one by one, and replacing {WORKER}.wasm meanwhile");
    let mut placing = Placing {
        pattern,
        orders: Vec::new(),
    };
    for _ in 0..count {
        placing.next()?;
    }
    pattern.workers.replace(WORKER, new_version)?;
    println!("  replaced after {} orders", placing.orders.len());
    eventually("the new version to count", TAKE_OVER_LIMIT, || {
        placing.next()?;
        Ok(counted_by(pattern)?
            .values()
            .any(|version| version == "2")
            .then_some(()))
    })?;
    let before = placing.orders.len();
    println!(
        "  the new version has taken over; {} orders were placed meanwhile",
        before - count
    );
    for _ in 0..count {
        placing.next()?;
    }
    let orders = placing.orders;
    pattern.await_orders(&orders, super::ROUND_LIMIT)?;
    judge(&orders, before, &counted_by(pattern)?)?;
    Ok(orders)
}

struct Placing<'a> {
    pattern: &'a Pattern,
    orders: Vec<Order>,
}

impl Placing<'_> {
    fn next(&mut self) -> Result<()> {
        let order = Order::numbered("swap", self.orders.len() + 1);
        order.place(self.pattern.order.rest())?;
        self.orders.push(order);
        std::thread::sleep(PERIOD);
        Ok(())
    }
}

/// The version that counted, by business key.
fn counted_by(pattern: &Pattern) -> Result<HashMap<String, String>> {
    let inventory = pattern.inventory.rest();
    let versions = history::variable(inventory, VERSION_VARIABLE)?;
    let instances = history::instances(inventory, INVENTORY_PROCESS)?;
    let version = |id: &str| Some(versions.get(id)?.as_str()?.to_owned());
    Ok(instances
        .into_iter()
        .filter_map(|one| Some((one.business_key, version(&one.id)?)))
        .collect())
}

fn judge(orders: &[Order], taken_over: usize, counted_by: &HashMap<String, String>) -> Result<()> {
    let mut by_version = HashMap::new();
    for (place, order) in orders.iter().enumerate() {
        let version = counted_by
            .get(&order.key)
            .with_context(|| format!("nobody counted for {}", order.key))?;
        *by_version.entry(version.as_str()).or_insert(0) += 1;
        if place >= taken_over && version != "2" {
            bail!(
                "{} was placed after the new version had taken over, and counted by version {version}",
                order.key
            );
        }
    }
    let count = |version| by_version.get(version).copied().unwrap_or(0);
    if count("1") == 0 || count("2") == 0 || count("1") + count("2") != orders.len() {
        bail!(
            "the versions counted {by_version:?}: that is no hot swap of {} orders",
            orders.len()
        );
    }
    println!(
        "  {} orders counted by version 1, {} by version 2, none lost",
        count("1"),
        count("2")
    );
    Ok(())
}
