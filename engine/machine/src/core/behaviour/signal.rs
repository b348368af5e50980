//! Signals: to everyone who waits for the name, in every instance, and to every start event of that name.

use super::call_activity::mapped;
use crate::command::VariableInput;
use crate::core::context::Site;
use crate::core::event::Payload;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::id::Id;
use crate::model::{CatchKind, Kind, Mapping, SignalThrow};
use crate::row::{EventKind, EventSubscription};
use crate::view::{SubscriptionQuery, Tenant};

/// More receivers of one signal are refused: they would all be one transaction.
pub(in crate::core) const RECEIVERS_MAX: usize = 10_000;

/// What a signal brings.
#[derive(Clone, Debug, Default)]
pub(in crate::core) struct SignalPayload {
    pub(in crate::core) variables: Vec<VariableInput>,
    /// Of the instances that it starts.
    pub(in crate::core) business_key: Option<String>,
}

/// Throws a signal: its receivers are those of the tenant and those of none.
pub(super) fn throw(work: &mut Work<'_>, place: &Place, signal: &SignalThrow) -> Run<()> {
    let site = Site::from(place);
    let payload = payload(work, &site, &signal.payload)?;
    let name = work.evaluate_text(&site, &signal.name.0)?.unwrap_or_default();
    let mut receivers = work.signal_receivers(&name, &Tenant::None)?;
    if let Some(tenant) = work.instance(place.instance)?.and_then(|row| row.tenant.clone()) {
        receivers.extend(work.signal_receivers(&name, &Tenant::Is(tenant))?);
        receivers.sort_unstable();
    }
    for id in receivers {
        // One receiver may have ended another.
        let Some(row) = work.subscription(id)?.cloned() else {
            continue;
        };
        if signal.asynchronous && work.receives_by_job(&row)? {
            work.create_event_job(&row)?;
        } else {
            work.deliver_signal(&row, &payload)?;
        }
    }
    Ok(())
}

fn payload(work: &mut Work<'_>, site: &Site, mappings: &[Mapping]) -> Run<SignalPayload> {
    let mut payload = SignalPayload::default();
    for mapping in mappings {
        if let Mapping::BusinessKey(expression) = mapping {
            payload.business_key = work.evaluate_text(site, expression)?;
            continue;
        }
        for (name, value, _) in mapped(work, site, mapping)? {
            payload.variables.push(VariableInput {
                name,
                value,
                transient: false,
            });
        }
    }
    Ok(payload)
}

impl Work<'_> {
    /// Hands a signal to one who waits for it, or to a start event.
    pub(in crate::core) fn deliver_signal(&mut self, row: &EventSubscription, payload: &SignalPayload) -> Run<()> {
        let Some(execution) = row.execution else {
            return self.start_by_signal(row, payload);
        };
        let event = Payload {
            variables: &payload.variables,
            ..Payload::default()
        };
        self.attempt(|work| work.fire(execution, &row.activity, event))
    }

    /// Whether an asynchronous signal reaches it by a job: start events of a process and intermediate events do, as in
    /// Camunda.
    fn receives_by_job(&mut self, row: &EventSubscription) -> Run<bool> {
        if row.execution.is_none() {
            return Ok(true);
        }
        let definition = self.known_definition(row.definition)?;
        let kind = definition.model.element(&row.activity).map(|element| &element.kind);
        Ok(matches!(kind, Some(Kind::Catch(CatchKind::Event(_)))))
    }

    /// The subscriptions to a signal: those who wait now, in the store and in this very command, and start events.
    pub(in crate::core) fn signal_receivers(&mut self, name: &str, tenant: &Tenant) -> Run<Vec<Id>> {
        let query = SubscriptionQuery {
            kind: EventKind::Signal,
            name,
            instance: None,
            business_key: None,
            tenant,
            correlation_keys: &[],
            local_correlation_keys: &[],
            limit: RECEIVERS_MAX,
        };
        let starts = self.view.start_subscriptions(EventKind::Signal, name, tenant)?;
        for row in self.view.waiting(&query)?.into_iter().chain(starts) {
            self.tables.subscriptions.load(row);
        }
        let candidates: Vec<(Id, Option<Id>)> = self
            .tables
            .subscriptions
            .rows()
            .filter(|row| row.kind == EventKind::Signal && row.name == name)
            .filter(|row| match tenant {
                Tenant::Any => true,
                Tenant::None => row.tenant.is_none(),
                Tenant::Is(tenant) => row.tenant.as_ref() == Some(tenant),
            })
            .map(|row| (row.id, row.instance))
            .collect();
        let mut receivers = Vec::with_capacity(candidates.len());
        for (id, instance) in candidates {
            let suspended = match instance {
                Some(instance) => self.instance(instance)?.is_some_and(|row| row.suspended),
                None => false,
            };
            if !suspended {
                receivers.push(id);
            }
        }
        Ok(receivers)
    }

    /// Leaves an activity that may have been ended by what it has thrown.
    pub(in crate::core) fn leave_if_there(&mut self, place: &Place) -> Run<()> {
        match self.execution(place.execution)? {
            Some(_) => self.leave(place),
            None => Ok(()),
        }
    }
}
