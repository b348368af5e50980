//! The evaluation of a decision table.

use super::cell::Cell;
use super::error::DecisionError;
use super::evaluate::{Evaluation, InputValue, OutputValue};
use super::model::{Output, Rule, Table};
use super::result::DecisionResult;
use super::scope::Surroundings;

/// A rule that matches, with what it concludes.
pub(super) struct Matched<'t> {
    pub(super) rule: &'t Rule,
    pub(super) outputs: Vec<(&'t Output, Cell)>,
}

/// The name by which every entry sees the value of its input.
const INPUT: &str = "cellInput";

pub(super) fn evaluate(
    table: &Table,
    surroundings: &mut Surroundings<'_>,
    evaluation: &mut Evaluation,
) -> Result<(), DecisionError> {
    let mut cells = Vec::new();
    for input in &table.inputs {
        let cell = match &input.code {
            Some(code) => input.kind.convert(code.evaluate(surroundings)?)?,
            None => Cell::null(),
        };
        evaluation.inputs.push(InputValue {
            clause: input.id.clone(),
            name: input.label.clone(),
            value: cell.value.clone(),
        });
        cells.push(cell);
    }
    let mut matched = Vec::new();
    for rule in &table.rules {
        surroundings.budget.spend(1)?;
        if matches(table, rule, &cells, surroundings)? {
            matched.push(conclude(table, rule, surroundings)?);
        }
    }
    let aggregated = table.hit_policy.apply(&mut matched)?;
    for (order, rule) in matched.iter().enumerate() {
        for (output, cell) in &rule.outputs {
            evaluation.outputs.push(OutputValue {
                clause: output.id.clone(),
                name: output.label.clone(),
                rule: rule.rule.id.clone(),
                rule_order: i32::try_from(order + 1).ok(),
                variable: output.name.clone(),
                value: cell.value.clone(),
            });
        }
    }
    evaluation.result = match aggregated {
        Some(cell) => {
            evaluation.collected = super::evaluate::collected(&cell);
            // Without a rule that matches, nothing says the name.
            let name = matched.first().and_then(|rule| rule.outputs.first());
            DecisionResult::single(name.and_then(|(output, _)| output.name.clone()), cell)
        }
        None => DecisionResult::of(matched.into_iter().map(|rule| {
            rule.outputs
                .into_iter()
                .map(|(output, cell)| (output.name.clone(), cell))
                .collect()
        })),
    };
    Ok(())
}

fn matches(
    table: &Table,
    rule: &Rule,
    cells: &[Cell],
    surroundings: &mut Surroundings<'_>,
) -> Result<bool, DecisionError> {
    for ((input, tests), cell) in table.inputs.iter().zip(&rule.tests).zip(cells) {
        let before = surroundings.put(INPUT, cell.clone());
        let named = (input.variable != INPUT).then(|| surroundings.put(&input.variable, cell.clone()));
        let fits = tests.fit(cell, surroundings);
        if let Some(before) = named {
            surroundings.restore(&input.variable, before);
        }
        surroundings.restore(INPUT, before);
        if !fits? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn conclude<'t>(
    table: &'t Table,
    rule: &'t Rule,
    surroundings: &mut Surroundings<'_>,
) -> Result<Matched<'t>, DecisionError> {
    let mut outputs = Vec::new();
    for (output, conclusion) in table.outputs.iter().zip(&rule.conclusions) {
        if let Some(code) = conclusion {
            let cell = output.kind.convert(code.evaluate(surroundings)?)?;
            outputs.push((output, cell));
        }
    }
    Ok(Matched { rule, outputs })
}
