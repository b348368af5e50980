//! Days, times and durations: how they are read, written and counted with. Zones are offsets from UTC; the names of
//! regions would need a database of zones, and the machine reads none.

use jiff::civil::{self, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::value::Feel;
use crate::id::Millis;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A day and a time, perhaps in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// On the clock of its zone.
    pub civil: DateTime,
    /// The zone; none is a moment on any clock.
    pub offset: Option<Offset>,
}

/// A time of day, perhaps in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// On the clock of its zone.
    pub time: civil::Time,
    /// The zone; none is a time on any clock.
    pub offset: Option<Offset>,
}

impl Moment {
    /// The instant, where there is a zone.
    pub(super) fn instant(&self) -> Option<Timestamp> {
        self.offset?.to_timestamp(self.civil).ok()
    }

    /// An instant on the clock of UTC, without the zone: how Camunda gives dates to FEEL.
    #[must_use]
    pub fn of_millis(millis: Millis) -> Option<Self> {
        let instant = Timestamp::from_millisecond(millis).ok()?;
        Some(Self {
            civil: Offset::UTC.to_datetime(instant),
            offset: None,
        })
    }

    /// Milliseconds since 1970; without a zone it is in UTC.
    #[must_use]
    pub fn millis(&self) -> Option<Millis> {
        let offset = self.offset.unwrap_or(Offset::UTC);
        Some(offset.to_timestamp(self.civil).ok()?.as_millisecond())
    }
}

impl TimeOfDay {
    /// Nanoseconds since midnight in UTC, where there is a zone.
    pub(super) fn in_utc(&self) -> Option<i64> {
        Some(nanos(self.time) - i64::from(self.offset?.seconds()) * 1_000_000_000)
    }
}

/// Nanoseconds since midnight.
pub(super) fn nanos(time: civil::Time) -> i64 {
    let seconds = i64::from(time.hour()) * HOUR + i64::from(time.minute()) * MINUTE + i64::from(time.second());
    seconds * 1_000_000_000 + i64::from(time.subsec_nanosecond())
}

/// What `@"…"` holds; null where it is nothing of that kind.
pub(super) fn literal(text: &str) -> Feel {
    date(text)
        .map(Feel::Date)
        .or_else(|| moment(text).map(Feel::DateTime))
        .or_else(|| time(text).map(Feel::Time))
        .or_else(|| duration(text))
        .unwrap_or(Feel::Null)
}

/// `2020-01-31`
pub(super) fn date(text: &str) -> Option<civil::Date> {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let digits = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (digits && bare.len() == 10).then(|| text.parse().ok()).flatten()
}

/// `10:30:00`, and a zone behind it: `Z`, `+01:00`, `@Etc/UTC`.
pub(super) fn time(text: &str) -> Option<TimeOfDay> {
    let (clock, offset) = zone(text)?;
    let digits = clock
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    let time = (digits && clock.contains(':')).then(|| clock.parse().ok()).flatten()?;
    Some(TimeOfDay { time, offset })
}

/// A date, `T` and a time; a date alone is midnight.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let (day, clock) = match text.split_once('T') {
        Some((day, clock)) => (date(day)?, time(clock)?),
        None => {
            let time = civil::Time::midnight();
            (date(text)?, TimeOfDay { time, offset: None })
        }
    };
    Some(Moment {
        civil: day.to_datetime(clock.time),
        offset: clock.offset,
    })
}

/// Splits a zone off; nothing where it is none.
fn zone(text: &str) -> Option<(&str, Option<Offset>)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, Some(Offset::UTC)));
    }
    if let Some((clock, name)) = text.split_once('@') {
        return matches!(name, "UTC" | "Etc/UTC" | "GMT" | "Z").then_some((clock, Some(Offset::UTC)));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, None));
    };
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    let mut parts = text[at + 1..]
        .split(':')
        .map(|part| (part.len() == 2).then(|| part.parse::<i32>().ok()).flatten());
    let (hours, minutes) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60 + seconds)).ok()?;
    Some((&text[..at], Some(offset)))
}

/// `P1Y2M`, or `P1DT2H3M4.5S`.
pub(super) fn duration(text: &str) -> Option<Feel> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = rest.strip_prefix('P')?;
    let (days, clock) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, clock)) => (days, clock),
        None => (rest, ""),
    };
    let sign = Decimal::from(if negative { -1 } else { 1 });
    if clock.is_empty() && !days.is_empty() && !days.ends_with('D') {
        let [years, months] = units(days, ['Y', 'M'])?;
        let months = years.checked_mul(Decimal::from(12))?.checked_add(months)? * sign;
        return months.to_i64().map(Feel::Months);
    }
    if days.is_empty() && clock.is_empty() {
        return None;
    }
    let [days] = units(days, ['D'])?;
    let [hours, minutes, seconds] = units(clock, ['H', 'M', 'S'])?;
    let mut total = seconds;
    for (amount, unit) in [(days, DAY), (hours, HOUR), (minutes, MINUTE)] {
        total = total.checked_add(amount.checked_mul(unit.into())?)?;
    }
    Some(Feel::Days((total * sign).normalize()))
}

