//! Functions of texts. Patterns are regular expressions that take linear time: they know no look-around and no
//! back references, and with them the result is null.

use base64::Engine as _;
use regex::RegexBuilder;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::Answer;
use crate::feel::eval::Evaluator;
use crate::feel::value::Feel;

/// Bytes of a compiled pattern.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

pub(super) fn call(name: &str, arguments: &[Feel], evaluator: &mut Evaluator<'_>) -> Answer {
    let text = |text: &str| Feel::text(text);
    Ok(Some(match (name, arguments) {
        ("string length", [Feel::Text(it)]) => Feel::length(it.chars().count()),
        ("upper case", [Feel::Text(it)]) => Feel::text(it.to_uppercase()),
        ("lower case", [Feel::Text(it)]) => Feel::text(it.to_lowercase()),
        ("trim", [Feel::Text(it)]) => text(it.trim()),
        ("is blank", [Feel::Text(it)]) => Feel::Boolean(it.trim().is_empty()),
        ("substring", [Feel::Text(it), Feel::Number(start)]) => substring(it, start, None),
        ("substring", [Feel::Text(it), Feel::Number(start), Feel::Number(length)]) => {
            substring(it, start, Some(length))
        }
        ("substring before", [Feel::Text(it), Feel::Text(part)]) => {
            text(it.split_once(&**part).map_or("", |(before, _)| before))
        }
        ("substring after", [Feel::Text(it), Feel::Text(part)]) => {
            text(it.split_once(&**part).map_or("", |(_, after)| after))
        }
        ("contains", [Feel::Text(it), Feel::Text(part)]) => Feel::Boolean(it.contains(&**part)),
        ("starts with", [Feel::Text(it), Feel::Text(part)]) => Feel::Boolean(it.starts_with(&**part)),
        ("ends with", [Feel::Text(it), Feel::Text(part)]) => Feel::Boolean(it.ends_with(&**part)),
        ("to base64", [Feel::Text(it)]) => Feel::text(base64::engine::general_purpose::STANDARD.encode(it.as_bytes())),
        ("matches", [Feel::Text(it), Feel::Text(pattern)]) => matches(it, pattern, ""),
        ("matches", [Feel::Text(it), Feel::Text(pattern), Feel::Text(flags)]) => matches(it, pattern, flags),
        ("replace", [Feel::Text(it), Feel::Text(pattern), Feel::Text(by), rest @ ..]) => {
            let flags = match rest {
                [] => "",
                [Feel::Text(flags)] => flags,
                _ => return Ok(Some(Feel::Null)),
            };
            let Some(pattern) = compile(pattern, flags) else {
                return Ok(Some(Feel::Null));
            };
            // Each match may bring the whole replacement: what it could come to is counted before.
            let most = it.len() + (it.len() + 1) * by.len().min(1 << 16);
            evaluator.budget.check_length(most.min(1 << 24))?;
            Feel::text(pattern.replace_all(it, braced(by).as_str()))
        }
        ("split", [Feel::Text(it), Feel::Text(pattern)]) => match compile(pattern, "") {
            Some(pattern) => Feel::list(pattern.split(it).map(text).collect()),
            None => Feel::Null,
        },
        ("extract", [Feel::Text(it), Feel::Text(pattern)]) => match compile(pattern, "") {
            Some(pattern) => Feel::list(pattern.find_iter(it).map(|found| text(found.as_str())).collect()),
            None => Feel::Null,
        },
        _ => return Ok(None),
    }))
}

/// From a position, from 1, or from the end where it is negative.
fn substring(text: &str, start: &Decimal, length: Option<&Decimal>) -> Feel {
    let count = text.chars().count();
    let Some(start) = start.to_i64() else { return Feel::Null };
    let skipped = match start {
        0 => return Feel::text(""),
        start if start > 0 => usize::try_from(start - 1).unwrap_or(usize::MAX),
        start => match count.checked_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)) {
            Some(skipped) => skipped,
            None => return Feel::Null,
        },
    };
    let taken = length.map_or(usize::MAX, |length| length.to_usize().unwrap_or(0));
    Feel::text(text.chars().skip(skipped).take(taken).collect::<String>())
}

fn compile(pattern: &str, flags: &str) -> Option<regex::Regex> {
    let mut builder = RegexBuilder::new(pattern);
    builder
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .nest_limit(50);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            's' => builder.dot_matches_new_line(true),
            'm' => builder.multi_line(true),
            'x' => builder.ignore_whitespace(true),
            _ => return None,
        };
    }
    builder.build().ok()
}

/// Anywhere in the text.
fn matches(text: &str, pattern: &str, flags: &str) -> Feel {
    compile(pattern, flags).map_or(Feel::Null, |pattern| Feel::Boolean(pattern.is_match(text)))
}

/// `$1x` is the first group before an `x`, and not a group of the name `1x`.
fn braced(replacement: &str) -> String {
    let mut braced = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        braced.push(c);
        if c == '$' && chars.peek().is_some_and(char::is_ascii_digit) {
            braced.push('{');
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                braced.push(digit);
            }
            braced.push('}');
        }
    }
    braced
}
