//! Values as text.

use super::temporal;
use super::value::{Feel, Range};

impl Feel {
    /// As FEEL's `string()` gives it; nothing for null.
    pub(super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.to_string()),
            other => Some(other.written()),
        }
    }

    /// As it would be written in an expression.
    fn written(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("\"{text}\""),
            Self::Date(date) => date.to_string(),
            Self::Time(time) => format!("{}{}", time.time, zone(time.offset)),
            Self::DateTime(moment) => {
                format!("{}T{}{}", moment.civil.date(), moment.civil.time(), zone(moment.offset))
            }
            Self::Days(length) => temporal::days_text(*length),
            Self::Months(months) => temporal::months_text(*months),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::written).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Context(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(name, value)| format!("{name}:{}", value.written()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Self::Range(range) => written_range(range),
            Self::Function(_) => "function".to_owned(),
        }
    }
}

fn zone(offset: Option<jiff::tz::Offset>) -> String {
    offset.map(temporal::offset_text).unwrap_or_default()
}

fn written_range(range: &Range) -> String {
    let (open, close) = (
        if range.start.closed { '[' } else { '(' },
        if range.end.closed { ']' } else { ')' },
    );
    format!(
        "{open}{}..{}{close}",
        range.start.value.written(),
        range.end.value.written()
    )
}
