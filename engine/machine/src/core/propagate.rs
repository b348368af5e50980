//! BPMN errors on their way up: through the scopes of an instance and the calls above it, to the first event that
//! catches them.

use std::sync::Arc;

use super::agenda::Op;
use super::context::Site;
use super::event::Payload;
use super::halt::{Cause, Halt, Run, Thrown};
use super::work::Work;
use crate::id::Id;
use crate::model::{Boundary, ElementIx, ErrorDefinition, Kind, Trigger};
use crate::value::Value;
use crate::view::Definition;

/// An event that catches an error.
struct Catcher {
    /// The execution that the event belongs to, or the instance.
    owner: Id,
    instance: Id,
    definition: Arc<Definition>,
    event: ElementIx,
}

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
        let definition = Arc::clone(&catcher.definition);
        let Some(Trigger::Error(error)) = definition.model.trigger(catcher.event) else {
            return Ok(());
        };
        let values = error_variables(cause, error);
        match &definition.model.at(catcher.event).kind {
            Kind::Boundary(Boundary { interrupting, .. }) => {
                let host = self.place(catcher.owner)?;
                for (name, value) in values {
                    self.set_variable(host.parent, name, value, false)?;
                }
                self.fire_boundary(&host, catcher.event, *interrupting, &[])
            }
            Kind::Start(start) => {
                for (name, value) in values {
                    self.set_variable(catcher.owner, name, value, false)?;
                }
                let interrupting = start.interrupting;
                let (owner, instance) = (catcher.owner, catcher.instance);
                self.start_event_sub_process(
                    owner,
                    instance,
                    &definition,
                    catcher.event,
                    interrupting,
                    Payload::default(),
                )
            }
            _ => Ok(()),
        }
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

    fn find_catcher(&mut self, thrown: &Thrown) -> Run<Option<Catcher>> {
        let mut scope = thrown.from;
        loop {
            let (site, parent) = match self.find_place(scope)? {
                Some(place) => (Site::from(&place), Some(place.parent)),
                None => match self.instance(scope)? {
                    Some(row) => {
                        let definition = row.definition;
                        let definition = self.known_definition(definition)?;
                        (
                            Site {
                                execution: scope,
                                instance: scope,
                                definition,
                                ix: None,
                            },
                            None,
                        )
                    }
                    None => return Ok(None),
                },
            };
            let found = match self.catcher_inside(&site, &thrown.cause)? {
                // An event sub-process does not catch what it throws itself.
                Some(event) => Some(event),
                None => self.catcher_on_boundary(&site, &thrown.cause)?,
            };
            if let Some(event) = found {
                return Ok(Some(Catcher {
                    owner: scope,
                    instance: site.instance,
                    definition: site.definition,
                    event,
                }));
            }
            scope = match parent {
                Some(parent) => {
                    if site.ix.is_some_and(|ix| {
                        matches!(
                            site.definition.model.at(ix).kind,
                            Kind::SubProcess { by_event: true, .. }
                        )
                    }) {
                        match self.above_event_sub_process(parent, &site, &thrown.cause)? {
                            Ok(catcher) => return Ok(Some(catcher)),
                            Err(Some(next)) => next,
                            Err(None) => return Ok(None),
                        }
                    } else {
                        parent
                    }
                }
                None => match self.instance(scope)?.and_then(|row| row.super_execution) {
                    Some(caller) => caller,
                    None => return Ok(None),
                },
            };
        }
    }

    /// Above an event sub-process its own scope's event sub-processes are passed over: they would be interrupted by
    /// what they catch. What is on the scope's boundary may catch it.
    fn above_event_sub_process(&mut self, scope: Id, site: &Site, cause: &Cause) -> Run<Result<Catcher, Option<Id>>> {
        match self.find_place(scope)? {
            Some(place) => {
                let outer = Site::from(&place);
                match self.catcher_on_boundary(&outer, cause)? {
                    Some(event) => Ok(Ok(Catcher {
                        owner: scope,
                        instance: place.instance,
                        definition: place.definition,
                        event,
                    })),
                    None => Ok(Err(Some(place.parent))),
                }
            }
            None => Ok(Err(self.instance(site.instance)?.and_then(|row| row.super_execution))),
        }
    }

    fn catcher_inside(&mut self, site: &Site, cause: &Cause) -> Run<Option<ElementIx>> {
        let definition = Arc::clone(&site.definition);
        let events: Vec<_> = definition
            .model
            .event_sub_processes(site.ix)
            .map(|(_, start, _)| start)
            .collect();
        self.best(site, &events, cause)
    }

    fn catcher_on_boundary(&mut self, site: &Site, cause: &Cause) -> Run<Option<ElementIx>> {
        match site.ix {
            Some(ix) => {
                let definition = Arc::clone(&site.definition);
                self.best(site, &definition.model.at(ix).boundary, cause)
            }
            None => Ok(None),
        }
    }

    /// The first event that catches this very code, or else the first that catches everything.
    fn best(&mut self, site: &Site, events: &[ElementIx], cause: &Cause) -> Run<Option<ElementIx>> {
        let definition = Arc::clone(&site.definition);
        let mut catch_all = None;
        for event in events {
            let Some(Trigger::Error(error)) = definition.model.trigger(*event) else {
                continue;
            };
            match (self.optional_text(site, error.code.as_ref())?, cause) {
                (None, _) => catch_all = catch_all.or(Some(*event)),
                (Some(wanted), Cause::Bpmn { code, .. }) if wanted == *code => return Ok(Some(*event)),
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
