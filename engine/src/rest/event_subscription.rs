//! `/event-subscription`

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use handoff_machine::row::{EventKind, EventSubscription};
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{count, ok};
use super::date;
use super::error::{RestError, Result};
use super::id::Ids;
use super::query::{Criteria, Params, Select};

const ORDERS: &[(&str, &str)] = &[("created", "created"), ("tenantId", "tenant")];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/event-subscription", get(list))
        .route("/event-subscription/count", get(count_all))
}

/// A subscription in answers.
pub(crate) fn dto(ids: Ids, subscription: &EventSubscription) -> Json {
    let kind = match subscription.kind {
        EventKind::Message => "message",
        EventKind::Signal => "signal",
        EventKind::Conditional => "conditional",
        EventKind::Compensate => "compensate",
    };
    json!({
        "id": ids.text(subscription.id),
        "eventType": kind,
        "eventName": Some(&subscription.name).filter(|name| !name.is_empty()),
        "executionId": ids.json_opt(subscription.execution),
        "processInstanceId": ids.json_opt(subscription.instance),
        "activityId": subscription.activity,
        "createdDate": date::format(subscription.created),
        "tenantId": subscription.tenant,
    })
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let subscriptions = api.read(move |reader| select.rows(reader.connection)).await?;
    Ok(ok(subscriptions
        .iter()
        .map(|subscription| dto(api.ids, subscription))
        .collect::<Vec<_>>()))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<EventSubscription>> {
    let of = Criteria::new(params, api.ids);
    let kind = match of.text("eventType").as_deref() {
        None => None,
        Some("message") => Some(0_i64),
        Some("signal") => Some(1),
        Some("conditional") => Some(2),
        Some("compensate") => Some(3),
        Some(other) => {
            return Err(RestError::invalid(format!(
                "Cannot set query parameter 'eventType' to value '{other}'"
            )));
        }
    };
    let mut select = Select::new();
    select
        .with("id = ?", of.id("eventSubscriptionId"))
        .with("name = ?", of.text("eventName"))
        .with("kind = ?", kind)
        .with("execution = ?", of.id("executionId"))
        .with("instance = ?", of.id("processInstanceId"))
        .with("activity = ?", of.text("activityId"));
    select.of_tenants(&of, "includeEventSubscriptionsWithoutTenantId")?;
    Ok(select)
}
