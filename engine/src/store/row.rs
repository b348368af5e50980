//! The tables: for each row of the machine its columns, and how it is read and written. The read side of REST selects
//! [`Table::COLUMNS`] and gives the result to [`Table::from_row`].

use handoff_machine::row::{
    Comment, DedupeKey, DefinitionRow, Deployment, EventSubscription, Execution, ExternalTask, ExternalTaskLog,
    HistoricActivity, HistoricIncident, HistoricInstance, HistoricTask, HistoricVariable, IdentityLink, Incident,
    Instance, Job, JobLog, Resource, UserTask, Variable,
};
use rusqlite::{Connection, Result, Row};

use super::field::{Binder, Cursor, Field};

/// A row with a table of its own.
pub trait Table: Field {
    /// Its columns, in the order in which [`Field::read`] takes them.
    const COLUMNS: &'static str;
    /// The statement that inserts it.
    const INSERT: &'static str;

    /// Reads a row that was selected by [`Table::COLUMNS`].
    ///
    /// # Errors
    /// A column holds what nothing has written.
    fn from_row(row: &Row<'_>) -> Result<Self> {
        Self::read(&mut Cursor::new(row, 0))
    }

    /// Inserts the row.
    ///
    /// # Errors
    /// SQLite refuses it.
    fn insert(&self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare_cached(Self::INSERT)?;
        self.bind(&mut Binder::new(&mut statement))?;
        statement.raw_execute().map(drop)
    }
}

/// `"a" "b"` → `"a, b"`
macro_rules! join {
    ($first:literal $($rest:literal)*) => { concat!($first $(, ", ", $rest)*) };
}

/// One `?` for each.
macro_rules! marks {
    ($first:literal $($rest:literal)*) => { concat!("?" $(, mark!($rest))*) };
}

macro_rules! mark {
    ($column:literal) => {
        ", ?"
    };
}

/// `Row in "table": field("column" …), …`, where a field may have several columns.
macro_rules! table {
    ($row:ident in $table:literal: $($field:ident($($column:literal)+)),+ $(,)?) => {
        impl Field for $row {
            fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
                // A struct expression evaluates its fields in the order in which they are written.
                Ok(Self { $($field: Field::read(from)?),+ })
            }

            fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
                $(self.$field.bind(to)?;)+
                Ok(())
            }
        }

        impl Table for $row {
            const COLUMNS: &'static str = join!($($($column)+)+);
            const INSERT: &'static str = concat!(
                "INSERT INTO ", $table, " (", join!($($($column)+)+), ") VALUES (", marks!($($($column)+)+), ")"
            );
        }
    };
}

table!(
    Deployment in "deployment":
    id("id"), name("name"), source("source"), tenant("tenant"), time("time"),
);

table!(
    Resource in "resource":
    id("id"), deployment("deployment"), name("name"), bytes("bytes"),
);

table!(
    DefinitionRow in "definition":
    id("id"), key("key"), version("version"), name("name"), category("category"), description("description"),
    deployment("deployment"), resource("resource"), tenant("tenant"), version_tag("version_tag"),
    history_time_to_live("history_time_to_live"), suspended("suspended"),
    startable_in_tasklist("startable_in_tasklist"),
);

table!(
    Instance in "process_instance":
    id("id"), definition("definition"), business_key("business_key"), tenant("tenant"), root("root"),
    super_instance("super_instance"), super_execution("super_execution"), start_time("start_time"),
    suspended("suspended"),
);

table!(
    Execution in "execution":
    id("id"), instance("instance"), definition("definition"), parent("parent"), activity("activity"),
    state("state" "flows"), start_time("start_time"), suspended("suspended"),
);

table!(
    Variable in "variable":
    id("id"), instance("instance"), scope("scope"), name("name"), value("value_type" "value" "value_meta"),
    revision("revision"),
);

table!(
    ExternalTask in "external_task":
    id("id"), instance("instance"), execution("execution"), definition("definition"),
    definition_key("definition_key"), activity("activity"), topic("topic"), priority("priority"), retries("retries"),
    worker("worker"), lock_expiration("lock_expiration"), created("created"), error_message("error_message"),
    error_details("error_details"), suspended("suspended"), tenant("tenant"), business_key("business_key"),
);

table!(
    Job in "job":
    id("id"), kind("kind" "repeat"), definition("definition"), definition_key("definition_key"), instance("instance"),
    execution("execution"), activity("activity"), created("created"), due("due"), retries("retries"),
    failures("failures"), exclusive("exclusive"), priority("priority"), suspended("suspended"), tenant("tenant"),
    exception_message("exception_message"), exception_stacktrace("exception_stacktrace"),
    failed_activity("failed_activity"),
);

