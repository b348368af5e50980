//! `/process-definition`, `/process-instance`, `/execution`, `/message`

use super::super::table::{Resource, op};

/// Criteria of definitions.
const DEFINITIONS: &str = "\
    processDefinitionId processDefinitionIdIn:list name nameLike deploymentId deployedAfter:date \
    deployedAt:date key keysIn:list keyLike category categoryLike version:int resourceName resourceNameLike \
    versionTag versionTagLike withoutVersionTag:bool active:bool suspended:bool startableInTasklist:bool \
    notStartableInTasklist:bool latestVersion:bool incidentId incidentType tenantIdIn:list \
    includeProcessDefinitionsWithoutTenantId:bool withoutTenantId:bool";

/// `ProcessDefinitionDto`
const DEFINITION: &str = "\
    id key category description name version:int resource deploymentId diagram suspended:bool tenantId \
    versionTag historyTimeToLive:int startableInTasklist:bool";

/// Criteria of instances.
const INSTANCES: &str = "\
    processInstanceIds:list businessKey businessKeyLike processDefinitionId processDefinitionKey \
    processDefinitionKeyIn:list processDefinitionKeyNotIn:list deploymentId superProcessInstance \
    subProcessInstance rootProcessInstanceId rootProcessInstances:bool leafProcessInstances:bool active:bool \
    suspended:bool withIncident:bool incidentId incidentType incidentMessage incidentMessageLike \
    activityIdIn:list tenantIdIn:list withoutTenantId:bool processDefinitionWithoutTenantId:bool \
    variables:filters variableNamesIgnoreCase:bool variableValuesIgnoreCase:bool";

/// `ProcessInstanceDto`
const INSTANCE: &str = "\
    links:[Link] id definitionId businessKey caseInstanceId ended:bool suspended:bool tenantId definitionKey";

/// Criteria of executions.
const EXECUTIONS: &str = "\
    processDefinitionId processDefinitionKey processInstanceId businessKey activityId \
    messageEventSubscriptionName signalEventSubscriptionName active:bool suspended:bool incidentId \
    incidentType tenantIdIn:list variables:filters processVariables:filters variableNamesIgnoreCase:bool \
    variableValuesIgnoreCase:bool";

/// What a start takes.
const START: &str = "\
    businessKey caseInstanceId variables:vars withVariablesInReturn:bool skipCustomListeners:bool \
    skipIoMappings:bool startInstructions:[obj] dedupeKey ifRunning";

/// What a message has.
const MESSAGE: &str = "\
    messageName! businessKey correlationKeys:vars localCorrelationKeys:vars processVariables:vars \
    processVariablesLocal:vars processVariablesToTriggeredScope:vars tenantId withoutTenantId:bool \
    processInstanceId all:bool resultEnabled:bool variablesInResultEnabled:bool dedupeKey ifRunning";

/// What each way to name a definition has.
fn named(mut resource: Resource, path: &str) -> Resource {
    let at = |rest: &str| format!("{path}{rest}");
    let started = |operation: super::super::table::Operation| operation.gives("StartedProcessInstance");
    for operation in [
        op("GET", path, "A definition").gives("ProcessDefinition"),
        op("DELETE", path, "Deletes a definition").query("cascade:bool skipCustomListeners:bool skipIoMappings:bool"),
        op("GET", &at("/xml"), "The model of a definition").gives("obj"),
        op("GET", &at("/diagram"), "The picture that was deployed with it, or 204")
            .gives_raw("application/octet-stream"),
        started(op("POST", &at("/start"), "Starts an instance").takes(START)),
        op("GET", &at("/statistics"), "What runs, by activity")
            .query("failedJobs:bool incidents:bool incidentsForType")
            .gives("[obj]"),
        op("GET", &at("/startForm"), "The form of its start").gives("obj"),
        op("GET", &at("/form-variables"), "What the form of its start sees")
            .query("variableNames:list deserializeValues:bool")
            .gives("vars"),
        op("GET", &at("/rendered-form"), "None is rendered: 404").gives("obj"),
        op("GET", &at("/deployed-start-form"), "The deployed form of its start").gives_raw("application/octet-stream"),
        started(op("POST", &at("/submit-form"), "Starts an instance by its form").takes("variables:vars businessKey")),
    ] {
        resource = resource.with(operation);
    }
    resource
}

pub(super) fn definitions() -> Resource {
    let resource = Resource::new("Process definition")
        .schema("ProcessDefinition", DEFINITION)
        .schema(
            "StartedProcessInstance",
            &format!("{INSTANCE} variables:vars handoff:obj"),
        )
        .list("/process-definition", "Definitions", DEFINITIONS, "ProcessDefinition")
        .with(
            op("GET", "/process-definition/statistics", "What runs, by definition")
                .query("failedJobs:bool incidents:bool rootIncidents:bool incidentsForType")
                .gives("[obj]"),
        );
    [
        "/process-definition/{id}",
        "/process-definition/key/{key}",
        "/process-definition/key/{key}/tenant-id/{tenant}",
    ]
    .into_iter()
    .fold(resource, named)
}

pub(super) fn instances() -> Resource {
    Resource::new("Process instance")
        .schema("ProcessInstance", INSTANCE)
        .queries("/process-instance", "Running instances", INSTANCES, "ProcessInstance")
        .with(op("GET", "/process-instance/{id}", "A running instance").gives("ProcessInstance"))
        .with(op("DELETE", "/process-instance/{id}", "Ends an instance").query(
            "deleteReason skipCustomListeners:bool skipIoMappings:bool skipSubprocesses:bool failIfNotExists:bool",
        ))
        .with(
            op(
                "PUT",
                "/process-instance/{id}/suspended",
                "Suspends or activates an instance",
            )
            .takes("suspended:bool"),
        )
        .with(
            op(
                "GET",
                "/process-instance/{id}/activity-instances",
                "What is open, as a tree",
            )
            .gives("obj"),
        )
        .variables("/process-instance/{id}/variables", "an instance")
}

pub(super) fn executions() -> Resource {
    Resource::new("Execution")
        .schema("Execution", "id processInstanceId ended:bool tenantId")
        .queries("/execution", "Executions", EXECUTIONS, "Execution")
        .with(op("GET", "/execution/{id}", "An execution").gives("Execution"))
        .with(op("POST", "/execution/{id}/signal", "Lets a waiting receive task go on").takes("variables:vars"))
        .with(
            op(
                "GET",
                "/execution/{id}/messageSubscriptions/{name}",
                "The message that it waits for",
            )
            .gives("EventSubscription"),
        )
        .with(
            op(
                "POST",
                "/execution/{id}/messageSubscriptions/{name}/trigger",
                "Delivers a message to it",
            )
            .takes("variables:vars"),
        )
        .variables("/execution/{id}/localVariables", "an execution alone")
        .with(op("POST", "/message", "Correlates a message; 200 with resultEnabled").takes(MESSAGE))
        .with(
            op("POST", "/signal", "Broadcasts a signal, or sends it to one execution")
                .takes("name! executionId variables:vars tenantId withoutTenantId:bool"),
        )
        .with(
            op("POST", "/condition", "Starts what its conditions are true for")
                .takes("variables!:vars businessKey processDefinitionId tenantId withoutTenantId:bool")
                .gives("[ProcessInstance]"),
        )
}
