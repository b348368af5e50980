//! Functions of lists. Most take one list, or its items as so many arguments.

use std::cmp::Ordering;
use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::{Answer, items};
use crate::feel::compare;
use crate::feel::eval::{Evaluator, FeelError, Given};
use crate::feel::operator;
use crate::feel::value::Feel;

pub(super) fn call(name: &str, arguments: &[Feel], evaluator: &mut Evaluator<'_>) -> Answer {
    if let Some(value) = statistic(name, arguments) {
        return Ok(Some(value));
    }
    Ok(Some(match (name, arguments) {
        ("list contains", [Feel::List(list), item]) => Feel::Boolean(contains(list, item)),
        ("is empty", [Feel::List(list)]) => Feel::Boolean(list.is_empty()),
        ("sublist", [Feel::List(list), Feel::Number(start)]) => sublist(list, start, None),
        ("sublist", [Feel::List(list), Feel::Number(start), Feel::Number(length)]) => {
            sublist(list, start, Some(length))
        }
        ("append", [Feel::List(list), rest @ ..]) => joined(&[list, rest]),
        ("concatenate", lists) => match lists.iter().map(list).collect::<Option<Vec<_>>>() {
            Some(lists) => joined(&lists),
            None => Feel::Null,
        },
        ("union", lists) => match lists.iter().map(list).collect::<Option<Vec<_>>>() {
            Some(lists) => distinct(lists.into_iter().flatten(), evaluator)?,
            None => Feel::Null,
        },
        ("insert before", [Feel::List(list), Feel::Number(at), item]) => match insertion(list.len(), at) {
            Some(at) => joined(&[&list[..at], std::slice::from_ref(item), &list[at..]]),
            None => Feel::Null,
        },
        ("remove", [Feel::List(list), Feel::Number(at)]) => match position(list.len(), at) {
            Some(at) => joined(&[&list[..at], &list[at + 1..]]),
            None => Feel::List(Arc::clone(list)),
        },
        ("reverse", [Feel::List(list)]) => Feel::list(list.iter().rev().cloned().collect()),
        ("index of", [Feel::List(list), item]) => {
            let same = |(index, other)| (compare::equal(item, other) == Some(true)).then(|| Feel::length(index + 1));
            Feel::list(list.iter().enumerate().filter_map(same).collect())
        }
        ("distinct values", [Feel::List(list)]) => distinct(list.iter(), evaluator)?,
        ("duplicate values", [Feel::List(list)]) => {
            evaluator.budget.spend(list.len().saturating_mul(list.len()))?;
            let twice = |item: &&Feel| {
                list.iter()
                    .filter(|other| compare::equal(item, other) == Some(true))
                    .count()
                    > 1
            };
            let twice: Vec<_> = list.iter().filter(twice).collect();
            distinct(twice.into_iter(), evaluator)?
        }
        ("flatten", [Feel::List(list)]) => {
            let mut flat = Vec::new();
            flatten(list, &mut flat, evaluator, 0)?;
            Feel::list(flat)
        }
        ("sort", [Feel::List(list), function @ Feel::Function(_)]) => sort(list, function, evaluator)?,
        ("string join", [Feel::List(list), rest @ ..]) => join(list, rest, evaluator)?,
        ("partition", [Feel::List(list), Feel::Number(size)]) => match size.to_usize() {
            Some(size) if size > 0 => Feel::list(list.chunks(size).map(|part| Feel::list(part.to_vec())).collect()),
            _ => Feel::Null,
        },
        _ => return Ok(None),
    }))
}

/// What a list comes to as one value.
fn statistic(name: &str, arguments: &[Feel]) -> Option<Feel> {
    let all = items(arguments);
    let numbers = || -> Option<Vec<Decimal>> {
        let number = |item: &Feel| match item {
            Feel::Number(number) => Some(*number),
            _ => None,
        };
        all.iter()
            .map(number)
            .collect::<Option<Vec<_>>>()
            .filter(|numbers| !numbers.is_empty())
    };
    let folded = |with: fn(Decimal, Decimal) -> Option<Decimal>| {
        let mut numbers = numbers()?.into_iter();
        let first = numbers.next()?;
        numbers.try_fold(first, with)
    };
    let sum = || folded(|a, b| a.checked_add(b));
    let value = match name {
        "count" => match arguments {
            [Feel::List(list)] => Some(Feel::length(list.len())),
            _ => None,
        },
        "min" => extreme(all, Ordering::Less),
        "max" => extreme(all, Ordering::Greater),
        "sum" => sum().map(Feel::Number),
        "product" => folded(|a, b| a.checked_mul(b)).map(Feel::Number),
        "mean" => sum()
            .and_then(|sum| sum.checked_div(Decimal::from(all.len())))
            .map(Feel::Number),
        "median" => numbers().and_then(median).map(Feel::Number),
        "stddev" => numbers().and_then(|numbers| deviation(&numbers)),
        "mode" => numbers()
            .map(mode)
            .or_else(|| all.is_empty().then(|| Feel::list(Vec::new()))),
        "all" | "and" => Some(operator::junction(all, false)),
        "any" | "or" => Some(operator::junction(all, true)),
        _ => return None,
    };
    Some(value.unwrap_or(Feel::Null))
}

fn list(value: &Feel) -> Option<&[Feel]> {
    match value {
        Feel::List(list) => Some(list),
        _ => None,
    }
}

fn contains(list: &[Feel], item: &Feel) -> bool {
    list.iter().any(|other| compare::equal(item, other) == Some(true))
}

fn joined(lists: &[&[Feel]]) -> Feel {
    Feel::list(lists.concat())
}

