//! What FEEL computes with.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::civil;
use rust_decimal::Decimal;

use super::function::Function;
use super::temporal::{Moment, TimeOfDay};

/// A value. Copies are cheap.
#[derive(Clone, Debug)]
pub enum Feel {
    /// No value.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A decimal number of up to 28 digits.
    Number(Decimal),
    /// A text.
    Text(Arc<str>),
    /// A day.
    Date(civil::Date),
    /// A time of day, perhaps in a zone.
    Time(TimeOfDay),
    /// A day and a time, perhaps in a zone.
    DateTime(Moment),
    /// A duration of days and parts of them, in seconds.
    Days(Decimal),
    /// A duration of years and months, in months.
    Months(i64),
    /// A list.
    List(Arc<Vec<Feel>>),
    /// Values by their names, in their order.
    Context(Arc<IndexMap<String, Feel>>),
    /// An interval.
    Range(Arc<Range>),
    /// A function: it can be called, and nothing else.
    Function(Arc<Function>),
}

/// One end of an interval.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Where.
    pub value: Feel,
    /// Whether it belongs to the interval.
    pub closed: bool,
}

/// An interval.
#[derive(Clone, Debug)]
pub struct Range {
    /// From.
    pub start: Bound,
    /// To.
    pub end: Bound,
}

impl Feel {
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

    /// A context.
    #[must_use]
    pub fn context(entries: IndexMap<String, Self>) -> Self {
        Self::Context(Arc::new(entries))
    }

    /// A number; null where it is none of up to 28 digits.
    #[must_use]
    pub fn number(number: f64) -> Self {
        // By its shortest text, as Java's `BigDecimal.valueOf` does: 5 is `5.0`.
        let text = format!("{number:?}");
        let decimal = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text));
        decimal.map_or(Self::Null, Self::Number)
    }

    /// A whole number.
    #[must_use]
    pub fn whole(number: i64) -> Self {
        Self::Number(number.into())
    }

    /// A length.
    #[must_use]
    pub(super) fn length(number: usize) -> Self {
        Self::Number(Decimal::from(number))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The name of its type, as `instance of` knows it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "date and time",
            Self::Days(_) => "days and time duration",
            Self::Months(_) => "years and months duration",
            Self::List(_) => "list",
            Self::Context(_) => "context",
            Self::Range(_) => "range",
            Self::Function(_) => "function",
        }
    }
}

impl From<bool> for Feel {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<Option<bool>> for Feel {
    fn from(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, Self::Boolean)
    }
}
