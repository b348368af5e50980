//! What forms of tasks and of start events have in common. None is rendered: a form has a key that its user understands, or
//! is a file that was deployed.

use std::collections::HashMap;

use axum::response::Response;
use handoff_machine::model::{Form, FormName, Kind, NamedForm};
use handoff_machine::question::FieldValue;
use handoff_machine::row::UserTask;
use handoff_machine::{Id, Question, Told};
use serde_json::{Value as Json, json};

use super::api::Api;
use super::definition::resource;
use super::error::{RestError, Result};
use super::reader::Reader;
use super::variables::{Objects, download, typed};

/// The prefixes of form keys that name a file of the definition's deployment.
const DEPLOYED: &[&str] = &["embedded:deployment:", "camunda-forms:deployment:", "deployment:"];

/// The reference in an answer: `camundaFormRef`.
pub(crate) fn reference(name: &FormName) -> Json {
    match &name.reference {
        Some(form) => json!({ "key": form.key, "binding": form.binding, "version": form.version }),
        None => Json::Null,
    }
}

/// `FormDto`
pub(crate) fn dto(name: &FormName) -> Json {
    json!({ "key": name.key, "camundaFormRef": reference(name), "contextPath": null })
}

/// What the forms of tasks are called, in the order of the tasks. Only names with expressions are evaluated.
///
/// # Errors
/// As Camunda, which fails for all that is asked for where one name cannot be evaluated.
pub(crate) async fn names(api: &Api, tasks: &[UserTask]) -> Result<Vec<FormName>> {
    let mut definitions = HashMap::new();
    let mut names = vec![FormName::default(); tasks.len()];
    let mut evaluated = Vec::new();
    for (task, name) in tasks.iter().zip(&mut names) {
        let Some(place) = &task.place else { continue };
        let definition = match definitions.get(&place.definition) {
            Some(known) => known,
            None => {
                let found = api.engine.definition(place.definition).await?;
                definitions.entry(place.definition).or_insert(found)
            }
        };
        let element = definition
            .as_ref()
            .and_then(|definition| definition.model.element(&place.activity));
        match element.map(|element| &element.kind) {
            Some(Kind::User(user)) if user.form.is_named_literally() => *name = user.form.name_as_written()?,
            Some(Kind::User(_)) => evaluated.push(task.id),
            _ => {}
        }
    }
    if evaluated.is_empty() {
        return Ok(names);
    }
    let mut told: HashMap<Id, FormName> = match api.ask(Question::TaskForms(evaluated)).await? {
        Told::Forms(forms) => forms.into_iter().collect(),
        other => return Err(RestError::unexpected(&other)),
    };
    for (task, name) in tasks.iter().zip(&mut names) {
        if let Some(told) = told.remove(&task.id) {
            *name = told;
        }
    }
    Ok(names)
}

/// What the form of one task is called.
///
/// # Errors
/// As [`names`].
pub(crate) async fn name(api: &Api, task: &UserTask) -> Result<FormName> {
    let mut names = names(api, std::slice::from_ref(task)).await?;
    Ok(names.pop().unwrap_or_default())
}

/// What the form of a definition's start event is called.
///
/// # Errors
/// 500: the version of a reference is no number, or the store fails.
pub(crate) async fn start_name(api: &Api, definition: Id) -> Result<FormName> {
    let definition = api.engine.definition(definition).await?;
    let form = definition.as_ref().map(|definition| &definition.model.start_form);
    Ok(form.map(Form::name_as_written).transpose()?.unwrap_or_default())
}

/// What the fields of a form show, by their names.
///
/// # Errors
/// The engine's: a default that cannot be evaluated, or a variable that the form cannot show.
pub(crate) async fn fields(api: &Api, question: Question) -> Result<Vec<(String, Json)>> {
    let fields = match api.ask(question).await? {
        Told::Fields(fields) => fields,
        other => return Err(RestError::unexpected(&other)),
    };
    let shown = |field: FieldValue| {
        let dto = typed(&field.value, Objects::Deserialised);
        (field.name, Json::Object(dto))
    };
    Ok(fields.into_iter().map(shown).collect())
}

/// The file of a form.
///
/// # Errors
/// 400 where its name names no file; 404 where there is no such file.
pub(crate) fn deployed(reader: &Reader<'_>, name: &FormName, definition: Option<Id>) -> Result<Response> {
    let definition = definition.map(|id| reader.definition(id)).transpose()?.flatten();
    let deployment = definition.map(|definition| definition.deployment);
    match (&name.key, &name.reference) {
        (Some(key), _) => keyed(reader, key, deployment),
        (None, Some(form)) => referenced(reader, form, deployment),
        (None, None) => {
            let message = "One of the attributes 'formKey' and 'camunda:formRef' must be supplied but none were set.";
            Err(RestError::invalid(message))
        }
    }
}

fn keyed(reader: &Reader<'_>, key: &str, deployment: Option<Id>) -> Result<Response> {
    let name = DEPLOYED.iter().find_map(|prefix| key.strip_prefix(prefix));
    let name =
        name.ok_or_else(|| RestError::invalid(format!("The form key '{key}' does not reference a deployed form.")))?;
    let bytes = match deployment {
        Some(deployment) => resource(reader, deployment, name)?,
        None => None,
    };
    let bytes = bytes
        .ok_or_else(|| RestError::unknown(format!("The form with the resource name '{name}' cannot be found.")))?;
    Ok(download("application/octet-stream", Some(name), bytes))
}

/// A Camunda Form is a file `*.form` whose JSON has the key as its `id`. Its versions are those that are still deployed.
fn referenced(reader: &Reader<'_>, form: &NamedForm, deployment: Option<Id>) -> Result<Response> {
    let (filter, order, skip) = match (form.binding.as_str(), form.version) {
        ("deployment", _) => ("deployment = ?1", "ASC", 0),
        ("version", version) => (
            "deployment IN (SELECT id FROM deployment WHERE tenant IS NULL)",
            "ASC",
            version.unwrap_or_default().saturating_sub(1),
        ),
        _ => ("TRUE", "DESC", 0),
    };
    let sql =
        format!("SELECT bytes FROM resource WHERE name GLOB '*.form' AND ?1 IS ?1 AND {filter} ORDER BY id {order}");
    let mut statement = reader.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([deployment.map(|id| id.0)])?;
    let mut skip = skip;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        let json: Json = serde_json::from_slice(&bytes).unwrap_or_default();
        if json["id"] != form.key.as_str() {
            continue;
        }
        if skip == 0 {
            return Ok(download("application/json", None, bytes));
        }
        skip -= 1;
    }
    let version = form
        .version
        .map_or_else(|| "null".to_owned(), |version| version.to_string());
    Err(RestError::unknown(format!(
        "No Camunda Form Definition was found for Camunda Form Ref: CamundaFormRefImpl [key={}, binding={}, version={version}]",
        form.key, form.binding
    )))
}
