//! The types of form fields (Camunda's `AbstractFormFieldType`s): from what is sent to what a variable holds, and back.

use super::date;
use crate::command::FieldValue;
use crate::core::halt::{Halt, Run};
use crate::error::MachineError;
use crate::id::Millis;
use crate::model::FormField;
use crate::value::{NullType, Value};

/// The pattern of a date field that has none of its own.
const PATTERN: &str = "dd/MM/yyyy";

fn pattern(field: &FormField) -> &str {
    field.pattern.as_deref().unwrap_or(PATTERN)
}

fn long(text: &str) -> Run<Value> {
    text.parse().map(Value::Long).map_err(|_| {
        let message = format!("For input string: \"{text}\"");
        MachineError::Java {
            class: "NumberFormatException",
            message,
        }
        .into()
    })
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

/// A submitted value or a default, as the variable holds it.
pub(super) fn to_model(field: &FormField, value: Value, now: Millis) -> Run<Value> {
    let wrong = |kind: &str| {
        let message = format!("Value '{}' is not of type {kind}.", text_of(&value));
        Err(Halt::execution(message))
    };
    match (field.type_name.as_deref().unwrap_or_default(), &value) {
        ("long", null) if null.is_null() => Ok(Value::NullOf(NullType::Long)),
        ("boolean", null) if null.is_null() => Ok(Value::NullOf(NullType::Boolean)),
        ("date", null) if null.is_null() => Ok(Value::NullOf(NullType::Date)),
        ("string" | "enum", null) if null.is_null() => Ok(Value::NullOf(NullType::String)),
        (_, null) if null.is_null() => Ok(value),
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
    if value == Value::Null {
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
    let (type_name, value) = match (kind, value) {
        ("date", Value::Null) => ("String", Value::String(String::new())),
        ("date", Value::Date(instant)) => ("String", Value::String(date::format(pattern(field), instant))),
        ("date", _) => {
            return Err(MachineError::FormField(format!("failed to convert '{}'", field.id)).into());
        }
        ("long", Value::Null) => ("Long", Value::Null),
        ("boolean", Value::Null) => ("Boolean", Value::Null),
        ("string" | "enum", Value::Null) => ("String", Value::Null),
        (_, value) => (value.type_name(), value),
    };
    Ok(FieldValue {
        name: field.id.clone(),
        type_name,
        value,
    })
}
