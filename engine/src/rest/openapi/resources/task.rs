//! `/task`

use super::super::table::{Resource, op};

/// Criteria.
const QUERY: &str = "\
    taskId taskIdIn:list parentTaskId name nameNotEqual nameLike nameNotLike description descriptionLike \
    priority:int minPriority:int maxPriority:int createdOn:date createdAfter:date createdBefore:date \
    updatedAfter:date dueDate:date dueAfter:date dueBefore:date withoutDueDate:bool followUpDate:date \
    followUpAfter:date followUpBefore:date followUpBeforeOrNotExistent:date active:bool suspended:bool \
    tenantIdIn:list withoutTenantId:bool delegationState processInstanceId processInstanceIdIn:list \
    processInstanceBusinessKey processInstanceBusinessKeyIn:list processInstanceBusinessKeyLike \
    processDefinitionId processDefinitionKey processDefinitionKeyIn:list processDefinitionName \
    processDefinitionNameLike executionId activityInstanceIdIn:list taskDefinitionKey \
    taskDefinitionKeyIn:list taskDefinitionKeyNotIn:list taskDefinitionKeyLike assignee assigneeLike \
    assigneeIn:list assigneeNotIn:list owner assigned:bool unassigned:bool involvedUser candidateUser \
    candidateGroup candidateGroups:list candidateGroupLike includeAssignedTasks:bool processVariables:filters \
    taskVariables:filters variableNamesIgnoreCase:bool variableValuesIgnoreCase:bool \
    withCommentAttachmentInfo:bool withTaskVariablesInReturn:bool withTaskLocalVariablesInReturn:bool";

/// `TaskDto`
const TASK: &str = "\
    id name assignee created:date due:date followUp:date lastUpdated:date delegationState description \
    executionId owner parentTaskId priority:int processDefinitionId processInstanceId taskDefinitionKey \
    caseExecutionId caseInstanceId caseDefinitionId suspended:bool formKey camundaFormRef tenantId taskState \
    comment:bool attachment:bool variables:vars";

/// What can be set.
const FIELDS: &str = "\
    name description assignee owner delegationState parentTaskId priority:int due:date followUp:date tenantId";

pub(super) fn resource() -> Resource {
    let part = "userId groupId type";
    Resource::new("Task")
        .schema("Task", TASK)
        .schema("IdentityLink", part)
        .schema(
            "Attachment",
            "id name description taskId type url createTime:date removalTime:date rootProcessInstanceId links:[Link]",
        )
        .schema(
            "Comment",
            "id userId time:date taskId message removalTime:date rootProcessInstanceId processInstanceId links:[Link]",
        )
        .queries("/task", "Tasks", QUERY, "Task")
        .with(op("POST", "/task/create", "Makes a task that is in no process").takes(FIELDS))
        .with(
            op(
                "GET",
                "/task/report/candidate-group-count",
                "How many tasks each group may claim",
            )
            .gives("[obj]"),
        )
        .with(op("GET", "/task/{id}", "A task").gives("Task"))
        .with(op("PUT", "/task/{id}", "Changes a task: what is left out is taken away").takes(FIELDS))
        .with(op("DELETE", "/task/{id}", "Deletes a task that is in no process"))
        .with(op("POST", "/task/{id}/claim", "Claims a task").takes("userId"))
        .with(op("POST", "/task/{id}/unclaim", "Gives a task back"))
        .with(op("POST", "/task/{id}/assignee", "Gives a task to somebody").takes("userId"))
        .with(op("POST", "/task/{id}/delegate", "Delegates a task").takes("userId"))
        .with(op("POST", "/task/{id}/resolve", "Gives a delegated task back to its owner").takes("variables:vars"))
        .with(
            op("POST", "/task/{id}/bpmnEscalation", "Throws an escalation from a task")
                .takes("escalationCode! variables:vars"),
        )
        .with(
            op("POST", "/task/{id}/bpmnError", "Throws a BPMN error from a task")
                .takes("errorCode! errorMessage variables:vars"),
        )
        .with(
            op(
                "POST",
                "/task/{id}/complete",
                "Completes a task; 200 with withVariablesInReturn",
            )
            .takes("variables:vars withVariablesInReturn:bool"),
        )
        .with(
            op(
                "POST",
                "/task/{id}/submit-form",
                "Completes a task by its form; 200 with withVariablesInReturn",
            )
            .takes("variables:vars withVariablesInReturn:bool"),
        )
        .with(op("GET", "/task/{id}/form", "The form of a task").gives("obj"))
        .with(
            op("GET", "/task/{id}/form-variables", "What the form of a task sees")
                .query("variableNames:list deserializeValues:bool")
                .gives("vars"),
        )
        .with(op("GET", "/task/{id}/rendered-form", "None is rendered: 404").gives("obj"))
        .with(
            op("GET", "/task/{id}/deployed-form", "The deployed form of a task").gives_raw("application/octet-stream"),
        )
        .with(
            op("GET", "/task/{id}/identity-links", "Who has a part in a task")
                .query("type")
                .gives("[IdentityLink]"),
        )
        .with(op("POST", "/task/{id}/identity-links", "Gives somebody a part in a task").takes(part))
        .with(op("POST", "/task/{id}/identity-links/delete", "Takes it away").takes(part))
        .with(op("GET", "/task/{id}/comment", "The comments of a task").gives("[Comment]"))
        .with(op("PUT", "/task/{id}/comment", "Changes a comment").takes("id! message!"))
        .with(op("DELETE", "/task/{id}/comment", "Deletes the comments of a task"))
        .with(
            op("POST", "/task/{id}/comment/create", "Comments on a task")
                .takes("message! processInstanceId")
                .gives("Comment"),
        )
        .with(op("GET", "/task/{id}/comment/{comment}", "A comment").gives("Comment"))
        .with(op("DELETE", "/task/{id}/comment/{comment}", "Deletes a comment"))
        .with(op("GET", "/task/{id}/attachment", "What is attached to a task").gives("[Attachment]"))
        .with(
            op(
                "POST",
                "/task/{id}/attachment/create",
                "Attaches a file, or the address of one",
            )
            .takes_form("attachment-name attachment-description attachment-type url content:any")
            .gives("Attachment"),
        )
        .with(op("GET", "/task/{id}/attachment/{attachment}", "An attachment").gives("Attachment"))
        .with(op(
            "DELETE",
            "/task/{id}/attachment/{attachment}",
            "Deletes an attachment",
        ))
        .with(
            op("GET", "/task/{id}/attachment/{attachment}/data", "The attached file")
                .gives_raw("application/octet-stream"),
        )
        .with(op("GET", "/process-instance/{id}/comment", "The comments on an instance").gives("[Comment]"))
        .with(op(
            "DELETE",
            "/process-instance/{id}/comment",
            "Deletes the comments on an instance",
        ))
        .with(op(
            "DELETE",
            "/process-instance/{id}/comment/{comment}",
            "Deletes a comment on an instance",
        ))
        .variables("/task/{id}/variables", "a task, with those that it sees")
        .variables("/task/{id}/localVariables", "a task alone")
}
