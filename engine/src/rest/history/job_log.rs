//! `/history/job-log`

use axum::response::IntoResponse;
use handoff_machine::row::{JobDefinition, JobKind, JobLog, LogState};
use http::header;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;
use crate::rest::job::batch_of;

const ORDERS: &[(&str, &str)] = &[
    ("timestamp", "time"),
    ("jobId", "job"),
    ("jobDueDate", "ifnull(due, created)"),
    ("jobRetries", "retries"),
    ("jobPriority", "priority"),
    ("jobDefinitionId", "definition, activity"),
    ("activityId", "activity"),
    ("executionId", "execution"),
    ("processInstanceId", "instance"),
    ("processDefinitionId", "definition"),
    ("processDefinitionKey", "definition_key"),
    ("deploymentId", "deployment"),
    ("occurrence", "id"),
    ("tenantId", "tenant"),
];

history!(
    "/history/job-log",
    JobLog,
    ORDERS,
    "Historic job log with id {} does not exist"
);

fn more() -> Router<Api> {
    Router::new().route("/history/job-log/{id}/stacktrace", get(stacktrace))
}

async fn stacktrace(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let row = api
        .read(move |reader| Select::<JobLog>::by_id(reader.connection, key))
        .await?;
    let row = row.ok_or_else(|| RestError::unknown(format!("No historic job log found with id {id}")))?;
    let trace = row.job.exception_stacktrace.unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain")], trace).into_response())
}

fn dto(reader: &Reader<'_>, row: &JobLog, _: &Params) -> Result<Json> {
    let (ids, job) = (reader.ids, &row.job);
    let removal = reader.removal_time(row.removal_time, job.instance)?;
    let (kind, configuration) = match job.kind {
        JobKind::AsyncContinuation => ("async-continuation", "transition-create-scope"),
        JobKind::Timer { .. } => ("timer-intermediate-transition", ""),
        JobKind::TimerStart { .. } => ("timer-start-event", ""),
        JobKind::Event { .. } => ("event", ""),
        JobKind::Timed { .. } | JobKind::BatchSeed { .. } | JobKind::Batch { .. } => (job.activity.as_str(), ""),
        JobKind::TaskTimeout { .. } => ("timer-task-listener", ""),
    };
    let known = match job.job_definition {
        Some(id) => Select::<JobDefinition>::by_id(reader.connection, id)?,
        None => None,
    };
    let kind = known.as_ref().map_or(kind, |known| known.job_type.as_str());
    let configuration = known
        .as_ref()
        .and_then(|known| known.configuration.as_deref())
        .unwrap_or(configuration);
    Ok(json!({
        "id": ids.text(row.id),
        "timestamp": date::format(row.time),
        "removalTime": removal.map(date::format),
        "jobId": ids.text(job.id),
        "jobDueDate": date::format(job.due.unwrap_or(job.created)),
        "jobRetries": job.retries,
        "jobPriority": job.priority,
        "jobExceptionMessage": job.exception_message,
        "failedActivityId": job.failed_activity,
        "jobDefinitionId": ids.json_opt(job.job_definition),
        "jobDefinitionType": kind,
        "jobDefinitionConfiguration": configuration,
        "activityId": job.activity,
        "executionId": ids.json_opt(job.execution),
        "processInstanceId": ids.json_opt(job.instance),
        "processDefinitionId": reader.definition_id_opt(job.definition)?,
        "processDefinitionKey": job.definition_key,
        "deploymentId": ids.json_opt(row.deployment),
        "rootProcessInstanceId": ids.json_opt(row.root),
        "hostname": null,
        "tenantId": job.tenant,
        "batchId": ids.json_opt(batch_of(job)),
        "creationLog": row.state == LogState::Created,
        "failureLog": row.state == LogState::Failed,
        "successLog": row.state == LogState::Successful,
        "deletionLog": row.state == LogState::Deleted,
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<JobLog>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("logId"))
        .with("job = ?", of.id("jobId"))
        .with("job_definition = ?", of.id("jobDefinitionId"))
        .with("batch = ?", of.id("batchId"))
        .with("exception_message = ?", of.text("jobExceptionMessage"))
        .within("activity IN (SELECT value FROM json_each(?))", of.list("activityIdIn")?)
        .within(
            "failed_activity IN (SELECT value FROM json_each(?))",
            of.list("failedActivityIdIn")?,
        )
        .within(
            "execution IN (SELECT value FROM json_each(?))",
            of.ids("executionIdIn")?,
        )
        .with("instance = ?", of.id("processInstanceId"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("deployment = ?", of.id("deploymentId"))
        .with("priority >= ?", of.integer("jobPriorityHigherThanOrEquals")?)
        .with("priority <= ?", of.integer("jobPriorityLowerThanOrEquals")?)
        .only_if(of.is("creationLog"), "log_state = 0")
        .only_if(of.is("failureLog"), "log_state = 1")
        .only_if(of.is("successLog"), "log_state = 2")
        .only_if(of.is("deletionLog"), "log_state = 3")
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
