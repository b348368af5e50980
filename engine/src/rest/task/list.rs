//! Queries for tasks.

use axum::response::Response;
use handoff_machine::row::{Attachment, Comment, UserTask};
use http::StatusCode;
use rusqlite::types::Value as Bound;
use serde_json::{Map, Value as Json, json};

use super::{act, dto, name_form, sort};
use crate::rest::api::Api;
use crate::rest::body::{count, ok};
use crate::rest::error::{RestError, Result};
use crate::rest::form;
use crate::rest::query::{Criteria, Params, PostParams, Select, VariableTable, by_variables, variable_table};
use crate::rest::reader::Reader;
use crate::rest::scope;
use crate::rest::variables::{Objects, typed_map};

const PROCESS_VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = task.instance");
const TASK_VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = task.id");

/// The most `orQueries` of a query.
const OR_MAX: usize = 20;

const ORDERS: &[(&str, &str)] = &[
    ("id", "id"),
    ("instanceId", "instance"),
    ("executionId", "execution"),
    ("name", "name"),
    ("nameCaseInsensitive", "lower(name)"),
    ("description", "description"),
    ("assignee", "assignee"),
    ("created", "created"),
    ("lastUpdated", "updated"),
    ("dueDate", "due"),
    ("followUpDate", "follow_up"),
    ("priority", "priority"),
    ("tenantId", "tenant"),
];

/// The criteria that Camunda evaluates as expressions; in queries of REST it refuses them by default.
const EXPRESSIONS: &[&str] = &[
    "assigneeExpression",
    "assigneeLikeExpression",
    "candidateGroupExpression",
    "candidateGroupsExpression",
    "candidateUserExpression",
    "createdAfterExpression",
    "createdBeforeExpression",
    "createdOnExpression",
    "dueAfterExpression",
    "dueBeforeExpression",
    "dueDateExpression",
    "followUpAfterExpression",
    "followUpBeforeExpression",
    "followUpBeforeOrNotExistentExpression",
    "followUpDateExpression",
    "involvedUserExpression",
    "ownerExpression",
    "processInstanceBusinessKeyExpression",
    "processInstanceBusinessKeyLikeExpression",
    "updatedAfterExpression",
];

/// `GET /task`
pub(super) async fn by_get(api: Api, params: Params) -> Result<Response> {
    list(api, params).await
}

/// `POST /task`
pub(super) async fn by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    list(api, params).await
}

/// `GET /task/count`
pub(super) async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    count_all(api, params).await
}

/// `POST /task/count`
pub(super) async fn count_by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    count_all(api, params).await
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged_also(&params, ORDERS, sort::by_variable)?;
    let more = More::of(&params);
    let read = api.read(move |reader| {
        let tasks = select.rows(reader.connection)?;
        let shown: Result<Vec<_>> = tasks.iter().map(|task| more.shown(reader, task)).collect();
        Ok((tasks, shown?))
    });
    let (tasks, mut shown) = read.await?;
    let forms = form::names(&api, &tasks).await?;
    for (dto, form) in shown.iter_mut().zip(forms) {
        name_form(dto, form);
    }
    Ok(ok(shown))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

/// What is shown of each task beside itself.
#[derive(Clone, Copy)]
struct More {
    comments: bool,
    variables: bool,
    local_variables: bool,
}

impl More {
    fn of(params: &Params) -> Self {
        Self {
            comments: params.is("withCommentAttachmentInfo"),
            variables: params.is("withTaskVariablesInReturn"),
            local_variables: params.is("withTaskLocalVariablesInReturn"),
        }
    }

    fn shown(self, reader: &Reader<'_>, task: &UserTask) -> Result<Map<String, Json>> {
        let mut dto = dto(reader, task)?;
        if self.comments {
            let mut comments = Select::<Comment>::new();
            comments.with("task = ?", Some(task.id.0));
            dto.insert("comment".into(), (comments.count(reader.connection)? > 0).into());
            let mut attachments = Select::<Attachment>::new();
            attachments.with("task = ?", Some(task.id.0));
            let attached = attachments.count(reader.connection)? > 0;
            dto.insert("attachment".into(), attached.into());
        }
        // Where both are asked for, the wider one holds.
        if self.variables || self.local_variables {
            let kind = if self.variables {
                scope::Kind::Task
            } else {
                scope::Kind::TaskLocal
            };
            let variables = scope::visible(reader, &scope::scopes_of_task(reader, kind, task)?)?;
            dto.insert("variables".into(), typed_map(&variables, Objects::Serialised));
        }
        Ok(dto)
    }
}

