//! The functions that every expression can call, a file for each kind of value. Arguments that do not fit give null.

mod context;
mod convert;
mod list;
mod number;
mod range;
mod temporal;
mod text;

use super::eval::{Evaluated, Evaluator, FeelError};
use super::value::Feel;

/// A function's answer; none where no function of this file has that name and so many arguments of that kind.
type Answer = Result<Option<Feel>, FeelError>;

/// Calls a function; null where there is no such one.
pub(super) fn call(name: &str, arguments: &[Feel], evaluator: &mut Evaluator<'_>) -> Evaluated {
    // Each costs as much as the lists that it looks at.
    let items = arguments.iter().map(|argument| match argument {
        Feel::List(items) => items.len(),
        Feel::Text(text) => text.len() / 16,
        _ => 0,
    });
    evaluator.budget.spend(items.sum())?;
    if let ("assert", [value, rest @ ..]) = (name, arguments) {
        return assert(value, rest);
    }
    if let Some(value) = convert::call(name, arguments) {
        return Ok(value);
    }
    let files = [number::call, range::call, temporal::call];
    if let Some(value) = files.iter().find_map(|call| call(name, arguments, evaluator.budget)) {
        return Ok(value);
    }
    let files = [text::call, list::call, context::call];
    for call in files {
        if let Some(value) = call(name, arguments, evaluator)? {
            return Ok(value);
        }
    }
    Ok(Feel::Null)
}

/// `assert(value, condition, cause)`: the only function that ends an evaluation.
fn assert(value: &Feel, rest: &[Feel]) -> Evaluated {
    match rest {
        [Feel::Boolean(true), ..] => Ok(value.clone()),
        [_, Feel::Text(cause), ..] => Err(FeelError::Assertion(cause.to_string())),
        _ => Err(FeelError::Assertion("The condition is not fulfilled".to_owned())),
    }
}

/// The items of a function that takes one list or any number of arguments.
fn items(arguments: &[Feel]) -> &[Feel] {
    match arguments {
        [Feel::List(items)] => items,
        all => all,
    }
}
