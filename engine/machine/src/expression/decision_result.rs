//! The methods of a decision's result, which is a list of maps: the rules that matched, each with its outputs by name.

use std::sync::Arc;

use indexmap::IndexMap;

use super::datum::Datum;
use super::eval::EvalError;
use super::method::Answer;

pub(super) fn of_list(rules: &Arc<Vec<Datum>>, name: &str, arguments: &[Datum]) -> Answer {
    Ok(Some(match (name, arguments) {
        ("getFirstResult", []) => rules.first().cloned().unwrap_or(Datum::Null),
        ("getSingleResult", []) => single(rules, name)?,
        ("getSingleEntry", []) => match single(rules, name)? {
            Datum::Map(fields) => return of_map(&fields, name, arguments),
            other => other,
        },
        ("collectEntries", [output]) => {
            let output = output.clone().into_text().unwrap_or_default();
            let entry = |rule: &Datum| match rule {
                Datum::Map(fields) => fields.get(&output).cloned(),
                _ => None,
            };
            Datum::list(rules.iter().filter_map(entry).collect())
        }
        ("getResultList", []) => Datum::List(Arc::clone(rules)),
        _ => return Ok(None),
    }))
}

pub(super) fn of_map(outputs: &IndexMap<String, Datum>, name: &str, arguments: &[Datum]) -> Answer {
    Ok(Some(match (name, arguments) {
        ("getFirstEntry", []) => outputs.values().next().cloned().unwrap_or(Datum::Null),
        ("getSingleEntry", []) if outputs.len() > 1 => {
            return Err(EvalError::failed(format!(
                "DMN-01007 Unable to get single decision result entry as it has {} entries",
                outputs.len()
            )));
        }
        ("getSingleEntry", []) => outputs.values().next().cloned().unwrap_or(Datum::Null),
        ("getEntry", [output]) => {
            let output = output.clone().into_text().unwrap_or_default();
            outputs.get(&output).cloned().unwrap_or(Datum::Null)
        }
        ("getEntryMap", []) => Datum::from(outputs.clone()),
        _ => return Ok(None),
    }))
}

/// The only rule that matched, or null.
fn single(rules: &[Datum], name: &str) -> Result<Datum, EvalError> {
    match rules {
        [] => Ok(Datum::Null),
        [rule] => Ok(rule.clone()),
        rules => Err(EvalError::failed(format!(
            "DMN-01008 Unable to get single decision result ({name}) as it has {} results",
            rules.len()
        ))),
    }
}
