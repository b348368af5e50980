//! Typed variables on the wire: `{"type": "Integer", "value": 1, "valueInfo": {}}`, both ways.
//!
//! Type names are capitalised in answers; requests may start them with a small letter, as the JavaScript client does.
//! A type that is left out is inferred from the JSON value.

mod read;
mod upload;
mod write;

use handoff_machine::command::VariableInput;
use handoff_machine::value::Value;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

pub(crate) use self::upload::Upload;
pub(crate) use self::write::{Objects, TypedMap, data, download, typed};
use super::error::{RestError, Result};

/// The most variables that one request may set.
const VARIABLES_MAX: usize = 10_000;

/// A variable as it is sent (`VariableValueDto`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VariableDto {
    /// The name of its type; inferred where it is left out.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// The value.
    pub(crate) value: Json,
    /// What is to be known beside the value, by type.
    pub(crate) value_info: Option<Map<String, Json>>,
}

impl VariableDto {
    /// The value, if it is one of its type.
    ///
    /// # Errors
    /// 400: an unknown type, or a value that is not of it.
    pub(crate) fn to_value(&self) -> Result<Value> {
        read::value(self)
    }

    /// Whether it is gone at the next wait state.
    pub(crate) fn is_transient(&self) -> bool {
        let info = self.value_info.as_ref();
        info.and_then(|info| info.get("transient"))
            .and_then(Json::as_bool)
            .unwrap_or(false)
    }

    /// The variable of this name.
    ///
    /// # Errors
    /// As [`Self::to_value`].
    pub(crate) fn to_input(&self, name: impl Into<String>) -> Result<VariableInput> {
        Ok(VariableInput {
            name: name.into(),
            value: self.to_value()?,
            transient: self.is_transient(),
        })
    }
}

/// Variables by name, as they are sent; null means none.
pub(crate) type VariablesDto = Option<indexmap::IndexMap<String, Option<VariableDto>>>;

/// All variables of a request. A variable that is null is an untyped null.
///
/// # Errors
/// As [`VariableDto::to_value`]; also more than [`VARIABLES_MAX`].
pub(crate) fn inputs(variables: &VariablesDto) -> Result<Vec<VariableInput>> {
    let Some(variables) = variables else {
        return Ok(Vec::new());
    };
    if variables.len() > VARIABLES_MAX {
        return Err(RestError::invalid(format!(
            "at most {VARIABLES_MAX} variables can be set at once"
        )));
    }
    let null = VariableDto::default();
    variables
        .iter()
        .map(|(name, variable)| variable.as_ref().unwrap_or(&null).to_input(name.clone()))
        .collect()
}

/// Variables that are only compared: names and values.
///
/// # Errors
/// As [`inputs`].
pub(crate) fn keys(variables: &VariablesDto) -> Result<Vec<(String, Value)>> {
    Ok(inputs(variables)?
        .into_iter()
        .map(|input| (input.name, input.value))
        .collect())
}

/// Variables in an answer, by name.
pub(crate) fn typed_map<'a>(variables: impl IntoIterator<Item = &'a (String, Value)>, objects: Objects) -> Json {
    let variables = variables
        .into_iter()
        .map(|(name, value)| (name.clone(), Json::Object(typed(value, objects))));
    Json::Object(variables.collect())
}
