//! `typeRef`: which type a clause's value has, and how a value becomes one.

use jiff::civil;

use super::cell::Cell;
use super::error::DecisionError;
use crate::feel::Feel;
use crate::value::Value;

/// A type that means something; every other name leaves a value as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeRef {
    Any,
    String,
    Boolean,
    Integer,
    Long,
    Double,
    Date,
}

impl TypeRef {
    pub(super) fn of(name: Option<&str>) -> Self {
        // A prefix may name FEEL's namespace.
        let name = name.map(|name| name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase());
        match name.as_deref() {
            Some("string") => Self::String,
            Some("boolean") => Self::Boolean,
            Some("integer") => Self::Integer,
            Some("long") => Self::Long,
            Some("double") => Self::Double,
            Some("date") => Self::Date,
            _ => Self::Any,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Double => "double",
            Self::Date => "date",
        }
    }

    /// The value as one of this type. Null is one of every type.
    ///
    /// # Errors
    /// It cannot be one.
    pub(super) fn convert(self, cell: Cell) -> Result<Cell, DecisionError> {
        if self == Self::Any || cell.value.is_null() {
            return Ok(cell);
        }
        let converted = match self {
            Self::Any => return Ok(cell),
            Self::String => Some(Value::String(text(&cell))),
            Self::Boolean => boolean(&cell.value).map(Value::Boolean),
            Self::Integer => whole(&cell.value)
                .and_then(|number| i32::try_from(number).ok())
                .map(Value::Integer),
            Self::Long => whole(&cell.value).map(Value::Long),
            Self::Double => double(&cell.value).map(Value::Double),
            Self::Date => date(&cell).map(Value::Date),
        };
        converted.map(Cell::typed).ok_or_else(|| {
            DecisionError::value(format!(
                "DMN-01005 Invalid value '{}' for clause with type '{}'.",
                text(&cell),
                self.name()
            ))
        })
    }
}

/// What Java's `toString` gives.
pub(super) fn text(cell: &Cell) -> String {
    match &cell.value {
        Value::Null | Value::NullOf(_) => "null".to_owned(),
        // What has no type of its own in Camunda is text in JSON, but for lists and contexts.
        Value::Object(_) => match cell.to_json() {
            serde_json::Value::String(text) => text,
            _ => cell.to_datum().into_text().unwrap_or_default(),
        },
        _ => cell.to_datum().into_text().unwrap_or_default(),
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Short(number) => Some((*number).into()),
        Value::Integer(number) => Some((*number).into()),
        Value::Long(number) => Some(*number),
        // 2^63 is the first double that is too large.
        Value::Double(number) if number.fract() == 0.0 && number.abs() < 9_223_372_036_854_775_808.0 => {
            Some(*number as i64)
        }
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::String(text) => text.trim().parse().ok(),
        other => whole(other).map(|number| number as f64),
    }
}

/// A date, a moment, or a text that is a moment without a zone.
fn date(cell: &Cell) -> Option<i64> {
    match (&cell.value, &cell.feel) {
        (Value::Date(millis), _) => Some(*millis),
        (_, Feel::DateTime(moment)) => moment.millis(),
        (Value::String(text), _) if text.contains('T') => {
            let civil: civil::DateTime = text.parse().ok()?;
            crate::feel::Moment { civil, offset: None }.millis()
        }
        _ => None,
    }
}
