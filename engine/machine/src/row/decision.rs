//! Decisions that were evaluated.

use serde::{Deserialize, Serialize};

use crate::id::{Id, Millis};
use crate::value::Value;

/// The history of one evaluation of a decision (Camunda's `HistoricDecisionInstance`).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricDecision {
    pub id: Id,
    pub decision: Id,
    pub decision_key: String,
    pub decision_name: Option<String>,
    pub requirements: Option<Id>,
    pub requirements_key: Option<String>,
    pub time: Millis,
    /// Where in a process it was; none where it was asked for from outside.
    pub place: Option<DecisionPlace>,
    /// The evaluation that required this one.
    pub root_decision: Option<Id>,
    /// What an aggregation came to.
    pub collected: Option<f64>,
    pub inputs: Vec<HistoricDecisionInput>,
    pub outputs: Vec<HistoricDecisionOutput>,
    pub user: Option<String>,
    pub tenant: Option<String>,
    pub removal_time: Option<Millis>,
}

/// Where in a process a decision was evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionPlace {
    /// The process instance.
    pub instance: Id,
    /// The root of the call hierarchy.
    pub root: Id,
    /// The process definition.
    pub definition: Id,
    /// Its key.
    pub definition_key: String,
    /// The execution of the activity.
    pub execution: Id,
    /// The activity's id.
    pub activity: String,
}

/// The value of a decision's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricDecisionInput {
    pub id: Id,
    pub clause: Option<String>,
    pub clause_name: Option<String>,
    pub value: Value,
}

/// The value of a decision's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricDecisionOutput {
    pub id: Id,
    pub clause: Option<String>,
    pub clause_name: Option<String>,
    pub rule: Option<String>,
    pub rule_order: Option<i32>,
    pub variable: Option<String>,
    pub value: Value,
}
