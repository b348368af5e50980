//! Who waits for a message or a signal: by name, and by what the instance has.

use handoff_machine::Value;
use handoff_machine::row::{EventKind, EventSubscription};
use handoff_machine::view::{Seen, SubscriptionQuery, Tenant};
use rusqlite::params_from_iter;
use rusqlite::types::ToSqlOutput;

use super::{StoreView, limit_column, tenant_column};
use crate::store::field::Code as _;
use crate::store::row::Table as _;
use crate::store::value::{scalar, type_code};

/// Up to here the order of the found is made after they are found, so that two candidates of a million are found
/// without sorting the million.
const SORTED_AFTERWARDS: usize = 2;

/// A statement in the making.
struct Sql<'q> {
    text: String,
    parameters: Vec<ToSqlOutput<'q>>,
}

impl<'q> Sql<'q> {
    fn bind(&mut self, condition: &str, parameter: impl Into<ToSqlOutput<'q>>) {
        self.text.push_str(condition);
        self.parameters.push(parameter.into());
    }

    /// A variable of this name with this very type and value, in the scope that a column of `s` says.
    fn has_variable(&mut self, scope: &str, name: &'q str, value: &'q Value) {
        self.bind(
            &format!(" AND EXISTS (SELECT 1 FROM variable v WHERE v.scope = s.{scope} AND v.name = ?"),
            name,
        );
        self.bind(" AND v.value_type = ?", type_code(value));
        self.text.push_str(" AND v.value IS ?)");
        self.parameters.push(ToSqlOutput::Borrowed(scalar(value)));
    }
}

impl StoreView<'_> {
    pub(super) fn find_waiting(&self, query: &SubscriptionQuery<'_>) -> Seen<Vec<EventSubscription>> {
        let sql = waiting(query);
        let mut found: Vec<EventSubscription> = self.list(&sql.text, params_from_iter(sql.parameters))?;
        found.sort_unstable_by_key(|subscription| subscription.id);
        Ok(found)
    }

    pub(super) fn find_start_subscriptions(
        &self,
        kind: EventKind,
        name: &str,
        tenant: &Tenant,
    ) -> Seen<Vec<EventSubscription>> {
        self.list(
            super::select!(
                EventSubscription,
                "event_subscription WHERE name = ?1 AND kind = ?2 AND instance IS NULL AND (?4 OR tenant IS ?3) ORDER BY id"
            ),
            rusqlite::params![name, kind.code(), tenant_column(tenant), *tenant == Tenant::Any],
        )
    }
}

fn waiting<'q>(query: &SubscriptionQuery<'q>) -> Sql<'q> {
    let columns = EventSubscription::COLUMNS
        .split(", ")
        .map(|column| format!("s.{column}"))
        .collect::<Vec<_>>();
    let mut sql = Sql {
        text: format!("SELECT {} FROM event_subscription s", columns.join(", ")),
        parameters: Vec::new(),
    };
    // A sign keeps SQLite from using the index of a column where another one says more.
    match query.instance {
        Some(instance) => {
            sql.bind(" WHERE s.instance = ?", instance.0);
            sql.bind(" AND +s.name = ?", query.name);
            sql.bind(" AND +s.kind = ?", query.kind.code());
        }
        None => {
            sql.bind(" WHERE s.instance IS NOT NULL AND s.name = ?", query.name);
            sql.bind(" AND s.kind = ?", query.kind.code());
        }
    }
    if let Some(business_key) = query.business_key {
        sql.bind(" AND s.business_key = ?", business_key);
    }
    match query.tenant {
        Tenant::Any => {}
        Tenant::None => sql.text.push_str(" AND s.tenant IS NULL"),
        Tenant::Is(tenant) => sql.bind(" AND s.tenant = ?", tenant.as_str()),
    }
    for (name, value) in query.correlation_keys {
        sql.has_variable("instance", name, value);
    }
    for (name, value) in query.local_correlation_keys {
        sql.has_variable("execution", name, value);
    }
    sql.text
        .push_str(" AND (SELECT p.suspended FROM process_instance p WHERE p.id = s.instance) = 0");
    if query.limit > SORTED_AFTERWARDS {
        sql.text.push_str(" ORDER BY s.id");
    }
    sql.bind(" LIMIT ?", limit_column(query.limit));
    sql
}
