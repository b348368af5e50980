//! What is wrong with a plan. The words are Camunda's, and the order in which they are found is too.

use super::behaviour::{
    Scope, behaviour, event_scope, has_timeouts, is_compensation_boundary, is_conditional, is_passive, is_persistent,
};
use super::{InstructionReport, Side};
use crate::command::MigratingInstruction;
use crate::model::{ElementIx, Kind};

/// What is wrong with a plan; nothing where it can be executed.
#[must_use]
pub fn validate(source: Side<'_>, target: Side<'_>, instructions: &[MigratingInstruction]) -> Vec<InstructionReport> {
    let (mut reports, mut mappings) = (Vec::new(), Vec::new());
    for instruction in instructions {
        let (from, to) = (
            source.model.find(&instruction.source),
            target.model.find(&instruction.target),
        );
        let mut failures = Vec::new();
        if from.is_none() {
            failures.push(format!("Source activity '{}' does not exist", instruction.source));
        }
        if to.is_none() {
            failures.push(format!("Target activity '{}' does not exist", instruction.target));
        }
        match (from, to) {
            (Some(source), Some(target)) => mappings.push(Mapping {
                source,
                target,
                update: instruction.update_event_trigger,
            }),
            _ => reports.push(InstructionReport {
                instruction: instruction.clone(),
                failures,
            }),
        }
    }
    let check = Check::new(source, target, &mappings);
    for mapping in &mappings {
        let failures = check.failures(mapping, Stage::Whole);
        if !failures.is_empty() {
            let instruction = mapping.instruction(source, target);
            reports.push(InstructionReport { instruction, failures });
        }
    }
    reports
}

/// An instruction whose elements exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) source: ElementIx,
    pub(super) target: ElementIx,
    pub(super) update: bool,
}

impl Mapping {
    pub(super) fn instruction(&self, source: Side<'_>, target: Side<'_>) -> MigratingInstruction {
        MigratingInstruction {
            source: source.model.at(self.source).id.clone(),
            target: target.model.at(self.target).id.clone(),
            update_event_trigger: self.update,
        }
    }
}

/// How much of a plan is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is being generated: the activity in a multi-instance body comes after the body.
    Growing,
    /// All of it.
    Whole,
}

/// A plan that is looked through.
pub(super) struct Check<'c> {
    source: Side<'c>,
    target: Side<'c>,
    plan: &'c [Mapping],
}

impl<'c> Check<'c> {
    pub(super) fn new(source: Side<'c>, target: Side<'c>, plan: &'c [Mapping]) -> Self {
        Self { source, target, plan }
    }

    /// In the order in which Camunda's validators look.
    pub(super) fn failures(&self, mapping: &Mapping, stage: Stage) -> Vec<String> {
        let mut failures = Vec::new();
        self.same_behaviour(mapping, &mut failures);
        self.same_event_type(mapping, &mut failures);
        self.mapped_once(mapping, &mut failures);
        self.no_new_body(mapping, &mut failures);
        if stage == Stage::Whole {
            self.inner_activity_is_mapped_to(mapping, &mut failures);
            self.inner_activity_is_mapped(mapping, &mut failures);
        }
        self.gateway(mapping, &mut failures);
        self.same_event_scope(mapping, &mut failures);
        self.has_trigger_to_update(mapping, &mut failures);
        self.below_mapped_ancestor(mapping, &mut failures);
        self.condition_is_updated(mapping, &mut failures);
        failures
    }

    fn from(&self, ix: ElementIx) -> &crate::model::Element {
        self.source.model.at(ix)
    }

    fn to(&self, ix: ElementIx) -> &crate::model::Element {
        self.target.model.at(ix)
    }

    fn of_source(&self, ix: ElementIx) -> Option<&Mapping> {
        self.plan.iter().find(|mapping| mapping.source == ix)
    }

    fn is_target(&self, ix: ElementIx) -> bool {
        self.plan.iter().any(|mapping| mapping.target == ix)
    }

    fn same_behaviour(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let (one, two) = (behaviour(self.from(mapping.source)), behaviour(self.to(mapping.target)));
        let sub_process = |name| matches!(name, "SubProcessActivityBehavior" | "EventSubProcessActivityBehavior");
        if one != two && !(sub_process(one) && sub_process(two)) {
            failures.push(format!(
                "Activities have incompatible types ({one} is not compatible with {two})"
            ));
        }
    }

    fn same_event_type(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let (from, to) = (self.from(mapping.source), self.to(mapping.target));
        if is_passive(from) && is_passive(to) && from.activity_type != to.activity_type {
            failures.push(format!(
                "Events are not of the same type ({} != {})",
                from.activity_type, to.activity_type
            ));
        }
    }

    fn mapped_once(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let same: Vec<String> = self
            .plan
            .iter()
            .filter(|other| other.source == mapping.source)
            .map(|other| {
                format!(
                    "ValidatingMigrationInstructionImpl{{sourceActivity=Activity({}), targetActivity=Activity({})}}",
                    self.from(other.source).id,
                    self.to(other.target).id
                )
            })
            .collect();
        if same.len() > 1 {
            failures.push(format!(
                "There are multiple mappings for source activity id '{}': {}",
                self.from(mapping.source).id,
                same.join(", ")
            ));
        }
    }

