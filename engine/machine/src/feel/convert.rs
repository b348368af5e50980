//! Between process variables and FEEL, as Camunda's engine maps them: numbers are decimals inside and Long or Double
//! outside; dates are moments on the clock of UTC.

use std::sync::Arc;

use indexmap::IndexMap;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value as Json;

use super::temporal::{self, Moment};
use super::value::Feel;
use crate::expression::Datum;
use crate::value::{Serialized, Value};

/// The format in which values without a type of their own are stored.
const JSON_FORMAT: &str = "application/json";

/// Deeper JSON is null: `serde_json` itself refuses more than 128 levels.
const DEPTH_MAX: usize = 100;

impl From<&Value> for Feel {
    /// What an expression cannot look into (bytes, files, XML, objects in other formats) is null.
    fn from(value: &Value) -> Self {
        match value {
            Value::Boolean(truth) => Self::Boolean(*truth),
            Value::Short(number) => Self::whole((*number).into()),
            Value::Integer(number) => Self::whole((*number).into()),
            Value::Long(number) => Self::whole(*number),
            Value::Double(number) => Self::number(*number),
            Value::String(text) => Self::text(text),
            Value::Date(millis) => Moment::of_millis(*millis).map_or(Self::Null, Self::DateTime),
            Value::Json(text) | Value::Object(Serialized { data: Some(text), .. }) => {
                serde_json::from_str(text).map_or(Self::Null, |json| Self::from_json(&json, 0))
            }
            Value::Null | Value::NullOf(_) | Value::Object(_) | Value::Bytes(_) | Value::Xml(_) | Value::File(_) => {
                Self::Null
            }
        }
    }
}

impl From<&Datum> for Feel {
    fn from(datum: &Datum) -> Self {
        match datum {
            Datum::List(items) => Self::list(items.iter().map(Self::from).collect()),
            Datum::Map(fields) => Self::context(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), Self::from(field)))
                    .collect(),
            ),
            Datum::Json(json) => Self::from_json(json, 0),
            Datum::Opaque(value) => Self::from(value.as_ref()),
            other => Self::from(&other.clone().into_value()),
        }
    }
}

impl Feel {
    fn from_json(json: &Json, depth: usize) -> Self {
        match json {
            Json::Null => Self::Null,
            _ if depth > DEPTH_MAX => Self::Null,
            Json::Bool(truth) => Self::Boolean(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Self::whole(number),
                None => number.as_f64().map_or(Self::Null, Self::number),
            },
            Json::String(text) => Self::text(text),
            Json::Array(items) => Self::list(items.iter().map(|item| Self::from_json(item, depth + 1)).collect()),
            Json::Object(fields) => Self::context(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), Self::from_json(field, depth + 1)))
                    .collect(),
            ),
        }
    }

    /// As JSON, the way Camunda's REST shows what has no type: days and times as text, a duration of days in seconds.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null | Self::Range(_) | Self::Function(_) => Json::Null,
            Self::Boolean(truth) => Json::Bool(*truth),
            Self::Number(number) => match whole(*number) {
                Some(number) => Json::from(number),
                None => Json::from(double(*number)),
            },
            Self::Days(length) => Json::from(double(*length)),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Context(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_json()))
                    .collect(),
            ),
            Self::Months(months) => Json::String(temporal::period_text(*months)),
            Self::Text(_) | Self::Date(_) | Self::Time(_) | Self::DateTime(_) => {
                self.to_text().map_or(Json::Null, Json::String)
            }
        }
    }

    /// As a process variable holds it: what Camunda has no type for is an object in JSON, named after Java's class.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let class = match self {
            Self::Null | Self::Range(_) | Self::Function(_) => return Value::Null,
            Self::Boolean(truth) => return Value::Boolean(*truth),
            Self::Number(number) => {
                return whole(*number).map_or_else(|| Value::Double(double(*number)), Value::Long);
            }
            Self::Text(text) => return Value::String(text.to_string()),
            Self::Date(_) => "java.time.LocalDate",
            Self::Time(time) if time.offset.is_some() => "java.time.OffsetTime",
            Self::Time(_) => "java.time.LocalTime",
            Self::DateTime(moment) if moment.offset.is_some() => "java.time.ZonedDateTime",
            Self::DateTime(_) => "java.time.LocalDateTime",
            Self::Days(_) => "java.time.Duration",
            Self::Months(_) => "java.time.Period",
            Self::List(_) => "java.util.ArrayList",
            Self::Context(_) => "java.util.HashMap",
        };
        Value::Object(Serialized {
            type_name: Some(class.to_owned()),
            format: Some(JSON_FORMAT.to_owned()),
            data: Some(self.to_json().to_string()),
        })
    }

    /// As expressions of JUEL see it.
    #[must_use]
    pub fn to_datum(&self) -> Datum {
        match self {
            Self::List(items) => Datum::list(items.iter().map(Self::to_datum).collect()),
            Self::Context(entries) => {
                let fields: IndexMap<_, _> = entries
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_datum()))
                    .collect();
                Datum::Map(Arc::new(fields))
            }
            Self::DateTime(moment) => moment.millis().map_or(Datum::Null, Datum::Date),
            other => Datum::from(&other.to_value()),
        }
    }
}

/// A whole number that is a Long.
fn whole(number: Decimal) -> Option<i64> {
    number.is_integer().then(|| number.to_i64()).flatten()
}

fn double(number: Decimal) -> f64 {
    // By its text: the nearest double, which arithmetic on the parts may miss.
    number.to_string().parse().unwrap_or(f64::NAN)
}
