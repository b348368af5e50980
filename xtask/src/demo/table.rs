//! A row per order: what was ordered, when each step was taken, how it ended.

use handoff_harness::{
    history::Instance,
    orders::{Order, Outcome},
};

/// Prints the rows. Times are milliseconds since the order was placed, from the engines' own histories.
pub(super) fn print(orders: &[Order], outcome: &Outcome) {
    println!("\nmilliseconds since each order was placed, from both engines' history");
    println!(
        "{:<12} {:<15} {:>9} {:>9} {:>9} {:>9} {:>9}  end",
        "order", "goods", "handed", "completed", "counted", "answered", "ended"
    );
    println!(
        "{:<12} {:<15} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "", "over", "the task", "stock", "", ""
    );
    for order in orders {
        println!("{}", row(order, outcome));
    }
}

fn row(order: &Order, outcome: &Outcome) -> String {
    let goods = format!("{} × {}", order.quantity, order.item);
    let first = |instances: Option<&Vec<Instance>>| instances.and_then(|instances| instances.first()).cloned();
    let Some(placed) = first(outcome.orders.get(&order.key)) else {
        return format!("{:<12} {goods:<15} was never placed", order.key);
    };
    let check = first(outcome.checks.get(&order.key)).unwrap_or_default();
    let handed_over = (!check.id.is_empty()).then_some(check.started_ms);
    let answered = placed
        .ended("inventory-checked")
        .or_else(|| placed.ended("no-goods-available"));
    let steps = [
        handed_over,
        placed.ended("check-inventory"),
        check.ended("count-stock"),
        answered,
        placed.ended_ms,
    ];
    let times: String = steps
        .into_iter()
        .map(|at| at.map_or_else(|| "-".to_owned(), |at| (at - placed.started_ms).to_string()))
        .map(|time| format!(" {time:>9}"))
        .collect();
    let end = match (placed.ended("order-shipped"), placed.ended("order-refunded")) {
        (Some(_), None) => "shipped",
        (None, Some(_)) => "refunded",
        (None, None) => "still running",
        (Some(_), Some(_)) => "shipped and refunded",
    };
    format!("{:<12} {goods:<15}{times}  {end}", order.key)
}
