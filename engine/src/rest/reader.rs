//! The read side: one connection that cannot write, and what many answers need beside their own rows.

use std::cell::RefCell;
use std::collections::HashMap;

use handoff_machine::row::{DecisionRow, DefinitionRow, RequirementsRow};
use handoff_machine::{Id, Millis};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value as Json;

use super::error::Result;
use super::id::Ids;
use super::query::Select;

/// A connection, with what has been read for this answer already.
pub(crate) struct Reader<'c> {
    /// The connection.
    pub(crate) connection: &'c Connection,
    /// The ids of its database.
    pub(crate) ids: Ids,
    definitions: RefCell<HashMap<Id, Option<DefinitionRow>>>,
    /// The ids outside of decision definitions and requirements.
    decisions: RefCell<HashMap<Id, String>>,
    removal_times: RefCell<HashMap<Id, Option<Millis>>>,
}

impl<'c> Reader<'c> {
    /// A reader for one answer.
    pub(crate) fn new(connection: &'c Connection, ids: Ids) -> Self {
        Self {
            connection,
            ids,
            definitions: RefCell::default(),
            decisions: RefCell::default(),
            removal_times: RefCell::default(),
        }
    }

    /// A definition; none where it has been deleted.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn definition(&self, id: Id) -> Result<Option<DefinitionRow>> {
        if let Some(known) = self.definitions.borrow().get(&id) {
            return Ok(known.clone());
        }
        let row = Select::<DefinitionRow>::by_id(self.connection, id)?;
        self.definitions.borrow_mut().insert(id, row.clone());
        Ok(row)
    }

    /// The full id of a definition; of one that has been deleted, the bare UUID.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn definition_id(&self, id: Id) -> Result<Json> {
        let row = self.definition(id)?;
        Ok(row.map_or_else(
            || self.ids.json(id),
            |row| self.ids.definition(&row.key, row.version, id).into(),
        ))
    }

    /// As [`Self::definition_id`], or null where there is none.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn definition_id_opt(&self, id: Option<Id>) -> Result<Json> {
        id.map_or(Ok(Json::Null), |id| self.definition_id(id))
    }

    /// The full id of a decision definition; of one that has been deleted, the bare UUID.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn decision_id(&self, id: Id) -> Result<Json> {
        self.full_id(id, |reader| {
            let row = Select::<DecisionRow>::by_id(reader.connection, id)?;
            Ok(row.map(|row| (row.key, row.version)))
        })
    }

    /// The full id of a file's requirements, or null where there are none.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn requirements_id(&self, id: Option<Id>) -> Result<Json> {
        let Some(id) = id else { return Ok(Json::Null) };
        self.full_id(id, |reader| {
            let row = Select::<RequirementsRow>::by_id(reader.connection, id)?;
            Ok(row.map(|row| (row.key, row.version)))
        })
    }

    fn full_id(&self, id: Id, find: impl FnOnce(&Self) -> Result<Option<(String, i32)>>) -> Result<Json> {
        if let Some(known) = self.decisions.borrow().get(&id) {
            return Ok(known.as_str().into());
        }
        let text = match find(self)? {
            Some((key, version)) => self.ids.definition(&key, version, id),
            None => self.ids.text(id),
        };
        self.decisions.borrow_mut().insert(id, text.clone());
        Ok(text.into())
    }

    /// The job definition of a job that failed, by its incident: that of the job or, where it has gone, none.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn job_definition_of(&self, job: Id) -> Result<Json> {
        let sql = "SELECT job_definition FROM job WHERE id = ?1 \
                   UNION ALL SELECT job_definition FROM job_log WHERE job = ?1 AND instance IS NOT NULL LIMIT 1";
        let found = self
            .connection
            .prepare_cached(sql)?
            .query_row([job.0], |row| row.get::<_, Option<i64>>(0))
            .optional()?
            .flatten();
        Ok(self.ids.json_opt(found.map(Id)))
    }

    /// The key of a definition; null where it has been deleted.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn definition_key(&self, id: Id) -> Result<Json> {
        Ok(self.definition(id)?.map(|row| row.key).into())
    }

    /// When the history of a row goes: its own time, or that of its instance.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn removal_time(&self, own: Option<Millis>, instance: Option<Id>) -> Result<Option<Millis>> {
        let (None, Some(instance)) = (own, instance) else {
            return Ok(own);
        };
        if let Some(known) = self.removal_times.borrow().get(&instance) {
            return Ok(*known);
        }
        let sql = "SELECT removal_time FROM historic_instance WHERE id = ?";
        let time = self
            .connection
            .prepare_cached(sql)?
            .query_row([instance.0], |row| row.get(0))
            .optional()?
            .flatten();
        self.removal_times.borrow_mut().insert(instance, time);
        Ok(time)
    }
}