fn extreme(items: &[Feel], wanted: Ordering) -> Option<Feel> {
    let (first, rest) = items.split_first()?;
    let mut found = first;
    for item in rest {
        if compare::ordering(item, found)? == wanted {
            found = item;
        }
    }
    Some(found.clone())
}

fn median(mut numbers: Vec<Decimal>) -> Option<Decimal> {
    numbers.sort_unstable();
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    match numbers.len() % 2 {
        1 => Some(upper),
        _ => upper
            .checked_add(*numbers.get(middle.checked_sub(1)?)?)?
            .checked_div(Decimal::TWO),
    }
}

/// Of a sample; nothing of fewer than two numbers.
fn deviation(numbers: &[Decimal]) -> Option<Feel> {
    let floats: Vec<f64> = numbers.iter().map(|number| number.to_f64()).collect::<Option<_>>()?;
    let count = floats.len() as f64;
    if floats.len() < 2 {
        return None;
    }
    let mean = floats.iter().sum::<f64>() / count;
    let squares: f64 = floats.iter().map(|number| (number - mean).powi(2)).sum();
    Some(Feel::number((squares / (count - 1.0)).sqrt()))
}

/// The most frequent numbers, in their order.
fn mode(mut numbers: Vec<Decimal>) -> Feel {
    numbers.sort_unstable();
    let runs: Vec<_> = numbers.chunk_by(|a, b| a == b).collect();
    let most = runs.iter().map(|run| run.len()).max().unwrap_or(0);
    let frequent = runs
        .iter()
        .filter(|run| run.len() == most)
        .filter_map(|run| run.first());
    Feel::list(frequent.map(|number| Feel::Number(*number)).collect())
}

/// An index from 0: positions count from 1, or from the end where they are negative.
fn position(length: usize, at: &Decimal) -> Option<usize> {
    let at = at.to_i64()?;
    let index = match at {
        0 => return None,
        at if at > 0 => usize::try_from(at - 1).ok()?,
        at => length.checked_sub(usize::try_from(at.unsigned_abs()).ok()?)?,
    };
    (index < length).then_some(index)
}

/// Before which item something is put; behind the last one by the position after it.
fn insertion(length: usize, at: &Decimal) -> Option<usize> {
    match position(length, at) {
        None if at.to_usize() == Some(length + 1) => Some(length),
        found => found,
    }
}

fn sublist(list: &[Feel], start: &Decimal, length: Option<&Decimal>) -> Feel {
    let Some(start) = position(list.len(), start) else {
        return Feel::list(Vec::new());
    };
    let length = length.map_or(usize::MAX, |length| length.to_usize().unwrap_or(0));
    Feel::list(list[start..].iter().take(length).cloned().collect())
}

fn distinct<'i>(items: impl Iterator<Item = &'i Feel>, evaluator: &mut Evaluator<'_>) -> Result<Feel, FeelError> {
    let mut kept: Vec<Feel> = Vec::new();
    for item in items {
        evaluator.budget.spend(kept.len())?;
        if !contains(&kept, item) {
            kept.push(item.clone());
        }
    }
    Ok(Feel::list(kept))
}

fn flatten(list: &[Feel], flat: &mut Vec<Feel>, evaluator: &mut Evaluator<'_>, depth: u32) -> Result<(), FeelError> {
    evaluator.budget.spend(list.len())?;
    for item in list {
        match item {
            Feel::List(inner) if depth < 100 => flatten(inner, flat, evaluator, depth + 1)?,
            item => flat.push(item.clone()),
        }
    }
    Ok(())
}

/// A merge sort by a function that says whether its first argument comes first; null where it says anything else.
fn sort(list: &[Feel], function: &Feel, evaluator: &mut Evaluator<'_>) -> Result<Feel, FeelError> {
    if list.len() < 2 {
        return Ok(Feel::list(list.to_vec()));
    }
    let (left, right) = list.split_at(list.len() / 2);
    let (left, right) = (sort(left, function, evaluator)?, sort(right, function, evaluator)?);
    let (Feel::List(left), Feel::List(right)) = (left, right) else {
        return Ok(Feel::Null);
    };
    let mut sorted = Vec::with_capacity(list.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let arguments = Given::Positional(vec![(*b).clone(), (*a).clone()]);
        match evaluator.apply(function, arguments)? {
            // Only what comes strictly before goes first, so that equal items keep their order.
            Feel::Boolean(true) => sorted.extend(right.next().cloned()),
            Feel::Boolean(false) => sorted.extend(left.next().cloned()),
            _ => return Ok(Feel::Null),
        }
    }
    sorted.extend(left.chain(right).cloned());
    Ok(Feel::list(sorted))
}

fn join(list: &[Feel], rest: &[Feel], evaluator: &mut Evaluator<'_>) -> Result<Feel, FeelError> {
    let (delimiter, prefix, suffix) = match rest {
        [] | [Feel::Null] => ("", "", ""),
        [Feel::Text(delimiter)] => (&**delimiter, "", ""),
        [Feel::Text(delimiter), Feel::Text(prefix), Feel::Text(suffix)] => (&**delimiter, &**prefix, &**suffix),
        _ => return Ok(Feel::Null),
    };
    let mut parts = Vec::new();
    for item in list {
        match item {
            Feel::Text(text) => parts.push(&**text),
            Feel::Null => {}
            _ => return Ok(Feel::Null),
        }
    }
    let length: usize = parts.iter().map(|part| part.len() + delimiter.len()).sum();
    evaluator.budget.check_length(length)?;
    Ok(Feel::text(format!("{prefix}{}{suffix}", parts.join(delimiter))))
}
