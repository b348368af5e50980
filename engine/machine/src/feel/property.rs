//! `value.name`

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::temporal;
use super::value::Feel;

/// A property of a value; null where it has no such one. Of a list, that of each item.
pub(super) fn of(base: &Feel, name: &str) -> Feel {
    match base {
        Feel::Context(entries) => entries.get(name).cloned().unwrap_or(Feel::Null),
        Feel::List(items) => Feel::list(items.iter().map(|item| of(item, name)).collect()),
        other => simple(other, name).unwrap_or(Feel::Null),
    }
}

fn simple(base: &Feel, name: &str) -> Option<Feel> {
    let number = |number: i64| Some(Feel::whole(number));
    match (base, name) {
        (Feel::Date(date), _) => of_date(*date, name),
        (Feel::Time(time), "time offset") => offset(time.offset),
        (Feel::Time(time), "timezone") => time.offset.map(|offset| Feel::text(temporal::offset_text(offset))),
        (Feel::Time(time), _) => of_time(time.time, name),
        (Feel::DateTime(moment), "time offset") => offset(moment.offset),
        // Only a region has a name.
        (Feel::DateTime(_), "timezone") => None,
        (Feel::DateTime(moment), _) => {
            of_date(moment.civil.date(), name).or_else(|| of_time(moment.civil.time(), name))
        }
        (Feel::Months(months), "years") => number(months / 12),
        (Feel::Months(months), "months") => number(months % 12),
        (Feel::Days(length), _) => {
            let whole = length.trunc().to_i64()?;
            match name {
                "days" => number(whole / 86_400),
                "hours" => number(whole % 86_400 / 3_600),
                "minutes" => number(whole % 3_600 / 60),
                "seconds" => number(whole % 60),
                _ => None,
            }
        }
        (Feel::Range(range), "start") => Some(range.start.value.clone()),
        (Feel::Range(range), "end") => Some(range.end.value.clone()),
        (Feel::Range(range), "start included") => Some(Feel::Boolean(range.start.closed)),
        (Feel::Range(range), "end included") => Some(Feel::Boolean(range.end.closed)),
        _ => None,
    }
}

fn of_date(date: jiff::civil::Date, name: &str) -> Option<Feel> {
    Some(Feel::whole(match name {
        "year" => date.year().into(),
        "month" => date.month().into(),
        "day" => date.day().into(),
        "weekday" => date.weekday().to_monday_one_offset().into(),
        _ => return None,
    }))
}

fn of_time(time: jiff::civil::Time, name: &str) -> Option<Feel> {
    Some(Feel::whole(match name {
        "hour" => time.hour().into(),
        "minute" => time.minute().into(),
        "second" => time.second().into(),
        _ => return None,
    }))
}

fn offset(offset: Option<jiff::tz::Offset>) -> Option<Feel> {
    offset.map(|offset| Feel::Days(Decimal::from(offset.seconds())))
}
