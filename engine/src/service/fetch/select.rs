//! Which tasks are offered to a fetch. The indexes of the table are the queues; each is entered at the first task that
//! can be taken, so that the cost does not grow with the number of open tasks.
//!
//! Only `processVariables` are compared task by task.

use std::cmp::Reverse;
use std::sync::Arc;

use handoff_machine::row::ExternalTask;
use handoff_machine::view::Definition;
use handoff_machine::{Id, Millis};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension as _, Params, ToSql, params, params_from_iter};

use super::request::{CreateOrder, FetchRequest, FetchTopic};
use crate::store::row::Table as _;
use crate::store::value::{scalar, type_code};
use crate::store::view::select;
use crate::store::{Store, StoreError};

/// Tasks whose lock ran out and that are sorted by priority or age, at most: more than a fetch can take.
const EXPIRED_MAX: i64 = 10_000;

/// A task that a fetch may take, and by which of its topics.
pub(in crate::service) struct Candidate {
    pub(super) task: ExternalTask,
    pub(super) topic: usize,
}

/// A search for one topic.
struct Search<'s> {
    store: &'s Store,
    request: &'s FetchRequest,
    topic: &'s FetchTopic,
    now: Millis,
    reserved: &'s dyn Fn(Id) -> bool,
    found: Vec<ExternalTask>,
}

/// The tasks that a fetch gets, in its order. Tasks of instances that are `reserved` are passed over.
///
/// # Errors
/// The store failed.
pub(in crate::service) fn select(
    store: &Store,
    request: &FetchRequest,
    now: Millis,
    reserved: &dyn Fn(Id) -> bool,
) -> Result<Vec<Candidate>, StoreError> {
    let mut candidates = Vec::new();
    if request.max_tasks == 0 {
        return Ok(candidates);
    }
    for (position, topic) in request.topics.iter().enumerate() {
        let mut search = Search {
            store,
            request,
            topic,
            now,
            reserved,
            found: Vec::new(),
        };
        search.run()?;
        candidates.extend(search.found.into_iter().map(|task| Candidate { task, topic: position }));
    }
    let rank = |candidate: &Candidate| {
        let priority = if request.use_priority {
            candidate.task.priority
        } else {
            0
        };
        let age = candidate.task.id.0;
        (
            Reverse(priority),
            if request.order == Some(CreateOrder::NewestFirst) {
                -age
            } else {
                age
            },
        )
    };
    candidates.sort_by_key(rank);
    candidates.truncate(request.max_tasks);
    Ok(candidates)
}

/// When a task of a topic that is locked, or to be retried, is offered next.
///
/// # Errors
/// The store failed.
pub(in crate::service) fn next_offer(
    connection: &Connection,
    topic: &str,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT lock_expiration FROM external_task INDEXED BY external_task_locked WHERE topic = ?1 \
         AND lock_expiration IS NOT NULL AND lock_expiration > ?2 AND suspended = 0 \
         AND (retries IS NULL OR retries > 0) ORDER BY lock_expiration LIMIT 1",
    )?;
    Ok(statement.query_row(params![topic, now], |row| row.get(0)).optional()?)
}

impl<'s> Search<'s> {
    fn run(&mut self) -> Result<(), StoreError> {
        let topic: &'s FetchTopic = self.topic;
        match &topic.business_key {
            Some(business_key) => self.by_business_key(business_key),
            None => {
                self.expired()?;
                if self.request.use_priority {
                    self.free_by_priority()
                } else {
                    self.free()
                }
            }
        }
    }

