//! The forms of definitions and tasks. None is rendered here: a form is found by its key, or is a file that was deployed.

use axum::response::Response;
use handoff_machine::Id;
use handoff_machine::row::DefinitionRow;
use http::StatusCode;
use serde_json::json;

use crate::rest::api::Api;
use crate::rest::body::{no_content, ok};
use crate::rest::definition::{Named, resource};
use crate::rest::error::{RestError, Result};
use crate::rest::reader::Reader;
use crate::rest::variables::download;

/// The prefixes of form keys that name a file of the definition's deployment.
const DEPLOYED: &[&str] = &["embedded:deployment:", "camunda-forms:deployment:", "deployment:"];

/// A definition that may be unknown.
async fn find(api: &Api, named: Named) -> Result<Option<DefinitionRow>> {
    match api.read(move |reader| named.find(reader)).await {
        Ok(row) => Ok(Some(row)),
        Err(error) if error.status == StatusCode::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

fn text_of(named: &Named) -> String {
    match named {
        Named::Id(text) | Named::Key(text, _) => text.clone(),
    }
}

async fn form_key(api: &Api, definition: &DefinitionRow) -> Result<Option<String>> {
    let model = api.engine.definition(definition.id).await?;
    Ok(model.and_then(|definition| definition.model.start_form_key().map(str::to_owned)))
}

fn unknown(status: StatusCode, kind: &'static str, message: String) -> RestError {
    RestError::of_engine(status, kind, message)
}

/// `GET …/startForm`
pub(super) async fn start_form(api: Api, named: Named) -> Result<Response> {
    let text = text_of(&named);
    let missing = || {
        let message = format!("Cannot get start form data for process definition {text}");
        unknown(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    };
    let definition = find(&api, named).await?.ok_or_else(missing)?;
    let key = form_key(&api, &definition).await?;
    Ok(ok(json!({ "key": key, "camundaFormRef": null, "contextPath": null })))
}

/// `GET …/form-variables`: an instance that has not started sees nothing.
pub(super) async fn variables(api: Api, named: Named) -> Result<Response> {
    known(&api, named).await?;
    Ok(ok(json!({})))
}

/// `GET …/rendered-form`: none is rendered.
pub(super) async fn rendered(named: Named) -> RestError {
    RestError::unknown(format!(
        "No matching rendered start form for process definition with the id {} found.",
        text_of(&named)
    ))
}

/// `GET …/deployed-start-form`
pub(super) async fn deployed_start(api: Api, named: Named) -> Result<Response> {
    let definition = known(&api, named).await?;
    let key = form_key(&api, &definition).await?;
    api.read(move |reader| deployed(reader, key.as_deref(), Some(definition.id)))
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
    let text = text_of(&named);
    find(api, named).await?.ok_or_else(|| {
        let message = format!("no deployed process definition found with id '{text}': processDefinition is null");
        unknown(StatusCode::BAD_REQUEST, "NotFoundException", message)
    })
}

/// The file that a form key names.
///
/// # Errors
/// 400 where it names none; 404 where there is no such file.
pub(crate) fn deployed(reader: &Reader<'_>, key: Option<&str>, definition: Option<Id>) -> Result<Response> {
    let Some(key) = key else {
        let message = "One of the attributes 'formKey' and 'camunda:formRef' must be supplied but none were set.";
        return Err(RestError::invalid(message));
    };
    let name = DEPLOYED.iter().find_map(|prefix| key.strip_prefix(prefix));
    let name =
        name.ok_or_else(|| RestError::invalid(format!("The form key '{key}' does not reference a deployed form.")))?;
    let definition = definition.map(|id| reader.definition(id)).transpose()?.flatten();
    let bytes = match definition {
        Some(definition) => resource(reader, definition.deployment, name)?,
        None => None,
    };
    let bytes = bytes
        .ok_or_else(|| RestError::unknown(format!("The form with the resource name '{name}' cannot be found.")))?;
    Ok(download("application/octet-stream", Some(name), bytes))
}
