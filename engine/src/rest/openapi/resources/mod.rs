//! The tables, one file for what belongs together.

mod decision;
mod engine;
mod external_task;
mod history;
mod operations;
mod process;
mod runtime;
mod task;

use super::table::Resource;

/// All that is served.
pub(super) fn all() -> Vec<Resource> {
    vec![
        engine::deployments(),
        process::definitions(),
        process::instances(),
        process::executions(),
        decision::definitions(),
        decision::requirements(),
        decision::history(),
        external_task::resource(),
        task::resource(),
        runtime::jobs(),
        runtime::incidents(),
        runtime::variables(),
        runtime::subscriptions(),
        history::resource(),
        operations::batches(),
        operations::migration(),
        operations::many(),
        engine::engine(),
        engine::identity(),
    ]
}