    /// Instances with one business key are few: their tasks are found from them.
    fn by_business_key(&mut self, business_key: &str) -> Result<(), StoreError> {
        let (topic, now): (&'s FetchTopic, _) = (self.topic, self.now);
        self.collect(
            select!(
                ExternalTask,
                "external_task WHERE instance IN (SELECT id FROM process_instance WHERE business_key = ?1) \
                 AND +topic = ?2 AND (lock_expiration IS NULL OR lock_expiration <= ?3) \
                 AND suspended = 0 AND (retries IS NULL OR retries > 0) ORDER BY id"
            ),
            params![business_key, topic.name, now],
            usize::MAX,
        )
    }

    /// Tasks whose lock has run out, or whose retry time has come.
    fn expired(&mut self) -> Result<(), StoreError> {
        let (topic, now): (&'s FetchTopic, _) = (self.topic, self.now);
        // By its time a lock's end says little of priority or age: where these matter, all are looked at.
        let sorted = self.request.use_priority || self.request.order.is_some();
        let limit = if sorted { usize::MAX } else { self.request.max_tasks };
        self.collect(
            select!(
                ExternalTask,
                "external_task INDEXED BY external_task_locked WHERE topic = ?1 AND lock_expiration IS NOT NULL \
                 AND lock_expiration <= ?2 AND suspended = 0 AND (retries IS NULL OR retries > 0) \
                 ORDER BY lock_expiration LIMIT ?3"
            ),
            params![topic.name, now, EXPIRED_MAX],
            limit,
        )
    }

    /// Tasks that nobody has locked, of each definition that fits.
    fn free(&mut self) -> Result<(), StoreError> {
        let oldest = select!(
            ExternalTask,
            "external_task INDEXED BY external_task_free WHERE topic = ?1 AND definition = ?2 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) ORDER BY id"
        );
        let newest = select!(
            ExternalTask,
            "external_task INDEXED BY external_task_free WHERE topic = ?1 AND definition = ?2 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) ORDER BY id DESC"
        );
        self.of_definitions(if self.newest_first() { newest } else { oldest })
    }

    /// The same, but only tasks of priority 0: most.
    fn unprioritised(&mut self) -> Result<(), StoreError> {
        let oldest = select!(
            ExternalTask,
            "external_task INDEXED BY external_task_free WHERE topic = ?1 AND definition = ?2 AND priority = 0 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) ORDER BY id"
        );
        let newest = select!(
            ExternalTask,
            "external_task INDEXED BY external_task_free WHERE topic = ?1 AND definition = ?2 AND priority = 0 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) ORDER BY id DESC"
        );
        self.of_definitions(if self.newest_first() { newest } else { oldest })
    }

    fn of_definitions(&mut self, sql: &str) -> Result<(), StoreError> {
        let topic: &'s FetchTopic = self.topic;
        for definition in self.definitions()? {
            self.collect(sql, params![topic.name, definition.0], self.request.max_tasks)?;
        }
        Ok(())
    }

    fn newest_first(&self) -> bool {
        self.request.order == Some(CreateOrder::NewestFirst)
    }

    /// Higher priorities first. Those of priority 0, which are most, are not in the index of priorities.
    fn free_by_priority(&mut self) -> Result<(), StoreError> {
        if self.newest_first() {
            self.newest_of_priorities(i64::MAX, 1)?;
            self.unprioritised()?;
            return self.newest_of_priorities(-1, i64::MIN);
        }
        let topic: &'s FetchTopic = self.topic;
        let above = select!(
            ExternalTask,
            "external_task INDEXED BY external_task_prioritised WHERE topic = ?1 AND priority <> 0 AND priority > 0 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) \
             ORDER BY priority DESC, id"
        );
        let below = select!(
            ExternalTask,
            "external_task INDEXED BY external_task_prioritised WHERE topic = ?1 AND priority <> 0 AND priority < 0 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) \
             ORDER BY priority DESC, id"
        );
        self.collect(above, params![topic.name], self.request.max_tasks)?;
        self.unprioritised()?;
        self.collect(below, params![topic.name], self.request.max_tasks)
    }

    /// The newest first within each of the priorities from `highest` to `lowest`: their index has the oldest first, so it
    /// is entered once for each priority.
    fn newest_of_priorities(&mut self, highest: i64, lowest: i64) -> Result<(), StoreError> {
        let topic: &'s FetchTopic = self.topic;
        let of_priority = select!(
            ExternalTask,
            "external_task INDEXED BY external_task_prioritised WHERE topic = ?1 AND priority <> 0 AND priority = ?2 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) ORDER BY id DESC"
        );
        let mut next = self.store.connection().prepare_cached(
            "SELECT priority FROM external_task INDEXED BY external_task_prioritised WHERE topic = ?1 \
             AND priority <> 0 AND priority BETWEEN ?2 AND ?3 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) \
             ORDER BY priority DESC LIMIT 1",
        )?;
        let (mut highest, before) = (highest, self.found.len());
        loop {
            let taken = self.found.len() - before;
            let priority: Option<i64> = next
                .query_row(params![topic.name, lowest, highest], |row| row.get(0))
                .optional()?;
            let Some(priority) = priority.filter(|_| taken < self.request.max_tasks) else {
                return Ok(());
            };
            self.collect(
                of_priority,
                params![topic.name, priority],
                self.request.max_tasks - taken,
            )?;
            let Some(below) = priority.checked_sub(1) else {
                return Ok(());
            };
            highest = below;
        }
    }

    /// The definitions that have a task which nobody has locked, and that the topic wants: one look into the index
    /// for each.
    fn definitions(&self) -> Result<Vec<Id>, StoreError> {
        let mut statement = self.store.connection().prepare_cached(
            "SELECT definition FROM external_task INDEXED BY external_task_free WHERE topic = ?1 AND definition > ?2 \
             AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0) \
             ORDER BY definition LIMIT 1",
        )?;
        let mut definitions = Vec::new();
        let mut last = i64::MIN;
        while let Some(next) = statement
            .query_row(params![self.topic.name, last], |row| row.get(0))
            .optional()?
        {
            last = next;
            if self.wants(Id(next))? {
                definitions.push(Id(next));
            }
        }
        Ok(definitions)
    }

    /// Whether tasks of a definition fit the topic's filters of definitions and tenants (an instance has the tenant
    /// of its definition).
    fn wants(&self, id: Id) -> Result<bool, StoreError> {
        let topic = self.topic;
        if topic.definitions.as_ref().is_some_and(|wanted| !wanted.contains(&id)) {
            return Ok(false);
        }
        if topic.definition_keys.is_none()
            && topic.version_tag.is_none()
            && topic.tenants.is_none()
            && !topic.without_tenant
        {
            return Ok(true);
        }
        let Some(definition) = self.store.definition(id)? else {
            return Ok(false);
        };
        self.wants_definition(&definition)
    }

    fn wants_definition(&self, definition: &Arc<Definition>) -> Result<bool, StoreError> {
        let (topic, row) = (self.topic, &definition.row);
        let key = topic
            .definition_keys
            .as_ref()
            .is_none_or(|keys| keys.contains(&row.key));
        let tenant = match (&row.tenant, &topic.tenants) {
            (Some(_), _) if topic.without_tenant => false,
            (Some(tenant), Some(wanted)) => wanted.contains(tenant),
            (None, Some(_)) => false,
            (_, None) => true,
        };
        if !key || !tenant {
            return Ok(false);
        }
        let Some(pattern) = &topic.version_tag else {
            return Ok(true);
        };
        let mut like = self.store.connection().prepare_cached("SELECT ifnull(?1 LIKE ?2, 0)")?;
        Ok(like.query_row(params![row.version_tag, pattern], |row| row.get(0))?)
    }

    /// Reads tasks until `limit` of them fit.
    fn collect(&mut self, sql: &str, params: impl Params, limit: usize) -> Result<(), StoreError> {
        let mut statement = self.store.connection().prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut left = limit;
        while left > 0
            && let Some(row) = rows.next()?
        {
            let task = ExternalTask::from_row(row)?;
            if !(self.reserved)(task.instance) && self.wants(task.definition)? && self.has_variable(task.instance)? {
                self.found.push(task);
                left -= 1;
            }
        }
        Ok(())
    }

    /// Whether an instance has one of the topic's `processVariables`.
    fn has_variable(&self, instance: Id) -> Result<bool, StoreError> {
        let wanted = &self.topic.process_variables;
        if wanted.is_empty() {
            return Ok(true);
        }
        let alternatives = vec!["(name = ? AND value_type = ? AND value IS ?)"; wanted.len()].join(" OR ");
        let sql = format!("SELECT EXISTS (SELECT 1 FROM variable WHERE scope = ? AND ({alternatives}))");
        let mut parameters = vec![instance.0.to_sql()?];
        for (name, value) in wanted {
            parameters.push(name.to_sql()?);
            parameters.push(ToSqlOutput::from(type_code(value)));
            parameters.push(ToSqlOutput::Borrowed(scalar(value)));
        }
        let mut statement = self.store.connection().prepare_cached(&sql)?;
        Ok(statement.query_row(params_from_iter(parameters), |row| row.get(0))?)
    }
}
