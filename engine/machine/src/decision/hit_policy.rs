//! What becomes of the rules that match.

use super::cell::Cell;
use super::error::DecisionError;
use super::table::Matched;
use super::types;
use crate::value::Value;

/// `hitPolicy`, with the aggregation of `COLLECT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "DMN's names")]
pub enum HitPolicy {
    Unique,
    First,
    Any,
    RuleOrder,
    Collect(Option<Aggregation>),
}

/// `aggregation`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "DMN's names")]
pub enum Aggregation {
    Sum,
    Min,
    Max,
    Count,
}

impl Aggregation {
    fn name(self) -> &'static str {
        match self {
            Self::Sum => "SUM",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Count => "COUNT",
        }
    }
}

impl HitPolicy {
    /// By its names; none where Camunda has no such one.
    pub(super) fn of(name: Option<&str>, aggregation: Option<&str>) -> Option<Self> {
        let aggregation = match aggregation {
            None => None,
            Some("SUM") => Some(Aggregation::Sum),
            Some("MIN") => Some(Aggregation::Min),
            Some("MAX") => Some(Aggregation::Max),
            Some("COUNT") => Some(Aggregation::Count),
            Some(_) => return None,
        };
        match (name, aggregation) {
            (Some("COLLECT"), aggregation) => Some(Self::Collect(aggregation)),
            (_, Some(_)) => None,
            (None | Some("UNIQUE"), None) => Some(Self::Unique),
            (Some("FIRST"), None) => Some(Self::First),
            (Some("ANY"), None) => Some(Self::Any),
            (Some("RULE ORDER"), None) => Some(Self::RuleOrder),
            (Some(_), None) => None,
        }
    }

    /// Whether its results are a list even where there is one.
    pub(super) fn is_many(self) -> bool {
        matches!(self, Self::RuleOrder | Self::Collect(None))
    }

    /// Leaves the rules that count, or gives the value that they come to.
    ///
    /// # Errors
    /// They are not what the policy allows.
    pub(super) fn apply(self, rules: &mut Vec<Matched<'_>>) -> Result<Option<Cell>, DecisionError> {
        match self {
            Self::Unique if rules.len() > 1 => Err(DecisionError::hit_policy(format!(
                "DMN-03001 Hit policy 'UNIQUE' only allows a single rule to match. Actually match rules: '{}'.",
                told(rules)
            ))),
            Self::First => {
                rules.truncate(1);
                Ok(None)
            }
            Self::Any => {
                if rules.windows(2).any(|pair| !alike(&pair[0], &pair[1])) {
                    return Err(DecisionError::hit_policy(format!(
                        "DMN-03002 Hit policy 'ANY' only allows multiple matching rules with equal output. Matching rules: '{}'.",
                        told(rules)
                    )));
                }
                rules.truncate(1);
                Ok(None)
            }
            Self::Collect(Some(aggregation)) => aggregate(aggregation, rules),
            Self::Unique | Self::RuleOrder | Self::Collect(None) => Ok(None),
        }
    }
}

fn told(rules: &[Matched<'_>]) -> String {
    let rule = |rule: &Matched<'_>| {
        let outputs: Vec<_> = rule
            .outputs
            .iter()
            .map(|(output, cell)| format!("{}={}", output.name.as_deref().unwrap_or("null"), types::text(cell)))
            .collect();
        format!(
            "{}: {{{}}}",
            rule.rule.id.as_deref().unwrap_or("null"),
            outputs.join(", ")
        )
    };
    rules.iter().map(rule).collect::<Vec<_>>().join(", ")
}

fn alike(a: &Matched<'_>, b: &Matched<'_>) -> bool {
    let named = |rule: &Matched<'_>| -> Vec<_> {
        rule.outputs
            .iter()
            .map(|(output, cell)| (output.name.clone(), cell.value.clone()))
            .collect()
    };
    named(a) == named(b)
}

fn aggregate(aggregation: Aggregation, rules: &[Matched<'_>]) -> Result<Option<Cell>, DecisionError> {
    if let Some(compound) = rules.iter().find(|rule| rule.outputs.len() > 1) {
        return Err(DecisionError::hit_policy(format!(
            "DMN-03003 Unable to execute aggregation '{}' on compound decision output '{}'. Only one output entry allowed.",
            aggregation.name(),
            told(std::slice::from_ref(compound))
        )));
    }
    let cells: Vec<&Cell> = rules
        .iter()
        .flat_map(|rule| &rule.outputs)
        .map(|(_, cell)| cell)
        .collect();
    if aggregation == Aggregation::Count {
        let count = i32::try_from(cells.len()).unwrap_or(i32::MAX);
        return Ok(Some(Cell::typed(Value::Integer(count))));
    }
    if cells.is_empty() {
        return Ok(None);
    }
    let failed = || {
        let values: Vec<_> = cells.iter().map(|cell| types::text(cell)).collect();
        DecisionError::hit_policy(format!(
            "DMN-03004 Unable to convert value '[{}]' to a support aggregatable type '[class java.lang.Integer, class java.lang.Long, class java.lang.Double]'.",
            values.join(", ")
        ))
    };
    let whole = |cell: &&Cell| match &cell.value {
        Value::Integer(number) => Some(i64::from(*number)),
        Value::Long(number) => Some(*number),
        _ => None,
    };
    let integers = cells.iter().all(|cell| matches!(cell.value, Value::Integer(_)));
    if let Some(numbers) = cells.iter().map(whole).collect::<Option<Vec<i64>>>() {
        let number = match aggregation {
            Aggregation::Min => numbers.iter().copied().min(),
            Aggregation::Max => numbers.iter().copied().max(),
            _ => numbers.iter().try_fold(0_i64, |sum, number| sum.checked_add(*number)),
        };
        let number = number.ok_or_else(failed)?;
        let value = match i32::try_from(number) {
            Ok(number) if integers => Value::Integer(number),
            _ => Value::Long(number),
        };
        return Ok(Some(Cell::typed(value)));
    }
    let double = |cell: &&Cell| match &cell.value {
        Value::Double(number) => Some(*number),
        _ => whole(cell).map(|number| number as f64),
    };
    let numbers: Vec<f64> = cells.iter().map(double).collect::<Option<_>>().ok_or_else(failed)?;
    let number = match aggregation {
        Aggregation::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Aggregation::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => numbers.iter().sum(),
    };
    Ok(Some(Cell::typed(Value::Double(number))))
}
