//! The tables: for each row of the machine its columns, and how it is read and written. The read side of REST selects
//! [`Table::COLUMNS`] and gives the result to [`Table::from_row`].

use handoff_machine::row::{
    Attachment, Batch, Comment, DecisionRow, DedupeKey, DefinitionRow, Deployment, EventSubscription, Execution,
    ExternalTask, ExternalTaskLog, HistoricActivity, HistoricBatch, HistoricDecision, HistoricDetail, HistoricIncident,
    HistoricInstance, HistoricTask, HistoricVariable, IdentityLink, IdentityLinkLog, Incident, Instance, Job,
    JobDefinition, JobLog, RequirementsRow, Resource, UserOperation, UserTask, Variable,
};
use rusqlite::{Result, Row};

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
    DecisionRow in "decision":
    id("id"), key("key"), version("version"), name("name"), category("category"), deployment("deployment"),
    resource("resource"), tenant("tenant"), version_tag("version_tag"), history_time_to_live("history_time_to_live"),
    requirements("requirements"), requirements_key("requirements_key"),
);

table!(
    RequirementsRow in "requirements":
    id("id"), key("key"), version("version"), name("name"), category("category"), deployment("deployment"),
    resource("resource"), tenant("tenant"),
);

table!(
    HistoricDecision in "historic_decision":
    id("id"), decision("decision"), decision_key("decision_key"), decision_name("decision_name"),
    requirements("requirements"), requirements_key("requirements_key"), time("time"),
    place("instance" "root" "definition" "definition_key" "execution" "activity"), root_decision("root_decision"),
    collected("collected"), inputs("inputs"), outputs("outputs"), user("user"), tenant("tenant"),
    removal_time("removal_time"),
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
    state("state" "flows"), start_time("start_time"), suspended("suspended"), entered_as("entered_as"),
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
    entered_as("entered_as"),
);

table!(
    Job in "job":
    id("id"), kind("kind" "repeat" "batch"), definition("definition"), definition_key("definition_key"),
    job_definition("job_definition"), instance("instance"), execution("execution"), activity("activity"), created("created"), due("due"), retries("retries"),
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
    id("id"), place("instance" "execution" "definition" "activity" "entered_as"), name("name"), description("description"),
    assignee("assignee"), owner("owner"), delegation("delegation"), parent("parent"), priority("priority"),
    created("created"), updated("updated"), due("due"), follow_up("follow_up"),
    suspended("suspended"), tenant("tenant"),
);

table!(
    IdentityLink in "identity_link":
    id("id"), task("task"), user("user_id"), group("group_id"), kind("kind"),
);

table!(
    Attachment in "attachment":
    id("id"), task("task"), instance("instance"), root("root"), user("user_id"), time("time"), name("name"),
    description("description"), kind("kind"), url("url"),
);

table!(
    Comment in "comment":
    id("id"), task("task"), instance("instance"), root("root"), user("user_id"), time("time"), message("message"),
);

table!(
    Incident in "incident":
    id("id"), kind("kind"), time("time"), instance("instance"), execution("execution"), definition("definition"),
    activity("activity"), failed_activity("failed_activity"), cause("cause"), root_cause("root_cause"),
    configuration("configuration"), custom("custom"), message("message"), annotation("annotation"), tenant("tenant"),
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
    delete_reason("delete_reason"), state("state"), start_user("start_user"), restarted("restarted"),
    removal_time("removal_time"),
);

table!(
    HistoricActivity in "historic_activity":
    id("id"), parent("parent"), parent_activity("parent_activity"), instance("instance"), root("root"),
    definition("definition"), definition_key("definition_key"), activity("activity"), activity_name("activity_name"),
    activity_type("activity_type"), task("task"), assignee("assignee"), called_instance("called_instance"),
    start_time("start_time"), end_time("end_time"), canceled("canceled"), complete_scope("complete_scope"),
    tenant("tenant"), removal_time("removal_time"), entered_as("entered_as"),
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
        "id" "instance" "execution" "definition" "activity" "entered_as" "name" "description" "assignee" "owner"
        "delegation" "parent" "priority" "created" "updated" "due" "follow_up" "suspended" "tenant"
    ),
    root("root"), definition_key("definition_key"), end_time("end_time"), delete_reason("delete_reason"),
    removal_time("removal_time"),
);

table!(
    HistoricIncident in "historic_incident":
    incident(
        "id" "kind" "time" "instance" "execution" "definition" "activity" "failed_activity" "cause" "root_cause"
        "configuration" "custom" "message" "annotation" "tenant"
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
        "entered_as"
    ),
    state("log_state"), removal_time("removal_time"),
);

table!(
    JobLog in "job_log":
    id("id"), time("time"), root("root"),
    job(
        "job" "kind" "repeat" "batch" "definition" "definition_key" "job_definition" "instance" "execution" "activity"
        "created" "due" "retries" "failures" "exclusive" "priority" "suspended" "tenant" "exception_message" "exception_stacktrace"
        "failed_activity"
    ),
    deployment("deployment"), state("log_state"), removal_time("removal_time"),
);

table!(
    JobDefinition in "job_definition":
    id("id"), definition("definition"), definition_key("definition_key"), deployment("deployment"),
    activity("activity"), job_type("job_type"), configuration("configuration"), suspended("suspended"),
    priority("priority"), tenant("tenant"),
);

table!(
    Batch in "batch":
    id("id"), kind("kind"), work("work"), total_jobs("total_jobs"), jobs_created("jobs_created"),
    jobs_per_seed("jobs_per_seed"), invocations_per_job("invocations_per_job"), seed_definition("seed_definition"),
    monitor_definition("monitor_definition"), job_definition("job_definition"), suspended("suspended"),
    tenant("tenant"), start_time("start_time"), execution_start("execution_start"), user("user"),
);

table!(
    HistoricBatch in "historic_batch":
    batch(
        "id" "kind" "work" "total_jobs" "jobs_created" "jobs_per_seed" "invocations_per_job" "seed_definition"
        "monitor_definition" "job_definition" "suspended" "tenant" "start_time" "execution_start" "user"
    ),
    end_time("end_time"), removal_time("removal_time"),
);

table!(
    HistoricDetail in "historic_detail":
    id("id"), kind("kind"), instance("instance"), root("root"), definition("definition"),
    definition_key("definition_key"), scope("scope"), scope_activity("scope_activity"), task("task"),
    variable("variable"), name("name"), value("value_type" "value" "value_meta"), revision("revision"), time("time"),
    initial("initial"), tenant("tenant"), removal_time("removal_time"),
);

table!(
    UserOperation in "user_operation":
    id("id"), operation("operation"), time("time"), user("user"), operation_type("operation_type"),
    entity_type("entity_type"), category("category"), property("property"), old_value("old_value"),
    new_value("new_value"), definition("definition"), definition_key("definition_key"), deployment("deployment"),
    instance("instance"), root("root"), execution("execution"), task("task"), job("job"),
    job_definition("job_definition"), external_task("external_task"), batch("batch"), annotation("annotation"),
    tenant("tenant"), removal_time("removal_time"),
);

table!(
    IdentityLinkLog in "identity_link_log":
    id("id"), time("time"), kind("kind"), user("user"), group("group_id"), task("task"), instance("instance"),
    root("root"), definition("definition"), definition_key("definition_key"), added("added"), assigner("assigner"),
    tenant("tenant"), removal_time("removal_time"),
);
