//! Decides whether as many goods as ordered are available.
//!
//! Sets `available`, and `countedBy` to the version that decided, so that a hot swap can be seen in the history. The
//! stock of an item is `stock.ITEM` in the worker's configuration, of any other item `stock`.

use handoff_sdk::{Completion, Failure, Result, Task, config, log};

/// The package's: 1 here, 2 in `variants/count-stock-2`.
const VERSION: &str = env!("CARGO_PKG_VERSION_MAJOR");

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Completion> {
    count(&task, config::get)
}

fn count(task: &Task, config: impl Fn(&str) -> Option<String>) -> Result<Completion> {
    let item: String = task.get("item")?;
    let quantity: i64 = task.get("quantity")?;
    let stock = stock(&item, config)?;
    let available = quantity <= stock;
    log::info!(item, quantity, stock, available; "counted");
    Ok(Completion::new()
        .variable("available", available)
        .variable("countedBy", VERSION))
}

fn stock(item: &str, config: impl Fn(&str) -> Option<String>) -> Result<i64> {
    let key = format!("stock.{item}");
    let Some(stock) = config(&key).or_else(|| config("stock")) else {
        return Ok(0);
    };
    // Trying again does not help: somebody has to correct the configuration first.
    stock.parse().map_err(|error| {
        Failure::new(format!("the stock of `{item}` is no number: {error}"))
            .retries(0)
            .into()
    })
}

#[cfg(test)]
mod tests {
    use handoff_sdk::{Error, TaskRef, Variable};

    use super::*;

    fn available(item: &str, quantity: i32) -> Result<Completion> {
        let mut task = Task::new(TaskRef::new("inventory", "1"), "count-stock");
        task.variables = vec![Variable::new("item", item), Variable::new("quantity", quantity)];
        count(&task, |key| match key {
            "stock" => Some("10".into()),
            "stock.unobtainium" => Some("0".into()),
            "stock.wrong" => Some("many".into()),
            _ => None,
        })
    }

    #[test]
    fn the_stock_decides() {
        let answer = |available: bool| {
            Ok(Completion::new()
                .variable("available", available)
                .variable("countedBy", VERSION))
        };
        assert_eq!(available("lamp", 10), answer(true));
        assert_eq!(available("lamp", 11), answer(false));
        assert_eq!(available("unobtainium", 1), answer(false));
    }

    #[test]
    fn a_wrong_configuration_is_an_incident_at_once() {
        let error = available("wrong", 1);
        assert!(matches!(error, Err(Error::Failure(failure)) if failure.retries == Some(0)));
    }
}
