//! Functions of contexts.

use indexmap::IndexMap;

use super::Answer;
use crate::feel::eval::Evaluator;
use crate::feel::value::Feel;

pub(super) fn call(name: &str, arguments: &[Feel], evaluator: &mut Evaluator<'_>) -> Answer {
    Ok(Some(match (name, arguments) {
        ("get entries", [Feel::Context(entries)]) => Feel::list(entries.iter().map(entry).collect()),
        ("get value", [Feel::Context(entries), Feel::Text(key)]) => entries.get(&**key).cloned().unwrap_or(Feel::Null),
        ("get value", [context @ Feel::Context(_), Feel::List(keys)]) => {
            let inner = |value: Feel, key: &Feel| match (value, key) {
                (Feel::Context(entries), Feel::Text(key)) => entries.get(&**key).cloned(),
                _ => None,
            };
            keys.iter().try_fold(context.clone(), inner).unwrap_or(Feel::Null)
        }
        ("put" | "context put", [Feel::Context(entries), Feel::Text(key), value]) => {
            evaluator.budget.spend(entries.len())?;
            let mut entries = IndexMap::clone(entries);
            entries.insert(key.to_string(), value.clone());
            Feel::context(entries)
        }
        ("put all" | "context merge", contexts) => {
            let mut merged = IndexMap::new();
            for context in super::items(contexts) {
                let Feel::Context(entries) = context else {
                    return Ok(Some(Feel::Null));
                };
                evaluator.budget.spend(entries.len())?;
                merged.extend(entries.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            Feel::context(merged)
        }
        ("context", [Feel::List(entries)]) => {
            let pair = |entry: &Feel| match entry {
                Feel::Context(entry) => match entry.get("key") {
                    Some(Feel::Text(key)) => Some((key.to_string(), entry.get("value")?.clone())),
                    _ => None,
                },
                _ => None,
            };
            let pairs: Option<IndexMap<_, _>> = entries.iter().map(pair).collect();
            pairs.map_or(Feel::Null, Feel::context)
        }
        _ => return Ok(None),
    }))
}

fn entry((name, value): (&String, &Feel)) -> Feel {
    let key = ("key".to_owned(), Feel::text(name));
    Feel::context(IndexMap::from([key, ("value".to_owned(), value.clone())]))
}
