//! `/decision-definition`, `/decision-requirements-definition`, `/history/decision-instance`

use super::super::table::{Resource, op};

/// Criteria of decision definitions.
const DEFINITIONS: &str = "\
    decisionDefinitionId decisionDefinitionIdIn:list name nameLike deploymentId deployedAfter:date \
    deployedAt:date key keyLike category categoryLike version:int latestVersion:bool resourceName \
    resourceNameLike versionTag versionTagLike decisionRequirementsDefinitionId \
    decisionRequirementsDefinitionKey withoutDecisionRequirementsDefinition:bool tenantIdIn:list \
    includeDecisionDefinitionsWithoutTenantId:bool withoutTenantId:bool";

/// `DecisionDefinitionDto`
const DEFINITION: &str = "\
    id key category name version:int resource deploymentId tenantId decisionRequirementsDefinitionId \
    decisionRequirementsDefinitionKey historyTimeToLive:int versionTag";

/// Criteria of requirements.
const REQUIREMENTS: &str = "\
    decisionRequirementsDefinitionId decisionRequirementsDefinitionIdIn:list name nameLike deploymentId key \
    keyLike category categoryLike version:int latestVersion:bool resourceName resourceNameLike tenantIdIn:list \
    includeDecisionRequirementsDefinitionsWithoutTenantId:bool withoutTenantId:bool";

/// `DecisionRequirementsDefinitionDto`
const REQUIREMENT: &str = "id key category name version:int resource deploymentId tenantId";

/// What is shown of an evaluation.
const SHOWN: &str =
    "includeInputs:bool includeOutputs:bool disableBinaryFetching:bool disableCustomObjectDeserialization:bool";

/// Criteria of evaluations.
const EVALUATIONS: &str = "\
    decisionInstanceId decisionInstanceIdIn:list decisionDefinitionId decisionDefinitionIdIn:list \
    decisionDefinitionKey decisionDefinitionKeyIn:list decisionDefinitionName decisionDefinitionNameLike \
    processDefinitionId processDefinitionKey processInstanceId caseDefinitionId caseDefinitionKey \
    caseInstanceId activityIdIn:list activityInstanceIdIn:list evaluatedBefore:date evaluatedAfter:date userId \
    rootDecisionInstanceId rootDecisionInstancesOnly:bool decisionRequirementsDefinitionId \
    decisionRequirementsDefinitionKey tenantIdIn:list withoutTenantId:bool";

/// `HistoricDecisionInstanceDto`
const EVALUATION: &str = "\
    id decisionDefinitionId decisionDefinitionKey decisionDefinitionName evaluationTime:date removalTime:date \
    processDefinitionId processDefinitionKey processInstanceId rootProcessInstanceId caseDefinitionId \
    caseDefinitionKey caseInstanceId activityId activityInstanceId userId inputs:[DecisionInput] \
    outputs:[DecisionOutput] collectResultValue:num rootDecisionInstanceId decisionRequirementsDefinitionId \
    decisionRequirementsDefinitionKey tenantId";

/// Of inputs and outputs.
const VALUE: &str = "\
    type value:any valueInfo:obj id decisionInstanceId clauseId clauseName errorMessage createTime:date \
    removalTime:date rootProcessInstanceId";

/// The ways to name a definition.
fn ways(path: &str) -> [String; 3] {
    [
        format!("{path}/{{id}}"),
        format!("{path}/key/{{key}}"),
        format!("{path}/key/{{key}}/tenant-id/{{tenant}}"),
    ]
}

pub(super) fn definitions() -> Resource {
    let resource = Resource::new("Decision definition")
        .schema("DecisionDefinition", DEFINITION)
        .list(
            "/decision-definition",
            "Decision definitions",
            DEFINITIONS,
            "DecisionDefinition",
        );
    ways("/decision-definition").iter().fold(resource, |resource, path| {
        let at = |rest: &str| format!("{path}{rest}");
        resource
            .with(op("GET", path, "A decision definition").gives("DecisionDefinition"))
            .with(op("GET", &at("/xml"), "The file of a decision").gives("obj"))
            .with(op("GET", &at("/diagram"), "None is kept: 204"))
            .with(
                op("POST", &at("/evaluate"), "Evaluates a decision")
                    .takes("variables:vars")
                    .gives("[obj]"),
            )
            .with(
                op(
                    "PUT",
                    &at("/history-time-to-live"),
                    "How many days the history of a decision is kept",
                )
                .takes("historyTimeToLive:int"),
            )
    })
}

pub(super) fn requirements() -> Resource {
    let resource = Resource::new("Decision requirements definition")
        .schema("DecisionRequirementsDefinition", REQUIREMENT)
        .list(
            "/decision-requirements-definition",
            "Files with several decisions",
            REQUIREMENTS,
            "DecisionRequirementsDefinition",
        );
    ways("/decision-requirements-definition")
        .iter()
        .fold(resource, |resource, path| {
            resource
                .with(op("GET", path, "A file with several decisions").gives("DecisionRequirementsDefinition"))
                .with(op("GET", &format!("{path}/xml"), "Its text").gives("obj"))
                .with(op("GET", &format!("{path}/diagram"), "None is kept: 204"))
        })
}

pub(super) fn history() -> Resource {
    let path = "/history/decision-instance";
    Resource::new("Historic decision instance")
        .schema("HistoricDecisionInstance", EVALUATION)
        .schema("DecisionInput", VALUE)
        .schema("DecisionOutput", &format!("{VALUE} ruleId ruleOrder:int variableName"))
        .list(
            path,
            "Evaluations of decisions",
            &format!("{EVALUATIONS} {SHOWN}"),
            "HistoricDecisionInstance",
        )
        .with(
            op("GET", &format!("{path}/{{id}}"), "An evaluation of a decision")
                .query(SHOWN)
                .gives("HistoricDecisionInstance"),
        )
        .with(
            op("POST", &format!("{path}/delete"), "Deletes evaluations, as a batch")
                .takes("historicDecisionInstanceIds:list historicDecisionInstanceQuery:obj deleteReason")
                .gives("Batch"),
        )
        .with(
            op(
                "POST",
                &format!("{path}/set-removal-time"),
                "Sets when evaluations go, as a batch",
            )
            .takes(
                "historicDecisionInstanceIds:list historicDecisionInstanceQuery:obj absoluteRemovalTime:date \
                 clearedRemovalTime:bool",
            )
            .gives("Batch"),
        )
        .with(
            op(
                "GET",
                "/history/decision-requirements-definition/{id}/statistics",
                "How often each decision of a file was evaluated",
            )
            .query("decisionInstanceId")
            .gives("[obj]"),
        )
}
