//! The host over real engines: ours, and a Camunda 7 that Maven has built (`host/tests/camunda7`).
//!
//! The worker matrix runs over each engine, the hand-off over each pair of them. What a case saw is a cell of one table,
//! which is printed at the end and must be the one in `docs/engines.md`. Where engines differ in what they guarantee, the
//! difference is what is asserted.
//!
//! Without Java, or without the jar, the cases of Camunda are left out and it is said why; with `CI` set they fail.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test an error is a failure, and the table is what it is for"
)]

mod limits;
mod matrix;
mod models;
mod pair;
mod stage;
mod table;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};

use crate::{
    stage::{Kind, Stage},
    table::Table,
};

/// Most of a case is waiting, and two of them share an engine.
const THREADS: usize = 6;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let stage = Arc::new(Stage::new());
    let table = Arc::new(Table::default());
    let mut trials = Vec::new();
    for case in matrix::CASES {
        for kind in Kind::ALL {
            let (stage, table) = (Arc::clone(&stage), Arc::clone(&table));
            let needs_camunda = kind == Kind::Camunda;
            let run = move || table.record(case.promise, &[kind], || (case.run)(stage.bench(kind)?));
            trials.push(trial(
                &format!("matrix::{}::{}", case.name, kind.word()),
                needs_camunda,
                run,
            ));
        }
    }
    for case in pair::CASES {
        for order in Kind::ALL {
            for inventory in Kind::ALL {
                let (stage, table) = (Arc::clone(&stage), Arc::clone(&table));
                let kinds = [order, inventory];
                let run = move || table.record(case.promise, &kinds, || (case.run)(&stage, kinds));
                let name = format!("pair::{}::{}_{}", case.name, order.word(), inventory.word());
                trials.push(trial(&name, kinds.contains(&Kind::Camunda), run));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    let listed = arguments.list;
    drop(stage);
    if listed {
        return ExitCode::SUCCESS;
    }
    let told = table.tell();
    if conclusion.has_failed() || !told {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn trial(name: &str, needs_camunda: bool, run: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Trial {
    let missing = needs_camunda.then(stage::camunda_is_missing).flatten();
    let Some(reason) = missing else {
        return Trial::test(name, move || run().map_err(|error| format!("{error:#}").into()));
    };
    if std::env::var_os("CI").is_some() {
        return Trial::test(name, move || Err(reason.into()));
    }
    Trial::test(name, || Ok(())).with_kind(reason).with_ignored_flag(true)
}
