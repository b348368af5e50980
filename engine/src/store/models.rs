//! Definitions with their compiled models, kept in memory by id.
//!
//! Invariant: what is cached is committed. A definition that the open transaction has changed is read from the
//! transaction ([`Uncommitted`]) and enters the cache only when it is asked for after the commit.

use std::cell::RefCell;
use std::sync::Arc;

use handoff_machine::Id;
use handoff_machine::decision::{self, DecisionFile};
use handoff_machine::model::{self, ProcessModel};
use handoff_machine::row::{DecisionRow, DefinitionRow, JobDefinition};
use handoff_machine::view::{DecisionDefinition, Definition};
use hashlink::LruCache;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::StoreError;
use super::row::Table as _;

/// The cache, for writer and readers.
#[derive(Debug)]
pub struct ModelCache(Mutex<State>);

#[derive(Debug)]
struct State {
    definitions: LruCache<Id, Arc<Definition>>,
    /// The compiled files of decisions, by the decision.
    decisions: LruCache<Id, Arc<DecisionFile>>,
    /// Grows when something is thrown out: a reader whose snapshot is older must not bring it back.
    epoch: u64,
}

/// The definitions that the open transaction has changed.
#[derive(Debug, Default)]
pub(super) struct Uncommitted(RefCell<Vec<Id>>);

impl Uncommitted {
    pub(super) fn add(&self, id: Id) {
        self.0.borrow_mut().push(id);
    }

    pub(super) fn contains(&self, id: Id) -> bool {
        self.0.borrow().contains(&id)
    }

    pub(super) fn take(&self) -> Vec<Id> {
        self.0.take()
    }
}

impl ModelCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Mutex::new(State {
            definitions: LruCache::new(capacity.max(1)),
            decisions: LruCache::new(capacity.max(1)),
            epoch: 0,
        }))
    }

    /// A definition, if it is in memory.
    #[must_use]
    pub fn cached(&self, id: Id) -> Option<Arc<Definition>> {
        self.0.lock().definitions.get(&id).cloned()
    }

    /// A definition, from memory or as `connection` sees it.
    ///
    /// # Errors
    /// The store failed, or the model, though it was deployed once, cannot be compiled.
    pub fn definition(&self, connection: &Connection, id: Id) -> Result<Option<Arc<Definition>>, StoreError> {
        let epoch = {
            let mut state = self.0.lock();
            if let Some(definition) = state.definitions.get(&id) {
                return Ok(Some(Arc::clone(definition)));
            }
            state.epoch
        };
        let Some(definition) = load(connection, id, None)? else {
            return Ok(None);
        };
        let definition = Arc::new(definition);
        let mut state = self.0.lock();
        if state.epoch == epoch {
            state.definitions.insert(id, Arc::clone(&definition));
        }
        Ok(Some(definition))
    }

    /// A definition that the open transaction has changed. Its model never changes, so that one is taken from memory.
    pub(super) fn changed(&self, connection: &Connection, id: Id) -> Result<Option<Arc<Definition>>, StoreError> {
        let model = self.cached(id).map(|definition| Arc::clone(&definition.model));
        Ok(load(connection, id, model)?.map(Arc::new))
    }

    /// A decision definition with its file, from memory where `committed`, or as `connection` sees it.
    pub(super) fn decision(
        &self,
        connection: &Connection,
        row: DecisionRow,
        committed: bool,
    ) -> Result<DecisionDefinition, StoreError> {
        let known = match committed {
            true => self.0.lock().decisions.get(&row.id).cloned(),
            false => None,
        };
        let file = match known {
            Some(file) => file,
            None => {
                let file = compile_decisions(connection, &row)?;
                if committed {
                    self.0.lock().decisions.insert(row.id, Arc::clone(&file));
                }
                file
            }
        };
        let position = file.find(&row.key).ok_or_else(|| StoreError::Model {
            definition: row.id.0,
            reason: format!("'{}' has no decision '{}'", row.resource, row.key),
        })?;
        Ok(DecisionDefinition { row, file, position })
    }

    pub(super) fn forget(&self, ids: &[Id]) {
        let mut state = self.0.lock();
        for id in ids {
            state.definitions.remove(id);
            state.decisions.remove(id);
        }
        state.epoch += 1;
    }
}

fn load(connection: &Connection, id: Id, model: Option<Arc<ProcessModel>>) -> Result<Option<Definition>, StoreError> {
    let row = connection
        .prepare_cached(&format!(
            "SELECT {} FROM definition WHERE id = ?1",
            DefinitionRow::COLUMNS
        ))?
        .query_row(params![id.0], DefinitionRow::from_row)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let model = match model {
        Some(model) => model,
        None => compile(connection, &row)?,
    };
    let jobs = connection
        .prepare_cached(&format!(
            "SELECT {} FROM job_definition WHERE definition = ?1 ORDER BY id",
            JobDefinition::COLUMNS
        ))?
        .query_map(params![id.0], JobDefinition::from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(Definition { row, model, jobs }))
}

fn compile_decisions(connection: &Connection, row: &DecisionRow) -> Result<Arc<DecisionFile>, StoreError> {
    let bytes = resource(connection, row.id, row.deployment, &row.resource)?;
    let parsed = decision::parse(&bytes).map_err(|problem| StoreError::Model {
        definition: row.id.0,
        reason: problem.message.clone(),
    })?;
    Ok(parsed.file)
}

/// The content of the file that a definition comes from.
fn resource(connection: &Connection, definition: Id, deployment: Id, name: &str) -> Result<Vec<u8>, StoreError> {
    connection
        .prepare_cached("SELECT bytes FROM resource WHERE deployment = ?1 AND name = ?2")?
        .query_row(params![deployment.0, name], |row| row.get::<_, Vec<u8>>(0))
        .optional()?
        .ok_or_else(|| StoreError::Model {
            definition: definition.0,
            reason: format!("its resource '{name}' is missing"),
        })
}

fn compile(connection: &Connection, row: &DefinitionRow) -> Result<Arc<ProcessModel>, StoreError> {
    let failed = |reason: String| StoreError::Model {
        definition: row.id.0,
        reason,
    };
    let bytes = resource(connection, row.id, row.deployment, &row.resource)?;
    let parsed = model::parse(&row.resource, &bytes).map_err(|error| failed(error.to_string()))?;
    parsed
        .processes
        .into_iter()
        .find(|process| process.key == row.key)
        .ok_or_else(|| failed(format!("'{}' has no process '{}'", row.resource, row.key)))
}
