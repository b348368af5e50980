//! The values of process variables: Camunda 7's typed values.

use serde::{Deserialize, Serialize};

use crate::id::Millis;

/// A typed value. Objects are opaque: the engine stores and returns what it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `Null`
    Null,
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
    /// The name of the type in REST answers.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "Null",
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