/// `GET /task/report/candidate-group-count`
pub(super) async fn by_candidate_group(api: Api) -> Result<Response> {
    let report = api.read(|reader| {
        let sql = "SELECT link.group_id, count(*) FROM task LEFT JOIN identity_link AS link \
                   ON link.task = task.id AND link.kind = 'candidate' AND link.group_id IS NOT NULL \
                   GROUP BY link.group_id ORDER BY link.group_id";
        let mut statement = reader.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(json!({ "groupName": row.get::<_, Option<String>>(0)?, "taskCount": row.get::<_, i64>(1)? }))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    });
    Ok(ok(report.await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<UserTask>> {
    let mut select = criteria(api, params)?;
    match params.json("orQueries") {
        None => {}
        Some(Json::Array(queries)) if queries.len() <= OR_MAX => {
            for query in queries {
                select.any_of(criteria(api, &Params::of_json(query.clone())?)?);
            }
        }
        Some(_) => {
            return Err(RestError::invalid(format!(
                "'orQueries' must be a list of at most {OR_MAX} queries"
            )));
        }
    }
    Ok(select)
}

/// What one query asks for.
fn criteria(api: &Api, params: &Params) -> Result<Select<UserTask>> {
    if EXPRESSIONS.iter().any(|name| params.json(name).is_some()) {
        return Err(RestError::of_engine(
            StatusCode::BAD_REQUEST,
            "BadUserRequestException",
            "Expressions are forbidden in adhoc queries. Give the value itself, by the parameter without 'Expression'",
        ));
    }
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    by_place(&mut select, of)?;
    by_people(&mut select, of)?;
    select
        .with("id = ?", of.id("taskId"))
        .within("id IN (SELECT value FROM json_each(?))", of.ids("taskIdIn")?)
        .with("parent = ?", of.id("parentTaskId"))
        .with("lower(name) = lower(?)", of.text("name"))
        .with("lower(name) <> lower(?)", of.text("nameNotEqual"))
        .with("lower(name) GLOB lower(?)", of.pattern("nameLike"))
        .with("lower(name) NOT GLOB lower(?)", of.pattern("nameNotLike"))
        .with("lower(description) = lower(?)", of.text("description"))
        .with("lower(description) GLOB lower(?)", of.pattern("descriptionLike"))
        .with("priority = ?", of.integer("priority")?)
        .with("priority >= ?", of.integer("minPriority")?)
        .with("priority <= ?", of.integer("maxPriority")?)
        .with("created = ?", of.instant("createdOn")?)
        .with("created > ?", of.instant("createdAfter")?)
        .with("created < ?", of.instant("createdBefore")?)
        .with("ifnull(updated, created) > ?", of.instant("updatedAfter")?)
        .with("due = ?", of.instant("dueDate")?)
        .with("due > ?", of.instant("dueAfter")?)
        .with("due < ?", of.instant("dueBefore")?)
        .only_if(of.is("withoutDueDate"), "due IS NULL")
        .with("follow_up = ?", of.instant("followUpDate")?)
        .with("follow_up > ?", of.instant("followUpAfter")?)
        .with("follow_up < ?", of.instant("followUpBefore")?)
        .with(
            "follow_up IS NULL OR follow_up < ?",
            of.instant("followUpBeforeOrNotExistent")?,
        )
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    if let Some(state) = of.text("delegationState") {
        let state = act::delegation(&state)?;
        select.with("delegation = ?", Some(crate::store::field::Code::code(state)));
    }
    by_variables(&mut select, params, "processVariables", PROCESS_VARIABLES)?;
    by_variables(&mut select, params, "taskVariables", TASK_VARIABLES)?;
    let no_cases = [
        "caseInstanceId",
        "caseExecutionId",
        "caseDefinitionId",
        "caseDefinitionKey",
    ];
    select.only_if(no_cases.iter().any(|name| params.text(name).is_some()), "false");
    Ok(select)
}

/// Where in a process.
fn by_place(select: &mut Select<UserTask>, of: Criteria<'_>) -> Result<()> {
    select
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdIn")?,
        )
        .with(
            "instance IN (SELECT id FROM process_instance WHERE business_key = ?)",
            of.text("processInstanceBusinessKey"),
        )
        .within(
            "instance IN (SELECT id FROM process_instance WHERE business_key IN (SELECT value FROM json_each(?)))",
            of.list("processInstanceBusinessKeyIn")?,
        )
        .with(
            "instance IN (SELECT id FROM process_instance WHERE business_key GLOB ?)",
            of.pattern("processInstanceBusinessKeyLike"),
        )
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with(
            "definition IN (SELECT id FROM definition WHERE key = ?)",
            of.text("processDefinitionKey"),
        )
        .within(
            "definition IN (SELECT id FROM definition WHERE key IN (SELECT value FROM json_each(?)))",
            of.list("processDefinitionKeyIn")?,
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE name = ?)",
            of.text("processDefinitionName"),
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE name GLOB ?)",
            of.pattern("processDefinitionNameLike"),
        )
        .with("execution = ?", of.id("executionId"))
        .within(
            "execution IN (SELECT value FROM json_each(?))",
            of.last_ids("activityInstanceIdIn")?,
        )
        .with("activity = ?", of.text("taskDefinitionKey"))
        .within(
            "activity IN (SELECT value FROM json_each(?))",
            of.list("taskDefinitionKeyIn")?,
        )
        .within(
            "activity NOT IN (SELECT value FROM json_each(?))",
            of.list("taskDefinitionKeyNotIn")?,
        )
        .with("activity GLOB ?", of.pattern("taskDefinitionKeyLike"));
    Ok(())
}

