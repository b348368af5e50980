//! `/history/batch`

use handoff_machine::Command;
use handoff_machine::row::HistoricBatch;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::body::no_content;
use crate::rest::date;
use crate::rest::targets::batch_dto;

const ORDERS: &[(&str, &str)] = &[
    ("batchId", "id"),
    ("startTime", "start_time"),
    ("endTime", "end_time"),
    ("tenantId", "tenant"),
];

history!(
    "/history/batch",
    HistoricBatch,
    ORDERS,
    "Historic batch with id '{}' does not exist"
);

fn more() -> Router<Api> {
    Router::new().route("/history/batch/{id}", axum::routing::delete(delete))
}

async fn delete(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let known = api.read(move |reader| Select::<HistoricBatch>::by_id(reader.connection, key));
    if known.await?.is_none() {
        let message = format!("Unable to delete historic batch with id '{id}'");
        return Err(RestError::of_engine(
            http::StatusCode::BAD_REQUEST,
            "InvalidRequestException",
            message,
        ));
    }
    api.run(Command::DeleteHistoricBatch(key)).await?;
    Ok(no_content())
}

fn dto(reader: &Reader<'_>, row: &HistoricBatch, _: &Params) -> Result<Json> {
    let mut dto = batch_dto(reader.ids, &row.batch);
    let rest = json!({
        "endTime": row.end_time.map(date::format),
        "removalTime": row.removal_time.map(date::format),
    });
    if let (Json::Object(fields), Json::Object(rest)) = (&mut dto, rest) {
        fields.remove("jobsCreated");
        fields.remove("suspended");
        fields.extend(rest);
    }
    Ok(dto)
}

fn select(api: &Api, params: &Params) -> Result<Select<HistoricBatch>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("batchId"))
        .with("kind = ?", of.text("type"))
        .only_if(of.flag("completed") == Some(true), "end_time IS NOT NULL")
        .only_if(of.flag("completed") == Some(false), "end_time IS NULL")
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
