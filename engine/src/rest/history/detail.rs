//! `/history/detail`: every change of a variable, and the fields of submitted forms.

use handoff_machine::row::{DetailKind, HistoricDetail};
use serde_json::{Value as Json, json};

use super::history;
use super::place::{Place, execution_of_scope};
use crate::rest::date;
use crate::rest::variables::{Objects, data, typed};

const ORDERS: &[(&str, &str)] = &[
    ("processInstanceId", "instance"),
    ("variableName", "name"),
    ("variableType", "value_type"),
    ("variableRevision", "revision"),
    ("formPropertyId", "name"),
    ("time", "time"),
    ("occurrence", "holder"),
    ("tenantId", "tenant"),
];

history!(
    "/history/detail",
    HistoricDetail,
    ORDERS,
    "Historic detail with Id '{}' does not exist."
);

fn more() -> Router<Api> {
    Router::new().route("/history/detail/{id}/data", get(download))
}

async fn download(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let row = api
        .read(move |reader| Select::<HistoricDetail>::by_id(reader.connection, key))
        .await?;
    let row = row.ok_or_else(|| RestError::unknown(format!("Historic detail with Id '{id}' does not exist.")))?;
    data(row.value, &row.name)
}

fn dto(reader: &Reader<'_>, row: &HistoricDetail, params: &Params) -> Result<Json> {
    let ids = reader.ids;
    let removal = reader.removal_time(row.removal_time, Some(row.instance))?;
    let place = Place::of(reader, row.instance, row.scope, row.scope_activity.as_deref())?;
    let common = json!({
        "id": ids.text(row.id),
        "processDefinitionKey": row.definition_key,
        "processDefinitionId": reader.definition_id(row.definition)?,
        "processInstanceId": ids.text(row.instance),
        "activityInstanceId": ids.activity(place.activity.as_deref(), place.execution),
        "executionId": ids.text(place.execution),
        "caseDefinitionKey": null,
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": ids.json_opt(row.task.or(place.task)),
        "tenantId": row.tenant,
        "userOperationId": null,
        "time": date::format(row.time),
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.text(row.root),
    });
    let mut dto = match row.kind {
        DetailKind::VariableUpdate => {
            let deserialise = params
                .flag("deserializeValues")
                .or_else(|| params.flag("deserializeValue"))
                .unwrap_or(true);
            let mut dto = typed(&row.value, Objects::when(deserialise));
            // `type` tells the kind of detail; the value's own has another name here.
            let kind = dto.remove("type").unwrap_or_default();
            dto.insert("variableType".into(), kind);
            dto.insert("type".into(), "variableUpdate".into());
            dto.insert("variableName".into(), row.name.clone().into());
            dto.insert("variableInstanceId".into(), ids.json_opt(row.variable));
            dto.insert("revision".into(), row.revision.into());
            dto.insert("errorMessage".into(), Json::Null);
            dto.insert("initial".into(), row.initial.into());
            dto
        }
        DetailKind::FormField => {
            let value = typed(&row.value, Objects::Serialised)
                .remove("value")
                .unwrap_or_default();
            let mut dto = serde_json::Map::new();
            dto.insert("type".into(), "formField".into());
            dto.insert("fieldId".into(), row.name.clone().into());
            dto.insert("fieldValue".into(), value);
            dto
        }
    };
    if let Json::Object(common) = common {
        dto.extend(common);
    }
    Ok(Json::Object(dto))
}

fn select(api: &Api, params: &Params) -> Result<Select<HistoricDetail>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdIn")?,
        )
        .with(concat!(execution_of_scope!(), " = ?"), of.id("executionId"))
        .with("ifnull(task, scope) = ?", of.id("taskId"))
        .with(concat!(execution_of_scope!(), " = ?"), of.last_id("activityInstanceId"))
        .with("variable = ?", of.id("variableInstanceId"))
        .within(
            "variable IN (SELECT id FROM historic_variable \
             WHERE value_type IN (SELECT value FROM json_each(?)))",
            type_codes(&of)?,
        )
        .with("name GLOB ?", of.pattern("variableNameLike"))
        .only_if(of.is("formFields"), "kind = 1")
        .only_if(of.is("variableUpdates"), "kind = 0")
        .only_if(
            of.is("excludeTaskDetails"),
            "task IS NULL AND scope NOT IN (SELECT id FROM historic_task)",
        )
        .only_if(of.is("initial"), "initial <> 0")
        .with("time <= ?", of.instant("occurredBefore")?)
        .with("time >= ?", of.instant("occurredAfter")?)
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL")
        .only_if(of.text("userOperationId").is_some(), "false")
        .only_if(of.text("caseInstanceId").is_some(), "false")
        .only_if(of.text("caseExecutionId").is_some(), "false");
    Ok(select)
}

/// `variableTypeIn`, as the schema's numbers.
fn type_codes(of: &Criteria<'_>) -> Result<Option<Vec<usize>>> {
    const NAMES: [&str; 13] = [
        "null", "boolean", "short", "integer", "long", "double", "string", "date", "bytes", "json", "xml", "object",
        "file",
    ];
    let code = |name: &String| NAMES.iter().position(|known| name.eq_ignore_ascii_case(known));
    Ok(of
        .list("variableTypeIn")?
        .map(|names| names.iter().filter_map(code).collect()))
}
