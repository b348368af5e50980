//! Orders, and what must have become of each.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Result, anyhow};
use serde_json::json;

use crate::{Rest, history, history::Instance};

/// The key of Order Management's process.
pub const ORDER_PROCESS: &str = "order-management";
/// The key of Inventory's process.
pub const INVENTORY_PROCESS: &str = "inventory";

/// As many goods of each item are there, says the manifest of `count-stock` …
const STOCK: u32 = 10;
/// … but none of this one.
const OUT_OF_STOCK: &str = "unobtainium";
/// Orders are placed over so many connections.
const CONNECTIONS: usize = 16;

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The business key of both processes.
    pub key: String,
    /// What is ordered …
    pub item: &'static str,
    /// … and how many.
    pub quantity: u32,
}

impl Order {
    /// The `number`th of a series in which some can be shipped and some cannot.
    #[must_use]
    pub fn numbered(prefix: &str, number: usize) -> Self {
        let items = ["lamp", "chair", OUT_OF_STOCK, "table", "shelf"];
        // 7 and 20 have no common divisor: every quantity from 1 to 20 comes up.
        let quantity = u32::try_from(number * 7 % 20).unwrap_or(0) + 1;
        Self {
            key: format!("{prefix}-{number}"),
            item: items[number % items.len()],
            quantity,
        }
    }

    /// A series of `count` orders.
    #[must_use]
    pub fn series(prefix: &str, count: usize) -> Vec<Self> {
        (1..=count).map(|number| Self::numbered(prefix, number)).collect()
    }

    /// Whether the stock suffices.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.item != OUT_OF_STOCK && self.quantity <= STOCK
    }

    /// Places it with Order Management.
    ///
    /// # Errors
    /// The engine does not take it.
    pub fn place(&self, order: &Rest) -> Result<()> {
        let variables = json!({
            "item": {"value": self.item, "type": "String"},
            "quantity": {"value": self.quantity, "type": "Integer"},
        });
        order.start(ORDER_PROCESS, &self.key, variables).map(drop)
    }

    /// Places many at once.
    ///
    /// # Errors
    /// The engine does not take one of them.
    pub fn place_all(orders: &[Self], order: &Rest) -> Result<()> {
        let next = AtomicUsize::new(0);
        let place = || -> Result<()> {
            while let Some(one) = orders.get(next.fetch_add(1, Ordering::Relaxed)) {
                one.place(order)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let placing: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(place)).collect();
            placing
                .into_iter()
                .try_for_each(|one| one.join().map_err(|_| anyhow!("placing orders panicked"))?)
        })
    }
}

/// What both engines' history says of a series of orders.
#[derive(Debug)]
pub struct Outcome {
    /// Order Management's instances, by business key.
    pub orders: HashMap<String, Vec<Instance>>,
    /// Inventory's instances, by business key.
    pub checks: HashMap<String, Vec<Instance>>,
}

impl Outcome {
    /// Asks both engines.
    ///
    /// # Errors
    /// One does not answer.
    pub fn read(order: &Rest, inventory: &Rest) -> Result<Self> {
        Ok(Self {
            orders: by_business_key(history::instances(order, ORDER_PROCESS)?),
            checks: by_business_key(history::instances(inventory, INVENTORY_PROCESS)?),
        })
    }

    /// What is not as it must be: each order has one instance in each engine, both completed, by the end that its stock
    /// demands, and every step was taken once. Empty if all is right.
    #[must_use]
    pub fn problems(&self, orders: &[Order]) -> Vec<String> {
        let mut problems = Vec::new();
        for order in orders {
            let ends = if order.is_available() {
                (
                    ["inventory-checked", "ship-goods", "order-shipped"],
                    ["tell-order-checked", "goods-reserved"],
                )
            } else {
                (
                    ["no-goods-available", "refund-payment", "order-refunded"],
                    ["tell-order-no-goods", "nothing-reserved"],
                )
            };
            let steps = [&["order-placed", "check-inventory"], &ends.0[..]].concat();
            check(
                order,
                "Order Management",
                self.orders.get(&order.key),
                &steps,
                &mut problems,
            );
            let steps = [&["inventory-check-needed", "count-stock"], &ends.1[..]].concat();
            check(order, "Inventory", self.checks.get(&order.key), &steps, &mut problems);
        }
        problems
    }
}

fn check(order: &Order, engine: &str, found: Option<&Vec<Instance>>, steps: &[&str], problems: &mut Vec<String>) {
    let [instance] = found.map_or(&[][..], Vec::as_slice) else {
        let count = found.map_or(0, Vec::len);
        problems.push(format!("{}: {engine} has {count} instances instead of one", order.key));
        return;
    };
    if !instance.is_completed() {
        let open: Vec<_> = instance
            .activities
            .iter()
            .filter(|one| one.ended_ms.is_none())
            .map(|one| one.id.as_str())
            .collect();
        problems.push(format!(
            "{}: {engine}'s instance is {} at {open:?}",
            order.key, instance.state
        ));
        return;
    }
    for step in steps {
        let times = instance.times_ended(step);
        if times != 1 {
            problems.push(format!(
                "{}: {engine} took the step {step} {times} times instead of once",
                order.key
            ));
        }
    }
}

fn by_business_key(instances: Vec<Instance>) -> HashMap<String, Vec<Instance>> {
    let mut found: HashMap<String, Vec<Instance>> = HashMap::new();
    for instance in instances {
        found.entry(instance.business_key.clone()).or_default().push(instance);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Activity;

    fn instance(steps: &[&str]) -> Instance {
        let activities = steps
            .iter()
            .map(|step| Activity {
                id: (*step).to_owned(),
                ended_ms: Some(1),
            })
            .collect();
        Instance {
            state: "COMPLETED".to_owned(),
            activities,
            ..Instance::default()
        }
    }

    fn outcome(orders: Vec<Instance>, checks: Vec<Instance>) -> Outcome {
        let key = || "a-1".to_owned();
        Outcome {
            orders: HashMap::from([(key(), orders)]),
            checks: HashMap::from([(key(), checks)]),
        }
    }

    #[test]
    fn a_series_has_orders_of_both_kinds() {
        let available = Order::series("a", 100)
            .iter()
            .filter(|order| order.is_available())
            .count();
        assert!((30..70).contains(&available), "{available}");
    }

    #[test]
    fn whatever_is_missing_or_doubled_is_a_problem() {
        let order = Order {
            key: "a-1".to_owned(),
            item: "lamp",
            quantity: 1,
        };
        let steps = [
            "order-placed",
            "check-inventory",
            "inventory-checked",
            "ship-goods",
            "order-shipped",
        ];
        let checks = [
            "inventory-check-needed",
            "count-stock",
            "tell-order-checked",
            "goods-reserved",
        ];
        let right = outcome(vec![instance(&steps)], vec![instance(&checks)]);
        assert_eq!(right.problems(std::slice::from_ref(&order)), Vec::<String>::new());

        let doubled = [&steps[..], &["ship-goods"]].concat();
        let wrong = [
            outcome(vec![], vec![instance(&checks)]),
            outcome(vec![instance(&steps)], vec![instance(&checks), instance(&checks)]),
            outcome(vec![instance(&steps[..4])], vec![instance(&checks)]),
            outcome(vec![instance(&doubled)], vec![instance(&checks)]),
            outcome(
                vec![Instance {
                    state: "ACTIVE".to_owned(),
                    ..instance(&steps)
                }],
                vec![instance(&checks)],
            ),
        ];
        for wrong in wrong {
            assert_eq!(wrong.problems(std::slice::from_ref(&order)).len(), 1, "{wrong:?}");
        }
    }
}
