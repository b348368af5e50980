//! Equality and order. What cannot be compared gives nothing.

use std::cmp::Ordering;

use super::value::{Feel, Range};

/// Whether two values are equal; nothing where their types differ.
pub(super) fn equal(left: &Feel, right: &Feel) -> Option<bool> {
    Some(match (left, right) {
        (Feel::Null, other) | (other, Feel::Null) => other.is_null(),
        (Feel::Boolean(a), Feel::Boolean(b)) => a == b,
        (Feel::Number(a), Feel::Number(b)) | (Feel::Days(a), Feel::Days(b)) => a == b,
        (Feel::Text(a), Feel::Text(b)) => a == b,
        (Feel::Date(a), Feel::Date(b)) => a == b,
        (Feel::Time(a), Feel::Time(b)) if a.offset.is_some() == b.offset.is_some() => a == b,
        // The same instant in another zone is another value.
        (Feel::DateTime(a), Feel::DateTime(b)) if a.offset.is_some() == b.offset.is_some() => a == b,
        (Feel::Months(a), Feel::Months(b)) => a == b,
        (Feel::List(a), Feel::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b) == Some(true))
        }
        (Feel::Context(a), Feel::Context(b)) => {
            let same = |(name, value)| {
                b.get::<String>(name)
                    .is_some_and(|other| equal(value, other) == Some(true))
            };
            a.len() == b.len() && a.iter().all(same)
        }
        (Feel::Range(a), Feel::Range(b)) => {
            let ends = [(&a.start, &b.start), (&a.end, &b.end)];
            ends.iter()
                .all(|(a, b)| a.closed == b.closed && equal(&a.value, &b.value) == Some(true))
        }
        _ => return None,
    })
}

/// The order of two values; nothing where they have none.
pub(super) fn ordering(left: &Feel, right: &Feel) -> Option<Ordering> {
    match (left, right) {
        (Feel::Number(a), Feel::Number(b)) | (Feel::Days(a), Feel::Days(b)) => Some(a.cmp(b)),
        (Feel::Text(a), Feel::Text(b)) => Some(a.cmp(b)),
        (Feel::Date(a), Feel::Date(b)) => Some(a.cmp(b)),
        (Feel::Months(a), Feel::Months(b)) => Some(a.cmp(b)),
        (Feel::Time(a), Feel::Time(b)) => match (a.in_utc(), b.in_utc()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            (None, None) => Some(a.time.cmp(&b.time)),
            _ => None,
        },
        (Feel::DateTime(a), Feel::DateTime(b)) => match (a.instant(), b.instant()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            (None, None) => Some(a.civil.cmp(&b.civil)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value lies in an interval.
pub(super) fn within(value: &Feel, range: &Range) -> Option<bool> {
    let above = ordering(value, &range.start.value)?;
    let below = ordering(value, &range.end.value)?;
    let from = above.is_gt() || range.start.closed && above.is_eq();
    let to = below.is_lt() || range.end.closed && below.is_eq();
    Some(from && to)
}
