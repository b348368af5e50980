//! What a fetch does to a task and reads with it, in the open transaction.

use handoff_machine::Id;
use handoff_machine::row::{Execution, ExternalTask, Variable};
use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError, view};

impl Store {
    /// Locks a task for its worker, until its expiration.
    ///
    /// # Errors
    /// The transaction must be rolled back.
    pub(crate) fn lock(&self, task: &ExternalTask) -> Result<(), StoreError> {
        self.prepared.execute(
            "UPDATE external_task SET worker = ?2, lock_expiration = ?3 WHERE id = ?1",
            params![task.id.0, task.worker, task.lock_expiration],
        )?;
        self.residents.borrow_mut().lock(task);
        Ok(())
    }

    /// Takes back a lock, where it is still the same.
    ///
    /// # Errors
    /// The transaction must be rolled back.
    pub(crate) fn unlock(&self, task: &ExternalTask) -> Result<(), StoreError> {
        let unlocked = self.prepared.execute(
            "UPDATE external_task SET worker = NULL, lock_expiration = NULL \
             WHERE id = ?1 AND worker IS ?2 AND lock_expiration IS ?3",
            params![task.id.0, task.worker, task.lock_expiration],
        )?;
        if unlocked > 0 {
            self.residents.borrow_mut().unlock(task);
        }
        Ok(())
    }

    /// The variables of a scope: those with these names, in their order, or all, by age.
    ///
    /// # Errors
    /// The transaction must be rolled back.
    pub(crate) fn variables(&self, scope: Id, names: Option<&[String]>) -> Result<Vec<Variable>, StoreError> {
        let residents = Some(&self.residents);
        let Some(names) = names else {
            return view::variables(self.connection(), residents, scope);
        };
        let named = names.iter();
        named
            .filter_map(|name| view::variable(self.connection(), residents, scope, name).transpose())
            .collect()
    }

    /// The scope that an execution is in.
    ///
    /// # Errors
    /// The transaction must be rolled back.
    pub(crate) fn parent(&self, execution: Id) -> Result<Option<Id>, StoreError> {
        if let Some(resident) = self.residents.borrow().of(execution) {
            return Ok(resident.row(execution).map(|row: &Execution| row.parent));
        }
        let mut statement = self
            .connection()
            .prepare_cached("SELECT parent FROM execution WHERE id = ?1")?;
        let parent = statement.query_row(params![execution.0], |row| row.get(0).map(Id));
        Ok(parent.optional()?)
    }
}
