//! `/history/identity-link-log`: whom tasks were for.

use handoff_machine::row::IdentityLinkLog;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;

const ORDERS: &[(&str, &str)] = &[
    ("time", "time"),
    ("type", "kind"),
    ("userId", "user"),
    ("groupId", "group_id"),
    ("taskId", "task"),
    ("processDefinitionId", "definition"),
    ("processDefinitionKey", "definition_key"),
    ("operationType", "added"),
    ("assignerId", "assigner"),
    ("tenantId", "tenant"),
];

history!(
    "/history/identity-link-log",
    IdentityLinkLog,
    ORDERS,
    "Historic identity link log with id {} does not exist"
);

fn more() -> Router<Api> {
    Router::new()
}

fn dto(reader: &Reader<'_>, row: &IdentityLinkLog, _: &Params) -> Result<Json> {
    let ids = reader.ids;
    let removal = reader.removal_time(row.removal_time, row.instance)?;
    Ok(json!({
        "id": ids.text(row.id),
        "time": date::format(row.time),
        "type": row.kind,
        "userId": row.user,
        "groupId": row.group,
        "taskId": ids.text(row.task),
        "processDefinitionId": reader.definition_id_opt(row.definition)?,
        "processDefinitionKey": row.definition_key,
        "operationType": if row.added { "add" } else { "delete" },
        "assignerId": row.assigner,
        "tenantId": row.tenant,
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.json_opt(row.root),
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<IdentityLinkLog>> {
    let of = Criteria::new(params, api.ids);
    let added = of.text("operationType").map(|text| match text.as_str() {
        "add" => 1,
        "delete" => 0,
        // No row is that.
        _ => -1_i64,
    });
    let mut select = Select::new();
    select
        .with("time <= ?", of.instant("dateBefore")?)
        .with("time >= ?", of.instant("dateAfter")?)
        .with("kind = ?", of.text("type"))
        .with("user = ?", of.text("userId"))
        .with("group_id = ?", of.text("groupId"))
        .with("task = ?", of.id("taskId"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("added = ?", added)
        .with("assigner = ?", of.text("assignerId"))
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
