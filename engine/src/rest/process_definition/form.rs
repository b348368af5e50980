//! The forms of definitions.

use axum::response::Response;
use handoff_machine::Question;
use handoff_machine::row::DefinitionRow;
use http::StatusCode;
use serde_json::Value as Json;

use crate::rest::api::Api;
use crate::rest::body::{no_content, ok};
use crate::rest::definition::{Named, resource};
use crate::rest::error::{RestError, Result};
use crate::rest::form;
use crate::rest::query::Params;
use crate::rest::variables::download;

/// A definition that may be unknown.
async fn find(api: &Api, named: Named) -> Result<Option<DefinitionRow>> {
    match api.read(move |reader| named.find(reader)).await {
        Ok(row) => Ok(Some(row)),
        Err(error) if error.status == StatusCode::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

/// `GET …/startForm`
pub(super) async fn start_form(api: Api, named: Named) -> Result<Response> {
    let text = named.text().to_owned();
    let missing = || {
        let message = format!("Cannot get start form data for process definition {text}");
        RestError::of_engine(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    };
    let definition = find(&api, named).await?.ok_or_else(missing)?;
    Ok(ok(form::dto(&form::start_name(&api, definition.id).await?)))
}

/// `GET …/form-variables`: what the fields of the form show. An instance that has not started sees nothing else.
pub(super) async fn variables(api: Api, named: Named, params: Params) -> Result<Response> {
    let names = params.list("variableNames")?;
    let definition = match named {
        named @ Named::Key(..) => api.read(move |reader| named.find(reader)).await?,
        named => known(&api, named).await?,
    };
    let fields = form::fields(&api, Question::StartFields(definition.id)).await?;
    Ok(ok(Json::Object(
        fields
            .into_iter()
            .filter(|(name, _)| names.as_ref().is_none_or(|names| names.contains(name)))
            .collect(),
    )))
}

/// `GET …/rendered-form`: none is rendered.
pub(super) async fn rendered(named: Named) -> RestError {
    RestError::unknown(format!(
        "No matching rendered start form for process definition with the id {} found.",
        named.text()
    ))
}

/// `GET …/deployed-start-form`
pub(super) async fn deployed_start(api: Api, named: Named) -> Result<Response> {
    let definition = known(&api, named).await?;
    let name = form::start_name(&api, definition.id).await?;
    api.read(move |reader| form::deployed(reader, &name, Some(definition.id)))
        .await
}

/// `GET …/diagram`: a picture that was deployed under the name of the model, or nothing.
pub(super) async fn diagram(api: Api, named: Named) -> Result<Response> {
    let definition = known(&api, named).await?;
    let picture = api.read(move |reader| {
        let stem = definition.resource.rsplit_once('.').map_or("", |(stem, _)| stem);
        let stem = stem.strip_suffix(".bpmn20").unwrap_or(stem);
        let key = &definition.key;
        for extension in ["png", "jpg", "gif", "svg"] {
            for name in [format!("{stem}.{key}.{extension}"), format!("{stem}.{extension}")] {
                if let Some(bytes) = resource(reader, definition.deployment, &name)? {
                    return Ok(Some((extension, name, bytes)));
                }
            }
        }
        Ok(None)
    });
    Ok(match picture.await? {
        None => no_content(),
        Some((extension, name, bytes)) => {
            let media = match extension {
                "png" => "image/png",
                "gif" => "image/gif",
                "svg" => "image/svg+xml",
                _ => "image/jpeg",
            };
            download(media, Some(&name), bytes)
        }
    })
}

async fn known(api: &Api, named: Named) -> Result<DefinitionRow> {
    let text = named.text().to_owned();
    find(api, named).await?.ok_or_else(|| super::unknown_id(&text))
}
