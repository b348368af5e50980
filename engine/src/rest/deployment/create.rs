//! `POST /deployment/create`

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::MethodRouter;
use handoff_machine::command::Deploy;
use handoff_machine::row::{DecisionRow, Deployment, Resource};
use handoff_machine::{Command, Reply};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::form::{FORM_MAX, Form};
use crate::rest::api::Api;
use crate::rest::body::{Body, ok, text, texts};
use crate::rest::error::{RestError, Result, problem};
use crate::rest::path::Path;
use crate::rest::query::Select;
use crate::rest::{decision_definition, decision_requirements, process_definition};

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
        strict: api.strict || form.strict,
        resources: form.resources,
    };
    deploy_and_tell(&api, deploy).await
}

/// What of a deployment is deployed again; nothing said means all.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RedeployDto {
    #[serde(deserialize_with = "texts")]
    resource_ids: Option<Vec<String>>,
    #[serde(deserialize_with = "texts")]
    resource_names: Option<Vec<String>>,
    #[serde(deserialize_with = "text")]
    source: Option<String>,
}

/// `POST /deployment/{id}/redeploy`
pub(super) async fn redeploy(api: Api, Path(id): Path<String>, Body(dto): Body<RedeployDto>) -> Result<Response> {
    let key = api.ids.read(&id);
    let found = api.read(move |reader| {
        let deployment = Select::<Deployment>::by_id(reader.connection, key)?;
        Ok((deployment, super::files(reader, key.0)?))
    });
    let (Some(deployment), files) = found.await? else {
        return Err(RestError::unknown(format!("Deployment with id '{id}' does not exist")));
    };
    let (wanted_ids, wanted_names) = (
        dto.resource_ids.unwrap_or_default(),
        dto.resource_names.unwrap_or_default(),
    );
    let missing = |what: &str, missing: Vec<&String>| {
        let list = missing.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(", ");
        let message = format!(
            "Cannot redeploy deployment '{id}': The deployment with id '{id}' does not contain the following resources with {what}: {list}"
        );
        RestError::of_engine(http::StatusCode::NOT_FOUND, "InvalidRequestException", message)
    };
    let text = |file: &Resource| api.ids.text(file.id);
    let absent: Vec<_> = wanted_ids
        .iter()
        .filter(|id| !files.iter().any(|file| text(file) == **id))
        .collect();
    if !absent.is_empty() {
        return Err(missing("id", absent));
    }
    let absent: Vec<_> = wanted_names
        .iter()
        .filter(|name| !files.iter().any(|file| file.name == **name))
        .collect();
    if !absent.is_empty() {
        return Err(missing("name", absent));
    }
    let all = wanted_ids.is_empty() && wanted_names.is_empty();
    let ids = api.ids;
    let wanted = |file: &Resource| all || wanted_ids.contains(&ids.text(file.id)) || wanted_names.contains(&file.name);
    let resources = files
        .into_iter()
        .filter(wanted)
        .map(|file| (file.name, file.bytes))
        .collect();
    let deploy = Deploy {
        name: deployment.name,
        source: dto.source,
        tenant: deployment.tenant,
        duplicate_filtering: false,
        changed_only: false,
        strict: api.strict,
        resources,
    };
    deploy_and_tell(&api, deploy).await
}

async fn deploy_and_tell(api: &Api, deploy: Deploy) -> Result<Response> {
    let reply = api.submit(Command::Deploy(deploy)).await?;
    let (deployment, definitions, decisions, requirements, warnings) = match reply {
        Reply::Deployed {
            deployment,
            definitions,
            decisions,
            requirements,
            warnings,
        } => (deployment, definitions, decisions, requirements, warnings),
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
    dto.insert("deployedProcessDefinitions".into(), or_null(deployed));
    dto.insert("deployedCaseDefinitions".into(), Json::Null);
    let ids = api.ids;
    let deployed = api.read(move |reader| {
        let shown = |row: &DecisionRow| {
            let id = ids.definition(&row.key, row.version, row.id);
            Ok((id, decision_definition::dto(reader, row)?))
        };
        decisions.iter().map(shown).collect::<Result<Map<_, _>>>()
    });
    dto.insert("deployedDecisionDefinitions".into(), or_null(deployed.await?));
    let deployed = requirements.iter().map(|row| {
        let id = ids.definition(&row.key, row.version, row.id);
        (id, decision_requirements::dto(ids, row))
    });
    dto.insert(
        "deployedDecisionRequirementsDefinitions".into(),
        or_null(deployed.collect()),
    );
    for (resource, warning) in &warnings {
        tracing::warn!(
            resource,
            line = warning.line,
            element = warning.main_element,
            "{}",
            warning.message
        );
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

/// Nothing is null.
fn or_null(deployed: Map<String, Json>) -> Json {
    if deployed.is_empty() {
        Json::Null
    } else {
        Json::Object(deployed)
    }
}
