//! How points and intervals lie to each other.

use std::cmp::Ordering;

use crate::feel::compare;
use crate::feel::eval::Budget;
use crate::feel::value::{Bound, Feel};

/// An interval; a point is one of itself.
struct Span<'a> {
    start: (&'a Feel, bool),
    end: (&'a Feel, bool),
}

impl<'a> Span<'a> {
    fn of(value: &'a Feel) -> Option<Self> {
        let bound = |bound: &'a Bound| (&bound.value, bound.closed);
        match value {
            Feel::Range(range) => Some(Self {
                start: bound(&range.start),
                end: bound(&range.end),
            }),
            Feel::List(_) | Feel::Context(_) | Feel::Function(_) | Feel::Null => None,
            point => Some(Self {
                start: (point, true),
                end: (point, true),
            }),
        }
    }
}

pub(super) fn call(name: &str, arguments: &[Feel], _: &mut Budget) -> Option<Feel> {
    let known = [
        "before",
        "after",
        "meets",
        "met by",
        "overlaps",
        "overlaps before",
        "overlaps after",
        "finishes",
        "finished by",
        "includes",
        "during",
        "starts",
        "started by",
        "coincides",
    ];
    let [left, right] = arguments else { return None };
    if !known.contains(&name) {
        return None;
    }
    Some(relation(name, left, right).into())
}

fn relation(name: &str, left: &Feel, right: &Feel) -> Option<bool> {
    let (a, b) = (Span::of(left)?, Span::of(right)?);
    match name {
        "before" => before(&a, &b),
        "after" => before(&b, &a),
        "meets" => meets(&a, &b),
        "met by" => meets(&b, &a),
        "overlaps" => Some(!before(&a, &b)? && !before(&b, &a)?),
        "overlaps before" => Some(begins_first(&a, &b)? && !before(&a, &b)? && ends_first(&a, &b)?),
        "overlaps after" => Some(begins_first(&b, &a)? && !before(&b, &a)? && ends_first(&b, &a)?),
        "finishes" => finishes(&a, &b),
        "finished by" => finishes(&b, &a),
        "includes" => includes(&a, &b),
        "during" => includes(&b, &a),
        "starts" => starts(&a, &b),
        "started by" => starts(&b, &a),
        "coincides" => Some(starts_alike(&a, &b)? && ends_alike(&a, &b)?),
        _ => None,
    }
}

fn order(a: &Feel, b: &Feel) -> Option<Ordering> {
    compare::ordering(a, b)
}

fn before(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    let order = order(a.end.0, b.start.0)?;
    Some(order.is_lt() || order.is_eq() && !(a.end.1 && b.start.1))
}

fn meets(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(order(a.end.0, b.start.0)?.is_eq() && a.end.1 && b.start.1)
}

/// Whether `a` begins before `b` does.
fn begins_first(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    let order = order(a.start.0, b.start.0)?;
    Some(order.is_lt() || order.is_eq() && a.start.1 && !b.start.1)
}

/// Whether `a` ends before `b` does.
fn ends_first(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    let order = order(a.end.0, b.end.0)?;
    Some(order.is_lt() || order.is_eq() && !a.end.1 && b.end.1)
}

fn starts_alike(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(order(a.start.0, b.start.0)?.is_eq() && a.start.1 == b.start.1)
}

fn ends_alike(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(order(a.end.0, b.end.0)?.is_eq() && a.end.1 == b.end.1)
}

fn includes(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(!begins_first(b, a)? && !ends_first(a, b)?)
}

fn starts(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(starts_alike(a, b)? && !ends_first(b, a)?)
}

fn finishes(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(ends_alike(a, b)? && !begins_first(a, b)?)
}
