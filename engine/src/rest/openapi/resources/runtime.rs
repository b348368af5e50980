//! Jobs, incidents, variables, subscriptions.

use super::super::table::{Resource, op};

/// Criteria of jobs.
const JOBS: &str = "\
    jobId jobIds:list processInstanceId processInstanceIds:list executionId processDefinitionId \
    processDefinitionKey activityId failedActivityId executable:bool timers:bool messages:bool \
    withException:bool exceptionMessage withRetriesLeft:bool noRetriesLeft:bool active:bool suspended:bool \
    priorityHigherThanOrEquals:int priorityLowerThanOrEquals:int withoutTenantId:bool tenantIdIn:list \
    includeJobsWithoutTenantId:bool";

/// `JobDto`
const JOB: &str = "\
    id jobDefinitionId processInstanceId processDefinitionId processDefinitionKey executionId \
    exceptionMessage failedActivityId retries:int dueDate:date suspended:bool priority:int tenantId \
    createTime:date batchId";

/// Criteria of incidents.
const INCIDENTS: &str = "\
    incidentId incidentType incidentMessage incidentMessageLike processDefinitionId \
    processDefinitionKeyIn:list processInstanceId processInstanceIdIn:list executionId \
    incidentTimestampBefore:date incidentTimestampAfter:date activityId failedActivityId causeIncidentId \
    rootCauseIncidentId configuration tenantIdIn:list";

/// `IncidentDto`
const INCIDENT: &str = "\
    id processDefinitionId processInstanceId executionId incidentTimestamp:date incidentType activityId \
    failedActivityId causeIncidentId rootCauseIncidentId configuration incidentMessage tenantId \
    jobDefinitionId annotation";

/// Criteria of variables.
const VARIABLES: &str = "\
    variableName variableNameLike variableNameIn:list processInstanceIdIn:list executionIdIn:list \
    activityInstanceIdIn:list taskIdIn:list variableScopeIdIn:list caseInstanceIdIn caseExecutionIdIn \
    batchIdIn tenantIdIn:list variableValues:filters variableNamesIgnoreCase:bool \
    variableValuesIgnoreCase:bool";

/// `VariableInstanceDto`
const VARIABLE: &str = "\
    id name processDefinitionId processInstanceId executionId caseInstanceId caseExecutionId taskId batchId \
    activityInstanceId errorMessage tenantId type value:any valueInfo:obj";

/// Criteria of subscriptions.
const SUBSCRIPTIONS: &str = "\
    eventType eventSubscriptionId eventName executionId processInstanceId activityId tenantIdIn:list \
    includeEventSubscriptionsWithoutTenantId:bool withoutTenantId:bool";

/// `EventSubscriptionDto`
const SUBSCRIPTION: &str = "\
    id eventType eventName executionId processInstanceId activityId createdDate:date tenantId";

pub(super) fn jobs() -> Resource {
    Resource::new("Job")
        .schema("Job", JOB)
        .queries("/job", "Jobs", JOBS, "Job")
        .with(op("GET", "/job/{id}", "A job").gives("Job"))
        .with(op("POST", "/job/{id}/execute", "Executes a job now"))
        .with(op("PUT", "/job/{id}/retries", "Sets the retries of a job").takes("retries!:int"))
        .with(op("PUT", "/job/{id}/duedate", "Sets when a job is due").takes("duedate:date cascade:bool"))
        .with(op("GET", "/job/{id}/stacktrace", "Where a job failed").gives_raw("text/plain"))
}

pub(super) fn incidents() -> Resource {
    Resource::new("Incident")
        .schema("Incident", INCIDENT)
        .list("/incident", "Incidents", INCIDENTS, "Incident")
        .with(op("GET", "/incident/{id}", "An incident").gives("Incident"))
}

pub(super) fn variables() -> Resource {
    Resource::new("Variable instance")
        .schema("VariableInstance", VARIABLE)
        .queries(
            "/variable-instance",
            "Variables",
            &format!("{VARIABLES} deserializeValues:bool"),
            "VariableInstance",
        )
        .with(
            op("GET", "/variable-instance/{id}", "A variable")
                .query("deserializeValue:bool")
                .gives("VariableInstance"),
        )
        .with(
            op(
                "GET",
                "/variable-instance/{id}/data",
                "The content of a binary variable",
            )
            .gives_raw("application/octet-stream"),
        )
}

pub(super) fn subscriptions() -> Resource {
    Resource::new("Event subscription")
        .schema("EventSubscription", SUBSCRIPTION)
        .list(
            "/event-subscription",
            "Who waits for which event",
            SUBSCRIPTIONS,
            "EventSubscription",
        )
}
