//! `/history/variable-instance`

use handoff_machine::row::HistoricVariable;
use serde_json::{Value as Json, json};

use super::history;
use super::place::{Place, execution_of_scope};
use crate::rest::date;
use crate::rest::query::{VariableTable, by_variables, variable_table};
use crate::rest::variables::{Objects, VariableDto, data, typed};

const VALUES: VariableTable = variable_table!("historic_variable v WHERE v.id = historic_variable.id");

const ORDERS: &[(&str, &str)] = &[
    ("instanceId", "instance"),
    ("variableName", "name"),
    ("tenantId", "tenant"),
];

history!(
    "/history/variable-instance",
    HistoricVariable,
    ORDERS,
    "Variable instance with Id '{}' does not exist."
);

fn more() -> Router<Api> {
    Router::new().route("/history/variable-instance/{id}/data", get(download))
}

async fn download(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let row = api
        .read(move |reader| Select::<HistoricVariable>::by_id(reader.connection, key))
        .await?;
    let row =
        row.ok_or_else(|| RestError::unknown(format!("Historic variable instance with Id '{id}' does not exist.")))?;
    data(row.value, &row.name)
}

fn dto(reader: &Reader<'_>, row: &HistoricVariable, params: &Params) -> Result<Json> {
    let ids = reader.ids;
    let removal = reader.removal_time(row.removal_time, Some(row.instance))?;
    let deserialise = params
        .flag("deserializeValues")
        .or_else(|| params.flag("deserializeValue"))
        .unwrap_or(true);
    let place = Place::of(reader, row.instance, row.scope, row.scope_activity.as_deref())?;
    let mut dto = typed(&row.value, Objects::when(deserialise));
    let rest = json!({
        "id": ids.text(row.id),
        "name": row.name,
        "processDefinitionKey": row.definition_key,
        "processDefinitionId": reader.definition_id(row.definition)?,
        "processInstanceId": ids.text(row.instance),
        "executionId": ids.text(place.execution),
        "activityInstanceId": ids.activity(place.activity.as_deref(), place.execution),
        "caseDefinitionKey": null,
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": ids.json_opt(place.task),
        "errorMessage": null,
        "tenantId": row.tenant,
        "state": if row.deleted { "DELETED" } else { "CREATED" },
        "createTime": date::format(row.created),
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.text(row.root),
    });
    if let Json::Object(rest) = rest {
        dto.extend(rest);
    }
    Ok(Json::Object(dto))
}

fn select(api: &Api, params: &Params) -> Result<Select<HistoricVariable>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdIn")?,
        )
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("name = ?", of.text("variableName"))
        .with("name GLOB ?", of.pattern("variableNameLike"))
        .within("name IN (SELECT value FROM json_each(?))", of.list("variableNameIn")?)
        .within(
            concat!(execution_of_scope!(), " IN (SELECT value FROM json_each(?))"),
            of.ids("executionIdIn")?,
        )
        .within(
            concat!(execution_of_scope!(), " IN (SELECT value FROM json_each(?))"),
            of.last_ids("activityInstanceIdIn")?,
        )
        .within("scope IN (SELECT value FROM json_each(?))", of.ids("taskIdIn")?)
        .only_if(!of.is("includeDeleted"), "deleted = 0")
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    if let Some(value) = of.json("variableValue") {
        let value = VariableDto {
            value: value.clone(),
            ..VariableDto::default()
        };
        let name = of.text("variableName").unwrap_or_default();
        let filter = json!({ "variables": [{ "name": name, "operator": "eq", "value": value.value }] });
        by_variables(&mut select, &Params::of_json(filter)?, "variables", VALUES)?;
    }
    Ok(select)
}
