//! The first values of variables. History tells of each twice: as the variable, and as a detail. While they say the same,
//! the variable's row stands for both; the view `historic_details` has all details, wherever they are.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{DetailKind, HistoricDetail, HistoricVariable};
use rusqlite::Result;

use super::Applier;
use crate::config::HistoryLevel;
use crate::store::field::Field as _;
use crate::store::row::Table as _;

/// Of the variables that a command makes, those whose row tells of their first value too.
#[derive(Default)]
pub(in crate::store) struct FirstDetails {
    /// Whether the instance was started with it, with the variable, whose ids ascend.
    initial: Vec<(Id, bool)>,
}

impl FirstDetails {
    /// Those among the changes of a command.
    pub(in crate::store) fn among(changes: &[Change], level: HistoryLevel) -> Self {
        if level < HistoryLevel::Full {
            return Self::default();
        }
        let mut details: Vec<(Id, &HistoricDetail)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::HistoryDetail(row) if row.revision == 0 => Some((row.variable?, row)),
                _ => None,
            })
            .collect();
        if details.is_empty() {
            return Self::default();
        }
        details.sort_unstable_by_key(|(variable, _)| *variable);
        let told = changes.iter().filter_map(|change| match change {
            Change::HistoryVariable(row) => {
                let detail = find(&details, row.id)?;
                tells_of(row, detail).then_some((row.id, detail.initial))
            }
            _ => None,
        });
        let mut initial: Vec<_> = told.collect();
        initial.sort_unstable();
        Self { initial }
    }

    /// Whether the instance was started with a variable whose row tells of its first value too.
    fn initial(&self, variable: Id) -> Option<bool> {
        find(&self.initial, variable)
    }

    fn has(&self, detail: &HistoricDetail) -> bool {
        detail
            .variable
            .is_some_and(|variable| detail.id == first_id(variable) && self.initial(variable).is_some())
    }
}

fn find<T: Copy>(sorted: &[(Id, T)], id: Id) -> Option<T> {
    let place = sorted.binary_search_by_key(&id, |(known, _)| *known).ok()?;
    sorted.get(place).map(|(_, value)| *value)
}

/// The id of a variable's first detail: the view is asked for a detail by it.
fn first_id(variable: Id) -> Id {
    Id(variable.0.saturating_add(1))
}

/// Whether nothing is lost if the variable's row stands for the detail.
fn tells_of(variable: &HistoricVariable, detail: &HistoricDetail) -> bool {
    variable.revision == 0
        && detail.kind == DetailKind::VariableUpdate
        && detail.id == first_id(variable.id)
        && detail.task.is_none()
        && detail.time == variable.created
        && detail.instance == variable.instance
        && detail.root == variable.root
        && detail.definition == variable.definition
        && detail.definition_key == variable.definition_key
        && detail.scope == variable.scope
        && detail.scope_activity == variable.scope_activity
        && detail.name == variable.name
        && detail.value == variable.value
        && detail.tenant == variable.tenant
        && detail.removal_time == variable.removal_time
}

impl Applier<'_> {
    pub(super) fn insert_detail(&self, row: &HistoricDetail) -> Result<()> {
        if self.first_details.has(row) {
            return Ok(());
        }
        self.insert(row)
    }

    /// Inserts a variable, or changes it where it is known.
    pub(super) fn put_variable(&self, row: &HistoricVariable) -> Result<()> {
        if row.revision > 0 {
            self.keep_first_detail(row.id)?;
            let found = self.prepared.execute_bound(
                "UPDATE historic_variable SET value_type = ?1, value = ?2, value_meta = ?3, revision = ?4, \
                 deleted = ?5, first_detail = NULL, first_initial = NULL WHERE id = ?6",
                |to| {
                    row.value.bind(to)?;
                    row.revision.bind(to)?;
                    row.deleted.bind(to)?;
                    row.id.bind(to)
                },
            )?;
            if found > 0 {
                return Ok(());
            }
        }
        match self.first_details.initial(row.id) {
            None => self.insert(row),
            Some(initial) => self
                .prepared
                .execute_bound(insert_with_detail(), |to| {
                    row.bind(to)?;
                    first_id(row.id).bind(to)?;
                    initial.bind(to)
                })
                .map(drop),
        }
    }

    /// Gives a variable's first detail a row of its own. The variable's change, which follows, takes it out of the variable's.
    pub(super) fn keep_first_detail(&self, variable: Id) -> Result<()> {
        self.run(keep(), rusqlite::params![variable.0])
    }
}

fn insert_with_detail() -> &'static str {
    static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let columns = HistoricVariable::COLUMNS;
        let marks = vec!["?"; columns.split(',').count() + 2].join(", ");
        format!("INSERT INTO historic_variable ({columns}, first_detail, first_initial) VALUES ({marks})")
    });
    &SQL
}

fn keep() -> &'static str {
    static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let columns = HistoricDetail::COLUMNS;
        format!(
            "INSERT INTO historic_detail ({columns}) SELECT {columns} FROM historic_details \
             WHERE holder = ?1 AND variable = ?1"
        )
    });
    &SQL
}
