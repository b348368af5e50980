//! A SELECT that is built from constant parts and bound values.

use std::borrow::Cow;
use std::marker::PhantomData;

use handoff_machine::row::{
    Attachment, Batch, Comment, DecisionRow, DefinitionRow, Deployment, EventSubscription, Execution, ExternalTask,
    ExternalTaskLog, HistoricActivity, HistoricBatch, HistoricDecision, HistoricDetail, HistoricIncident,
    HistoricInstance, HistoricTask, HistoricVariable, IdentityLink, IdentityLinkLog, Incident, Instance, Job,
    JobDefinition, JobLog, RequirementsRow, UserOperation, UserTask, Variable,
};
use http::StatusCode;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value as Json;

use super::params::{Criteria, Page, Params};
use crate::rest::error::{RestError, Result};
use crate::store::row::Table;

/// A value bound to a statement.
pub(crate) type Bound = SqlValue;

/// The most orders of one result.
const ORDERS_MAX: usize = 50;

/// The most rows of one answer. A query for all that would give more is refused, never cut silently.
const ROWS_MAX: i64 = 50_000;

/// A row whose table has a name that conditions can use.
pub(crate) trait Stored: Table {
    /// The name of the table, or of a view.
    const TABLE: &'static str;
    /// What orders its rows as their ids do, by a key.
    const KEY: &'static str = "id";
    /// The condition of a row by its id, which is bound to each `?`, by a key.
    const BY_ID: &'static str = "id = ?";
}

