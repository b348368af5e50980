//! The dates of form fields, by patterns of `java.text.SimpleDateFormat`. What they leave open is UTC.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::id::Millis;

/// Digits that a number is filled up to at most.
const WIDEST: usize = 16;

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A letter, so many times.
    Number(char, usize),
    /// Stands for itself.
    Text(char),
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut quoted = false;
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, parts.last_mut()) {
            ('\'', _) if letters.next_if_eq(&'\'').is_some() => parts.push(Part::Text('\'')),
            ('\'', _) => quoted = !quoted,
            (_, Some(Part::Number(last, count))) if !quoted && *last == letter => *count += 1,
            _ if !quoted && letter.is_ascii_alphabetic() => parts.push(Part::Number(letter, 1)),
            _ => parts.push(Part::Text(letter)),
        }
    }
    parts
}

/// Reads a date as `java.text.SimpleDateFormat` does, in UTC; what follows it does not matter. None where it is none, or
/// the pattern has letters beside `yMdHmsS`.
pub(super) fn parse(pattern: &str, text: &str, now: Millis) -> Option<Millis> {
    let mut rest = text;
    let (mut year, mut month, mut day) = (1970_i16, 1_i8, 1_i8);
    let (mut hour, mut minute, mut second, mut millis) = (0_i8, 0_i8, 0_i8, 0_i32);
    let parts = parts(pattern);
    for (at, part) in parts.iter().enumerate() {
        let (letter, count) = match *part {
            Part::Number(letter, count) => (letter, count),
            Part::Text(letter) => {
                rest = rest.strip_prefix(letter)?;
                continue;
            }
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        // Where another number follows at once, each has its width.
        let next_is_number = matches!(parts.get(at + 1), Some(Part::Number(..)));
        let width = if next_is_number { digits.min(count) } else { digits };
        let (number, after) = rest.split_at_checked(width)?;
        rest = after;
        match letter {
            'y' if count <= 2 && width == 2 => year = near(number.parse().ok()?, now)?,
            'y' => year = number.parse().ok()?,
            'M' => month = number.parse().ok()?,
            'd' => day = number.parse().ok()?,
            'H' => hour = number.parse().ok()?,
            'm' => minute = number.parse().ok()?,
            's' => second = number.parse().ok()?,
            'S' => millis = number.parse().ok()?,
            _ => return None,
        }
    }
    let nanoseconds = millis.checked_mul(1_000_000)?;
    let date = DateTime::new(year, month, day, hour, minute, second, nanoseconds).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// The year of a century's last two digits that is at most 80 years ago, or 20 ahead.
fn near(digits: i16, now: Millis) -> Option<i16> {
    let this = jiff::Timestamp::from_millisecond(now)
        .ok()?
        .to_zoned(TimeZone::UTC)
        .year();
    let first = this.checked_sub(80)?;
    Some(first + (digits - first).rem_euclid(100))
}

/// The reverse of [`parse`].
pub(super) fn format(pattern: &str, instant: Millis) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_millisecond(instant) else {
        return String::new();
    };
    let date = timestamp.to_zoned(TimeZone::UTC);
    parts(pattern)
        .into_iter()
        .map(|part| {
            let (letter, width) = match part {
                Part::Number(letter, count) => (letter, count.min(WIDEST)),
                Part::Text(letter) => return letter.to_string(),
            };
            let number = match letter {
                'y' if width == 2 => i64::from(date.year()) % 100,
                'y' => date.year().into(),
                'M' => date.month().into(),
                'd' => date.day().into(),
                'H' => date.hour().into(),
                'm' => date.minute().into(),
                's' => date.second().into(),
                'S' => date.millisecond().into(),
                other => return other.to_string(),
            };
            format!("{number:0width$}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In 2026.
    const NOW: Millis = 1_790_000_000_000;

    #[test]
    fn dates_are_read_and_written_by_their_pattern() {
        let instant = parse("dd/MM/yyyy", "31/01/2026", NOW).expect("a date");
        assert_eq!(format("yyyy-MM-dd HH:mm:ss.SSS", instant), "2026-01-31 00:00:00.000");
        assert_eq!(format("yyyy-MM-dd'T'HH 'o''clock'", instant), "2026-01-31T00 o'clock");
        assert_eq!(parse("yyyy-MM-dd'T'HH", "2026-01-31T00", NOW), Some(instant));
        assert_eq!(parse("yyyyMMdd", "20260131", NOW), Some(instant));
        assert_eq!(parse("yyyy-MM-dd", "2026-01-31T10:00:00", NOW), Some(instant));
        for (text, year) in [("31.01.26", "2026"), ("31.01.46", "1946"), ("31.01.45", "2045")] {
            let instant = parse("dd.MM.yy", text, NOW).expect("a date");
            assert_eq!(
                (format("yyyy", instant).as_str(), format("dd.MM.yy", instant).as_str()),
                (year, text)
            );
        }
        for (pattern, text) in [
            ("dd/MM/yyyy", "2026-01-31"),
            ("dd/MM/yyyy", "x"),
            ("dd/MM/yyyy", "31/13/2026"),
            ("dd/MM/yyyy", ""),
            ("EEE", "Mon"),
        ] {
            assert_eq!(parse(pattern, text, NOW), None, "{text}");
        }
    }
}
