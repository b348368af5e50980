//! Values and variables: from Rust into the engine's types.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::{Error, Instant, TaskRef, Value, Variable};

impl Value {
    /// A JSON document, which engines keep as one.
    ///
    /// # Errors
    /// When the value cannot be written as JSON, as a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        Ok(Self::Json(serde_json::to_string(value)?))
    }

    /// An XML document. It is not checked to be one.
    pub fn xml(document: impl Into<String>) -> Self {
        Self::Xml(document.into())
    }

    /// The name that Camunda's REST has for the value's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Boolean(_) => "Boolean",
            Self::Short(_) => "Short",
            Self::Integer(_) => "Integer",
            Self::Long(_) => "Long",
            Self::Double(_) => "Double",
            Self::Text(_) => "String",
            Self::Date(_) => "Date",
            Self::Bytes(_) => "Bytes",
            Self::Json(_) => "Json",
            Self::Xml(_) => "Xml",
            Self::Object(_) => "Object",
            Self::File(_) => "File",
        }
    }
}

/// `From` for each type that has one obvious place among an engine's types.
macro_rules! value_from {
    ($($from:ty => $case:ident $(as $through:ty)?),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                $(let value = <$through>::from(value);)?
                Self::$case(value)
            }
        }
    )*};
}

value_from! {
    bool => Boolean,
    i8 => Short as i16,
    u8 => Short as i16,
    i16 => Short,
    u16 => Integer as i32,
    i32 => Integer,
    u32 => Long as i64,
    i64 => Long,
    f32 => Double as f64,
    f64 => Double,
    &str => Text as String,
    &String => Text as String,
    String => Text,
    Instant => Date,
    SystemTime => Date as Instant,
    Vec<u8> => Bytes,
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        Self::Json(value.to_string())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Variable {
    /// A variable that the engine stores.
    pub fn new(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            transient: false,
        }
    }

    /// A variable that is visible until the engine's next wait state and never stored.
    pub fn transient(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            transient: true,
            ..Self::new(name, value)
        }
    }
}

impl From<SystemTime> for Instant {
    /// To the millisecond below; times beyond 292 million years are cut to that.
    fn from(time: SystemTime) -> Self {
        let milliseconds = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => {
                let nanoseconds = before.duration().as_nanos();
                i64::try_from(nanoseconds.div_ceil(1_000_000)).map_or(i64::MIN, |before| -before)
            }
        };
        Self { milliseconds }
    }
}

impl TryFrom<Instant> for SystemTime {
    type Error = InstantOutOfRange;

    fn try_from(instant: Instant) -> Result<Self, InstantOutOfRange> {
        let distance = Duration::from_millis(instant.milliseconds.unsigned_abs());
        let time = if instant.milliseconds < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.ok_or(InstantOutOfRange)
    }
}

/// The platform's clock cannot hold this instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstantOutOfRange;

impl std::fmt::Display for InstantOutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the instant is beyond what this platform's clock can hold")
    }
}

impl std::error::Error for InstantOutOfRange {}

impl TaskRef {
    /// Refers to the external task `id` of the engine that the host's configuration calls `engine`.
    pub fn new(engine: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            engine: engine.into(),
            id: id.into(),
        }
    }
}

impl std::fmt::Display for TaskRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.engine, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rust_type_has_its_camunda_type() {
        let types: Vec<_> = [
            Value::from(true),
            Value::from(7_i16),
            Value::from(7_i32),
            Value::from(7_u32),
            Value::from(7_i64),
            Value::from(0.5_f32),
            Value::from("text"),
            Value::from(vec![1_u8]),
            Value::from(UNIX_EPOCH),
            Value::from(serde_json::json!({"a": 1})),
            Value::from(None::<bool>),
            Value::from(Some(true)),
        ]
        .iter()
        .map(Value::type_name)
        .collect();
        let expected = [
            "Boolean", "Short", "Integer", "Long", "Long", "Double", "String", "Bytes", "Date", "Json", "Null",
            "Boolean",
        ];
        assert_eq!(types, expected);
    }

    #[test]
    fn instants_before_1970_round_down_and_come_back() {
        let before = UNIX_EPOCH - Duration::from_micros(1_500);
        let instant = Instant::from(before);
        assert_eq!(instant.milliseconds, -2);
        assert_eq!(SystemTime::try_from(instant), Ok(UNIX_EPOCH - Duration::from_millis(2)));
    }

    #[test]
    fn what_json_cannot_hold_is_an_error() {
        let map = std::collections::HashMap::from([((1, 2), 3)]);
        assert!(Value::json(&map).is_err());
    }
}
