//! A value of a decision: what expressions see of it, and what becomes of it outside.

use serde_json::Value as Json;

use crate::expression::Datum;
use crate::feel::Feel;
use crate::value::Value;

/// A value.
#[derive(Clone, Debug)]
pub struct Cell {
    pub(super) feel: Feel,
    /// As a process variable holds it.
    pub value: Value,
    /// Whether a clause said its type. What has none is shown bare in REST.
    pub typed: bool,
}

impl Cell {
    pub(super) fn null() -> Self {
        Self {
            feel: Feel::Null,
            value: Value::Null,
            typed: false,
        }
    }

    /// A value of a type that a clause says.
    pub(super) fn typed(value: Value) -> Self {
        Self {
            feel: Feel::from(&value),
            value,
            typed: true,
        }
    }

    /// Without a type: in JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        self.feel.to_json()
    }

    /// As JUEL sees it.
    #[must_use]
    pub fn to_datum(&self) -> Datum {
        match &self.value {
            Value::Object(_) => self.feel.to_datum(),
            value => Datum::from(value),
        }
    }
}

impl From<Feel> for Cell {
    fn from(feel: Feel) -> Self {
        Self {
            value: feel.to_value(),
            feel,
            typed: false,
        }
    }
}

impl From<Datum> for Cell {
    fn from(datum: Datum) -> Self {
        Self {
            feel: Feel::from(&datum),
            value: datum.into_value(),
            typed: false,
        }
    }
}
