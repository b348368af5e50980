//! The evaluation of a decision, with those that it requires before it.

use super::cell::Cell;
use super::error::DecisionError;
use super::model::{DecisionFile, Logic};
use super::result::DecisionResult;
use super::scope::{Surroundings, Variables};
use super::table;
use crate::feel::Budget;
use crate::id::Millis;
use crate::value::Value;

/// How one decision came to its result.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Its position in the file.
    pub decision: usize,
    /// The values of a table's inputs.
    pub inputs: Vec<InputValue>,
    /// What the rules that count concluded.
    pub outputs: Vec<OutputValue>,
    /// What an aggregation came to.
    pub collected: Option<f64>,
    /// The result.
    pub result: DecisionResult,
}

/// The value of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputValue {
    /// The id of its clause.
    pub clause: Option<String>,
    /// The label of its clause.
    pub name: Option<String>,
    /// The value.
    pub value: Value,
}

/// The value of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputValue {
    /// The id of its clause; none for an expression.
    pub clause: Option<String>,
    /// The label of its clause.
    pub name: Option<String>,
    /// The id of its rule.
    pub rule: Option<String>,
    /// The position of its rule among those that count, from 1.
    pub rule_order: Option<i32>,
    /// The name in the result.
    pub variable: Option<String>,
    /// The value.
    pub value: Value,
}

/// A number that an aggregation came to.
pub(super) fn collected(cell: &Cell) -> Option<f64> {
    match &cell.value {
        Value::Integer(number) => Some((*number).into()),
        Value::Long(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

/// Evaluates a decision of a file. The first evaluation is its own; then come those that it requires, each once, in
/// the order in which they were made.
///
/// # Errors
/// An expression fails, a value is not of its type, the hit policy is violated, or the budget is used up.
pub fn evaluate(
    file: &DecisionFile,
    decision: usize,
    variables: &mut dyn Variables,
    budget: &mut Budget,
    now: Millis,
) -> Result<Vec<Evaluation>, DecisionError> {
    let mut order = Vec::new();
    require(file, decision, &mut order);
    let mut surroundings = Surroundings::new(variables, budget, now);
    let mut evaluations: Vec<Evaluation> = Vec::new();
    for position in order {
        let evaluation = one(file, position, &mut surroundings)?;
        if position == decision {
            evaluations.insert(0, evaluation);
        } else {
            hand_on(file, &evaluation, &mut surroundings);
            evaluations.push(evaluation);
        }
    }
    Ok(evaluations)
}

/// What a decision requires, and then itself: whatever is required comes before. The reader has seen that this ends.
fn require(file: &DecisionFile, decision: usize, order: &mut Vec<usize>) {
    if order.contains(&decision) {
        return;
    }
    for required in file
        .decisions
        .get(decision)
        .map_or(&[][..], |decision| &decision.requires)
    {
        require(file, *required, order);
    }
    order.push(decision);
}

fn one(file: &DecisionFile, position: usize, surroundings: &mut Surroundings<'_>) -> Result<Evaluation, DecisionError> {
    let mut evaluation = Evaluation {
        decision: position,
        inputs: Vec::new(),
        outputs: Vec::new(),
        collected: None,
        result: DecisionResult::default(),
    };
    match file.decisions.get(position).map(|decision| &decision.logic) {
        Some(Logic::Table(table)) => table::evaluate(table, surroundings, &mut evaluation)?,
        Some(Logic::Literal { variable, kind, code }) => {
            let cell = kind.convert(code.evaluate(surroundings)?)?;
            evaluation.outputs.push(OutputValue {
                clause: None,
                name: None,
                rule: None,
                rule_order: None,
                variable: Some(variable.clone()),
                value: cell.value.clone(),
            });
            evaluation.result = DecisionResult::single(Some(variable.clone()), cell);
        }
        None => {}
    }
    Ok(evaluation)
}

/// Gives the results of a required decision to those that come after it, by the names of its outputs.
fn hand_on(file: &DecisionFile, evaluation: &Evaluation, surroundings: &mut Surroundings<'_>) {
    let many = match file.decisions.get(evaluation.decision).map(|decision| &decision.logic) {
        Some(Logic::Table(table)) => table.hit_policy.is_many(),
        _ => false,
    };
    for (name, cell) in evaluation.result.by_name(many) {
        surroundings.put(&name, cell);
    }
}
