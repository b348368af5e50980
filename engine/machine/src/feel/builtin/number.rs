//! Functions of numbers.

use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::feel::eval::Budget;
use crate::feel::value::Feel;

pub(super) fn call(name: &str, arguments: &[Feel], budget: &mut Budget) -> Option<Feel> {
    let rounded = |number: &Decimal, scale: &Decimal, strategy| {
        scale
            .to_i32()
            .and_then(|scale| round(*number, scale, strategy))
            .map(Feel::Number)
    };
    let floating =
        |number: &Decimal, function: fn(f64) -> f64| number.to_f64().map(|number| Feel::number(function(number)));
    use RoundingStrategy as R;
    let value = match (name, arguments) {
        ("decimal", [Feel::Number(n), Feel::Number(scale)]) => rounded(n, scale, R::MidpointNearestEven),
        ("floor", [Feel::Number(n)]) => Some(Feel::Number(n.floor())),
        ("floor", [Feel::Number(n), Feel::Number(scale)]) => rounded(n, scale, R::ToNegativeInfinity),
        ("ceiling", [Feel::Number(n)]) => Some(Feel::Number(n.ceil())),
        ("ceiling", [Feel::Number(n), Feel::Number(scale)]) => rounded(n, scale, R::ToPositiveInfinity),
        ("round up", [Feel::Number(n), Feel::Number(scale)]) => rounded(n, scale, R::AwayFromZero),
        ("round down", [Feel::Number(n), Feel::Number(scale)]) => rounded(n, scale, R::ToZero),
        ("round half up", [Feel::Number(n), Feel::Number(scale)]) => rounded(n, scale, R::MidpointAwayFromZero),
        ("round half down", [Feel::Number(n), Feel::Number(scale)]) => rounded(n, scale, R::MidpointTowardZero),
        ("abs", [Feel::Number(n)]) => Some(Feel::Number(n.abs())),
        ("abs", [Feel::Days(length)]) => Some(Feel::Days(length.abs())),
        ("abs", [Feel::Months(months)]) => months.checked_abs().map(Feel::Months),
        ("modulo", [Feel::Number(a), Feel::Number(b)]) => modulo(*a, *b),
        ("sqrt", [Feel::Number(n)]) if n.is_sign_positive() || n.is_zero() => floating(n, f64::sqrt),
        ("log", [Feel::Number(n)]) if *n > Decimal::ZERO => floating(n, f64::ln),
        ("exp", [Feel::Number(n)]) => floating(n, f64::exp),
        ("odd", [Feel::Number(n)]) => Some(Feel::Boolean(n.is_integer() && !even(*n))),
        ("even", [Feel::Number(n)]) => Some(Feel::Boolean(n.is_integer() && even(*n))),
        // 53 bits, between 0 and 1.
        ("random number", []) => Some(Feel::number((random(budget) >> 11) as f64 / (1_u64 << 53) as f64)),
        ("uuid", []) => {
            let bits = u128::from(random(budget)) << 64 | u128::from(random(budget));
            Some(Feel::text(
                uuid::Builder::from_random_bytes(bits.to_be_bytes())
                    .into_uuid()
                    .to_string(),
            ))
        }
        _ => return None,
    };
    Some(value.unwrap_or(Feel::Null))
}

fn even(number: Decimal) -> bool {
    (number % Decimal::TWO).is_zero()
}

/// To so many digits behind the point, or, where negative, before it.
fn round(number: Decimal, scale: i32, strategy: RoundingStrategy) -> Option<Decimal> {
    match u32::try_from(scale) {
        Ok(scale) => Some(number.round_dp_with_strategy(scale, strategy)),
        Err(_) => {
            let unit = Decimal::from_i128_with_scale(10_i128.checked_pow(scale.unsigned_abs().min(28))?, 0);
            let units = number.checked_div(unit)?.round_dp_with_strategy(0, strategy);
            units.checked_mul(unit)
        }
    }
}

/// The remainder, with the divisor's sign.
fn modulo(dividend: Decimal, divisor: Decimal) -> Option<Feel> {
    let whole = dividend.checked_div(divisor)?.floor();
    dividend
        .checked_sub(divisor.checked_mul(whole)?)
        .map(|rest| Feel::Number(rest.normalize()))
}

/// The next of a sequence that begins anew with each command (SplitMix64).
fn random(budget: &mut Budget) -> u64 {
    budget.seed = budget.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = budget.seed;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
