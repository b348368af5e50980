//! What was seen, as one table; `docs/engines.md` has it too.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;

use crate::{matrix, pair, stage::Kind};

/// The cells so far, by promise and engines.
#[derive(Default)]
pub(crate) struct Table {
    cells: Mutex<BTreeMap<(&'static str, Vec<Kind>), String>>,
}

const FAILED: &str = "FAILED";

impl Table {
    /// Runs a case and keeps what it saw.
    pub(crate) fn record(
        &self,
        promise: &'static str,
        engines: &[Kind],
        case: impl FnOnce() -> Result<&'static str>,
    ) -> Result<()> {
        // A panic leaves this behind.
        self.set(promise, engines, FAILED);
        let seen = case()?;
        self.set(promise, engines, seen);
        Ok(())
    }

    fn set(&self, promise: &'static str, engines: &[Kind], seen: &str) {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.insert((promise, engines.to_vec()), seen.to_owned());
    }

    /// Prints the rows of which anything was seen, and says whether the whole ones are those of the documentation.
    pub(crate) fn tell(&self) -> bool {
        let documentation = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/engines.md");
        let documentation = std::fs::read_to_string(documentation).unwrap_or_default();
        let single: Vec<Vec<Kind>> = Kind::ALL.into_iter().map(|kind| vec![kind]).collect();
        let pairs: Vec<Vec<Kind>> = Kind::ALL
            .into_iter()
            .flat_map(|order| Kind::ALL.into_iter().map(move |inventory| vec![order, inventory]))
            .collect();
        let mut wrong = Vec::new();
        for (promises, columns) in [(matrix::promises(), single), (pair::promises(), pairs)] {
            let titles: Vec<String> = columns.iter().map(|engines| title(engines)).collect();
            let head = format!("| | {} |", titles.join(" | "));
            let line = format!("|---|{}", "---|".repeat(columns.len()));
            println!("\n{head}\n{line}");
            for promise in promises {
                let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
                let seen: Vec<Option<&String>> = columns
                    .iter()
                    .map(|engines| cells.get(&(promise, engines.clone())))
                    .collect();
                if seen.iter().all(Option::is_none) {
                    continue;
                }
                let texts: Vec<&str> = seen.iter().map(|cell| cell.map_or("not run", String::as_str)).collect();
                let row = format!("| {promise} | {} |", texts.join(" | "));
                println!("{row}");
                let whole = seen.iter().all(Option::is_some) && !texts.contains(&FAILED);
                if whole && !documentation.contains(&row) {
                    wrong.push(row);
                }
            }
        }
        println!();
        for row in &wrong {
            println!("docs/engines.md does not have this row, which was just seen: {row}");
        }
        wrong.is_empty()
    }
}

fn title(engines: &[Kind]) -> String {
    let names: Vec<&str> = engines.iter().map(|kind| kind.title()).collect();
    names.join(" → ")
}
