//! When timers are due: ISO 8601 dates, durations and cycles, and cron, all in UTC. Nothing here reads a clock.

mod cron;

use jiff::{Span, SpanRelativeTo, Timestamp, civil, tz::TimeZone};

use crate::id::Millis;

/// More steps from a start that lies far back are not counted: the timer is refused.
const STEPS_MAX: u64 = 1_000_000;

/// What a cycle keeps for its next time: `R{times}/{start}/{period}` with the start in milliseconds, or a cron text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) due: Millis,
    pub(super) repeat: Option<String>,
}

fn unreadable(text: &str, reason: impl std::fmt::Display) -> String {
    format!("couldn't resolve duedate: '{text}': {reason}")
}

fn instant(millis: Millis) -> Result<jiff::Zoned, jiff::Error> {
    Ok(Timestamp::from_millisecond(millis)?.to_zoned(TimeZone::UTC))
}

fn add(start: Millis, period: &Span, text: &str) -> Result<Millis, String> {
    instant(start)
        .and_then(|start| start.checked_add(*period))
        .map(|end| end.timestamp().as_millisecond())
        .map_err(|error| unreadable(text, error))
}

/// A date and time; without a zone it is in UTC.
pub(super) fn date(text: &str) -> Result<Millis, String> {
    let trimmed = text.trim();
    if let Ok(instant) = trimmed.parse::<Timestamp>() {
        return Ok(instant.as_millisecond());
    }
    let zoned = |moment: civil::DateTime| {
        moment
            .to_zoned(TimeZone::UTC)
            .map(|zoned| zoned.timestamp().as_millisecond())
    };
    if let Ok(moment) = trimmed.parse::<civil::DateTime>() {
        return zoned(moment).map_err(|error| unreadable(text, error));
    }
    match trimmed.parse::<civil::Date>() {
        Ok(day) => zoned(day.at(0, 0, 0, 0)).map_err(|error| unreadable(text, error)),
        Err(error) => Err(unreadable(text, error)),
    }
}

fn period(text: &str) -> Result<Span, String> {
    if !text.starts_with('P') {
        return Err(unreadable(text, "a duration begins with P"));
    }
    text.parse::<Span>().map_err(|error| unreadable(text, error))
}

/// A duration from now on.
pub(super) fn duration(text: &str, now: Millis) -> Result<Millis, String> {
    let text = text.trim();
    match text.split_once('/') {
        // A start and a duration: Camunda reads intervals too.
        Some((start, length)) if !start.starts_with('R') => add(date(start)?, &period(length)?, text),
        Some(_) => Ok(cycle(text, now)?.due),
        None => add(now, &period(text)?, text),
    }
}

/// The first time of a cycle.
pub(super) fn cycle(text: &str, now: Millis) -> Result<Next, String> {
    let text = text.trim();
    if !text.starts_with('R') {
        let due = cron::next(text, now).map_err(|error| unreadable(text, error))?;
        return Ok(Next {
            due,
            repeat: Some(text.to_owned()),
        });
    }
    let parts: Vec<&str> = text.split('/').collect();
    let times = &parts[0][1..];
    if !times.is_empty() && times.parse::<u32>().is_err() {
        return Err(unreadable(text, "R is followed by a number of times, or by none"));
    }
    let (start, length) = match parts[1..] {
        [length] => (now, length),
        [start, length] if length.starts_with('P') => (date(start)?, length),
        _ => return Err(unreadable(text, "a cycle is R[n]/duration or R[n]/start/duration")),
    };
    period(length)?;
    let repeat = format!("R{times}/{start}/{length}");
    match following(&repeat, now)? {
        Some(next) => Ok(next),
        None => Err(unreadable(text, "all of its times have passed")),
    }
}

/// The next time of a cycle after `now`, by what it has kept; none where it is over.
pub(super) fn following(repeat: &str, now: Millis) -> Result<Option<Next>, String> {
    let next = |due| {
        Ok(Some(Next {
            due,
            repeat: Some(repeat.to_owned()),
        }))
    };
    let Some(rest) = repeat.strip_prefix('R') else {
        return next(cron::next(repeat, now).map_err(|error| unreadable(repeat, error))?);
    };
    let mut parts = rest.splitn(3, '/');
    let (Some(times), Some(start), Some(length)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unreadable(repeat, "the rest of a cycle is damaged"));
    };
    let start: Millis = start.parse().map_err(|_| unreadable(repeat, "its start is damaged"))?;
    let times: u64 = if times.is_empty() {
        u64::MAX
    } else {
        times.parse().unwrap_or(0)
    };
    let span = period(length)?;
    let mut steps = 0;
    let mut due = start;
    // The start is kept, so that the cycle does not drift; what was missed is passed over.
    if let Some(fixed) = fixed_millis(&span)
        && start <= now
    {
        let wanted = ((now - start) / fixed) as u64 + 1;
        steps = wanted.min(times);
        due = i64::try_from(steps)
            .ok()
            .and_then(|steps| fixed.checked_mul(steps))
            .and_then(|offset| start.checked_add(offset))
            .ok_or_else(|| unreadable(repeat, "it leaves the range of dates"))?;
    }
    while steps < times && due <= now {
        due = add(due, &span, repeat)?;
        steps += 1;
        if steps > STEPS_MAX {
            return Err(unreadable(repeat, "too many of its times have passed"));
        }
    }
    if due <= now { Ok(None) } else { next(due) }
}

/// The length of a period that always has the same one.
fn fixed_millis(span: &Span) -> Option<Millis> {
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(duration.as_millis()).ok().filter(|millis| *millis > 0)
}

/// The retries of a failed job: how many attempts there are, and the pause after each failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RetryCycle {
    pub(super) attempts: i32,
    intervals: Vec<String>,
}

impl RetryCycle {
    /// `R5/PT5M`, or a list of pauses: n pauses are n + 1 attempts.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let intervals: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
        if let [only] = intervals.as_slice()
            && let Some(rest) = only.strip_prefix('R')
        {
            let (times, length) = rest.split_once('/').unwrap_or((rest, ""));
            let attempts = if times.is_empty() {
                i32::MAX
            } else {
                times.parse().map_err(|_| unreadable(text, "its number is damaged"))?
            };
            period(length)?;
            return Ok(Self {
                attempts,
                intervals: vec![length.to_owned()],
            });
        }
        for interval in &intervals {
            period(interval)?;
        }
        let attempts = i32::try_from(intervals.len()).unwrap_or(i32::MAX).saturating_add(1);
        Ok(Self { attempts, intervals })
    }

    /// When the next attempt is due after a failure with so many retries left before it.
    pub(super) fn due(&self, retries: i32, now: Millis) -> Result<Millis, String> {
        let count = i64::try_from(self.intervals.len()).unwrap_or(i64::MAX);
        let index = (count - (i64::from(retries) - 1)).clamp(0, count - 1);
        let interval = &self.intervals[usize::try_from(index).unwrap_or_default()];
        add(now, &period(interval)?, interval)
    }
}

#[cfg(test)]
mod tests;
