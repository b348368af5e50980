//! `/history/decision-instance`

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use handoff_machine::Id;
use handoff_machine::command::BatchWork;
use handoff_machine::row::HistoricDecision;
use handoff_machine::value::Value;
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::removal::RemovalTime;
use crate::rest::api::Api;
use crate::rest::body::{Body, count, ok, text, texts};
use crate::rest::date;
use crate::rest::error::{RestError, Result};
use crate::rest::path::Path;
use crate::rest::query::{Criteria, Params, Select};
use crate::rest::reader::Reader;
use crate::rest::targets::{TARGETS_MAX, start_batch};
use crate::rest::variables::{Objects, typed};

const ORDERS: &[(&str, &str)] = &[("evaluationTime", "time"), ("tenantId", "tenant")];

/// The routes.
pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/history/decision-instance", get(by_get))
        .route("/history/decision-instance/count", get(count_by_get))
        .route("/history/decision-instance/delete", post(delete))
        .route("/history/decision-instance/set-removal-time", post(set_removal_time))
        .route("/history/decision-instance/{id}", get(one))
        .route(
            "/history/decision-requirements-definition/{id}/statistics",
            get(statistics),
        )
}

/// What is shown beside the row itself.
#[derive(Clone, Copy, Debug)]
struct Shown {
    inputs: bool,
    outputs: bool,
    objects: Objects,
}

impl Shown {
    fn read(params: &Params) -> Self {
        Self {
            inputs: params.is("includeInputs"),
            outputs: params.is("includeOutputs"),
            objects: Objects::when(!params.is("disableCustomObjectDeserialization")),
        }
    }
}

async fn by_get(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let shown = Shown::read(&params);
    let rows = api.read(move |reader| {
        let rows = select.rows(reader.connection)?;
        rows.iter()
            .map(|row| dto(reader, row, shown))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(rows.await?))
}

async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

async fn one(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let key = api.ids.read(&id);
    let shown = Shown::read(&params);
    let row = api.read(
        move |reader| match Select::<HistoricDecision>::by_id(reader.connection, key)? {
            Some(row) => dto(reader, &row, shown).map(Some),
            None => Ok(None),
        },
    );
    let unknown = || RestError::unknown(format!("Historic decision instance with id '{id}' does not exist"));
    row.await?.map(ok).ok_or_else(unknown)
}

fn dto(reader: &Reader<'_>, row: &HistoricDecision, shown: Shown) -> Result<Json> {
    let ids = reader.ids;
    let place = row.place.as_ref();
    let removal = reader.removal_time(row.removal_time, place.map(|place| place.instance))?;
    let root = ids.json_opt(place.map(|place| place.root));
    let mut dto = json!({
        "id": ids.text(row.id),
        "decisionDefinitionId": reader.decision_id(row.decision)?,
        "decisionDefinitionKey": row.decision_key,
        "decisionDefinitionName": row.decision_name,
        "evaluationTime": date::format(row.time),
        "removalTime": removal.map(date::format),
        "processDefinitionId": reader.definition_id_opt(place.map(|place| place.definition))?,
        "processDefinitionKey": place.map(|place| &place.definition_key),
        "processInstanceId": ids.json_opt(place.map(|place| place.instance)),
        "rootProcessInstanceId": root,
        "caseDefinitionId": null,
        "caseDefinitionKey": null,
        "caseInstanceId": null,
        "activityId": place.map(|place| &place.activity),
        "activityInstanceId": place.map(|place| ids.activity(Some(&place.activity), place.execution)),
        "userId": row.user,
        "collectResultValue": row.collected,
        "rootDecisionInstanceId": ids.json_opt(row.root_decision),
        "decisionRequirementsDefinitionId": reader.requirements_id(row.requirements)?,
        "decisionRequirementsDefinitionKey": row.requirements_key,
        "tenantId": row.tenant,
    });
    let value = |id: Id, value: &Value, clause: &Option<String>, rest: Json| {
        let mut dto = typed(value, shown.objects);
        let more = json!({
            "id": ids.text(id),
            "decisionInstanceId": ids.text(row.id),
            "clauseId": clause,
            "errorMessage": null,
            // Camunda notes none for an expression.
            "createTime": clause.as_ref().map(|_| date::format(row.time)),
            "removalTime": removal.map(date::format),
            "rootProcessInstanceId": root,
        });
        for fields in [more, rest] {
            if let Json::Object(fields) = fields {
                dto.extend(fields);
            }
        }
        Json::Object(dto)
    };
    if shown.inputs {
        let inputs = row.inputs.iter().map(|input| {
            let rest = json!({ "clauseName": input.clause_name });
            value(input.id, &input.value, &input.clause, rest)
        });
        dto["inputs"] = inputs.collect();
    }
    if shown.outputs {
        let outputs = row.outputs.iter().map(|output| {
            let rest = json!({
                "clauseName": output.clause_name,
                "ruleId": output.rule,
                "ruleOrder": output.rule_order,
                "variableName": output.variable,
            });
            value(output.id, &output.value, &output.clause, rest)
        });
        dto["outputs"] = outputs.collect();
    }
    Ok(dto)
}

fn select(api: &Api, params: &Params) -> Result<Select<HistoricDecision>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("decisionInstanceId"))
        .within(
            "id IN (SELECT value FROM json_each(?))",
            of.ids("decisionInstanceIdIn")?,
        )
        .with("decision = ?", of.last_id("decisionDefinitionId"))
        .within(
            "decision IN (SELECT value FROM json_each(?))",
            of.last_ids("decisionDefinitionIdIn")?,
        )
        .with("decision_key = ?", of.text("decisionDefinitionKey"))
        .within(
            "decision_key IN (SELECT value FROM json_each(?))",
            of.list("decisionDefinitionKeyIn")?,
        )
        .with("decision_name = ?", of.text("decisionDefinitionName"))
        .with("decision_name GLOB ?", of.pattern("decisionDefinitionNameLike"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("instance = ?", of.id("processInstanceId"))
        .within("activity IN (SELECT value FROM json_each(?))", of.list("activityIdIn")?)
        .within(
            "execution IN (SELECT value FROM json_each(?))",
            of.last_ids("activityInstanceIdIn")?,
        )
        .with("time <= ?", of.instant("evaluatedBefore")?)
        .with("time >= ?", of.instant("evaluatedAfter")?)
        .with("user = ?", of.text("userId"))
        .with("ifnull(root_decision, id) = ?", of.id("rootDecisionInstanceId"))
        .only_if(of.is("rootDecisionInstancesOnly"), "root_decision IS NULL")
        .with("requirements = ?", of.last_id("decisionRequirementsDefinitionId"))
        .with("requirements_key = ?", of.text("decisionRequirementsDefinitionKey"))
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    for case in ["caseDefinitionId", "caseDefinitionKey", "caseInstanceId"] {
        // There are no cases.
        select.only_if(of.text(case).is_some(), "0");
    }
    Ok(select)
}

/// The evaluations that are meant: ids, a query, or both.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DecisionsDto {
    #[serde(deserialize_with = "texts")]
    historic_decision_instance_ids: Option<Vec<String>>,
    historic_decision_instance_query: Option<Json>,
}

