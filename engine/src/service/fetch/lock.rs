//! Locking tasks for a worker, and what it is told of them.

use handoff_machine::row::{ExternalTask, Variable};
use handoff_machine::{Id, Millis, Value};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::request::{FetchRequest, FetchTopic, LockedTask};
use super::select::Candidate;
use crate::store::row::Table as _;
use crate::store::view::select;
use crate::store::{Store, StoreError};

/// Locks the candidates in the open transaction, and reads what the worker asked for.
///
/// # Errors
/// The store failed; the transaction must be rolled back.
pub(in crate::service) fn lock(
    store: &Store,
    request: &FetchRequest,
    candidates: Vec<Candidate>,
    now: Millis,
) -> Result<Vec<LockedTask>, StoreError> {
    let mut locked = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let Some(topic) = request.topics.get(candidate.topic) else {
            continue;
        };
        let mut task = candidate.task;
        // A task without its definition would be a bug; it stays where it is, for an operator to see.
        let Some(definition) = store.definition(task.definition)? else {
            continue;
        };
        let expiration = now.saturating_add(topic.lock_duration);
        store
            .connection()
            .prepare_cached("UPDATE external_task SET worker = ?2, lock_expiration = ?3 WHERE id = ?1")?
            .execute(params![task.id.0, request.worker, expiration])?;
        task.worker = Some(request.worker.clone());
        task.lock_expiration = Some(expiration);
        let variables = variables(store.connection(), &task, topic)?;
        let extension_properties = match definition.model.element(&task.activity) {
            Some(element) if topic.extension_properties => element.properties.clone(),
            _ => Vec::new(),
        };
        locked.push(LockedTask {
            task,
            definition,
            variables,
            extension_properties,
        });
    }
    Ok(locked)
}

/// Takes back locks, where they are still the same.
///
/// # Errors
/// The store failed; the transaction must be rolled back.
pub(in crate::service) fn take_back(store: &Store, tasks: &[ExternalTask]) -> Result<(), StoreError> {
    let mut unlock = store.connection().prepare_cached(
        "UPDATE external_task SET worker = NULL, lock_expiration = NULL \
         WHERE id = ?1 AND worker IS ?2 AND lock_expiration IS ?3",
    )?;
    for task in tasks {
        unlock.execute(params![task.id.0, task.worker, task.lock_expiration])?;
    }
    Ok(())
}

/// The variables that a topic asks for: of the task's own scope, or all that it sees, inner ones winning.
fn variables(
    connection: &Connection,
    task: &ExternalTask,
    topic: &FetchTopic,
) -> Result<Vec<(String, Value)>, StoreError> {
    if topic.variables.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut found: Vec<(String, Value)> = Vec::new();
    let mut scope = task.execution;
    loop {
        of_scope(connection, scope, topic, &mut found)?;
        if topic.local_variables || scope == task.instance {
            return Ok(found);
        }
        scope = parent(connection, scope)?.unwrap_or(task.instance);
    }
}

fn of_scope(
    connection: &Connection,
    scope: Id,
    topic: &FetchTopic,
    found: &mut Vec<(String, Value)>,
) -> Result<(), StoreError> {
    let shadowed = found.len();
    match &topic.variables {
        Some(names) => {
            let mut one = connection.prepare_cached(select!(Variable, "variable WHERE scope = ?1 AND name = ?2"))?;
            for name in names {
                if found.iter().any(|(known, _)| known == name) {
                    continue;
                }
                if let Some(variable) = one.query_row(params![scope.0, name], Variable::from_row).optional()? {
                    found.push((variable.name, variable.value));
                }
            }
        }
        None => {
            let mut all = connection.prepare_cached(select!(Variable, "variable WHERE scope = ?1 ORDER BY id"))?;
            for variable in all.query_map(params![scope.0], Variable::from_row)? {
                let variable = variable?;
                // Names are unique within a scope: only inner scopes can hide one.
                if !found[..shadowed].iter().any(|(known, _)| *known == variable.name) {
                    found.push((variable.name, variable.value));
                }
            }
        }
    }
    Ok(())
}

fn parent(connection: &Connection, execution: Id) -> Result<Option<Id>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT parent FROM execution WHERE id = ?1")?;
    Ok(statement
        .query_row(params![execution.0], |row| row.get(0).map(Id))
        .optional()?)
}
