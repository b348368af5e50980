//! Functions of days and times.

use jiff::civil;

use crate::feel::eval::Budget;
use crate::feel::temporal::Moment;
use crate::feel::value::Feel;

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn call(name: &str, arguments: &[Feel], budget: &mut Budget) -> Option<Feel> {
    let now = || Moment::of_millis(budget.now);
    let value = match (name, arguments) {
        ("now", []) => now().map(|now| {
            Feel::DateTime(Moment {
                offset: Some(jiff::tz::Offset::UTC),
                ..now
            })
        }),
        ("today", []) => now().map(|now| Feel::Date(now.civil.date())),
        ("day of year", [day]) => date(day).map(|date| Feel::whole(date.day_of_year().into())),
        ("day of week", [day]) => date(day).and_then(|date| {
            let position = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
            WEEKDAYS.get(position).map(Feel::text)
        }),
        ("week of year", [day]) => date(day).map(|date| Feel::whole(date.iso_week_date().week().into())),
        ("month of year", [day]) => date(day).and_then(|date| {
            let position = usize::try_from(date.month() - 1).ok()?;
            MONTHS.get(position).map(Feel::text)
        }),
        ("last day of month", [day]) => date(day).map(|date| Feel::Date(date.last_of_month())),
        _ => return None,
    };
    Some(value.unwrap_or(Feel::Null))
}

fn date(value: &Feel) -> Option<civil::Date> {
    match value {
        Feel::Date(date) => Some(*date),
        Feel::DateTime(moment) => Some(moment.civil.date()),
        _ => None,
    }
}
