//! Cron as Camunda 7 has it (that of Quartz): seconds, minutes, hours, day of month, month, day of week, and perhaps a
//! year. Five fields, as in Unix, begin at second 0.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};

use crate::id::Millis;

/// How far ahead a time is looked for.
const YEARS_MAX: i16 = 100;

/// A set of small numbers.
#[derive(Clone, Copy, Default)]
struct Set(u64);

impl Set {
    fn has(self, number: u32) -> bool {
        number < 64 && self.0 & (1 << number) != 0
    }

    fn add(&mut self, number: u32) {
        if number < 64 {
            self.0 |= 1 << number;
        }
    }
}

/// Which days of a month.
enum Days {
    Any,
    Set(Set),
    /// `L`, with days before it: `L-3`.
    Last(i8),
    /// `15W`: the working day next to it.
    Weekday(i8),
}

/// Which days of a week, Sunday being 1.
enum Weekdays {
    Any,
    Set(Set),
    /// `6#3`: the third Friday.
    Nth(u32, i8),
    /// `6L`: the last Friday.
    Last(u32),
}

/// From, to, step.
type Years = (i16, i16, i16);

struct Cron {
    seconds: Set,
    minutes: Set,
    hours: Set,
    days: Days,
    months: Set,
    weekdays: Weekdays,
    years: Option<Vec<Years>>,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The first time after `now`.
pub(super) fn next(text: &str, now: Millis) -> Result<Millis, String> {
    let cron = Cron::parse(text)?;
    let after = Timestamp::from_millisecond(now).map_err(|error| error.to_string())?;
    let zoned = after.to_zoned(TimeZone::UTC);
    let start = zoned
        .datetime()
        .with()
        .subsec_nanosecond(0)
        .build()
        .map_err(|error| error.to_string())?;
    let start = start.checked_add(1.second()).map_err(|error| error.to_string())?;
    let found = cron.first_from(start)?;
    let found = found.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(found.timestamp().as_millisecond())
}

impl Cron {
    fn parse(text: &str) -> Result<Self, String> {
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        let (years, fields) = match fields.as_slice() {
            [fields @ .., year] if fields.len() == 6 => (years(year)?, fields),
            fields if fields.len() == 6 => (None, fields),
            _ => return Err("a cron expression has 6 or 7 fields".to_owned()),
        };
        Ok(Self {
            seconds: set(fields[0], 0, 59, &[], 0)?,
            minutes: set(fields[1], 0, 59, &[], 0)?,
            hours: set(fields[2], 0, 23, &[], 0)?,
            days: days(fields[3])?,
            months: set(fields[4], 1, 12, &MONTHS, 1)?,
            weekdays: weekdays(fields[5])?,
            years,
        })
    }

    fn first_from(&self, start: civil::DateTime) -> Result<civil::DateTime, String> {
        let mut date = start.date();
        let mut from = start.time();
        let last = date.year().saturating_add(YEARS_MAX);
        while date.year() <= last {
            if !self.months.has(date.month().unsigned_abs().into()) || !self.has_year(date.year()) {
                date = date.last_of_month();
            } else if self.has_day(date)
                && let Some(time) = self.first_time(from)
            {
                return Ok(date.to_datetime(time));
            }
            date = date.tomorrow().map_err(|error| error.to_string())?;
            from = civil::Time::MIN;
        }
        Err("it has no more time".to_owned())
    }

    fn first_time(&self, from: civil::Time) -> Option<civil::Time> {
        for hour in from.hour()..24 {
            if !self.hours.has(hour.unsigned_abs().into()) {
                continue;
            }
            let minute = if hour == from.hour() { from.minute() } else { 0 };
            for minute_at in minute..60 {
                if !self.minutes.has(minute_at.unsigned_abs().into()) {
                    continue;
                }
                let same = hour == from.hour() && minute_at == from.minute();
                let second = if same { from.second() } else { 0 };
                if let Some(second) = (second..60).find(|second| self.seconds.has(second.unsigned_abs().into())) {
                    return civil::Time::new(hour, minute_at, second, 0).ok();
                }
            }
        }
        None
    }

    fn has_year(&self, year: i16) -> bool {
        self.years.as_ref().is_none_or(|ranges| {
            ranges
                .iter()
                .any(|(from, to, step)| (*from..=*to).contains(&year) && (year - from) % step == 0)
        })
    }