/// Amounts with their units, in this order.
fn units<const N: usize>(mut text: &str, units: [char; N]) -> Option<[Decimal; N]> {
    let mut amounts = [Decimal::ZERO; N];
    for (amount, unit) in amounts.iter_mut().zip(units) {
        if let Some((number, rest)) = text.split_once(unit) {
            *amount = number
                .parse()
                .ok()
                .filter(|number: &Decimal| !number.is_sign_negative())?;
            text = rest;
        }
    }
    text.is_empty().then_some(amounts)
}

fn span(seconds: Decimal) -> Option<SignedDuration> {
    let nanos = seconds.checked_mul(Decimal::from(1_000_000_000))?.to_i128()?;
    let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    Some(SignedDuration::new(seconds.try_into().ok()?, rest.try_into().ok()?))
}

fn seconds(duration: SignedDuration) -> Decimal {
    Decimal::from_i128_with_scale(duration.as_nanos(), 9).normalize()
}

/// A day or a time, and a duration.
pub(super) fn shift(value: &Feel, by: &Feel, forward: bool) -> Option<Feel> {
    let sign = if forward { 1 } else { -1 };
    let add = |civil: DateTime| match by {
        Feel::Days(length) => civil.checked_add(span(*length * Decimal::from(sign))?).ok(),
        Feel::Months(months) => {
            let months = Span::new().try_months(months.checked_mul(sign)?).ok()?;
            civil.checked_add(months).ok()
        }
        _ => None,
    };
    match (value, by) {
        (Feel::Date(date), _) => add(date.to_datetime(civil::Time::midnight())).map(|civil| Feel::Date(civil.date())),
        (Feel::DateTime(moment), _) => add(moment.civil).map(|civil| Feel::DateTime(Moment { civil, ..*moment })),
        (Feel::Time(time), Feel::Days(length)) => {
            let shifted = time.time.wrapping_add(span(*length * Decimal::from(sign))?);
            Some(Feel::Time(TimeOfDay { time: shifted, ..*time }))
        }
        _ => None,
    }
}

/// What lies between two days or times.
pub(super) fn difference(left: &Feel, right: &Feel) -> Option<Feel> {
    let midnight = |date: &civil::Date| date.to_datetime(civil::Time::midnight());
    let between = |from: DateTime, to: DateTime| Some(Feel::Days(seconds(to.duration_since(from))));
    match (left, right) {
        (Feel::Date(a), Feel::Date(b)) => between(midnight(b), midnight(a)),
        (Feel::DateTime(a), Feel::DateTime(b)) => match (a.instant(), b.instant()) {
            (Some(a), Some(b)) => Some(Feel::Days(seconds(a.duration_since(b)))),
            (None, None) => between(b.civil, a.civil),
            _ => None,
        },
        (Feel::Time(a), Feel::Time(b)) => {
            let nanos = match (a.in_utc(), b.in_utc()) {
                (Some(a), Some(b)) => a - b,
                (None, None) => nanos(a.time) - nanos(b.time),
                _ => return None,
            };
            Some(Feel::Days(seconds(SignedDuration::from_nanos(nanos))))
        }
        _ => None,
    }
}

/// `2020-01-01T10:00:00Z`
pub(super) fn offset_text(offset: Offset) -> String {
    let seconds = offset.seconds();
    if seconds == 0 {
        return "Z".to_owned();
    }
    let (sign, size) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let rest = match size % 60 {
        0 => String::new(),
        rest => format!(":{rest:02}"),
    };
    format!("{sign}{:02}:{:02}{rest}", size / 3600, size / 60 % 60)
}

/// `P1DT2H`
pub(super) fn days_text(length: Decimal) -> String {
    let whole = length.abs().trunc().to_i64().unwrap_or(i64::MAX);
    let fraction = length.abs().fract().normalize();
    let mut text = if length.is_sign_negative() && !length.is_zero() {
        "-P".to_owned()
    } else {
        "P".to_owned()
    };
    if whole >= DAY {
        text.push_str(&format!("{}D", whole / DAY));
    }
    let seconds = Decimal::from(whole % MINUTE) + fraction;
    let mut clock = String::new();
    for (amount, unit) in [(whole % DAY / HOUR, 'H'), (whole % HOUR / MINUTE, 'M')] {
        if amount > 0 {
            clock.push_str(&format!("{amount}{unit}"));
        }
    }
    if !seconds.is_zero() {
        clock.push_str(&format!("{}S", seconds.normalize()));
    }
    if whole == 0 && fraction.is_zero() {
        return "P0D".to_owned();
    }
    if !clock.is_empty() {
        text.push('T');
        text.push_str(&clock);
    }
    text
}

/// `P1Y2M`
pub(super) fn months_text(months: i64) -> String {
    let (sign, size) = (if months < 0 { "-" } else { "" }, months.unsigned_abs());
    let part = |amount: u64, unit: char| match amount {
        0 => String::new(),
        amount => format!("{amount}{unit}"),
    };
    match size {
        0 => "P0M".to_owned(),
        size => format!("{sign}P{}{}", part(size / 12, 'Y'), part(size % 12, 'M')),
    }
}

/// `P1Y2M` as Java's `Period` writes it: each unit has a sign of its own.
pub(super) fn period_text(months: i64) -> String {
    let part = |amount: i64, unit: char| match amount {
        0 => String::new(),
        amount => format!("{amount}{unit}"),
    };
    match months {
        0 => "P0D".to_owned(),
        months => format!("P{}{}", part(months / 12, 'Y'), part(months % 12, 'M')),
    }
}
