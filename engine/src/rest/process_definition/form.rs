//! The forms of definitions and tasks. None is rendered here: a form is found by its key, or is a file that was deployed.

use axum::response::Response;
use handoff_machine::command::FieldValue;
use handoff_machine::row::DefinitionRow;
use handoff_machine::{Command, Id, Reply};
use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::rest::api::Api;
use crate::rest::body::{no_content, ok};
use crate::rest::definition::{Named, resource};
use crate::rest::error::{RestError, Result};
use crate::rest::query::Params;
use crate::rest::reader::Reader;
use crate::rest::variables::{Objects, download, typed};

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

async fn form_key(api: &Api, definition: &DefinitionRow) -> Result<Option<String>> {
    let model = api.engine.definition(definition.id).await?;
    Ok(model.and_then(|definition| definition.model.start_form_key().map(str::to_owned)))
}

/// `GET …/startForm`
pub(super) async fn start_form(api: Api, named: Named) -> Result<Response> {
    let text = named.text().to_owned();
    let missing = || {
        let message = format!("Cannot get start form data for process definition {text}");
        RestError::of_engine(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    };
    let definition = find(&api, named).await?.ok_or_else(missing)?;
    let key = form_key(&api, &definition).await?;
    Ok(ok(json!({ "key": key, "camundaFormRef": null, "contextPath": null })))
}

/// `GET …/form-variables`: what the fields of the form show. An instance that has not started sees nothing else.
pub(super) async fn variables(api: Api, named: Named, params: Params) -> Result<Response> {
    let names = params.list("variableNames")?;
    let definition = match named {
        named @ Named::Key(..) => api.read(move |reader| named.find(reader)).await?,
        named => known(&api, named).await?,
    };
    let fields = fields(&api, Command::StartFormFields(definition.id)).await?;
    Ok(ok(Json::Object(
        fields
            .into_iter()
            .filter(|(name, _)| names.as_ref().is_none_or(|names| names.contains(name)))
            .collect(),
    )))
}

/// What the fields of a form show, by their names.
///
/// # Errors
/// The engine's: a default that cannot be evaluated, or a variable that the form cannot show.
pub(crate) async fn fields(api: &Api, command: Command) -> Result<Vec<(String, Json)>> {
    let fields = match api.submit(command).await? {
        Reply::FormFields(fields) => fields,
        other => return Err(RestError::unexpected(&other)),
    };
    let shown = |field: FieldValue| {
        let mut dto = typed(&field.value, Objects::Deserialised);
        dto.insert("type".into(), field.type_name.into());
        (field.name, Json::Object(dto))
    };
    Ok(fields.into_iter().map(shown).collect())
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
    let text = named.text().to_owned();
    find(api, named).await?.ok_or_else(|| super::unknown_id(&text))
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
