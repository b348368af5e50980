//! Operators. Operands that do not fit give null.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::ast::Binary;
use super::compare;
use super::eval::{Budget, Evaluated};
use super::temporal;
use super::value::Feel;

/// `or` where `decisive` is true, `and` where it is false: one decisive value settles it; else what is no boolean
/// makes it null.
pub(super) fn junction(values: &[Feel], decisive: bool) -> Feel {
    if values
        .iter()
        .any(|value| matches!(value, Feel::Boolean(truth) if *truth == decisive))
    {
        return Feel::Boolean(decisive);
    }
    match values.iter().all(|value| matches!(value, Feel::Boolean(_))) {
        true => Feel::Boolean(!decisive),
        false => Feel::Null,
    }
}

pub(super) fn negate(operand: &Feel) -> Feel {
    match operand {
        Feel::Number(number) => Feel::Number(-*number),
        _ => Feel::Null,
    }
}

pub(super) fn binary(operator: Binary, left: &Feel, right: &Feel, budget: &mut Budget) -> Evaluated {
    let ordered = |holds: fn(std::cmp::Ordering) -> bool| Feel::from(compare::ordering(left, right).map(holds));
    Ok(match operator {
        Binary::Equal => compare::equal(left, right).into(),
        Binary::NotEqual => compare::equal(left, right).map(|equal| !equal).into(),
        Binary::Less => ordered(std::cmp::Ordering::is_lt),
        Binary::LessEqual => ordered(std::cmp::Ordering::is_le),
        Binary::Greater => ordered(std::cmp::Ordering::is_gt),
        Binary::GreaterEqual => ordered(std::cmp::Ordering::is_ge),
        Binary::And | Binary::Or => junction(&[left.clone(), right.clone()], operator == Binary::Or),
        Binary::Add => return add(left, right, budget),
        Binary::Subtract => subtract(left, right).unwrap_or(Feel::Null),
        Binary::Multiply => multiply(left, right).unwrap_or(Feel::Null),
        Binary::Divide => divide(left, right).unwrap_or(Feel::Null),
        Binary::Power => power(left, right).unwrap_or(Feel::Null),
    })
}

fn add(left: &Feel, right: &Feel, budget: &mut Budget) -> Evaluated {
    if let (Feel::Text(left), Feel::Text(right)) = (left, right) {
        budget.check_length(left.len() + right.len())?;
        return Ok(Feel::text(format!("{left}{right}")));
    }
    let sum = match (left, right) {
        (Feel::Number(a), Feel::Number(b)) => a.checked_add(*b).map(Feel::Number),
        (Feel::Days(a), Feel::Days(b)) => a.checked_add(*b).map(Feel::Days),
        (Feel::Months(a), Feel::Months(b)) => a.checked_add(*b).map(Feel::Months),
        (value, by @ (Feel::Days(_) | Feel::Months(_))) => temporal::shift(value, by, true),
        (by @ (Feel::Days(_) | Feel::Months(_)), value) => temporal::shift(value, by, true),
        _ => None,
    };
    Ok(sum.unwrap_or(Feel::Null))
}

fn subtract(left: &Feel, right: &Feel) -> Option<Feel> {
    match (left, right) {
        (Feel::Number(a), Feel::Number(b)) => a.checked_sub(*b).map(Feel::Number),
        (Feel::Days(a), Feel::Days(b)) => a.checked_sub(*b).map(Feel::Days),
        (Feel::Months(a), Feel::Months(b)) => a.checked_sub(*b).map(Feel::Months),
        (value, by @ (Feel::Days(_) | Feel::Months(_))) => temporal::shift(value, by, false),
        _ => temporal::difference(left, right),
    }
}

fn multiply(left: &Feel, right: &Feel) -> Option<Feel> {
    match (left, right) {
        (Feel::Number(a), Feel::Number(b)) => a.checked_mul(*b).map(Feel::Number),
        (Feel::Days(length), Feel::Number(times)) | (Feel::Number(times), Feel::Days(length)) => {
            length.checked_mul(*times).map(Feel::Days)
        }
        (Feel::Months(months), Feel::Number(times)) | (Feel::Number(times), Feel::Months(months)) => {
            months.checked_mul(times.to_i64()?).map(Feel::Months)
        }
        _ => None,
    }
}

fn divide(left: &Feel, right: &Feel) -> Option<Feel> {
    match (left, right) {
        (Feel::Number(a), Feel::Number(b)) | (Feel::Days(a), Feel::Days(b)) => a.checked_div(*b).map(Feel::Number),
        (Feel::Days(length), Feel::Number(by)) => length.checked_div(*by).map(Feel::Days),
        (Feel::Months(months), Feel::Number(by)) => Decimal::from(*months)
            .checked_div(*by)?
            .trunc()
            .to_i64()
            .map(Feel::Months),
        (Feel::Months(a), Feel::Months(b)) => Decimal::from(*a).checked_div(Decimal::from(*b)).map(Feel::Number),
        _ => None,
    }
}

/// Whole exponents up to 999 keep all digits that there is room for; all others are computed in floating point.
fn power(left: &Feel, right: &Feel) -> Option<Feel> {
    let (Feel::Number(base), Feel::Number(exponent)) = (left, right) else {
        return None;
    };
    if exponent.is_integer()
        && let Some(times) = exponent.abs().to_u32().filter(|times| *times < 1_000)
    {
        let mut product = Decimal::ONE;
        for _ in 0..times {
            product = product.checked_mul(*base)?;
        }
        return match exponent.is_sign_negative() {
            true => Decimal::ONE.checked_div(product).map(Feel::Number),
            false => Some(Feel::Number(product)),
        };
    }
    Some(Feel::number(base.to_f64()?.powf(exponent.to_f64()?)))
}

/// The item at a position, from 1, or from the end where it is negative.
pub(super) fn item(items: &[Feel], index: Decimal) -> Feel {
    let Some(index) = index.to_i64() else { return Feel::Null };
    let position = match index {
        0 => return Feel::Null,
        index if index > 0 => usize::try_from(index - 1).ok(),
        index => usize::try_from(index.unsigned_abs())
            .ok()
            .and_then(|back| items.len().checked_sub(back)),
    };
    position
        .and_then(|position| items.get(position))
        .cloned()
        .unwrap_or(Feel::Null)
}
