//! Values as serde sees them.

use std::fmt;

use serde::de::value::SeqDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::{Instant, Value, Variable};

/// A variable is missing or does not have the type that it was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    message: String,
    /// Whether the message says which variable it is about.
    named: bool,
}

impl VariableError {
    pub(crate) fn missing(name: &str) -> Self {
        Self {
            message: format!("there is no variable `{name}`"),
            named: true,
        }
    }

    /// The same error, of this variable.
    pub(crate) fn of(self, name: &str, value: &Value) -> Self {
        if self.named {
            return self;
        }
        let message = format!(
            "variable `{name}` ({}) does not fit: {}",
            value.type_name(),
            self.message
        );
        Self { message, named: true }
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for VariableError {}

impl serde::de::Error for VariableError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            named: false,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing(field)
    }
}

/// A value, as the engine has it.
#[derive(Clone, Copy)]
pub(crate) struct ValueDeserializer<'de>(pub(crate) &'de Value);

impl<'de> ValueDeserializer<'de> {
    /// The JSON document that the value is, or that an object was serialised to.
    fn document(&self) -> Option<&'de str> {
        match self.0 {
            Value::Json(document) => Some(document),
            Value::Object(object) if object.serialization_data_format.as_deref() == Some("application/json") => {
                object.data.as_deref()
            }
            _ => None,
        }
    }
}

/// Lets serde_json read a document, to its end, by the same method that was called here.
macro_rules! read_document {
    ($document:expr, $method:ident $(, $argument:expr)*) => {{
        let mut document = serde_json::Deserializer::from_str($document);
        let value = document.$method($($argument),*).map_err(VariableError::custom)?;
        document.end().map_err(VariableError::custom)?;
        Ok(value)
    }};
}

macro_rules! document_or_any {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, VariableError> {
            match self.document() {
                Some(document) => read_document!(document, $method, visitor),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
    type Error = VariableError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, VariableError> {
        if let Some(document) = self.document() {
            return read_document!(document, deserialize_any, visitor);
        }
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Short(value) => visitor.visit_i16(*value),
            Value::Integer(value) => visitor.visit_i32(*value),
            Value::Long(value) => visitor.visit_i64(*value),
            Value::Double(value) => visitor.visit_f64(*value),
            Value::Text(value) | Value::Json(value) | Value::Xml(value) => visitor.visit_borrowed_str(value),
            Value::Date(instant) => visitor.visit_i64(instant.milliseconds),
            Value::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::Object(object) => Err(VariableError::custom(format_args!(
                "an object in the format {} can only be passed on",
                object
                    .serialization_data_format
                    .as_deref()
                    .unwrap_or("that its engine chose"),
            ))),
            Value::File(_) => Err(VariableError::custom("a file is read by `tasks::read_file`")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, VariableError> {
        match (self.0, self.document()) {
            (Value::Null, _) => visitor.visit_none(),
            (_, Some(document)) => read_document!(document, deserialize_option, visitor),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, VariableError> {
        match self.document() {
            Some(document) => read_document!(document, deserialize_newtype_struct, name, visitor),
            None => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, VariableError> {
        match (self.0, self.document()) {
            (_, Some(document)) => read_document!(document, deserialize_enum, name, variants, visitor),
            (Value::Text(text), None) => {
                visitor.visit_enum(IntoDeserializer::<VariableError>::into_deserializer(text.as_str()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, VariableError> {
        match (self.0, self.document()) {
            (_, Some(document)) => read_document!(document, deserialize_seq, visitor),
            (Value::Bytes(bytes), None) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, VariableError> {
        match self.document() {
            Some(document) => read_document!(document, deserialize_struct, name, fields, visitor),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, VariableError> {
        visitor.visit_unit()
    }

    document_or_any! {
        deserialize_bytes deserialize_byte_buf deserialize_map deserialize_str deserialize_string deserialize_u128
        deserialize_i128
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char unit unit_struct tuple tuple_struct identifier
    }
}

/// A variable's value; its errors name the variable.
pub(crate) struct NamedDeserializer<'de>(pub(crate) &'de Variable);

macro_rules! named {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, VariableError> {
            ValueDeserializer(&self.0.value)
                .$method($($argument,)* visitor)
                .map_err(|error| error.of(&self.0.name, &self.0.value))
        }
    )*};
}

impl<'de> Deserializer<'de> for NamedDeserializer<'de> {
    type Error = VariableError;

    named! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str) deserialize_seq()
        deserialize_tuple(length: usize) deserialize_tuple_struct(name: &'static str, length: usize) deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier() deserialize_ignored_any()
    }
}

impl<'de> Deserialize<'de> for Instant {
    /// From a date variable, or from milliseconds since 1970 in a JSON document.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(|milliseconds| Self { milliseconds })
    }
}
