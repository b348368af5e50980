//! Conditional events. A change of a variable is noted, and seen by those who wait where Camunda looks: before an
//! activity does what it does, when it is left, when it has ended, on the way to the next one, and after a command that
//! sets variables. A scope's conditions are also looked at when the scope begins.

use std::collections::VecDeque;
use std::sync::Arc;

use super::context::Site;
use super::event::Payload;
use super::halt::Run;
use super::place::Place;
use super::work::Work;
use crate::expression::EvalError;
use crate::id::Id;
use crate::model::{CatchKind, Condition, ConditionDefinition, Kind, Trigger, VariableChange};
use crate::row::{EventKind, ExecutionState};
use crate::view::Definition;

/// A variable has changed.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    instance: Id,
    scope: Id,
    variable: String,
    change: VariableChange,
}

impl Work<'_> {
    /// Notes a change, where the process has conditional events.
    pub(super) fn note_change(&mut self, scope: Id, variable: &str, change: VariableChange) -> Run<()> {
        let instance = self.execution(scope)?.map_or(scope, |row| row.instance);
        let Some(definition) = self.instance(instance)?.map(|row| row.definition) else {
            return Ok(());
        };
        if self.known_definition(definition)?.model.conditional {
            self.changed.push(Changed {
                instance,
                scope,
                variable: variable.to_owned(),
                change,
            });
        }
        Ok(())
    }

    /// Shows the noted changes to those who wait; whether the token still is where it was.
    pub(super) fn show_changes(&mut self, place: &Place) -> Run<bool> {
        if self.changed.is_empty() {
            return Ok(true);
        }
        let interrupted =
            self.is_interrupted_by(place.execution, |work| work.show_changes_in(place.instance, false))?;
        Ok(!interrupted && self.execution(place.execution)?.is_some())
    }

    /// Looks at the conditions of a scope that begins; whether it goes on.
    pub(super) fn show_scope(&mut self, scope: Id) -> Run<bool> {
        let interrupted = self.is_interrupted_by(scope, |work| work.look_at_conditions(scope, None, false))?;
        Ok(!interrupted && (self.execution(scope)?.is_some() || self.instance(scope)?.is_some()))
    }

    /// Whether something lets an event sub-process interrupt a scope.
    fn is_interrupted_by(&mut self, scope: Id, act: impl FnOnce(&mut Self) -> Run<()>) -> Run<bool> {
        let before = self.interrupted.remove(&scope);
        act(self)?;
        let interrupted = self.interrupted.contains(&scope);
        if before {
            self.interrupted.insert(scope);
        }
        Ok(interrupted)
    }

    /// Shows the noted changes of an instance; `at_once`: what happens runs to its wait states before the next change
    /// is shown.
    pub(super) fn show_changes_in(&mut self, instance: Id, at_once: bool) -> Run<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let (mine, others) = std::mem::take(&mut self.changed)
            .into_iter()
            .partition(|changed| changed.instance == instance);
        self.changed = others;
        let before = std::mem::take(&mut self.interrupted);
        let mine: Vec<Changed> = mine;
        for changed in &mine {
            // What an interrupted scope waited for is gone; what runs in it now has not begun.
            if !self.interrupted.contains(&changed.scope) {
                self.look_at_conditions(changed.scope, Some(changed), at_once)?;
            }
        }
        self.interrupted.extend(before);
        Ok(())
    }

    /// Looks at the conditions that are waited for in a scope and all that is in it, from the outside inwards; without
    /// a change: because the scope has begun.
    fn look_at_conditions(&mut self, scope: Id, changed: Option<&Changed>, at_once: bool) -> Run<()> {
        for owner in self.who_waits(scope)? {
            for id in self.subscriptions_of(owner)? {
                let Some(row) = self.subscription(id)?.cloned() else {
                    continue;
                };
                if row.kind != EventKind::Conditional || !self.happens(owner, &row.activity, changed)? {
                    continue;
                }
                self.attempt(|work| work.fire(owner, &row.activity, Payload::default()))?;
                if at_once {
                    self.run_agenda()?;
                }
            }
        }
        Ok(())
    }

    fn who_waits(&mut self, scope: Id) -> Run<Vec<Id>> {
        let mut found = Vec::new();
        let mut open = VecDeque::from([scope]);
        while let Some(next) = open.pop_front() {
            if !self.starting.contains(&next) && !self.ending.contains(&next) {
                found.push(next);
            }
            open.extend(self.live_children(next)?);
        }
        Ok(found)
    }

    fn happens(&mut self, owner: Id, event: &str, changed: Option<&Changed>) -> Run<bool> {
        let place = self.find_place(owner)?;
        let definition: Arc<Definition> = match &place {
            Some(place) => Arc::clone(&place.definition),
            None => match self.instance(owner)?.map(|row| row.definition) {
                Some(definition) => self.known_definition(definition)?,
                None => return Ok(false),
            },
        };
        let Some(ix) = definition.model.find(event) else {
            return Ok(false);
        };
        let Some(Trigger::Condition(condition)) = definition.model.trigger(ix) else {
            return Ok(false);
        };
        if let Some(changed) = changed
            && !condition.concerns(&changed.variable, changed.change)
        {
            return Ok(false);
        }
        if matches!(definition.model.at(ix).kind, Kind::Catch(CatchKind::Event(_))) {
            let waits = self
                .execution(owner)?
                .is_some_and(|row| row.state == ExecutionState::Active);
            if changed.is_none() || !waits {
                return Ok(false);
            }
        }
        let site = match &place {
            Some(place) => Site::from(place),
            None => Site {
                execution: owner,
                instance: owner,
                definition: Arc::clone(&definition),
                ix: None,
            },
        };
        self.holds_if_known(&site, condition)
    }

    /// Whether a condition holds. An expression over a variable that does not exist does not; a script over one fails.
    pub(super) fn holds_if_known(&mut self, site: &Site, condition: &ConditionDefinition) -> Run<bool> {
        let Condition::Expression(expression) = &condition.condition else {
            return self.condition_holds(site, &condition.condition);
        };
        match self.condition(site, expression) {
            Ok(holds) => Ok(holds),
            Err(EvalError::Unknown(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
