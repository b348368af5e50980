//! `/history`

use super::super::table::{Resource, op};

/// Criteria.
const INSTANCE_QUERY: &str = "\
    processInstanceId processInstanceIds:list processInstanceIdNotIn:list processInstanceBusinessKey \
    processInstanceBusinessKeyIn:list processInstanceBusinessKeyLike processDefinitionId processDefinitionKey \
    processDefinitionKeyIn:list processDefinitionKeyNotIn:list processDefinitionName \
    processDefinitionNameLike superProcessInstanceId subProcessInstanceId rootProcessInstanceId \
    rootProcessInstances:bool finished:bool unfinished:bool active:bool suspended:bool completed:bool \
    externallyTerminated:bool internallyTerminated:bool withIncidents:bool withRootIncidents:bool \
    incidentType incidentMessage incidentMessageLike incidentStatus incidentIdIn:list startedBefore:date startedAfter:date finishedBefore:date finishedAfter:date \
    executedActivityIdIn:list activeActivityIdIn:list tenantIdIn:list withoutTenantId:bool variables:filters \
    variableNamesIgnoreCase:bool variableValuesIgnoreCase:bool";

/// `HistoricProcessInstanceDto`
const INSTANCE: &str = "\
    id businessKey processDefinitionId processDefinitionKey processDefinitionName \
    processDefinitionVersion:int startTime:date endTime:date removalTime:date durationInMillis:int \
    startUserId startActivityId deleteReason rootProcessInstanceId superProcessInstanceId superCaseInstanceId \
    caseInstanceId tenantId state restartedProcessInstanceId";

/// Criteria.
const ACTIVITY_QUERY: &str = "\
    activityInstanceId processInstanceId processInstanceIdIn:list processDefinitionId executionId activityId \
    activityIdIn:list activityName activityNameLike activityType taskAssignee finished:bool unfinished:bool \
    canceled:bool completeScope:bool startedBefore:date startedAfter:date finishedBefore:date \
    finishedAfter:date tenantIdIn:list withoutTenantId:bool";

/// `HistoricActivityInstanceDto`
const ACTIVITY: &str = "\
    id parentActivityInstanceId activityId activityName activityType processDefinitionKey processDefinitionId \
    processInstanceId executionId taskId calledProcessInstanceId calledCaseInstanceId assignee startTime:date \
    endTime:date durationInMillis:int canceled:bool completeScope:bool tenantId removalTime:date \
    rootProcessInstanceId";

/// Criteria.
const VARIABLE_QUERY: &str = "\
    processInstanceId processInstanceIdIn:list processDefinitionId processDefinitionKey variableName \
    variableNameLike variableNameIn:list executionIdIn:list activityInstanceIdIn:list taskIdIn \
    includeDeleted:bool tenantIdIn:list withoutTenantId:bool variableValue variables:filters \
    variableNamesIgnoreCase:bool variableValuesIgnoreCase:bool";

/// `HistoricVariableInstanceDto`
const VARIABLE: &str = "\
    id name processDefinitionKey processDefinitionId processInstanceId executionId activityInstanceId \
    caseDefinitionKey caseDefinitionId caseInstanceId caseExecutionId taskId errorMessage tenantId state \
    createTime:date removalTime:date rootProcessInstanceId type value:any valueInfo:obj";

/// Criteria.
const TASK_QUERY: &str = "\
    taskId processInstanceId rootProcessInstanceId processInstanceBusinessKey processDefinitionId \
    processDefinitionKey executionId activityInstanceIdIn:list taskName taskNameLike taskDefinitionKey \
    taskDefinitionKeyIn:list taskAssignee taskAssigneeLike taskOwner taskPriority:int taskDeleteReason \
    assigned:bool unassigned:bool finished:bool unfinished:bool processFinished:bool processUnfinished:bool \
    startedBefore:date startedAfter:date finishedBefore:date finishedAfter:date tenantIdIn:list \
    withoutTenantId:bool";

/// `HistoricTaskDto`
const TASK: &str = "\
    id processDefinitionKey processDefinitionId processInstanceId executionId caseDefinitionKey \
    caseDefinitionId caseInstanceId caseExecutionId activityInstanceId name description deleteReason owner \
    assignee startTime:date endTime:date duration:int taskDefinitionKey priority:int due:date parentTaskId \
    followUp:date tenantId removalTime:date rootProcessInstanceId taskState";

/// Criteria.
const INCIDENT_QUERY: &str = "\
    incidentId incidentType incidentMessage incidentMessageLike processDefinitionId processDefinitionKey \
    processDefinitionKeyIn:list processInstanceId executionId activityId failedActivityId \
    createTimeBefore:date createTimeAfter:date endTimeBefore:date endTimeAfter:date causeIncidentId \
    rootCauseIncidentId configuration open:bool deleted:bool resolved:bool tenantIdIn:list \
    withoutTenantId:bool";

/// `HistoricIncidentDto`
const INCIDENT: &str = "\
    id processDefinitionKey processDefinitionId processInstanceId executionId rootProcessInstanceId \
    createTime:date endTime:date removalTime:date incidentType activityId failedActivityId causeIncidentId \
    rootCauseIncidentId configuration historyConfiguration incidentMessage tenantId jobDefinitionId open:bool \
    deleted:bool resolved:bool annotation";

