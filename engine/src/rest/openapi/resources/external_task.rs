//! `/external-task`

use super::super::table::{Resource, op};

/// Criteria.
const QUERY: &str = "\
    externalTaskId externalTaskIdIn:list activityId activityIdIn:list lockExpirationBefore:date \
    lockExpirationAfter:date topicName locked:bool notLocked:bool executionId processInstanceId \
    processInstanceIdIn:list processDefinitionId processDefinitionKey processDefinitionKeyIn:list \
    processDefinitionName processDefinitionNameLike active:bool suspended:bool withRetriesLeft:bool \
    noRetriesLeft:bool workerId tenantIdIn:list withoutTenantId:bool priorityHigherThanOrEquals:int \
    priorityLowerThanOrEquals:int processVariables:filters variableNamesIgnoreCase:bool \
    variableValuesIgnoreCase:bool";

/// `ExternalTaskDto`
const TASK: &str = "\
    activityId activityInstanceId errorMessage executionId id lockExpirationTime:date createTime:date \
    processDefinitionId processDefinitionKey processDefinitionVersionTag processInstanceId retries:int \
    suspended:bool workerId topicName tenantId priority:int businessKey";

/// What is fetched.
const TOPIC: &str = "\
    topicName! lockDuration!:int variables:list localVariables:bool businessKey processDefinitionId \
    processDefinitionIdIn:list processDefinitionKey processDefinitionKeyIn:list processDefinitionVersionTag \
    processVariables:obj deserializeValues:bool includeExtensionProperties:bool withoutTenantId:bool \
    tenantIdIn:list";

pub(super) fn resource() -> Resource {
    let lock = "workerId! lockDuration!:int";
    Resource::new("External task")
        .schema("ExternalTask", TASK)
        .schema("LockedExternalTask", &format!("{TASK} errorDetails variables:vars extensionProperties:obj"))
        .schema("Topic", TOPIC)
        .queries("/external-task", "External tasks", QUERY, "ExternalTask")
        .with(
            op("GET", "/external-task/topic-names", "The topics that there are")
                .query("withLockedTasks:bool withUnlockedTasks:bool withRetriesLeft:bool")
                .gives("list"),
        )
        .with(
            op("POST", "/external-task/fetchAndLock", "Fetches tasks, and waits for them if asked to")
                .takes("workerId! maxTasks!:int usePriority:bool asyncResponseTimeout:int sorting:[Sorting] topics:[Topic]")
                .gives("[LockedExternalTask]"),
        )
        .with(
            op("PUT", "/external-task/retries", "Sets the retries of several tasks")
                .takes("retries!:int externalTaskIds:list processInstanceIds:list externalTaskQuery:obj processInstanceQuery:obj"),
        )
        .with(op("GET", "/external-task/{id}", "An external task").gives("ExternalTask"))
        .with(op("GET", "/external-task/{id}/errorDetails", "The details of its last failure").gives_raw("text/plain"))
        .with(
            op("POST", "/external-task/{id}/complete", "Completes a task")
                .takes("workerId! variables:vars localVariables:vars"),
        )
        .with(
            op("POST", "/external-task/{id}/failure", "Reports a failure")
                .takes("workerId! errorMessage errorDetails retries:int retryTimeout:int variables:vars localVariables:vars"),
        )
        .with(
            op("POST", "/external-task/{id}/bpmnError", "Reports a BPMN error")
                .takes("workerId! errorCode! errorMessage variables:vars"),
        )
        .with(op("POST", "/external-task/{id}/lock", "Locks a task").takes(lock))
        .with(op("POST", "/external-task/{id}/extendLock", "Extends a lock").takes("workerId! newDuration!:int"))
        .with(op("POST", "/external-task/{id}/unlock", "Unlocks a task"))
        .with(op("PUT", "/external-task/{id}/retries", "Sets the retries of a task").takes("retries!:int"))
        .with(op("PUT", "/external-task/{id}/priority", "Sets the priority of a task").takes("priority!:int"))
}