    /// Nothing comes into a multi-instance body that was in none.
    fn no_new_body(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let mut scope = self.to(mapping.target).scope;
        while let Some(ix) = scope.filter(|ix| !self.is_target(*ix)) {
            if matches!(self.to(ix).kind, Kind::MultiInstance(_)) {
                failures.push(format!(
                    "Target activity '{}' is a descendant of multi-instance body '{}' that is not mapped from the source process definition.",
                    self.to(mapping.target).id,
                    self.to(ix).id
                ));
                return;
            }
            scope = self.to(ix).scope;
        }
    }

    fn inner_activity_is_mapped_to(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let body = self.to(mapping.target);
        if matches!(body.kind, Kind::MultiInstance(_)) && body.children.first().is_some_and(|ix| !self.is_target(*ix)) {
            failures.push("Must map the inner activity of a multi-instance body when the body is mapped".to_owned());
        }
    }

    fn inner_activity_is_mapped(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let body = self.from(mapping.source);
        let unmapped = |ix: &ElementIx| self.of_source(*ix).is_none();
        if matches!(body.kind, Kind::MultiInstance(_)) && body.children.first().is_some_and(unmapped) {
            failures
                .push("Cannot remove the inner activity of a multi-instance body when the body is mapped".to_owned());
        }
    }

    /// Tokens that wait at a join have come by flows that the new one must have.
    fn gateway(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let (from, to) = (self.from(mapping.source), self.to(mapping.target));
        if !matches!(to.kind, Kind::Parallel | Kind::Inclusive) {
            return;
        }
        if from.incoming.len() > to.incoming.len() {
            failures.push(
                "The target gateway must have at least the same number of incoming sequence flows that the source gateway has"
                    .to_owned(),
            );
        }
        if let Some(scope) = from.scope.filter(|scope| self.of_source(*scope).is_none()) {
            let id = &self.from(scope).id;
            failures.push(format!("The gateway's flow scope '{id}' must be mapped"));
        }
        if self.plan.iter().filter(|other| other.target == mapping.target).count() > 1 {
            failures.push(format!("Only one gateway can be mapped to gateway '{}'", to.id));
        }
    }

    /// An event goes with the scope that waits for it.
    fn same_event_scope(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let from = self.from(mapping.source);
        let Some(scope) = event_scope(self.source.model, mapping.source) else {
            return;
        };
        if is_compensation_boundary(from) || scope == from.scope {
            return;
        }
        let id = self.scope_id(self.source, scope);
        let Some(needed) = event_scope(self.target.model, mapping.target) else {
            if !(matches!(from.kind, Kind::User(_)) && has_timeouts(from)) {
                failures.push(format!(
                    "The source activity's event scope ({id}) must be mapped but the target activity has no event scope"
                ));
            }
            return;
        };
        let mapped: Option<Scope> = match scope {
            None => Some(None),
            Some(ix) => self.of_source(ix).map(|other| Some(other.target)),
        };
        if mapped != Some(needed) {
            failures.push(format!(
                "The source activity's event scope ({id}) must be mapped to the target activity's event scope ({})",
                self.scope_id(self.target, needed)
            ));
        }
    }

    fn scope_id<'s>(&self, side: Side<'s>, scope: Scope) -> &'s str {
        scope.map_or(side.id, |ix| &side.model.at(ix).id)
    }

    fn has_trigger_to_update(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        if mapping.update && !is_persistent(self.source.model, mapping.source) {
            failures.push(
                "Cannot update event trigger because the activity does not define a persistent event trigger"
                    .to_owned(),
            );
        }
    }

    /// What is in a scope that is mapped stays in it.
    fn below_mapped_ancestor(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        let mut scope = self.from(mapping.source).scope;
        while let Some(ix) = scope {
            if let Some(ancestor) = self.of_source(ix) {
                if !self.is_around(ancestor.target, mapping.target) {
                    failures.push(format!(
                        "The closest mapped ancestor '{}' is mapped to scope '{}' which is not an ancestor of target scope '{}'",
                        self.from(ix).id,
                        self.to(ancestor.target).id,
                        self.to(mapping.target).id
                    ));
                }
                return;
            }
            scope = self.from(ix).scope;
        }
    }

    fn is_around(&self, scope: ElementIx, target: ElementIx) -> bool {
        let mut around = self.to(target).scope;
        while let Some(ix) = around {
            if ix == scope {
                return true;
            }
            around = self.to(ix).scope;
        }
        false
    }

    fn condition_is_updated(&self, mapping: &Mapping, failures: &mut Vec<String>) {
        if is_conditional(self.from(mapping.source)) && !mapping.update {
            failures.push("Conditional event has to migrate with update event trigger.".to_owned());
        }
    }
}
