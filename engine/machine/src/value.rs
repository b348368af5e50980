//! The values of process variables: Camunda 7's typed values.

use serde::{Deserialize, Serialize};

use crate::id::Millis;

/// A typed value. Objects are opaque: the engine stores and returns what it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `Null`
    Null,
    /// A null that knows its type.
    NullOf(NullType),
    /// `Boolean`
    Boolean(bool),
    /// `Short`
    Short(i16),
    /// `Integer`
    Integer(i32),
    /// `Long`
    Long(i64),
    /// `Double`
    Double(f64),
    /// `String`
    String(String),
    /// `Date`
    Date(Millis),
    /// `Bytes`
    Bytes(Vec<u8>),
    /// `Json`, unparsed.
    Json(String),
    /// `Xml`, unparsed.
    Xml(String),
    /// `Object`
    Object(Serialized),
    /// `File`
    File(File),
}

/// The types whose null keeps the type. A null of an object is a [`Serialized`] without data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the variant of `Value` of that name")]
pub enum NullType {
    Boolean,
    Short,
    Integer,
    Long,
    Double,
    String,
    Date,
    Bytes,
    Json,
    Xml,
}

impl NullType {
    /// The name of the type in REST answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "Boolean",
            Self::Short => "Short",
            Self::Integer => "Integer",
            Self::Long => "Long",
            Self::Double => "Double",
            Self::String => "String",
            Self::Date => "Date",
            Self::Bytes => "Bytes",
            Self::Json => "Json",
            Self::Xml => "Xml",
        }
    }
}

/// An object in serialised form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Serialized {
    /// `objectTypeName`
    pub type_name: Option<String>,
    /// `serializationDataFormat`
    pub format: Option<String>,
    /// The serialised form; none is a null of that type.
    pub data: Option<String>,
}

/// A file with its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// `filename`
    pub name: String,
    /// `mimeType`
    pub mimetype: Option<String>,
    /// The encoding of text content.
    pub encoding: Option<String>,
    /// The content.
    pub data: Vec<u8>,
}

impl Value {
    /// Whether it is a null, of whatever type.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(
            self,
            Self::Null | Self::NullOf(_) | Self::Object(Serialized { data: None, .. })
        )
    }

    /// The name of the type in REST answers.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::NullOf(kind) => kind.name(),
            Self::Boolean(_) => "Boolean",
            Self::Short(_) => "Short",
            Self::Integer(_) => "Integer",
            Self::Long(_) => "Long",
            Self::Double(_) => "Double",
            Self::String(_) => "String",
            Self::Date(_) => "Date",
            Self::Bytes(_) => "Bytes",
            Self::Json(_) => "Json",
            Self::Xml(_) => "Xml",
            Self::Object(_) => "Object",
            Self::File(_) => "File",
        }
    }
}