/// Criteria.
const EXTERNAL_TASK_LOG_QUERY: &str = "\
    logId externalTaskId topicName workerId errorMessage activityIdIn:list activityInstanceIdIn:list \
    executionIdIn:list processInstanceId processDefinitionId processDefinitionKey \
    priorityHigherThanOrEquals:int priorityLowerThanOrEquals:int creationLog:bool failureLog:bool \
    successLog:bool deletionLog:bool tenantIdIn:list withoutTenantId:bool";

/// `ExternalTaskLogDto`
const EXTERNAL_TASK_LOG: &str = "\
    id timestamp:date removalTime:date externalTaskId topicName workerId priority:int retries:int \
    errorMessage activityId activityInstanceId executionId processInstanceId processDefinitionId \
    processDefinitionKey tenantId rootProcessInstanceId creationLog:bool failureLog:bool successLog:bool \
    deletionLog:bool";

/// Criteria.
const JOB_LOG_QUERY: &str = "\
    logId jobId jobExceptionMessage activityIdIn:list failedActivityIdIn:list executionIdIn:list \
    processInstanceId processDefinitionId processDefinitionKey deploymentId jobPriorityHigherThanOrEquals:int \
    jobPriorityLowerThanOrEquals:int creationLog:bool failureLog:bool successLog:bool deletionLog:bool \
    tenantIdIn:list withoutTenantId:bool";

/// `JobLogDto`
const JOB_LOG: &str = "\
    id timestamp:date removalTime:date jobId jobDueDate:date jobRetries:int jobPriority:int \
    jobExceptionMessage failedActivityId jobDefinitionId jobDefinitionType jobDefinitionConfiguration \
    activityId executionId processInstanceId processDefinitionId processDefinitionKey deploymentId \
    rootProcessInstanceId hostname tenantId batchId creationLog:bool failureLog:bool successLog:bool \
    deletionLog:bool";

/// Criteria.
const BATCH_QUERY: &str = "batchId type completed:bool tenantIdIn:list withoutTenantId:bool";
/// Criteria.
const DETAIL_QUERY: &str = "processInstanceId executionId activityInstanceId taskId variableInstanceId variableUpdates:bool \
    formFields:bool occurredBefore:date occurredAfter:date tenantIdIn:list";
/// Criteria.
const LINK_QUERY: &str =
    "dateBefore:date dateAfter:date type userId groupId taskId processDefinitionId operationType tenantIdIn:list";
/// Criteria.
const OPERATION_QUERY: &str = "processInstanceId processDefinitionId taskId jobId operationType entityType property \
    afterTimestamp:date beforeTimestamp:date";

/// List, count and one row: every kind of history has these.
fn kind(resource: Resource, path: &'static str, about: &str, query: &str, schema: (&'static str, &str)) -> Resource {
    let path = format!("/history/{path}");
    resource
        .schema(schema.0, schema.1)
        .queries(&path, about, query, schema.0)
        .with(op("GET", &format!("{path}/{{id}}"), &format!("One of the {about}")).gives(schema.0))
}

pub(super) fn resource() -> Resource {
    let mut resource = Resource::new("History");
    for (path, about, query, schema) in [
        (
            "process-instance",
            "historic instances",
            INSTANCE_QUERY,
            ("HistoricProcessInstance", INSTANCE),
        ),
        (
            "activity-instance",
            "historic activity instances",
            ACTIVITY_QUERY,
            ("HistoricActivityInstance", ACTIVITY),
        ),
        (
            "variable-instance",
            "historic variables",
            VARIABLE_QUERY,
            ("HistoricVariableInstance", VARIABLE),
        ),
        ("task", "historic tasks", TASK_QUERY, ("HistoricTask", TASK)),
        (
            "incident",
            "historic incidents",
            INCIDENT_QUERY,
            ("HistoricIncident", INCIDENT),
        ),
        (
            "external-task-log",
            "what happened to external tasks",
            EXTERNAL_TASK_LOG_QUERY,
            ("ExternalTaskLog", EXTERNAL_TASK_LOG),
        ),
        ("job-log", "what happened to jobs", JOB_LOG_QUERY, ("JobLog", JOB_LOG)),
        (
            "batch",
            "historic batches",
            BATCH_QUERY,
            ("HistoricBatch", "id type tenantId"),
        ),
        (
            "detail",
            "details of the history",
            DETAIL_QUERY,
            ("HistoricDetail", "id type processInstanceId"),
        ),
        (
            "identity-link-log",
            "changes of parts in tasks",
            LINK_QUERY,
            (
                "IdentityLinkLog",
                "id time:date type userId groupId taskId operationType",
            ),
        ),
        (
            "user-operation",
            "operations of users",
            OPERATION_QUERY,
            ("UserOperation", "id timestamp:date operationType entityType property"),
        ),
    ] {
        resource = kind(resource, path, about, query, schema);
    }
    resource
        .with(
            op(
                "GET",
                "/history/variable-instance/{id}/data",
                "The content of a binary variable",
            )
            .gives_raw("application/octet-stream"),
        )
        .with(
            op(
                "GET",
                "/history/external-task-log/{id}/error-details",
                "The details of a failure",
            )
            .gives_raw("text/plain"),
        )
        .with(
            op(
                "PUT",
                "/history/user-operation/{id}/set-annotation",
                "Annotates all properties of an operation",
            )
            .takes("annotation"),
        )
        .with(op(
            "PUT",
            "/history/user-operation/{id}/clear-annotation",
            "Takes the annotation of an operation away",
        ))
        .with(op("GET", "/history/job-log/{id}/stacktrace", "Where a job failed").gives_raw("text/plain"))
}
