//! Operators and their coercions, as the Unified Expression Language (JSR 245) has them.

use std::cmp::Ordering;

use super::ast::Binary;
use super::datum::Datum;
use super::eval::EvalError;

/// A number in the width that an operation is done in.
#[derive(Clone, Copy)]
enum Number {
    Long(i64),
    Double(f64),
}

impl Number {
    fn double(self) -> f64 {
        match self {
            Self::Long(number) => number as f64,
            Self::Double(number) => number,
        }
    }
}

fn no_number(datum: &Datum) -> EvalError {
    EvalError::failed(format!(
        "Cannot coerce '{}' of {} to a number",
        datum.display(),
        datum.type_name()
    ))
}

/// Coerces to a number: null and the empty text are 0.
fn number(datum: &Datum) -> Result<Number, EvalError> {
    Ok(match datum {
        Datum::Null => Number::Long(0),
        Datum::Short(number) => Number::Long((*number).into()),
        Datum::Integer(number) => Number::Long((*number).into()),
        Datum::Long(number) => Number::Long(*number),
        Datum::Double(number) => Number::Double(*number),
        Datum::Text(text) if text.is_empty() => Number::Long(0),
        Datum::Text(text) if text.contains(['.', 'e', 'E']) => {
            Number::Double(text.trim().parse().map_err(|_| no_number(datum))?)
        }
        Datum::Text(text) => Number::Long(text.parse().map_err(|_| no_number(datum))?),
        Datum::Json(json) if json.is_i64() => Number::Long(json.as_i64().unwrap_or_default()),
        Datum::Json(json) if json.is_number() => Number::Double(json.as_f64().unwrap_or_default()),
        _ => return Err(no_number(datum)),
    })
}

fn is_number(datum: &Datum) -> bool {
    matches!(
        datum,
        Datum::Short(_) | Datum::Integer(_) | Datum::Long(_) | Datum::Double(_)
    )
}

pub(super) fn truth(datum: &Datum) -> Result<bool, EvalError> {
    match datum {
        Datum::Null => Ok(false),
        Datum::Boolean(truth) => Ok(*truth),
        Datum::Text(text) => Ok(text.eq_ignore_ascii_case("true")),
        other => Err(EvalError::failed(format!(
            "Cannot coerce from {} to java.lang.Boolean",
            other.type_name()
        ))),
    }
}

pub(super) fn is_empty(datum: &Datum) -> bool {
    match datum {
        Datum::Null => true,
        Datum::Text(text) => text.is_empty(),
        Datum::List(items) => items.is_empty(),
        Datum::Map(fields) => fields.is_empty(),
        _ => false,
    }
}

pub(super) fn negate(datum: &Datum) -> Result<Datum, EvalError> {
    Ok(match datum {
        Datum::Integer(number) => Datum::Integer(number.wrapping_neg()),
        Datum::Short(number) => Datum::Short(number.wrapping_neg()),
        other => match number(other)? {
            Number::Long(number) => Datum::Long(number.wrapping_neg()),
            Number::Double(number) => Datum::Double(-number),
        },
    })
}

/// An index into a list; none where it lies before it.
pub(super) fn index(datum: &Datum) -> Result<Option<usize>, EvalError> {
    match number(datum)? {
        Number::Long(number) => Ok(usize::try_from(number).ok()),
        Number::Double(_) => Ok(None),
    }
}

pub(super) fn binary(operator: Binary, left: &Datum, right: &Datum) -> Result<Datum, EvalError> {
    Ok(match operator {
        Binary::Equal => Datum::Boolean(equal(left, right)?),
        Binary::NotEqual => Datum::Boolean(!equal(left, right)?),
        Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
            Datum::Boolean(relation(operator, left, right)?)
        }
        _ => arithmetic(operator, left, right)?,
    })
}

pub(super) fn equal(left: &Datum, right: &Datum) -> Result<bool, EvalError> {
    Ok(match (left, right) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Null, _) | (_, Datum::Null) => false,
        (Datum::Date(a), Datum::Date(b)) => a == b,
        _ if is_number(left) || is_number(right) => match (number(left)?, number(right)?) {
            (Number::Long(a), Number::Long(b)) => a == b,
            (a, b) => a.double() == b.double(),
        },
        (Datum::Boolean(_), _) | (_, Datum::Boolean(_)) => truth(left)? == truth(right)?,
        (Datum::Text(_), _) | (_, Datum::Text(_)) => left.display() == right.display(),
        _ => left == right,
    })
}

fn relation(operator: Binary, left: &Datum, right: &Datum) -> Result<bool, EvalError> {
    let ordering = match (left, right) {
        (Datum::Null, Datum::Null) => {
            return Ok(matches!(operator, Binary::LessEqual | Binary::GreaterEqual));
        }
        (Datum::Null, _) | (_, Datum::Null) => return Ok(false),
        (Datum::Date(a), Datum::Date(b)) => Some(a.cmp(b)),
        _ if is_number(left) || is_number(right) => match (number(left)?, number(right)?) {
            (Number::Long(a), Number::Long(b)) => Some(a.cmp(&b)),
            (a, b) => a.double().partial_cmp(&b.double()),
        },
        (Datum::Text(_), _) | (_, Datum::Text(_)) => Some(left.display().cmp(&right.display())),
        _ => {
            return Err(EvalError::failed(format!(
                "Cannot compare {} and {}",
                left.type_name(),
                right.type_name()
            )));
        }
    };
    Ok(match operator {
        Binary::Less => ordering == Some(Ordering::Less),
        Binary::LessEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Binary::Greater => ordering == Some(Ordering::Greater),
        _ => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    })
}

fn arithmetic(operator: Binary, left: &Datum, right: &Datum) -> Result<Datum, EvalError> {
    let (a, b) = (number(left)?, number(right)?);
    if operator == Binary::Divide {
        // Division is never done in integers.
        return Ok(Datum::Double(a.double() / b.double()));
    }
    Ok(match (a, b) {
        (Number::Long(a), Number::Long(b)) => Datum::Long(match operator {
            Binary::Add => a.wrapping_add(b),
            Binary::Subtract => a.wrapping_sub(b),
            Binary::Multiply => a.wrapping_mul(b),
            _ if b == 0 => return Err(EvalError::failed("/ by zero")),
            _ => a.wrapping_rem(b),
        }),
        (a, b) => {
            let (a, b) = (a.double(), b.double());
            Datum::Double(match operator {
                Binary::Add => a + b,
                Binary::Subtract => a - b,
                Binary::Multiply => a * b,
                _ => a % b,
            })
        }
    })
}