macro_rules! stored {
    ($($row:ident in $table:literal),+ $(,)?) => {
        $(impl Stored for $row { const TABLE: &'static str = $table; })+
    };
}

stored!(
    Deployment in "deployment",
    DefinitionRow in "definition",
    DecisionRow in "decision",
    RequirementsRow in "requirements",
    HistoricDecision in "historic_decision",
    Instance in "process_instance",
    Execution in "execution",
    Variable in "variable",
    ExternalTask in "external_task",
    Job in "job",
    EventSubscription in "event_subscription",
    UserTask in "task",
    IdentityLink in "identity_link",
    Attachment in "attachment",
    Comment in "comment",
    Incident in "incident",
    HistoricInstance in "historic_instance",
    HistoricActivity in "historic_activity",
    HistoricVariable in "historic_variable",
    HistoricTask in "historic_task",
    HistoricIncident in "historic_incident",
    ExternalTaskLog in "external_task_log",
    JobLog in "job_log",
    JobDefinition in "job_definition",
    Batch in "batch",
    HistoricBatch in "historic_batch",
    UserOperation in "user_operation",
    IdentityLinkLog in "identity_link_log",
);

/// The first detail of a variable is in the variable's row, and its id right behind the variable's.
impl Stored for HistoricDetail {
    const TABLE: &'static str = "historic_details";
    const KEY: &'static str = "holder";
    const BY_ID: &'static str = "id = ? AND holder BETWEEN ? - 1 AND ?";
}

/// A SELECT over one table. Conditions are joined by AND.
#[derive(Debug)]
pub(crate) struct Select<T> {
    /// Composed of constant parts alone.
    conditions: Vec<Cow<'static, str>>,
    bound: Vec<Bound>,
    order: Vec<(&'static str, bool)>,
    /// What the orders bind, in their order.
    order_bound: Vec<Bound>,
    page: Page,
    row: PhantomData<fn() -> T>,
}

impl<T: Stored> Select<T> {
    /// All rows, in the order of their creation.
    pub(crate) fn new() -> Self {
        Self {
            conditions: Vec::new(),
            bound: Vec::new(),
            order: Vec::new(),
            order_bound: Vec::new(),
            page: Page::default(),
            row: PhantomData,
        }
    }

    /// The row of an id.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn by_id(connection: &Connection, id: handoff_machine::Id) -> Result<Option<T>> {
        let mut select = Self::new();
        let marks = T::BY_ID.matches('?').count();
        select.with_all(T::BY_ID, std::iter::repeat_n(id.0.into(), marks));
        Ok(select.rows(connection)?.pop())
    }

    /// Only rows of this condition, which binds nothing.
    pub(crate) fn only(&mut self, condition: &'static str) -> &mut Self {
        self.conditions.push(condition.into());
        self
    }

    /// Only rows of this condition, where `wanted`.
    pub(crate) fn only_if(&mut self, wanted: bool, condition: &'static str) -> &mut Self {
        if wanted { self.only(condition) } else { self }
    }

    /// Only rows of this condition, with one `?`, if there is a value for it.
    pub(crate) fn with(&mut self, condition: &'static str, value: Option<impl Into<Bound>>) -> &mut Self {
        if let Some(value) = value {
            self.conditions.push(condition.into());
            self.bound.push(value.into());
        }
        self
    }

    /// Only rows of this condition, with as many `?` as there are values.
    pub(crate) fn with_all(&mut self, condition: &'static str, values: impl IntoIterator<Item = Bound>) -> &mut Self {
        self.conditions.push(condition.into());
        self.bound.extend(values);
        self
    }

    /// As [`Self::with_all`], if there are values.
    pub(crate) fn with_all_if<const N: usize>(
        &mut self,
        values: Option<[Bound; N]>,
        condition: &'static str,
    ) -> &mut Self {
        match values {
            Some(values) => self.with_all(condition, values),
            None => self,
        }
    }

    /// Only rows of the tenants that a query names by `tenantIdIn`, with those of none where `or_without` says so; or, by
    /// `withoutTenantId`, only those.
    ///
    /// # Errors
    /// 400: no list.
    pub(crate) fn of_tenants(&mut self, of: &Criteria<'_>, or_without: &str) -> Result<&mut Self> {
        match (of.list("tenantIdIn")?, of.is(or_without)) {
            (Some(tenants), true) => self.within(
                "(tenant IS NULL OR tenant IN (SELECT value FROM json_each(?)))",
                Some(tenants),
            ),
            (tenants, _) => self.within("tenant IN (SELECT value FROM json_each(?))", tenants),
        };
        Ok(self.only_if(of.is("withoutTenantId"), "tenant IS NULL"))
    }

    /// Only rows of this condition, with one `?` for a JSON array: `x IN (SELECT value FROM json_each(?))`.
    pub(crate) fn within<V: serde::Serialize>(&mut self, condition: &'static str, values: Option<Vec<V>>) -> &mut Self {
        if let Some(values) = values {
            self.conditions.push(condition.into());
            self.bound.push(Bound::Text(
                serde_json::to_string(&values).unwrap_or_else(|_| "[]".into()),
            ));
        }
        self
    }

    /// Only rows of any condition of another SELECT; all rows where that has none.
    pub(crate) fn any_of(&mut self, other: Self) -> &mut Self {
        if !other.conditions.is_empty() {
            self.conditions.push(joined(&other.conditions, "OR").into());
            self.bound.extend(other.bound);
        }
        self
    }

    /// Orders and cuts as the parameters say. `columns` are the orders that there are.
    ///
    /// # Errors
    /// 400: an unknown order, or a page that is none.
    pub(crate) fn arranged(&mut self, params: &Params, columns: &[(&str, &'static str)]) -> Result<&mut Self> {
        self.arranged_also(params, columns, |_, _| Ok(None))
    }

    /// As [`Self::arranged`], with orders that bind values: `also` gives those of a name, by its parameters.
    ///
    /// # Errors
    /// As [`Self::arranged`], and those of `also`.
    pub(crate) fn arranged_also(
        &mut self,
        params: &Params,
        columns: &[(&str, &'static str)],
        also: impl Fn(&str, &Json) -> Result<Option<(&'static str, Vec<Bound>)>>,
    ) -> Result<&mut Self> {
        let sortings = params.sorting()?;
        if sortings.len() > ORDERS_MAX {
            return Err(RestError::invalid(format!(
                "'sorting' may list at most {ORDERS_MAX} orders"
            )));
        }
        for sorting in sortings {
            let by = sorting.by.as_deref().unwrap_or_default();
            let known = match columns.iter().find(|(name, _)| *name == by) {
                Some((_, column)) => Some((*column, Vec::new())),
                // A query string has no parameters.
                None if params.is_typed() => also(by, &sorting.parameters)?,
                None => None,
            };
            match (known, sorting.descending) {
                (Some((column, bound)), Some(descending)) => {
                    self.order.push((column, descending));
                    self.order_bound.extend(bound);
                }
                (Some(_), None) => {
                    return Err(not_valid(
                        "Invalid query: call asc() or desc() after using orderByXX(): direction is null. sortOrder is 'asc' or 'desc'",
                    ));
                }
                (None, Some(_)) if params.is_typed() => {
                    return Err(not_valid(format!(
                        "You should call any of the orderBy methods first before specifying a direction: \
                         currentOrderingProperty is null. There is no sortBy '{by}'"
                    )));
                }
                (None, Some(_)) => {
                    return Err(RestError::invalid(format!(
                        "Cannot set query parameter 'sortBy' to value '{by}'"
                    )));
                }
                // Neither is there: as good as no order.
                (None, None) => {}
            }
        }
        self.page = params.page()?;
        Ok(self)
    }

    /// Orders by a column before all else.
    pub(crate) fn ordered(&mut self, column: &'static str, descending: bool) -> &mut Self {
        self.order.push((column, descending));
        self
    }

    /// At most so many rows.
    pub(crate) fn limited(&mut self, max: i64) -> &mut Self {
        self.page.max = Some(max);
        self
    }

    fn where_clause(&self) -> String {
        if self.conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", joined(&self.conditions, "AND"))
        }
    }

    fn sql(&self) -> String {
        let mut order = String::new();
        for (column, descending) in &self.order {
            order.push_str(column);
            order.push_str(if *descending { " DESC, " } else { ", " });
        }
        let (columns, table, key, conditions) = (T::COLUMNS, T::TABLE, T::KEY, self.where_clause());
        // SQLite merges the halves of a view in an order only if what orders them is selected too.
        format!(
            "SELECT {columns}, {table}.{key} FROM {table}{conditions} ORDER BY {order}{table}.{key} LIMIT ? OFFSET ?"
        )
    }

    /// The rows.
    ///
    /// # Errors
    /// 400 where there are more than [`ROWS_MAX`] and no page was asked for; 500 where the store fails.
    pub(crate) fn rows(&self, connection: &Connection) -> Result<Vec<T>> {
        let wanted = self.page.max.unwrap_or(i64::MAX).max(0);
        let limit = wanted.min(ROWS_MAX + 1);
        let page = [
            Bound::Integer(limit),
            Bound::Integer(self.page.first.unwrap_or(0).max(0)),
        ];
        let mut statement = connection.prepare_cached(&self.sql())?;
        let rows = statement.query_map(
            params_from_iter(self.bound.iter().chain(&self.order_bound).chain(&page)),
            T::from_row,
        )?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        if rows.len() > ROWS_MAX as usize {
            let message = format!("Max results limit of {ROWS_MAX} exceeded! Ask for a page with maxResults");
            return Err(RestError::of_engine(
                StatusCode::BAD_REQUEST,
                "BadUserRequestException",
                message,
            ));
        }
        Ok(rows)
    }

    /// The ids of the rows, whatever the page; at most `max`.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn ids(&self, connection: &Connection, max: usize) -> Result<Vec<handoff_machine::Id>> {
        let (table, key, conditions) = (T::TABLE, T::KEY, self.where_clause());
        let sql = format!("SELECT {table}.id FROM {table}{conditions} ORDER BY {table}.{key} LIMIT {max}");
        let mut statement = connection.prepare_cached(&sql)?;
        let ids = statement.query_map(params_from_iter(&self.bound), |row| row.get(0).map(handoff_machine::Id))?;
        Ok(ids.collect::<rusqlite::Result<Vec<_>>>()?)
    }

    /// The different texts of a column, in their order.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn distinct(&self, connection: &Connection, column: &'static str) -> Result<Vec<String>> {
        let (table, conditions) = (T::TABLE, self.where_clause());
        let sql = format!("SELECT DISTINCT {column} FROM {table}{conditions} ORDER BY {column} LIMIT {ROWS_MAX}");
        let mut statement = connection.prepare_cached(&sql)?;
        let texts = statement.query_map(params_from_iter(&self.bound), |row| row.get(0))?;
        Ok(texts.collect::<rusqlite::Result<Vec<_>>>()?)
    }

    /// How many rows there are, whatever the page.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(crate) fn count(&self, connection: &Connection) -> Result<i64> {
        let sql = format!("SELECT count(*) FROM {}{}", T::TABLE, self.where_clause());
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_row(params_from_iter(&self.bound), |row| row.get(0))?)
    }
}

/// 400 `NotValidException`
fn not_valid(message: impl Into<String>) -> RestError {
    RestError::of_engine(StatusCode::BAD_REQUEST, "NotValidException", message)
}

/// Conditions as one, in halves of halves: SQLite bounds how deep an expression is, and takes a plain chain for one as deep
/// as it is long.
fn joined(conditions: &[Cow<'static, str>], by: &str) -> String {
    match conditions {
        [] => "true".to_owned(),
        [one] => format!("({one})"),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            format!("({} {by} {})", joined(left, by), joined(right, by))
        }
    }
}

/// A pattern of Camunda (`%`, `_`, escaped by `\`) as one of SQLite's GLOB, which minds upper and lower case as Camunda's
/// databases do.
pub(crate) fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len() + 4);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match if c == '\\' {
            chars.next().map(|c| (c, true))
        } else {
            Some((c, false))
        } {
            Some(('%', false)) => glob.push('*'),
            Some(('_', false)) => glob.push('?'),
            Some((c @ ('*' | '?' | '['), _)) => glob.extend(['[', c, ']']),
            Some((c, _)) => glob.push(c),
            None => glob.push('\\'),
        }
    }
    glob
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(include_str!("../../store/schema/v1.sql"))
            .unwrap();
        for (id, name) in [(1, "b"), (2, "a"), (3, "c"), (4, "a")] {
            connection
                .execute("INSERT INTO deployment VALUES (?, ?, NULL, NULL, 0)", (id, name))
                .unwrap();
        }
        connection
    }

    fn ids(query: &str) -> Result<Vec<i64>> {
        let params = Params::from_query(query);
        let mut select = Select::<Deployment>::new();
        select.with("name = ?", params.text("name"));
        select.within("name IN (SELECT value FROM json_each(?))", params.list("nameIn")?);
        select.arranged(&params, &[("name", "name")])?;
        Ok(select.rows(&table())?.into_iter().map(|row| row.id.0).collect())
    }

    #[test]
    fn criteria_order_and_page() {
        assert_eq!(ids("").unwrap(), [1, 2, 3, 4]);
        assert_eq!(ids("name=a").unwrap(), [2, 4]);
        assert_eq!(ids("nameIn=b,c").unwrap(), [1, 3]);
        assert_eq!(
            ids("sortBy=name&sortOrder=desc").unwrap(),
            [3, 1, 2, 4],
            "equal ones in the order of creation"
        );
        assert_eq!(ids("firstResult=1&maxResults=2").unwrap(), [2, 3]);
        assert_eq!(ids("maxResults=0").unwrap(), [0; 0]);
        assert_eq!(
            ids("name=' OR 1=1 --").unwrap(),
            [0; 0],
            "what a request says is only ever compared"
        );
    }

    #[test]
    fn an_unknown_order_is_refused() {
        assert_eq!(
            ids("sortBy=id;drop&sortOrder=asc").unwrap_err().message,
            "Cannot set query parameter 'sortBy' to value 'id;drop'"
        );
    }

    #[test]
    fn patterns_mind_the_case_and_nothing_else() {
        assert_eq!(glob("a%b_c"), "a*b?c");
        assert_eq!(glob(r"50\% [x] *"), "50% [[]x] [*]");
    }

    #[test]
    fn count_does_not_know_the_page() {
        let mut select = Select::<Deployment>::new();
        select.arranged(&Params::from_query("maxResults=1"), &[]).unwrap();
        assert_eq!(select.count(&table()).unwrap(), 4);
    }
}
