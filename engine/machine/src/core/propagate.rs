//! BPMN errors on their way up: through the scopes of an instance and the calls above it, to the first event that
//! catches them.

use std::sync::Arc;

use super::agenda::Op;
use super::context::Site;
use super::event::Payload;
use super::halt::{Cause, Halt, Run, Thrown};
use super::place::Place;
use super::work::Work;
use crate::id::Id;
use crate::model::{ElementIx, ErrorDefinition, Trigger};
use crate::value::Value;

/// A scope on the way up from where something was thrown.
#[derive(Clone, Debug)]
pub(super) struct Level {
    /// An execution or an instance.
    pub(super) owner: Id,
    pub(super) site: Site,
    /// The scope around; none where it is an instance.
    parent: Option<Id>,
}

/// An event that catches an error.
struct Catcher {
    level: Level,
    event: ElementIx,
}

/// What a failure without a code of its own is to an error event: the classes of Java that it could have been.
const FAILURES: [&str; 3] = [
    "java.lang.RuntimeException",
    "java.lang.Exception",
    "java.lang.Throwable",
];

impl Work<'_> {
    /// Hands what was thrown to who catches it. An error that nobody catches ends its path in silence, as a none end
    /// event would; a failure that nobody catches ends the command.
    pub(super) fn propagate(&mut self, thrown: Thrown) -> Run<()> {
        self.count_step("a BPMN error")?;
        match self.find_catcher(&thrown)? {
            Some(catcher) => self.caught(&thrown.cause, &catcher),
            None => self.uncaught(thrown),
        }
    }

    fn caught(&mut self, cause: &Cause, catcher: &Catcher) -> Run<()> {
        let definition = Arc::clone(&catcher.level.site.definition);
        let owner = catcher.level.owner;
        if let Some(Trigger::Error(error)) = definition.model.trigger(catcher.event) {
            for (name, value) in error_variables(cause, error) {
                self.set_variable(owner, name, value, false)?;
            }
        }
        let name = &definition.model.at(catcher.event).id;
        self.fire(owner, name, Payload::default())
    }

    fn uncaught(&mut self, thrown: Thrown) -> Run<()> {
        let (code, message) = match thrown.cause {
            Cause::Bpmn { code, message } => (code, message),
            Cause::Failure(error) => return Err(Halt::Error(error)),
        };
        let Some(place) = self.find_place(thrown.execution)? else {
            // A listener of the process itself: nothing runs yet, or any more.
            self.agenda.push(Op::ChildEnded {
                scope: thrown.execution,
            });
            return Ok(());
        };
        let notice = format!(
            "Execution with id '{}' throws an error event with errorCode '{code}' and errorMessage '{}', but no error handler was defined",
            self.text(thrown.execution),
            message.unwrap_or_default()
        );
        self.notice(Some(place.instance), &place.element().id, notice);
        if self.on_the_way.contains(&place.execution) {
            return self.end_path(&place);
        }
        if self.end_listeners_failed.contains(&place.execution) {
            self.history.activity_end(place.execution, self.now(), false, true);
            return self.end_path(&place);
        }
        self.end(&place, true)
    }

    /// A scope on the way up; none where there is no such execution or instance.
    pub(super) fn level(&mut self, owner: Id) -> Run<Option<Level>> {
        if let Some(place) = self.find_place(owner)? {
            let parent = Some(place.parent);
            let site = Site::from(&place);
            return Ok(Some(Level { owner, site, parent }));
        }
        let Some(definition) = self.instance(owner)?.map(|row| row.definition) else {
            return Ok(None);
        };
        let definition = self.known_definition(definition)?;
        let site = Site {
            execution: owner,
            instance: owner,
            definition,
            ix: None,
        };
        let parent = None;
        Ok(Some(Level { owner, site, parent }))
    }

    /// The next scope on the way up; from an instance to the call activity that has started it.
    pub(super) fn above(&mut self, level: &Level) -> Run<Option<Level>> {
        self.leave_level(level)?;
        let next = match level.parent {
            Some(parent) => Some(parent),
            None => self.instance(level.owner)?.and_then(|row| row.super_execution),
        };
        match next {
            Some(next) => self.level(next),
            None => Ok(None),
        }
    }

    /// What passes an instance takes its variables to who has called it, even where it is caught right there.
    pub(super) fn leave_level(&mut self, level: &Level) -> Run<()> {
        if level.parent.is_none()
            && let Some(caller) = self.instance(level.owner)?.and_then(|row| row.super_execution)
        {
            let caller = self.place(caller)?;
            self.map_called_outputs(level.owner, &caller)?;
        }
        Ok(())
    }

    fn find_catcher(&mut self, thrown: &Thrown) -> Run<Option<Catcher>> {
        let thrower = self.find_place(thrown.execution)?;
        let mut next = self.level(thrown.from)?;
        while let Some(level) = next {
            if let Some(event) = self.error_catcher(&level, thrower.as_ref(), &thrown.cause)? {
                self.leave_level(&level)?;
                return Ok(Some(Catcher { level, event }));
            }
            next = self.above(&level)?;
        }
        Ok(None)
    }

    /// The event of a scope that catches an error. Event sub-processes come before boundary events, a code before none.
    /// An event sub-process does not catch what is thrown within it.
    fn error_catcher(&mut self, level: &Level, thrower: Option<&Place>, cause: &Cause) -> Run<Option<ElementIx>> {
        let definition = Arc::clone(&level.site.definition);
        let model = &definition.model;
        let within = |sub_process: ElementIx| {
            let mut scope = thrower
                .filter(|thrower| thrower.instance == level.site.instance)
                .map(|thrower| thrower.ix);
            while let Some(ix) = scope {
                if ix == sub_process {
                    return true;
                }
                scope = model.at(ix).scope;
            }
            false
        };
        let inside: Vec<ElementIx> = model
            .event_sub_processes(level.site.ix)
            .filter(|(sub_process, _, _)| !within(*sub_process))
            .map(|(_, start, _)| start)
            .collect();
        if let Some(event) = self.best(&level.site, &inside, cause)? {
            return Ok(Some(event));
        }
        match level.site.ix {
            Some(ix) => self.best(&level.site, &model.at(ix).boundary, cause),
            None => Ok(None),
        }
    }

    /// The first event that catches this very code, or else the first that catches every code. A failure is caught
    /// only where it is named.
    fn best(&mut self, site: &Site, events: &[ElementIx], cause: &Cause) -> Run<Option<ElementIx>> {
        let definition = Arc::clone(&site.definition);
        let mut catch_all = None;
        for event in events {
            let Some(Trigger::Error(error)) = definition.model.trigger(*event) else {
                continue;
            };
            match (self.optional_text(site, error.code.as_ref())?, cause) {
                (None, Cause::Bpmn { .. }) => catch_all = catch_all.or(Some(*event)),
                (Some(wanted), Cause::Bpmn { code, .. }) if wanted == *code => return Ok(Some(*event)),
                (Some(wanted), Cause::Failure(_)) if FAILURES.contains(&wanted.as_str()) => return Ok(Some(*event)),
                _ => {}
            }
        }
        Ok(catch_all)
    }
}

/// The variables in which a catching event puts what it caught.
fn error_variables<'e>(cause: &Cause, error: &'e ErrorDefinition) -> Vec<(&'e str, Value)> {
    let (code, message) = match cause {
        Cause::Bpmn { code, message } => (Some(code.clone()), message.clone()),
        Cause::Failure(error) => (None, Some(error.to_string())),
    };
    let value = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let mut variables = Vec::new();
    if let Some(name) = &error.code_variable {
        variables.push((name.as_str(), value(code)));
    }
    if let Some(name) = &error.message_variable {
        variables.push((name.as_str(), value(message)));
    }
    variables
}
