//! `POST /deployment/create`

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::MethodRouter;
use handoff_machine::command::Deploy;
use handoff_machine::{Command, Reply};
use serde_json::{Map, Value as Json, json};

use super::form::{FORM_MAX, Form};
use crate::rest::api::Api;
use crate::rest::body::ok;
use crate::rest::error::{RestError, Result, problem};
use crate::rest::process_definition;

/// The route, with its own limit for the body.
pub(super) fn routes(create: MethodRouter<Api>) -> Router<Api> {
    Router::new().route("/deployment/create", create.layer(DefaultBodyLimit::max(FORM_MAX)))
}

pub(super) async fn create(api: Api, form: Form) -> Result<Response> {
    if form.resources.is_empty() {
        return Err(RestError::invalid(
            "No deployment resources contained in the form upload.",
        ));
    }
    let deploy = Deploy {
        name: form.name,
        source: form.source,
        tenant: form.tenant,
        duplicate_filtering: form.duplicate_filtering,
        changed_only: form.changed_only,
        strict: api.strict,
        resources: form.resources,
    };
    let (deployment, definitions, warnings) = match api.submit(Command::Deploy(deploy)).await? {
        Reply::Deployed {
            deployment,
            definitions,
            warnings,
        } => (deployment, definitions, warnings),
        other => return Err(RestError::unexpected(&other)),
    };
    let mut dto = super::dto(api.ids, &deployment);
    let href = format!("{}/deployment/{}", api.base, api.ids.text(deployment.id));
    dto.insert(
        "links".into(),
        json!([{ "method": "GET", "href": href, "rel": "self" }]),
    );
    let deployed: Map<String, Json> = definitions
        .iter()
        .map(|row| {
            (
                api.ids.definition(&row.key, row.version, row.id),
                process_definition::dto(api.ids, row),
            )
        })
        .collect();
    dto.insert(
        "deployedProcessDefinitions".into(),
        if deployed.is_empty() {
            Json::Null
        } else {
            Json::Object(deployed)
        },
    );
    for none in [
        "deployedCaseDefinitions",
        "deployedDecisionDefinitions",
        "deployedDecisionRequirementsDefinitions",
    ] {
        dto.insert(none.into(), Json::Null);
    }
    if !warnings.is_empty() {
        let warnings = warnings.iter().map(|(resource, warning)| {
            let mut shown = problem(warning);
            shown["resource"] = resource.as_str().into();
            shown
        });
        dto.insert("handoff".into(), json!({ "warnings": warnings.collect::<Vec<_>>() }));
    }
    Ok(ok(dto))
}
