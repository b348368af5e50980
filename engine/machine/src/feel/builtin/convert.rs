//! Conversions, `not` and what deals with null.

use jiff::civil;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::feel::temporal::{self, Moment, TimeOfDay};
use crate::feel::value::Feel;

pub(super) fn call(name: &str, arguments: &[Feel]) -> Option<Feel> {
    let value = match (name, arguments) {
        ("string", [value]) => value.to_text().map(Feel::text),
        ("number", [Feel::Text(text)]) => number(text),
        ("number", [Feel::Text(text), Feel::Text(grouping)]) => number(&text.replace(&**grouping, "")),
        ("number", [Feel::Text(text), grouping, Feel::Text(decimal)]) => {
            let bare = match grouping {
                Feel::Text(grouping) => text.replace(&**grouping, ""),
                _ => text.to_string(),
            };
            number(&bare.replace(&**decimal, "."))
        }
        ("date", [Feel::Text(text)]) => temporal::date(text).map(Feel::Date),
        ("date", [date @ Feel::Date(_)]) => Some(date.clone()),
        ("date", [Feel::DateTime(moment)]) => Some(Feel::Date(moment.civil.date())),
        ("date", [Feel::Number(year), Feel::Number(month), Feel::Number(day)]) => {
            let date = civil::Date::new(whole(year)?, whole(month)?, whole(day)?);
            date.ok().map(Feel::Date)
        }
        ("time", [Feel::Text(text)]) => temporal::time(text).map(Feel::Time),
        ("time", [time @ Feel::Time(_)]) => Some(time.clone()),
        ("time", [Feel::DateTime(moment)]) => Some(Feel::Time(TimeOfDay {
            time: moment.civil.time(),
            offset: moment.offset,
        })),
        (
            "time",
            [
                Feel::Number(hour),
                Feel::Number(minute),
                Feel::Number(second),
                rest @ ..,
            ],
        ) => time([hour, minute, second], rest),
        ("date and time", [Feel::Text(text)]) => temporal::moment(text).map(Feel::DateTime),
        ("date and time", [moment @ Feel::DateTime(_)]) => Some(moment.clone()),
        ("date and time", [date, Feel::Time(time)]) => {
            let date = match date {
                Feel::Date(date) => *date,
                Feel::DateTime(moment) => moment.civil.date(),
                _ => return Some(Feel::Null),
            };
            Some(Feel::DateTime(Moment {
                civil: date.to_datetime(time.time),
                offset: time.offset,
            }))
        }
        ("duration", [Feel::Text(text)]) => temporal::duration(text),
        ("duration", [length @ (Feel::Days(_) | Feel::Months(_))]) => Some(length.clone()),
        ("years and months duration", [from, to]) => months_between(from, to),
        ("not", [Feel::Boolean(truth)]) => Some(Feel::Boolean(!truth)),
        ("get or else", [value, default]) => Some(if value.is_null() { default } else { value }.clone()),
        (
            "string"
            | "number"
            | "date"
            | "time"
            | "date and time"
            | "duration"
            | "years and months duration"
            | "not"
            | "get or else",
            _,
        ) => None,
        _ => return None,
    };
    Some(value.unwrap_or(Feel::Null))
}

fn number(text: &str) -> Option<Feel> {
    let number = text.parse().or_else(|_| Decimal::from_scientific(text));
    number.ok().map(Feel::Number)
}

/// A whole number of a narrower type; null is answered for every other.
fn whole<T: TryFrom<i64>>(number: &Decimal) -> Option<T> {
    number.trunc().to_i64().and_then(|number| T::try_from(number).ok())
}

fn time([hour, minute, second]: [&Decimal; 3], rest: &[Feel]) -> Option<Feel> {
    let offset = match rest {
        [] | [Feel::Null] => None,
        [Feel::Days(offset)] => Some(jiff::tz::Offset::from_seconds(offset.to_i32()?).ok()?),
        _ => return None,
    };
    let nanos = (second.fract() * Decimal::from(1_000_000_000)).to_i32()?;
    let time = civil::Time::new(whole(hour)?, whole(minute)?, whole(second)?, nanos).ok()?;
    Some(Feel::Time(TimeOfDay { time, offset }))
}

/// Whole months from one day to another.
fn months_between(from: &Feel, to: &Feel) -> Option<Feel> {
    let civil = |value: &Feel| match value {
        Feel::Date(date) => Some(date.to_datetime(civil::Time::midnight())),
        Feel::DateTime(moment) => Some(moment.civil),
        _ => None,
    };
    let (from, to) = (civil(from)?, civil(to)?);
    let months = |civil: civil::DateTime| i64::from(civil.year()) * 12 + i64::from(civil.month());
    let within = |civil: civil::DateTime| (civil.day(), civil.time());
    let mut between = months(to) - months(from);
    if between > 0 && within(to) < within(from) {
        between -= 1;
    } else if between < 0 && within(to) > within(from) {
        between += 1;
    }
    Some(Feel::Months(between))
}
