//! Whether a value fits the tests of a decision table's entry.

use super::ast::{Binary, Test, Tests};
use super::compare;
use super::eval::{Evaluator, FeelError};
use super::value::{Bound, Feel, Range};

pub(super) fn fit(tests: &Tests, input: &Feel, evaluator: &mut Evaluator<'_>) -> Result<bool, FeelError> {
    match tests {
        Tests::Any => Ok(true),
        Tests::Exactly(truth) => Ok(matches!(input, Feel::Boolean(value) if value == truth)),
        Tests::OneOf(tests) => any(tests, input, evaluator),
    }
}

/// Whether one of them holds.
pub(super) fn any(tests: &[Test], input: &Feel, evaluator: &mut Evaluator<'_>) -> Result<bool, FeelError> {
    for test in tests {
        if holds(test, input, evaluator)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn holds(test: &Test, input: &Feel, evaluator: &mut Evaluator<'_>) -> Result<bool, FeelError> {
    Ok(match test {
        Test::Not(tests) => !any(tests, input, evaluator)?,
        Test::Compare(operator, node) => {
            let order = compare::ordering(input, &evaluator.node(node)?);
            order.is_some_and(|order| match operator {
                Binary::Less => order.is_lt(),
                Binary::LessEqual => order.is_le(),
                Binary::Greater => order.is_gt(),
                _ => order.is_ge(),
            })
        }
        Test::Range(ends, [start_closed, end_closed]) => {
            let (start, end) = (evaluator.node(&ends.0)?, evaluator.node(&ends.1)?);
            let bound = |value, closed| Bound { value, closed };
            let range = Range {
                start: bound(start, *start_closed),
                end: bound(end, *end_closed),
            };
            compare::within(input, &range) == Some(true)
        }
        Test::Expression(node, names_input) => match evaluator.node(node)? {
            Feel::Boolean(true) => true,
            // An expression that speaks of the value is a condition, and its result no value to compare with.
            _ if *names_input => false,
            Feel::List(items) => {
                evaluator.budget.spend(items.len())?;
                items.iter().any(|item| compare::equal(input, item) == Some(true))
                    || compare::equal(input, &Feel::List(items)) == Some(true)
            }
            Feel::Range(range) => compare::within(input, &range) == Some(true),
            value => compare::equal(input, &value) == Some(true),
        },
    })
}
