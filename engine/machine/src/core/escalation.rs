//! Escalations on their way up: the first event that catches them does, and the thrower goes on unless it is ended by
//! that.

use std::sync::Arc;

use super::event::Payload;
use super::halt::Run;
use super::place::Place;
use super::propagate::Level;
use super::work::Work;
use crate::model::{Boundary, ElementIx, EscalationDefinition, Kind, Trigger};
use crate::value::Value;

/// What became of an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escalated {
    /// Nobody catches it.
    Uncaught,
    /// Caught by an event that runs beside.
    Beside,
    /// Caught by an event that interrupts.
    Interrupting,
}

impl Work<'_> {
    /// Hands an escalation to who catches it.
    pub(super) fn escalate(&mut self, place: &Place, code: &str) -> Run<Escalated> {
        self.count_step("an escalation")?;
        let mut next = self.level(place.execution)?;
        while let Some(level) = next {
            if let Some(event) = self.escalation_catcher(&level, place, code) {
                self.leave_level(&level)?;
                return self.catch_escalation(&level, event, code);
            }
            next = self.above(&level)?;
        }
        Ok(Escalated::Uncaught)
    }

    /// Event sub-processes come before boundary events; the one that throws it itself does not catch it.
    fn escalation_catcher(&self, level: &Level, thrower: &Place, code: &str) -> Option<ElementIx> {
        let model = &level.site.definition.model;
        let own = thrower
            .element()
            .scope
            .filter(|_| level.site.instance == thrower.instance);
        let inside = model
            .event_sub_processes(level.site.ix)
            .filter(|(sub_process, _, _)| Some(*sub_process) != own)
            .map(|(_, start, _)| start);
        let boundary = level.site.ix.map(|ix| model.at(ix).boundary.as_slice());
        inside
            .chain(boundary.unwrap_or_default().iter().copied())
            .find(|event| match model.trigger(*event) {
                Some(Trigger::Escalation(EscalationDefinition { code: wanted, .. })) => {
                    wanted.as_deref().is_none_or(|wanted| wanted == code)
                }
                _ => false,
            })
    }

    fn catch_escalation(&mut self, level: &Level, event: ElementIx, code: &str) -> Run<Escalated> {
        let definition = Arc::clone(&level.site.definition);
        let interrupting = match &definition.model.at(event).kind {
            Kind::Boundary(Boundary { interrupting, .. }) => *interrupting,
            Kind::Start(start) => start.interrupting,
            _ => true,
        };
        let host = self.find_place(level.owner)?;
        if let Some(Trigger::Escalation(EscalationDefinition {
            code_variable: Some(name),
            ..
        })) = definition.model.trigger(event)
        {
            let scope = match &host {
                Some(host) if !interrupting && host.element().boundary.contains(&event) => host.parent,
                _ => level.owner,
            };
            self.set_variable(scope, name, Value::String(code.to_owned()), false)?;
        }
        let name = &definition.model.at(event).id;
        self.fire(level.owner, name, Payload::default())?;
        Ok(if interrupting {
            Escalated::Interrupting
        } else {
            Escalated::Beside
        })
    }
}