/// Who has which part. Candidates are asked for unassigned tasks, unless `includeAssignedTasks` is set.
fn by_people(select: &mut Select<UserTask>, of: Criteria<'_>) -> Result<()> {
    select
        .with("assignee = ?", of.text("assignee"))
        .with("assignee GLOB ?", of.pattern("assigneeLike"))
        .within("assignee IN (SELECT value FROM json_each(?))", of.list("assigneeIn")?)
        .within(
            "assignee NOT IN (SELECT value FROM json_each(?))",
            of.list("assigneeNotIn")?,
        )
        .with("owner = ?", of.text("owner"))
        .only_if(of.is("assigned"), "assignee IS NOT NULL")
        .only_if(of.is("unassigned"), "assignee IS NULL");
    if let Some(user) = of.text("involvedUser") {
        select.with_all(
            "assignee = ? OR owner = ? OR id IN (SELECT task FROM identity_link WHERE user_id = ?)",
            std::iter::repeat_n(Bound::Text(user), 3),
        );
    }
    let (user, group, groups) = (
        of.text("candidateUser"),
        of.text("candidateGroup"),
        of.list("candidateGroups")?,
    );
    if user.is_some() && (group.is_some() || groups.is_some()) {
        let which = if group.is_some() {
            "candidateGroup"
        } else {
            "candidateGroupIn"
        };
        return Err(engine_error(format!(
            "Invalid query usage: cannot set both candidateUser and {which}"
        )));
    }
    let group_like = of.pattern("candidateGroupLike");
    let flags = [
        (
            "withCandidateGroups",
            "id IN (SELECT task FROM identity_link WHERE kind = 'candidate' AND group_id IS NOT NULL)",
        ),
        (
            "withoutCandidateGroups",
            "id NOT IN (SELECT task FROM identity_link WHERE kind = 'candidate' AND group_id IS NOT NULL)",
        ),
        (
            "withCandidateUsers",
            "id IN (SELECT task FROM identity_link WHERE kind = 'candidate' AND user_id IS NOT NULL)",
        ),
        (
            "withoutCandidateUsers",
            "id NOT IN (SELECT task FROM identity_link WHERE kind = 'candidate' AND user_id IS NOT NULL)",
        ),
    ];
    let asks = user.is_some()
        || group.is_some()
        || groups.is_some()
        || group_like.is_some()
        || flags.iter().any(|(name, _)| of.is(name));
    let include = of.is("includeAssignedTasks");
    if include && !asks {
        return Err(engine_error(
            "Invalid query usage: candidateUser, candidateGroup, candidateGroupLike, candidateGroupIn, withCandidateGroups, \
             withoutCandidateGroups, withCandidateUsers, withoutCandidateUsers has to be called before \
             'includeAssignedTasks'.",
        ));
    }
    select
        .only_if(asks && !include, "assignee IS NULL")
        .with(
            "id IN (SELECT task FROM identity_link WHERE kind = 'candidate' AND user_id = ?)",
            user,
        )
        .with(
            "id IN (SELECT task FROM identity_link WHERE kind = 'candidate' AND group_id = ?)",
            group,
        )
        .with(
            "id IN (SELECT task FROM identity_link WHERE kind = 'candidate' AND group_id GLOB ?)",
            group_like,
        )
        .within(
            "id IN (SELECT task FROM identity_link WHERE kind = 'candidate' \
             AND group_id IN (SELECT value FROM json_each(?)))",
            groups,
        );
    for (name, condition) in flags {
        select.only_if(of.is(name), condition);
    }
    Ok(())
}

fn engine_error(message: impl Into<String>) -> RestError {
    RestError::of_engine(StatusCode::INTERNAL_SERVER_ERROR, "ProcessEngineException", message)
}
