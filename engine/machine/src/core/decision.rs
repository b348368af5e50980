//! Decisions within a command: they are evaluated at once, for they ask nothing of the outside.

use std::sync::Arc;

use super::halt::Run;
use super::work::Work;
use crate::decision::{self, DecisionError, DecisionResult, Evaluation, Variables};
use crate::delta::Change;
use crate::env::Env;
use crate::expression::Datum;
use crate::feel::Budget;
use crate::id::{Id, Millis};
use crate::row::{DecisionPlace, DecisionRow, HistoricDecision, HistoricDecisionInput, HistoricDecisionOutput};
use crate::value::Value;
use crate::view::{DecisionDefinition, DecisionQuery, Seen};

/// Steps of all decisions of one command: what the writer may spend on them, some tenths of a second at the most.
const STEPS_MAX: u32 = 3_000_000;

pub(super) const MILLIS_OF_DAY: Millis = 24 * 60 * 60 * 1000;

/// What all decisions of a command may use. Random numbers are the same in each run of the command.
pub(super) fn budget(env: &Env) -> Budget {
    Budget::new(STEPS_MAX, env.now, env.first_id.0 as u64 ^ env.node.bits())
}

/// The variables that an execution sees.
pub(super) struct Visible(pub(super) Id);

/// What a decision reads while it is evaluated.
pub(super) trait Readable {
    fn read(&mut self, work: &mut Work<'_>, name: &str) -> Seen<Option<Value>>;
}

impl Readable for Visible {
    fn read(&mut self, work: &mut Work<'_>, name: &str) -> Seen<Option<Value>> {
        work.value(self.0, name)
    }
}

impl Readable for &[(String, Value)] {
    fn read(&mut self, _: &mut Work<'_>, name: &str) -> Seen<Option<Value>> {
        self.value(name)
    }
}

struct Reading<'r, 'w, 'a> {
    work: &'w mut Work<'a>,
    readable: &'r mut dyn Readable,
}

impl Variables for Reading<'_, '_, '_> {
    fn value(&mut self, name: &str) -> Seen<Option<Value>> {
        self.readable.read(self.work, name)
    }
}

impl Work<'_> {
    /// Evaluates a decision.
    pub(super) fn decide(
        &mut self,
        definition: &DecisionDefinition,
        readable: &mut dyn Readable,
    ) -> Result<Vec<Evaluation>, DecisionError> {
        let now = self.now();
        let mut budget = self.decision_budget.clone();
        let mut reading = Reading { work: self, readable };
        let evaluations = decision::evaluate(&definition.file, definition.position, &mut reading, &mut budget, now);
        self.decision_budget = budget;
        evaluations
    }

    /// Writes the history of what was evaluated: the decision's own evaluation first, then those that it required.
    /// Returns the result.
    pub(super) fn record_decision(
        &mut self,
        definition: &Arc<DecisionDefinition>,
        evaluations: Vec<Evaluation>,
        place: Option<DecisionPlace>,
    ) -> Run<DecisionResult> {
        let removal_time = match (&place, definition.row.history_time_to_live) {
            (None, Some(days)) => Some(self.now() + Millis::from(days) * MILLIS_OF_DAY),
            _ => None,
        };
        let mut root = None;
        let mut result = None;
        for evaluation in evaluations {
            let Some(row) = self.decision_row(definition, evaluation.decision)? else {
                continue;
            };
            let id = self.id()?;
            let (inputs, outputs) = self.decision_values(evaluation.inputs, evaluation.outputs)?;
            self.history.push(Change::HistoryDecision(HistoricDecision {
                id,
                decision: row.id,
                decision_key: row.key,
                decision_name: row.name,
                requirements: row.requirements,
                requirements_key: row.requirements_key,
                time: self.now(),
                place: place.clone(),
                root_decision: root,
                collected: evaluation.collected,
                inputs,
                outputs,
                user: self.env.user.clone(),
                tenant: row.tenant,
                removal_time,
            }));
            root.get_or_insert(id);
            result.get_or_insert(evaluation.result);
        }
        Ok(result.unwrap_or_default())
    }

    /// The definition of a decision of the same file.
    fn decision_row(&mut self, definition: &Arc<DecisionDefinition>, position: usize) -> Run<Option<DecisionRow>> {
        if position == definition.position {
            return Ok(Some(definition.row.clone()));
        }
        let Some(decision) = definition.file.decisions.get(position) else {
            return Ok(None);
        };
        let query = DecisionQuery::Deployment {
            key: decision.key.clone(),
            deployment: definition.row.deployment,
        };
        Ok(self.view.decision(&query)?.map(|found| found.row.clone()))
    }

    fn decision_values(
        &mut self,
        inputs: Vec<decision::InputValue>,
        outputs: Vec<decision::OutputValue>,
    ) -> Run<(Vec<HistoricDecisionInput>, Vec<HistoricDecisionOutput>)> {
        let input = |(id, input): (Id, decision::InputValue)| HistoricDecisionInput {
            id,
            clause: input.clause,
            clause_name: input.name,
            value: input.value,
        };
        let output = |(id, output): (Id, decision::OutputValue)| HistoricDecisionOutput {
            id,
            clause: output.clause,
            clause_name: output.name,
            rule: output.rule,
            rule_order: output.rule_order,
            variable: output.variable,
            value: output.value,
        };
        let inputs = inputs
            .into_iter()
            .map(|it| Ok(input((self.id()?, it))))
            .collect::<Run<_>>()?;
        let outputs = outputs
            .into_iter()
            .map(|it| Ok(output((self.id()?, it))))
            .collect::<Run<_>>()?;
        Ok((inputs, outputs))
    }

    /// The result of a decision that an execution sees as `decisionResult`, where this command has evaluated one.
    pub(super) fn decision_result(&mut self, execution: Id) -> Seen<Option<Datum>> {
        let mut scope = execution;
        while !self.decision_results.is_empty() {
            if let Some(result) = self.decision_results.get(&scope) {
                return Ok(Some(result.clone()));
            }
            match self.execution(scope)?.map(|row| row.parent) {
                Some(parent) => scope = parent,
                None => break,
            }
        }
        Ok(None)
    }
}
