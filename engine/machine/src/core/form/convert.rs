//! The types of form fields (Camunda's `AbstractFormFieldType`s): from what is sent to what a variable holds, and back.

use super::date;
use crate::core::halt::{Halt, Run};
use crate::error::MachineError;
use crate::id::Millis;
use crate::model::FormField;
use crate::question::FieldValue;
use crate::value::{NullType, Value};

/// The pattern of a date field that has none of its own.
const PATTERN: &str = "dd/MM/yyyy";

fn pattern(field: &FormField) -> &str {
    field.pattern.as_deref().unwrap_or(PATTERN)
}

fn long(text: &str) -> Run<Value> {
    text.parse()
        .map(Value::Long)
        .map_err(|_| MachineError::number_format(text).into())
}

/// What Java's `toString` gives of a value that is sent for a number.
fn text_of(value: &Value) -> String {
    match value {
        Value::Boolean(truth) => truth.to_string(),
        Value::Short(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Long(number) => number.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::String(text) | Value::Json(text) | Value::Xml(text) => text.clone(),
        Value::Date(instant) => instant.to_string(),
        Value::Null | Value::NullOf(_) | Value::Bytes(_) | Value::Object(_) | Value::File(_) => {
            value.type_name().to_owned()
        }
    }
}

/// The null of a field's type, where that has one.
fn null_of(kind: &str) -> Option<Value> {
    let kind = match kind {
        "long" => NullType::Long,
        "boolean" => NullType::Boolean,
        "date" => NullType::Date,
        "string" | "enum" => NullType::String,
        _ => return None,
    };
    Some(Value::NullOf(kind))
}

/// A submitted value or a default, as the variable holds it.
pub(super) fn to_model(field: &FormField, value: Value, now: Millis) -> Run<Value> {
    let wrong = |kind: &str| {
        let message = format!("Value '{}' is not of type {kind}.", text_of(&value));
        Err(Halt::execution(message))
    };
    match (field.type_name.as_deref().unwrap_or_default(), &value) {
        (kind, null) if null.is_null() => Ok(null_of(kind).unwrap_or(value)),
        ("long", Value::Long(_)) | ("boolean", Value::Boolean(_)) | ("date", Value::Date(_)) => Ok(value),
        ("string", Value::String(_)) => Ok(value),
        ("string", other) => Ok(Value::String(text_of(other))),
        ("long", other) => long(&text_of(other)),
        ("boolean", Value::String(text)) => Ok(Value::Boolean(text.eq_ignore_ascii_case("true"))),
        ("boolean", _) => wrong("Boolean"),
        ("date", Value::String(text)) if text.trim().is_empty() => Ok(Value::NullOf(NullType::Date)),
        ("date", Value::String(text)) => match date::parse(pattern(field), text.trim(), now) {
            Some(instant) => Ok(Value::Date(instant)),
            None => Err(Halt::execution(format!(
                "Could not parse value '{text}' as date using date format '{}'.",
                pattern(field)
            ))),
        },
        ("date", other) => Err(Halt::execution(format!(
            "Value '{}' cannot be transformed into a Date.",
            text_of(other)
        ))),
        ("enum", Value::String(text)) => {
            check_enum(&field.values, text)?;
            Ok(value)
        }
        ("enum", _) => wrong("String"),
        _ => Ok(value),
    }
}

fn check_enum(values: &[(String, String)], text: &str) -> Run<()> {
    match values.iter().any(|(id, _)| id == text) {
        true => Ok(()),
        false => Err(Halt::execution(format!("Invalid value for enum form property: {text}"))),
    }
}

/// A default, or a value of the older form properties: always from its text.
pub(super) fn from_form(
    kind: &str,
    pattern: Option<&str>,
    values: &[(String, String)],
    value: Value,
    now: Millis,
) -> Run<Value> {
    if value.is_null() {
        return Ok(value);
    }
    let text = text_of(&value);
    match kind {
        "long" => long(&text),
        "boolean" => Ok(Value::Boolean(text.eq_ignore_ascii_case("true"))),
        "date" if matches!(value, Value::Date(_)) => Ok(value),
        "date" => match date::parse(pattern.unwrap_or(PATTERN), &text, now) {
            Some(instant) => Ok(Value::Date(instant)),
            None => Err(Halt::execution(format!("invalid date value {text}"))),
        },
        "enum" => {
            check_enum(values, &text)?;
            Ok(Value::String(text))
        }
        _ => Ok(Value::String(text)),
    }
}

/// What a field shows of a variable. A date is shown as text.
pub(super) fn shown(field: &FormField, value: Value) -> Run<FieldValue> {
    let kind = field.type_name.as_deref().unwrap_or_default();
    let value = match (kind, value) {
        ("date", null) if null.is_null() => Value::String(String::new()),
        ("date", Value::Date(instant)) => Value::String(date::format(pattern(field), instant)),
        ("date", _) => {
            return Err(MachineError::FormField(format!("failed to convert '{}'", field.id)).into());
        }
        (kind, null) if null.is_null() => null_of(kind).unwrap_or(null),
        (_, value) => value,
    };
    Ok(FieldValue {
        name: field.id.clone(),
        value,
    })
}
