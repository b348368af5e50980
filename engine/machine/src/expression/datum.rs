//! What an expression computes with.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::id::{Id, Millis};
use crate::value::Value;

/// A value inside an expression. Copies are cheap.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// No value.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number of 16 bits.
    Short(i16),
    /// A number of 32 bits.
    Integer(i32),
    /// A number of 64 bits: what literals and arithmetic give.
    Long(i64),
    /// A floating point number.
    Double(f64),
    /// A text.
    Text(Arc<str>),
    /// An instant.
    Date(Millis),
    /// A list.
    List(Arc<Vec<Datum>>),
    /// A map with text keys, in their order.
    Map(Arc<IndexMap<String, Datum>>),
    /// JSON as `S(…)` and `Json` variables give it.
    Json(Arc<serde_json::Value>),
    /// A variable that is only passed on.
    Opaque(Arc<Value>),
    /// An object that the context knows.
    Host(HostObject),
}

/// An object that only the context knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostObject {
    /// `execution`
    Execution(Id),
    /// `task`
    Task(Id),
    /// `externalTask`
    ExternalTask(Id),
}

impl Datum {
    /// A text.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(text.as_ref().into())
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// For messages: the type as Java names it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "java.lang.Boolean",
            Self::Short(_) => "java.lang.Short",
            Self::Integer(_) => "java.lang.Integer",
            Self::Long(_) => "java.lang.Long",
            Self::Double(_) => "java.lang.Double",
            Self::Text(_) => "java.lang.String",
            Self::Date(_) => "java.util.Date",
            Self::List(_) => "java.util.List",
            Self::Map(_) => "java.util.Map",
            Self::Json(_) => "org.camunda.spin.json.SpinJsonNode",
            Self::Opaque(_) => "object",
            Self::Host(_) => "execution",
        }
    }
}
