//! Hands an external task of Order Management over to a process of Inventory: both halves of the pattern.
//!
//! The handler starts Inventory's process by a message, once per task, and *defers*: it does not complete the task. When
//! the process has committed its start, its engine calls the delegate as an `end` listener of the start event, and that
//! completes the task. So Order Management's message subscriptions, which the completion creates, exist before Inventory
//! can answer.

mod handler;
mod listener;

/// Inventory's engine, in the host's configuration.
const INVENTORY: &str = "inventory";
/// The message that starts Inventory's process.
const CHECK_NEEDED: &str = "inventory_check_needed";
/// The variable that tells Inventory's process which task it was started for …
const TASK_ID: &str = "EXTERNAL_TASK_ID";
/// … and on which engine that task is.
const TASK_ENGINE: &str = "EXTERNAL_TASK_ENGINE";