impl DecisionsDto {
    async fn resolve(self, api: &Api) -> Result<Vec<Id>> {
        let ids = self.historic_decision_instance_ids.unwrap_or_default();
        let mut found: std::collections::BTreeSet<Id> = ids.iter().map(|text| api.ids.read(text)).collect();
        if let Some(query) = self.historic_decision_instance_query {
            let select = select(api, &Params::of_json(query)?)?;
            found.extend(
                api.read(move |reader| select.ids(reader.connection, TARGETS_MAX))
                    .await?,
            );
        }
        if found.is_empty() {
            return Err(RestError::invalid("historicDecisionInstanceIds is empty"));
        }
        Ok(found.into_iter().collect())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeleteDto {
    #[serde(deserialize_with = "text")]
    #[allow(dead_code, reason = "Camunda takes it, and writes it nowhere either")]
    delete_reason: Option<String>,
    #[serde(flatten)]
    decisions: DecisionsDto,
}

async fn delete(api: Api, Body(dto): Body<DeleteDto>) -> Result<Response> {
    let decisions = dto.decisions.resolve(&api).await?;
    Ok(ok(start_batch(&api, BatchWork::DeleteDecisions, decisions).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RemovalTimeDto {
    #[serde(flatten)]
    time: RemovalTime,
    #[serde(flatten)]
    decisions: DecisionsDto,
}

async fn set_removal_time(api: Api, Body(dto): Body<RemovalTimeDto>) -> Result<Response> {
    let work = BatchWork::SetDecisionRemovalTime(dto.time.read()?);
    let decisions = dto.decisions.resolve(&api).await?;
    Ok(ok(start_batch(&api, work, decisions).await?))
}

/// How often each decision of a file was evaluated; of one evaluation, where it is named.
async fn statistics(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let requirements = api.ids.read_definition(&id);
    let root = params.text("decisionInstanceId").map(|text| api.ids.read(&text).0);
    let found = api.read(move |reader| {
        let sql = "SELECT decision_key, count(*) FROM historic_decision WHERE requirements = ?1 \
                   AND (?2 IS NULL OR ifnull(root_decision, id) = ?2) GROUP BY decision_key ORDER BY decision_key";
        let mut statement = reader.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![requirements.0, root], |row| {
            let mut dto = Map::new();
            dto.insert("decisionDefinitionKey".into(), row.get::<_, String>(0)?.into());
            dto.insert("evaluations".into(), row.get::<_, i64>(1)?.into());
            Ok(Json::Object(dto))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    });
    Ok(ok(found.await?))
}
