//! The result of a decision, and what a business rule task makes of it.

use indexmap::IndexMap;

use super::cell::Cell;
use super::types;
use crate::expression::Datum;
use crate::feel::Feel;
use crate::value::{Serialized, Value};

/// The results of the rules that matched, each by the names of the outputs. A name may be missing.
#[derive(Clone, Debug, Default)]
pub struct DecisionResult {
    /// In the order of the rules.
    pub rules: Vec<Vec<(Option<String>, Cell)>>,
}

/// `camunda:mapDecisionResult`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mapper {
    /// The only value of the only rule.
    SingleEntry,
    /// The values of the only rule, by their names.
    SingleResult,
    /// The values of all rules, of one output.
    CollectEntries,
    /// The values of all rules, by their names.
    #[default]
    ResultList,
}

/// A result that is not what its mapper is for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MapperError(String);

impl Mapper {
    /// By its name in models.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "singleEntry" => Self::SingleEntry,
            "singleResult" => Self::SingleResult,
            "collectEntries" => Self::CollectEntries,
            "resultList" => Self::ResultList,
            _ => return None,
        })
    }

    fn class(self) -> &'static str {
        match self {
            Self::SingleEntry => "SingleEntryDecisionResultMapper",
            Self::SingleResult => "SingleResultDecisionResultMapper",
            Self::CollectEntries => "CollectEntriesDecisionResultMapper",
            Self::ResultList => "ResultListDecisionTableResultMapper",
        }
    }
}

impl DecisionResult {
    pub(super) fn single(name: Option<String>, cell: Cell) -> Self {
        Self {
            rules: vec![vec![(name, cell)]],
        }
    }

    pub(super) fn of(rules: impl Iterator<Item = Vec<(Option<String>, Cell)>>) -> Self {
        Self { rules: rules.collect() }
    }

    /// What other decisions see of it: nothing where no rule matched.
    pub(super) fn by_name(&self, many: bool) -> Vec<(String, Cell)> {
        let mut names: IndexMap<String, Vec<Cell>> = IndexMap::new();
        for (name, cell) in self.rules.iter().flatten() {
            if let Some(name) = name {
                names.entry(name.clone()).or_default().push(cell.clone());
            }
        }
        let joined = |(name, mut cells): (String, Vec<Cell>)| match (many, cells.len()) {
            (false, 1) => cells.pop().map(|cell| (name, cell)),
            _ => {
                let items = cells.into_iter().map(|cell| cell.feel).collect();
                Some((name, Cell::from(Feel::list(items))))
            }
        };
        names.into_iter().filter_map(joined).collect()
    }

    /// What a business rule task sets its result variable to.
    ///
    /// # Errors
    /// There are more rules or outputs than the mapper takes.
    pub fn map(&self, mapper: Mapper) -> Result<Value, MapperError> {
        let failed = |code: &str, more: String| {
            MapperError(format!(
                "ENGINE-{code} The decision result mapper '{}{{}}' failed to process '{}'{more}",
                mapper.class(),
                self.told()
            ))
        };
        match (mapper, self.rules.as_slice()) {
            (Mapper::SingleEntry | Mapper::SingleResult, []) => Ok(Value::Null),
            (Mapper::SingleEntry, [rule]) => match rule.as_slice() {
                [] => Ok(Value::Null),
                [(_, cell)] => Ok(cell.value.clone()),
                _ => Err(failed("22001", String::new())),
            },
            (Mapper::SingleResult, [rule]) => Ok(object("java.util.HashMap", &entries(rule))),
            (Mapper::SingleEntry | Mapper::SingleResult, _) => Err(failed("22001", String::new())),
            (Mapper::CollectEntries, rules) => {
                let mut names: Vec<_> = rules.iter().flatten().map(|(name, _)| shown(name.as_deref())).collect();
                names.dedup();
                if names.iter().any(|name| *name != names[0]) {
                    names.sort_unstable();
                    names.dedup();
                    let more = format!(
                        ". The decision outputs should only contains values for one output name but found '[{}]'.",
                        names.join(", ")
                    );
                    return Err(failed("22002", more));
                }
                let cells = rules.iter().flatten().map(|(_, cell)| cell.feel.clone()).collect();
                Ok(object("java.util.ArrayList", &Feel::list(cells)))
            }
            (Mapper::ResultList, rules) => {
                let list = Feel::list(rules.iter().map(|rule| entries(rule)).collect());
                Ok(object("java.util.ArrayList", &list))
            }
        }
    }

    /// As expressions see the local variable `decisionResult`: a list of maps.
    #[must_use]
    pub fn to_datum(&self) -> Datum {
        let rule = |rule: &Vec<(Option<String>, Cell)>| {
            let fields: IndexMap<_, _> = rule
                .iter()
                .map(|(name, cell)| (shown(name.as_deref()).to_owned(), cell.to_datum()))
                .collect();
            Datum::from(fields)
        };
        Datum::list(self.rules.iter().map(rule).collect())
    }

    fn told(&self) -> String {
        let rule = |rule: &Vec<(Option<String>, Cell)>| {
            let cells: Vec<_> = rule
                .iter()
                .map(|(name, cell)| format!("{}={}", shown(name.as_deref()), types::text(cell)))
                .collect();
            format!("{{{}}}", cells.join(", "))
        };
        format!("[{}]", self.rules.iter().map(rule).collect::<Vec<_>>().join(", "))
    }
}

/// Java's map has null for a name that is missing, and JSON a text.
fn shown(name: Option<&str>) -> &str {
    name.unwrap_or("null")
}

fn entries(rule: &[(Option<String>, Cell)]) -> Feel {
    Feel::context(
        rule.iter()
            .map(|(name, cell)| (shown(name.as_deref()).to_owned(), cell.feel.clone()))
            .collect(),
    )
}

fn object(class: &str, feel: &Feel) -> Value {
    Value::Object(Serialized {
        type_name: Some(class.to_owned()),
        format: Some("application/json".to_owned()),
        data: Some(feel.to_json().to_string()),
    })
}