table!(
    EventSubscription in "event_subscription":
    id("id"), kind("kind"), name("name"), instance("instance"), execution("execution"), definition("definition"),
    activity("activity"), created("created"), tenant("tenant"), business_key("business_key"),
    configuration("configuration"),
);

table!(
    UserTask in "task":
    id("id"), place("instance" "execution" "definition" "activity"), name("name"), description("description"),
    assignee("assignee"), owner("owner"), delegation("delegation"), parent("parent"), priority("priority"),
    created("created"), updated("updated"), due("due"), follow_up("follow_up"), form_key("form_key"),
    suspended("suspended"), tenant("tenant"),
);

table!(
    IdentityLink in "identity_link":
    id("id"), task("task"), user("user_id"), group("group_id"), kind("kind"),
);

table!(
    Comment in "comment":
    id("id"), task("task"), instance("instance"), root("root"), user("user_id"), time("time"), message("message"),
);

table!(
    Incident in "incident":
    id("id"), kind("kind"), time("time"), instance("instance"), execution("execution"), definition("definition"),
    activity("activity"), failed_activity("failed_activity"), cause("cause"), root_cause("root_cause"),
    configuration("configuration"), message("message"), tenant("tenant"),
);

table!(
    DedupeKey in "dedupe_key":
    tenant("tenant"), key("key"), instance("instance"), definition("definition"), business_key("business_key"),
    created("created"),
);

table!(
    HistoricInstance in "historic_instance":
    id("id"), definition("definition"), definition_key("definition_key"), business_key("business_key"),
    tenant("tenant"), root("root"), super_instance("super_instance"), start_time("start_time"),
    start_activity("start_activity"), end_time("end_time"), end_activity("end_activity"),
    delete_reason("delete_reason"), state("state"), removal_time("removal_time"),
);

table!(
    HistoricActivity in "historic_activity":
    id("id"), parent("parent"), parent_activity("parent_activity"), instance("instance"), root("root"),
    definition("definition"), definition_key("definition_key"), activity("activity"), activity_name("activity_name"),
    activity_type("activity_type"), task("task"), assignee("assignee"), called_instance("called_instance"),
    start_time("start_time"), end_time("end_time"), canceled("canceled"), complete_scope("complete_scope"),
    tenant("tenant"), removal_time("removal_time"),
);

table!(
    HistoricVariable in "historic_variable":
    id("id"), instance("instance"), root("root"), definition("definition"), definition_key("definition_key"),
    scope("scope"), scope_activity("scope_activity"), name("name"), value("value_type" "value" "value_meta"),
    created("created"), deleted("deleted"), revision("revision"), tenant("tenant"), removal_time("removal_time"),
);

table!(
    HistoricTask in "historic_task":
    task(
        "id" "instance" "execution" "definition" "activity" "name" "description" "assignee" "owner" "delegation"
        "parent" "priority" "created" "updated" "due" "follow_up" "form_key" "suspended" "tenant"
    ),
    root("root"), definition_key("definition_key"), end_time("end_time"), delete_reason("delete_reason"),
    removal_time("removal_time"),
);

table!(
    HistoricIncident in "historic_incident":
    incident(
        "id" "kind" "time" "instance" "execution" "definition" "activity" "failed_activity" "cause" "root_cause"
        "configuration" "message" "tenant"
    ),
    root("root"), definition_key("definition_key"), end_time("end_time"), deleted("deleted"), resolved("resolved"),
    removal_time("removal_time"),
);

table!(
    ExternalTaskLog in "external_task_log":
    id("id"), time("time"), root("root"),
    task(
        "task" "instance" "execution" "definition" "definition_key" "activity" "topic" "priority" "retries" "worker"
        "lock_expiration" "created" "error_message" "error_details" "suspended" "tenant" "business_key"
    ),
    state("log_state"), removal_time("removal_time"),
);

table!(
    JobLog in "job_log":
    id("id"), time("time"), root("root"),
    job(
        "job" "kind" "repeat" "definition" "definition_key" "instance" "execution" "activity" "created" "due"
        "retries" "failures" "exclusive" "priority" "suspended" "tenant" "exception_message" "exception_stacktrace"
        "failed_activity"
    ),
    deployment("deployment"), state("log_state"), removal_time("removal_time"),
);
