//! The plan that maps what is the same in both definitions: equal ids in mapped scopes.

use super::behaviour::{Scope, can_be_generated, event_scope, is_conditional, is_persistent};
use super::validate::{Check, Mapping, Stage};
use super::{Side, validate};
use crate::command::MigratingInstruction;
use crate::model::ElementIx;

/// Generates a plan; with `update_event_triggers`, all events are to be those of the target. Events with a condition
/// always are.
#[must_use]
pub fn generate(source: Side<'_>, target: Side<'_>, update_event_triggers: bool) -> Vec<MigratingInstruction> {
    let mut generator = Generator {
        source,
        target,
        update: update_event_triggers,
        plan: Vec::new(),
    };
    let mut scopes = vec![(None, None)];
    while let Some((from, to)) = scopes.pop() {
        let found = generator.generate(from, to);
        // The first is the next.
        scopes.extend(found.into_iter().rev().map(|(from, to)| (Some(from), Some(to))));
    }
    let instructions = generator.plan.iter().map(|mapping| mapping.instruction(source, target));
    let mut instructions: Vec<_> = instructions.collect();
    let wrong = validate(source, target, &instructions);
    instructions.retain(|instruction| wrong.iter().all(|report| report.instruction != *instruction));
    instructions
}

struct Generator<'m> {
    source: Side<'m>,
    target: Side<'m>,
    update: bool,
    plan: Vec<Mapping>,
}

impl Generator<'_> {
    /// Maps what is in a scope, and the events that are waited for there. Returns the pairs that were mapped and may
    /// have something in them.
    fn generate(&mut self, from: Scope, to: Scope) -> Vec<(ElementIx, ElementIx)> {
        let (source, target) = (self.source.model, self.target.model);
        let inside = self.same(source.children_of(from), target.children_of(to));
        self.plan.extend(&inside);
        let events = self.same(&event_activities(self.source, from), &event_activities(self.target, to));
        self.plan.extend(&events);
        let check = Check::new(self.source, self.target, &self.plan);
        let valid: Vec<Mapping> = self
            .plan
            .iter()
            .filter(|mapping| check.failures(mapping, Stage::Growing).is_empty())
            .copied()
            .collect();
        self.plan = valid;
        inside
            .into_iter()
            .filter(|mapping| self.plan.contains(mapping))
            .map(|mapping| (mapping.source, mapping.target))
            .collect()
    }

    fn same(&self, sources: &[ElementIx], targets: &[ElementIx]) -> Vec<Mapping> {
        let (source, target) = (self.source.model, self.target.model);
        let mut found = Vec::new();
        for from in sources {
            if self.plan.iter().any(|mapping| mapping.source == *from) || !can_be_generated(source.at(*from)) {
                continue;
            }
            let same = targets
                .iter()
                .find(|to| target.at(**to).id == source.at(*from).id && can_be_generated(target.at(**to)));
            found.extend(same.map(|to| Mapping {
                source: *from,
                target: *to,
                update: is_conditional(source.at(*from)) || self.update && is_persistent(source, *from),
            }));
        }
        found
    }
}

/// The elements whose events a scope waits for.
fn event_activities(side: Side<'_>, scope: Scope) -> Vec<ElementIx> {
    let all = side.model.elements().map(|(ix, _)| ix);
    all.filter(|ix| event_scope(side.model, *ix) == Some(scope)).collect()
}
