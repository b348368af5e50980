//! Signals: to everyone who waits for the name, in every instance, and to every start event of that name.

use crate::core::context::Site;
use crate::core::event::Payload;
use crate::core::halt::Run;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::id::Id;
use crate::model::EventName;
use crate::row::{EventKind, EventSubscription};
use crate::view::{SubscriptionQuery, Tenant};

/// More receivers of one signal are refused: they would all be one transaction.
pub(in crate::core) const RECEIVERS_MAX: usize = 10_000;

pub(super) fn throw(work: &mut Work<'_>, place: &Place, name: &EventName) -> Run<()> {
    let site = Site::from(place);
    let name = work.evaluate_text(&site, &name.0)?.unwrap_or_default();
    let tenant = match work.instance(place.instance)?.and_then(|row| row.tenant.clone()) {
        Some(tenant) => Tenant::Is(tenant),
        None => Tenant::None,
    };
    work.signal(&name, &tenant, &[])
}

impl Work<'_> {
    /// Hands a signal to all who wait for it.
    pub(in crate::core) fn signal(
        &mut self,
        name: &str,
        tenant: &Tenant,
        variables: &[crate::command::VariableInput],
    ) -> Run<()> {
        for id in self.signal_receivers(name, tenant)? {
            // One receiver may have ended another.
            let Some(row) = self.subscription(id)?.cloned() else {
                continue;
            };
            let Some(execution) = row.execution else { continue };
            let payload = Payload {
                variables,
                ..Payload::default()
            };
            self.attempt(|work| work.fire(execution, &row.activity, payload))?;
        }
        let starts = self.view.start_subscriptions(EventKind::Signal, name, tenant)?;
        for start in starts {
            self.start_by_signal(&start, variables)?;
        }
        Ok(())
    }

    /// Those who wait now: the store's, and those of this very command.
    fn signal_receivers(&mut self, name: &str, tenant: &Tenant) -> Run<Vec<Id>> {
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
        for row in self.view.waiting(&query)? {
            self.tables.subscriptions.load(row);
        }
        let wanted = |row: &&EventSubscription| {
            row.kind == EventKind::Signal
                && row.name == name
                && row.execution.is_some()
                && match tenant {
                    Tenant::Any => true,
                    Tenant::None => row.tenant.is_none(),
                    Tenant::Is(tenant) => row.tenant.as_ref() == Some(tenant),
                }
        };
        Ok(self
            .tables
            .subscriptions
            .rows()
            .filter(wanted)
            .map(|row| row.id)
            .collect())
    }

    /// Leaves an activity that may have been ended by what it has thrown.
    pub(in crate::core) fn leave_if_there(&mut self, place: &Place) -> Run<()> {
        match self.execution(place.execution)? {
            Some(_) => self.leave(place),
            None => Ok(()),
        }
    }
}
