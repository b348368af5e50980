//! The methods and properties of texts, numbers, dates, lists and maps that models use.

use jiff::{Span, Timestamp, tz::TimeZone};

use super::datum::Datum;
use super::decision_result;
use super::eval::EvalError;
use super::operator;
use crate::value::Value;

pub(super) type Answer = Result<Option<Datum>, EvalError>;

/// `base.name` of a value: Java beans' getters without arguments.
pub(super) fn property(base: &Datum, name: &str) -> Option<Datum> {
    match (base, name) {
        (Datum::Text(text), "empty") => Some(Datum::Boolean(text.is_empty())),
        (Datum::Text(text), "bytes") => Some(Datum::list(text.bytes().map(|b| Datum::Integer(b.into())).collect())),
        (Datum::Date(instant), "time") => Some(Datum::Long(*instant)),
        (Datum::Opaque(value), name) => typed_value(value, name),
        _ => None,
    }
}

/// The property that a getter or setter is named after, from what follows `get` or `set`.
pub(crate) fn decapitalise(name: &str) -> String {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// What a typed value tells of itself.
fn typed_value(value: &Value, name: &str) -> Option<Datum> {
    let text = |text: &Option<String>| text.as_ref().map_or(Datum::Null, Datum::text);
    match (value, name) {
        (value, "value") => Some(Datum::from(value)),
        (Value::File(file), "filename") => Some(Datum::text(&file.name)),
        (Value::File(file), "mimeType") => Some(text(&file.mimetype)),
        (Value::File(file), "encoding") => Some(text(&file.encoding)),
        (Value::Object(object), "objectTypeName") => Some(text(&object.type_name)),
        (Value::Object(object), "serializationDataFormat") => Some(text(&object.format)),
        (Value::Object(object), "valueSerialized") => Some(text(&object.data)),
        _ => None,
    }
}

pub(super) fn call(base: &Datum, name: &str, arguments: &[Datum], length_max: usize) -> Answer {
    if let Some(answer) = common(base, name, arguments)? {
        return Ok(Some(answer));
    }
    match base {
        Datum::Null => Err(EvalError::failed(format!("Cannot call method '{name}' on null"))),
        Datum::Text(text) => text_method(text, name, arguments, length_max),
        Datum::List(items) => match list_method(items, name, arguments)? {
            None => decision_result::of_list(items, name, arguments),
            found => Ok(found),
        },
        Datum::Map(fields) => match map_method(fields, name, arguments)? {
            None => decision_result::of_map(fields, name, arguments),
            found => Ok(found),
        },
        Datum::Date(instant) => date_method(*instant, name, arguments),
        Datum::Short(_) | Datum::Integer(_) | Datum::Long(_) | Datum::Double(_) => {
            Ok(number_method(base, name, arguments))
        }
        Datum::Boolean(truth) => Ok((name == "booleanValue" && arguments.is_empty()).then_some(Datum::Boolean(*truth))),
        Datum::Opaque(value) => Ok(match (name.strip_prefix("get"), arguments) {
            (Some(getter), []) => typed_value(value, &decapitalise(getter)),
            _ => None,
        }),
        Datum::Json(_) | Datum::Host(_) => Ok(None),
    }
}

fn common(base: &Datum, name: &str, arguments: &[Datum]) -> Answer {
    Ok(match (name, arguments) {
        _ if matches!(base, Datum::Null) => None,
        ("toString", []) => Some(Datum::text(base.display())),
        // Java's `equals` knows no coercion: an Integer never equals a Long.
        ("equals", [other]) => Some(Datum::Boolean(base == other)),
        _ => None,
    })
}

fn integer(number: usize) -> Datum {
    Datum::Integer(i32::try_from(number).unwrap_or(i32::MAX))
}

fn position(found: Option<usize>) -> Datum {
    found.map_or(Datum::Integer(-1), integer)
}

/// Where in the text a character index lies, in bytes.
fn byte_index(text: &str, index: &Datum) -> Result<usize, EvalError> {
    let wanted = operator::index(index)?;
    wanted
        .and_then(|wanted| text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(wanted))
        .ok_or_else(|| EvalError::failed(format!("index {} is out of range", index.display())))
}

fn text_method(text: &str, name: &str, arguments: &[Datum], length_max: usize) -> Answer {
    let chars_before = |byte: usize| text[..byte].chars().count();
    Ok(Some(match (name, arguments) {
        ("length", []) => integer(text.chars().count()),
        ("isEmpty", []) => Datum::Boolean(text.is_empty()),
        ("isBlank", []) => Datum::Boolean(text.trim().is_empty()),
        ("trim" | "strip", []) => Datum::text(text.trim()),
        ("toUpperCase", []) => Datum::text(text.to_uppercase()),
        ("toLowerCase", []) => Datum::text(text.to_lowercase()),
        ("contains", [part]) => Datum::Boolean(text.contains(part.display().as_str())),
        ("startsWith", [part]) => Datum::Boolean(text.starts_with(part.display().as_str())),
        ("endsWith", [part]) => Datum::Boolean(text.ends_with(part.display().as_str())),
        ("equalsIgnoreCase", [other]) => Datum::Boolean(text.to_lowercase() == other.display().to_lowercase()),
        ("compareTo", [other]) => Datum::Integer(text.cmp(other.display().as_str()) as i32),
        ("indexOf", [part]) => position(text.find(part.display().as_str()).map(chars_before)),
        ("lastIndexOf", [part]) => position(text.rfind(part.display().as_str()).map(chars_before)),
        ("charAt", [index]) => {
            let at = byte_index(text, index)?;
            match text[at..].chars().next() {
                Some(c) => Datum::text(c.to_string()),
                None => return Err(EvalError::failed(format!("index {} is out of range", index.display()))),
            }
        }
        ("substring", [from]) => Datum::text(&text[byte_index(text, from)?..]),
        ("substring", [from, to]) => {
            let (from, to) = (byte_index(text, from)?, byte_index(text, to)?);
            match text.get(from..to) {
                Some(part) => Datum::text(part),
                None => return Err(EvalError::failed("substring ends before it begins")),
            }
        }
        ("concat", [other]) => {
            let joined = format!("{text}{}", other.display());
            if joined.len() > length_max {
                return Err(EvalError::failed("the text is too long"));
            }
            Datum::text(joined)
        }
        ("replace", [from, to]) => {
            let (from, to) = (from.display(), to.display());
            let matches = if from.is_empty() {
                text.len() + 1
            } else {
                text.len() / from.len()
            };
            if matches.saturating_mul(to.len()).saturating_add(text.len()) > length_max {
                return Err(EvalError::failed("the text is too long"));
            }
            Datum::text(text.replace(&from, &to))
        }
        ("split", [separator]) => {
            let separator = separator.display();
            if separator.contains(|c: char| r".\+*?[](){}^$|".contains(c)) && separator.len() > 1 {
                return Err(EvalError::failed(
                    "split takes a plain text here, not a regular expression",
                ));
            }
            let mut parts: Vec<Datum> = text.split(separator.as_str()).map(Datum::text).collect();
            while parts.len() > 1 && parts.last().is_some_and(operator::is_empty) {
                parts.pop();
            }
            Datum::list(parts)
        }
        _ => return Ok(None),
    }))
}

fn list_method(items: &[Datum], name: &str, arguments: &[Datum]) -> Answer {
    Ok(Some(match (name, arguments) {
        ("size", []) => integer(items.len()),
        ("isEmpty", []) => Datum::Boolean(items.is_empty()),
        ("contains", [item]) => Datum::Boolean(items.contains(item)),
        ("indexOf", [item]) => position(items.iter().position(|i| i == item)),
        ("get", [index]) => match operator::index(index)?.and_then(|index| items.get(index)) {
            Some(item) => item.clone(),
            None => return Err(EvalError::failed(format!("index {} is out of range", index.display()))),
        },
        _ => return Ok(None),
    }))
}

fn map_method(fields: &indexmap::IndexMap<String, Datum>, name: &str, arguments: &[Datum]) -> Answer {
    Ok(Some(match (name, arguments) {
        ("size", []) => integer(fields.len()),
        ("isEmpty", []) => Datum::Boolean(fields.is_empty()),
        ("get", [key]) => fields.get(key.display().as_str()).cloned().unwrap_or(Datum::Null),
        ("getOrDefault", [key, otherwise]) => fields.get(key.display().as_str()).unwrap_or(otherwise).clone(),
        ("containsKey", [key]) => Datum::Boolean(fields.contains_key(key.display().as_str())),
        ("containsValue", [value]) => Datum::Boolean(fields.values().any(|field| field == value)),
        ("keySet", []) => Datum::list(fields.keys().map(Datum::text).collect()),
        ("values", []) => Datum::list(fields.values().cloned().collect()),
        _ => return Ok(None),
    }))
}

fn number_method(base: &Datum, name: &str, arguments: &[Datum]) -> Option<Datum> {
    let (long, double) = match base {
        Datum::Short(number) => (i64::from(*number), f64::from(*number)),
        Datum::Integer(number) => (i64::from(*number), f64::from(*number)),
        Datum::Long(number) => (*number, *number as f64),
        Datum::Double(number) => (*number as i64, *number),
        _ => return None,
    };
    Some(match (name, arguments) {
        ("intValue", []) => Datum::Integer(long as i32),
        ("longValue", []) => Datum::Long(long),
        ("shortValue", []) => Datum::Short(long as i16),
        ("doubleValue", []) => Datum::Double(double),
        ("compareTo", [Datum::Short(_) | Datum::Integer(_) | Datum::Long(_) | Datum::Double(_)]) => {
            let other = match &arguments[0] {
                Datum::Short(number) => f64::from(*number),
                Datum::Integer(number) => f64::from(*number),
                Datum::Long(number) => *number as f64,
                Datum::Double(number) => *number,
                _ => return None,
            };
            Datum::Integer(double.partial_cmp(&other)? as i32)
        }
        _ => return None,
    })
}

/// Dates, and the date-times of `dateTime()`: their arithmetic is done in UTC.
fn date_method(instant: i64, name: &str, arguments: &[Datum]) -> Answer {
    match (name, arguments) {
        ("getTime" | "getMillis", []) => return Ok(Some(Datum::Long(instant))),
        ("toDate", []) => return Ok(Some(Datum::Date(instant))),
        ("before" | "isBefore", [Datum::Date(other)]) => return Ok(Some(Datum::Boolean(instant < *other))),
        ("after" | "isAfter", [Datum::Date(other)]) => return Ok(Some(Datum::Boolean(instant > *other))),
        ("compareTo", [Datum::Date(other)]) => return Ok(Some(Datum::Integer(instant.cmp(other) as i32))),
        _ => {}
    }
    let [amount] = arguments else { return Ok(None) };
    let (unit, sign) = match (name.strip_prefix("plus"), name.strip_prefix("minus")) {
        (Some(unit), _) => (unit, 1),
        (_, Some(unit)) => (unit, -1),
        _ => return Ok(None),
    };
    let out_of_range = || EvalError::failed(format!("'{name}' leaves the range of dates"));
    let amount = match amount {
        Datum::Short(number) => i64::from(*number),
        Datum::Integer(number) => i64::from(*number),
        Datum::Long(number) => *number,
        _ => return Ok(None),
    };
    let amount = amount.checked_mul(sign).ok_or_else(out_of_range)?;
    let span = match unit {
        "Millis" => Span::new().try_milliseconds(amount),
        "Seconds" => Span::new().try_seconds(amount),
        "Minutes" => Span::new().try_minutes(amount),
        "Hours" => Span::new().try_hours(amount),
        "Days" => Span::new().try_days(amount),
        "Weeks" => Span::new().try_weeks(amount),
        "Months" => Span::new().try_months(amount),
        "Years" => Span::new().try_years(amount),
        _ => return Ok(None),
    }
    .map_err(|_| out_of_range())?;
    let moved = Timestamp::from_millisecond(instant)
        .and_then(|instant| instant.to_zoned(TimeZone::UTC).checked_add(span))
        .map_err(|_| out_of_range())?;
    Ok(Some(Datum::Date(moved.timestamp().as_millisecond())))
}
