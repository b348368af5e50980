//! Orders of tasks by a variable: `{"sortBy": "processVariable", "parameters": {"variable": …, "type": …}}`.
//!
//! Only values of the type count; tasks without one are as if theirs were less than all others. Texts are compared without
//! minding case. A variable is looked for in one scope alone: the instance, the execution or the task itself. (Camunda lists
//! a task twice that has a variable of its own beside one of the same name around it.)

use handoff_machine::Value;
use http::StatusCode;
use serde_json::Value as Json;

use crate::rest::error::{RestError, Result};
use crate::rest::query::Bound;
use crate::store::value::type_code;

/// The values of texts, and those of all other types, by where they are looked for.
const ORDERS: [(&str, [&str; 2]); 5] = [
    (
        "processVariable",
        [
            "(SELECT lower(v.value) FROM variable v WHERE v.scope = task.instance AND v.name = ? AND v.value_type = ?)",
            "(SELECT v.value FROM variable v WHERE v.scope = task.instance AND v.name = ? AND v.value_type = ?)",
        ],
    ),
    // A task has an execution to itself here, where in Camunda it shares that around it if there is nothing beside it.
    (
        "executionVariable",
        [
            "(SELECT lower(v.value) FROM variable v JOIN execution e ON v.scope IN (e.id, e.parent) \
             WHERE e.id = task.execution AND v.name = ? AND v.value_type = ? ORDER BY v.scope = e.parent LIMIT 1)",
            "(SELECT v.value FROM variable v JOIN execution e ON v.scope IN (e.id, e.parent) \
             WHERE e.id = task.execution AND v.name = ? AND v.value_type = ? ORDER BY v.scope = e.parent LIMIT 1)",
        ],
    ),
    (
        "taskVariable",
        [
            "(SELECT lower(v.value) FROM variable v WHERE v.scope = task.id AND v.name = ? AND v.value_type = ?)",
            "(SELECT v.value FROM variable v WHERE v.scope = task.id AND v.name = ? AND v.value_type = ?)",
        ],
    ),
    ("caseExecutionVariable", NO_CASES),
    ("caseInstanceVariable", NO_CASES),
];

/// There are no cases, so no task is in one; the parameters are bound all the same.
const NO_CASES: [&str; 2] = ["iif(? IS ?, NULL, NULL)", "iif(? IS ?, NULL, NULL)"];

/// The order of this name, with the variable's name and the code of its type; none where it is no order by a variable.
///
/// # Errors
/// 500, as Camunda's: the name or the type is missing, or values of the type have no order. 400: they are no texts.
pub(super) fn by_variable(by: &str, parameters: &Json) -> Result<Option<(&'static str, Vec<Bound>)>> {
    let Some((_, [texts, others])) = ORDERS.iter().find(|(name, _)| *name == by) else {
        return Ok(None);
    };
    let name = text(parameters, "variable")?.ok_or_else(|| null("variableName is null"))?;
    let kind = text(parameters, "type")?.unwrap_or_default();
    let example = example(&kind)?;
    let order = if matches!(example, Value::String(_)) {
        texts
    } else {
        others
    };
    Ok(Some((
        order,
        vec![Bound::Text(name), Bound::Integer(type_code(&example))],
    )))
}

fn text(parameters: &Json, name: &str) -> Result<Option<String>> {
    match parameters.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(RestError::invalid(format!(
            "The parameter '{name}' of an order must be a text: {other:.100}"
        ))),
    }
}

/// A value of a type that has an order. The first letter of its name may be a capital one.
fn example(kind: &str) -> Result<Value> {
    let mut letters = kind.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    let name: String = first.into_iter().chain(letters).collect();
    Ok(match name.as_str() {
        "string" => Value::String(String::new()),
        "integer" => Value::Integer(0),
        "long" => Value::Long(0),
        "short" => Value::Short(0),
        "double" => Value::Double(0.0),
        "boolean" => Value::Boolean(false),
        "date" => Value::Date(0),
        "null" | "bytes" | "file" | "object" | "number" => {
            let message = format!("Cannot order by variables of type {name}");
            return Err(RestError::of_engine(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ProcessEngineException",
                message,
            ));
        }
        _ => return Err(null("valueType is null")),
    })
}

fn null(message: &str) -> RestError {
    RestError::of_engine(StatusCode::INTERNAL_SERVER_ERROR, "NullValueException", message)
}
