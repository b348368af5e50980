//! Locking tasks for a worker, and what it is told of them.

use handoff_machine::row::ExternalTask;
use handoff_machine::{Millis, Value};

use super::request::{FetchRequest, FetchTopic, LockedTask};
use super::select::Candidate;
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
        task.worker = Some(request.worker.clone());
        task.lock_expiration = Some(expiration);
        store.lock(&task)?;
        let variables = variables(store, &task, topic)?;
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
    tasks.iter().try_for_each(|task| store.unlock(task))
}

/// The variables that a topic asks for: of the task's own scope, or all that it sees, inner ones winning.
fn variables(store: &Store, task: &ExternalTask, topic: &FetchTopic) -> Result<Vec<(String, Value)>, StoreError> {
    if topic.variables.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut found: Vec<(String, Value)> = Vec::new();
    let mut scope = task.execution;
    loop {
        let inner = found.len();
        for variable in store.variables(scope, topic.variables.as_deref())? {
            // Names are unique within a scope, but a worker may ask for one twice.
            let known = if topic.variables.is_some() { found.len() } else { inner };
            if !found[..known].iter().any(|(known, _)| *known == variable.name) {
                found.push((variable.name, variable.value));
            }
        }
        if topic.local_variables || scope == task.instance {
            return Ok(found);
        }
        scope = store.parent(scope)?.unwrap_or(task.instance);
    }
}