    fn has_day(&self, date: civil::Date) -> bool {
        let day = date.day();
        let last = date.days_in_month();
        let in_month = match &self.days {
            Days::Any => true,
            Days::Set(set) => set.has(day.unsigned_abs().into()),
            Days::Last(before) => day == last - before,
            Days::Weekday(wanted) => weekday_near(date, *wanted) == Some(day),
        };
        let weekday = date.weekday().to_sunday_one_offset().unsigned_abs().into();
        let in_week = match &self.weekdays {
            Weekdays::Any => true,
            Weekdays::Set(set) => set.has(weekday),
            Weekdays::Nth(wanted, nth) => weekday == *wanted && (day - 1) / 7 + 1 == *nth,
            Weekdays::Last(wanted) => weekday == *wanted && day + 7 > last,
        };
        in_month && in_week
    }
}

/// The working day next to a day of the month, within the month.
fn weekday_near(date: civil::Date, wanted: i8) -> Option<i8> {
    let last = date.days_in_month();
    let day = civil::Date::new(date.year(), date.month(), wanted.min(last)).ok()?;
    Some(match day.weekday().to_monday_one_offset() {
        6 if day.day() == 1 => 3,
        6 => day.day() - 1,
        7 if day.day() == last => day.day() - 2,
        7 => day.day() + 1,
        _ => day.day(),
    })
}

fn number(text: &str, names: &[&str], first: u32) -> Result<u32, String> {
    let upper = text.to_ascii_uppercase();
    match names.iter().position(|name| *name == upper) {
        Some(position) => Ok(position as u32 + first),
        None => text
            .parse()
            .map_err(|_| format!("'{text}' is not a number of this field")),
    }
}

fn set(field: &str, min: u32, max: u32, names: &[&str], first: u32) -> Result<Set, String> {
    let mut set = Set::default();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step, &[], 0)?.max(1))),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" || range == "?" || range.is_empty() => (min, max),
            Some((from, to)) => (number(from, names, first)?, number(to, names, first)?),
            None => {
                let from = number(range, names, first)?;
                (from, if step.is_some() { max } else { from })
            }
        };
        if from < min || from > max || to < min || to > max {
            return Err(format!("'{part}' is not within {min} and {max}"));
        }
        let span = if from <= to {
            to - from
        } else {
            max - min + 1 - (from - to)
        };
        for offset in (0..=span).step_by(step.unwrap_or(1) as usize) {
            let value = from + offset;
            set.add(if value > max { value - (max - min + 1) } else { value });
        }
    }
    Ok(set)
}

fn days(field: &str) -> Result<Days, String> {
    let upper = field.to_ascii_uppercase();
    if upper == "*" || upper == "?" {
        return Ok(Days::Any);
    }
    if let Some(rest) = upper.strip_prefix('L') {
        let before = match rest.strip_prefix('-') {
            Some(before) => before.parse().map_err(|_| format!("'{field}' is not a day"))?,
            None if rest.is_empty() => 0,
            None => return Err(format!("'{field}' is not a day")),
        };
        return Ok(Days::Last(before));
    }
    if let Some(day) = upper.strip_suffix('W') {
        return day
            .parse()
            .map(Days::Weekday)
            .map_err(|_| format!("'{field}' is not a day"));
    }
    set(field, 1, 31, &[], 0).map(Days::Set)
}

fn weekdays(field: &str) -> Result<Weekdays, String> {
    let upper = field.to_ascii_uppercase();
    if upper == "*" || upper == "?" {
        return Ok(Weekdays::Any);
    }
    if let Some((day, nth)) = upper.split_once('#') {
        let nth = nth.parse().map_err(|_| format!("'{field}' is not a day of the week"))?;
        return Ok(Weekdays::Nth(number(day, &WEEKDAYS, 1)?, nth));
    }
    if let Some(day) = upper.strip_suffix('L') {
        return Ok(if day.is_empty() {
            Weekdays::Last(7)
        } else {
            Weekdays::Last(number(day, &WEEKDAYS, 1)?)
        });
    }
    set(field, 1, 7, &WEEKDAYS, 1).map(Weekdays::Set)
}

fn years(field: &str) -> Result<Option<Vec<Years>>, String> {
    if field == "*" || field == "?" {
        return Ok(None);
    }
    let year = |text: &str| text.parse::<i16>().map_err(|_| format!("'{text}' is not a year"));
    let mut ranges = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, year(step)?.max(1)),
            None => (part, 1),
        };
        ranges.push(match range.split_once('-') {
            Some((from, to)) => (year(from)?, year(to)?, step),
            None if range == "*" => (1970, i16::MAX, step),
            None if step > 1 => (year(range)?, i16::MAX, step),
            None => (year(range)?, year(range)?, 1),
        });
    }
    Ok(Some(ranges))
}
