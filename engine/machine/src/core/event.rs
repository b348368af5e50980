//! Waiting for events, and what happens when they come.

use std::sync::Arc;

use super::context::Site;
use super::halt::{Halt, Run};
use super::place::Place;
use super::work::Work;
use crate::command::VariableInput;
use crate::id::Id;
use crate::model::{CatchKind, ElementIx, EventName, Kind, Timer, Trigger};
use crate::row::{EventKind, EventSubscription, Job, JobKind};

/// What comes with an event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Payload<'p> {
    /// Set where they exist, else on the instance.
    pub(super) variables: &'p [VariableInput],
    /// Set on the execution that waits.
    pub(super) local: &'p [VariableInput],
    /// Set on the execution that the event starts.
    pub(super) triggered: &'p [VariableInput],
}

fn subscription_of(kind: &Kind) -> Option<(EventKind, Option<&EventName>)> {
    match kind {
        Kind::Receive(Some(name)) => Some((EventKind::Message, Some(name))),
        Kind::Catch(CatchKind::Event(trigger)) => trigger.subscription(),
        Kind::Boundary(boundary) => boundary.trigger.subscription(),
        Kind::Start(start) => start.trigger.subscription(),
        _ => None,
    }
}

impl Work<'_> {
    /// Subscribes an activity instance to its events, but for timers.
    pub(super) fn subscribe(&mut self, place: &Place) -> Run<()> {
        let site = Site::from(place);
        for ix in place.model().events_of(Some(place.ix)) {
            self.subscribe_to(&site, ix)?;
        }
        Ok(())
    }

    /// Subscribes an execution or instance to one event.
    pub(super) fn subscribe_to(&mut self, site: &Site, ix: ElementIx) -> Run<()> {
        let definition = Arc::clone(&site.definition);
        let element = definition.model.at(ix);
        let Some((kind, _)) = subscription_of(&element.kind) else {
            return Ok(());
        };
        let name = self.event_name(site, ix)?.unwrap_or_default();
        let id = self.id()?;
        let Some(instance) = self.instance(site.instance)? else {
            return Ok(());
        };
        let (tenant, business_key) = (instance.tenant.clone(), instance.business_key.clone());
        self.insert(EventSubscription {
            id,
            kind,
            name,
            instance: Some(site.instance),
            execution: Some(site.execution),
            definition: definition.row.id,
            activity: element.id.clone(),
            created: self.env.now,
            tenant,
            business_key,
            configuration: None,
        });
        Ok(())
    }

    /// The name of what is waited for, as it is now; none where the event has none.
    pub(super) fn event_name(&mut self, site: &Site, ix: ElementIx) -> Run<Option<String>> {
        match subscription_of(&site.definition.model.at(ix).kind) {
            Some((_, Some(name))) => Ok(self.evaluate_text(site, &name.0.clone())?),
            _ => Ok(None),
        }
    }

    /// Starts the timers of an activity instance.
    pub(super) fn start_timers(&mut self, place: &Place) -> Run<()> {
        let site = Site::from(place);
        for ix in place.model().events_of(Some(place.ix)) {
            self.start_timer_of(&site, ix)?;
        }
        Ok(())
    }

    /// Starts the timer of one event, where it is one.
    pub(super) fn start_timer_of(&mut self, site: &Site, ix: ElementIx) -> Run<()> {
        let definition = Arc::clone(&site.definition);
        if let Some(Trigger::Timer(timer)) = definition.model.trigger(ix) {
            let repeats = repeats(&definition.model.at(ix).kind, timer);
            self.create_timer_job(site, ix, timer, repeats)?;
        }
        Ok(())
    }

    /// The job of a timer or of a timeout listener is due as its element says now.
    pub(super) fn renew_timer(&mut self, site: &Site, job: Id, ix: ElementIx) -> Run<()> {
        let definition = Arc::clone(&site.definition);
        let element = definition.model.at(ix);
        let Some(kind) = self.job(job)?.map(|row| row.kind.clone()) else {
            return Ok(());
        };
        let timer = match (&kind, definition.model.trigger(ix)) {
            (JobKind::Timer { .. }, Some(Trigger::Timer(timer))) => Some(timer),
            (JobKind::TaskTimeout { listener, .. }, _) => element
                .task_listeners
                .iter()
                .find(|other| other.id.as_ref() == Some(listener))
                .and_then(|listener| listener.timer.as_ref()),
            _ => None,
        };
        let Some(timer) = timer else { return Ok(()) };
        let next = self.timer_due(site, timer)?;
        let kind = match kind {
            JobKind::TaskTimeout { listener, .. } => JobKind::TaskTimeout {
                listener,
                repeat: next.repeat,
            },
            _ => JobKind::Timer {
                repeat: next.repeat.filter(|_| repeats(&element.kind, timer)),
            },
        };
        self.change::<Job>(job, |row| (row.due, row.kind) = (Some(next.due), kind));
        Ok(())
    }

    /// Subscriptions and timers of the event sub-processes right in a process.
    pub(super) fn subscribe_process(&mut self, site: &Site) -> Run<()> {
        let definition = Arc::clone(&site.definition);
        definition
            .model
            .event_sub_processes(None)
            .try_for_each(|(_, start, _)| self.subscribe_to(site, start))
    }

    pub(super) fn start_process_timers(&mut self, site: &Site) -> Run<()> {
        let definition = Arc::clone(&site.definition);
        definition
            .model
            .event_sub_processes(None)
            .try_for_each(|(_, start, _)| self.start_timer_of(site, start))
    }

    /// An event that `owner` (an execution, or an instance for its event sub-processes) has waited for happens.
    pub(super) fn fire(&mut self, owner: Id, event: &str, payload: Payload<'_>) -> Run<()> {
        self.set_variables(owner, payload.variables)?;
        let place = self.find_place(owner)?;
        let definition = match &place {
            Some(place) => Arc::clone(&place.definition),
            None => match self.instance(owner)?.map(|row| row.definition) {
                Some(definition) => self.known_definition(definition)?,
                None => return Err(Halt::execution(format!("execution {owner} doesn't exist"))),
            },
        };
        let Some(ix) = definition.model.find(event) else {
            return Err(Halt::execution(format!("the process model has no element '{event}'")));
        };
        self.set_local_variables(owner, payload.local)?;
        let element = definition.model.at(ix);
        match (&element.kind, place) {
            (Kind::Start(start), place) => {
                let instance = place.as_ref().map_or(owner, |place| place.instance);
                self.start_event_sub_process(owner, instance, &definition, ix, start.interrupting, payload)
            }
            (Kind::Boundary(boundary), Some(host)) => {
                self.fire_boundary(&host, ix, boundary.interrupting, payload.triggered)
            }
            // The event itself, or the one that wins at a gateway.
            (_, Some(place)) if place.ix == ix => {
                self.set_local_variables(owner, payload.triggered)?;
                self.leave(&place)
            }
            (_, Some(gateway)) => {
                self.cancel(gateway.execution)?;
                let execution = self.send(gateway.instance, gateway.parent, &definition, ix)?;
                self.set_local_variables(execution, payload.triggered)
            }
            (_, None) => Err(Halt::execution(format!(
                "'{event}' is not an event that a process waits for"
            ))),
        }
    }

    /// A boundary event happens: where it interrupts, its activity is cancelled.
    pub(super) fn fire_boundary(
        &mut self,
        host: &Place,
        event: ElementIx,
        interrupting: bool,
        variables: &[VariableInput],
    ) -> Run<()> {
        if interrupting {
            self.cancel(host.execution)?;
        }
        let execution = self.send(host.instance, host.parent, &host.definition, event)?;
        self.set_local_variables(execution, variables)
    }

    /// Starts an event sub-process in its scope: where it interrupts, all else in the scope is cancelled.
    pub(super) fn start_event_sub_process(
        &mut self,
        scope: Id,
        instance: Id,
        definition: &Arc<crate::view::Definition>,
        start: ElementIx,
        interrupting: bool,
        payload: Payload<'_>,
    ) -> Run<()> {
        let Some(sub_process) = definition.model.at(start).scope else {
            return Err(Halt::execution(
                "a start event of a process is no event sub-process".to_owned(),
            ));
        };
        if interrupting {
            self.interrupt_for(scope, &definition.model.at(sub_process).id)?;
        }
        let execution = self.spawn(instance, scope, definition, sub_process)?;
        self.set_local_variables(execution, payload.triggered)?;
        self.count_step(&definition.model.at(sub_process).id)?;
        let place = self.place(execution)?;
        // Its own start event is what happened: it goes on from there.
        self.begin(&place)
    }
}

/// Whether a timer fires again and again: those that interrupt or that a path waits for fire once.
fn repeats(kind: &Kind, timer: &Timer) -> bool {
    timer.kind == crate::model::TimerKind::Cycle
        && match kind {
            Kind::Boundary(boundary) => !boundary.interrupting,
            Kind::Start(start) => !start.interrupting,
            _ => false,
        }
}
