//! Instants as Camunda writes them: `2015-10-06T16:34:42.000+0200`. We always write `+0000`, and read any offset.

use handoff_machine::Millis;
use jiff::Timestamp;
use jiff::fmt::strtime;

/// What Camunda's clients parse with `yyyy-MM-dd'T'HH:mm:ss.SSSZ`: milliseconds always, and an offset without colon.
const FORMAT: &str = "%Y-%m-%dT%H:%M:%S";

/// An instant as text; an instant that no calendar has (beyond the year 9999) at the calendar's end.
pub(crate) fn format(instant: Millis) -> String {
    let limit = if instant < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let timestamp = Timestamp::from_millisecond(instant).unwrap_or(limit);
    let seconds = strtime::format(FORMAT, timestamp).unwrap_or_default();
    format!("{seconds}.{:03}+0000", instant.rem_euclid(1000))
}

/// Reads an instant in Camunda's own format. Also read are an offset with a colon, and `Z`; never a date alone.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    let (local, offset) = split_offset(text)?;
    let (seconds, fraction) = local.split_once('.')?;
    let millis: i64 = match fraction.len() {
        1..=3 if fraction.bytes().all(|b| b.is_ascii_digit()) => fraction.parse().ok()?,
        _ => return None,
    };
    let instant = strtime::parse(FORMAT, seconds).ok()?.to_datetime().ok()?;
    let zoned = jiff::tz::Offset::from_seconds(offset)
        .ok()?
        .to_timestamp(instant)
        .ok()?;
    Some(zoned.as_millisecond() + millis)
}

/// Splits `…+0130` into what is before and the offset in seconds.
fn split_offset(text: &str) -> Option<(&str, i32)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, 0));
    }
    let at = text.rfind(['+', '-']).filter(|at| *at > 10)?;
    let (local, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset[1..].chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits[2..].parse().ok()?;
    (minutes < 60).then_some((local, sign * (hours * 60 + minutes) * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_offsets_and_writes_utc() {
        let instant = parse("2015-10-06T16:34:42.007+0200").unwrap();
        assert_eq!(format(instant), "2015-10-06T14:34:42.007+0000");
        assert_eq!(parse("2015-10-06T14:34:42.007Z"), Some(instant));
        assert_eq!(parse("2015-10-06T09:04:42.007-05:30"), Some(instant));
    }

    #[test]
    fn refuses_what_camunda_refuses() {
        for text in [
            "2026-01-31",
            "",
            "2026-01-31T08:15:30",
            "2026-01-31T08:15:30+0000",
            "2026-13-31T08:15:30.000+0000",
            "x",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(instant in 0..253_402_300_799_999_i64) {
            prop_assert_eq!(parse(&format(instant)), Some(instant));
        }
    }
}
