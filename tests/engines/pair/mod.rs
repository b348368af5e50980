//! The hand-off over each pair of engines: who has the orders, and who has Inventory.

mod delivered;
mod lost;
mod orders;
mod scene;
mod two_hosts;

use anyhow::Result;

use crate::stage::{Kind, Stage};

/// One promise.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// As the table says it.
    pub(crate) promise: &'static str,
    /// What was seen, as the table says it. The engines are those of the orders and of Inventory.
    pub(crate) run: fn(&Stage, [Kind; 2]) -> Result<&'static str>,
}

const fn case(name: &'static str, promise: &'static str, run: fn(&Stage, [Kind; 2]) -> Result<&'static str>) -> Case {
    Case { name, promise, run }
}

/// All of them.
pub(crate) const CASES: [Case; 7] = [
    case(
        "orders",
        "orders end right, no message misses its receiver",
        orders::end_right,
    ),
    case(
        "redelivered",
        "tasks that come again while their instance runs",
        delivered::while_running,
    ),
    case(
        "late",
        "tasks that come again after their instance has ended",
        delivered::after_the_end,
    ),
    case(
        "race",
        "two hosts that start for the same task at the same moment",
        two_hosts::race,
    ),
    case(
        "other",
        "the listener of one host completes what another host has locked",
        two_hosts::other_lock,
    ),
    case(
        "answer",
        "the listener's answer is lost: the next attempt knows its own completion",
        lost::answer,
    ),
    case(
        "commit",
        "Inventory's engine is killed between the completion and its commit",
        lost::commit,
    ),
];

pub(crate) fn promises() -> Vec<&'static str> {
    CASES.iter().map(|case| case.promise).collect()
}
