//! Message correlation: executions that wait, then start events (`DefaultCorrelationHandler`).

use crate::command::{Correlate, Correlated, IfRunning, Reply};
use crate::core::behaviour::RECEIVERS_MAX;
use crate::core::event::Payload;
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::error::MachineError;
use crate::row::{EventKind, EventSubscription};
use crate::view::{SubscriptionQuery, Tenant};

use super::start::Launch;

/// More matching executions are not counted for a refusal's message.
const COUNTED_MAX: usize = 100;

impl Work<'_> {
    pub(super) fn correlate(&mut self, correlate: &Correlate) -> Run<Reply> {
        if correlate.instance.is_some() && matches!(correlate.tenant, Tenant::Is(_)) {
            return Err(MachineError::BadUserRequest(
                "ENGINE-13028 Cannot specify a tenant-id when correlate by process instance id.".to_owned(),
            )
            .into());
        }
        let once = &correlate.once;
        let start_only = correlate.start_only || once.dedupe_key.is_some() || once.if_running != IfRunning::Another;
        self.keep_variables |= correlate.with_variables;
        let receivers = if start_only {
            Vec::new()
        } else {
            self.receivers(correlate)?
        };
        let mut results = Vec::new();
        if correlate.all {
            for subscription in receivers {
                // One receiver may have ended another.
                if self.subscription(subscription.id)?.is_some() {
                    results.push(self.deliver(correlate, &subscription)?);
                }
            }
            for start in self.starts(correlate)? {
                results.push(self.start_by_message(correlate, &start)?);
            }
            return Ok(Reply::Correlated(results));
        }
        match receivers.as_slice() {
            [only] => results.push(self.deliver(correlate, only)?),
            [] => match self.starts(correlate)?.as_slice() {
                [only] => results.push(self.start_by_message(correlate, only)?),
                [] => {
                    return Err(mismatch(format!(
                        "Cannot correlate message '{}': No process definition or execution matches the parameters",
                        correlate.name
                    )));
                }
                several => {
                    return Err(mismatch(format!(
                        "ENGINE-13032 Cannot correlate a message with name '{}' to a single process definition. {} process definitions match the correlations keys: {}",
                        correlate.name,
                        several.len(),
                        correlation_set(correlate)
                    )));
                }
            },
            several => {
                return Err(mismatch(format!(
                    "ENGINE-13031 Cannot correlate a message with name '{}' to a single execution. {} executions match the correlation keys: {}",
                    correlate.name,
                    several.len(),
                    correlation_set(correlate)
                )));
            }
        }
        Ok(Reply::Correlated(results))
    }

    fn receivers(&mut self, correlate: &Correlate) -> Run<Vec<EventSubscription>> {
        let found = self.view.waiting(&SubscriptionQuery {
            kind: EventKind::Message,
            name: &correlate.name,
            instance: correlate.instance,
            business_key: correlate.business_key.as_deref(),
            tenant: &correlate.tenant,
            correlation_keys: &correlate.correlation_keys,
            local_correlation_keys: &correlate.local_correlation_keys,
            limit: if correlate.all { RECEIVERS_MAX } else { COUNTED_MAX },
        })?;
        for row in &found {
            self.tables.subscriptions.load(row.clone());
        }
        Ok(found)
    }

    fn starts(&mut self, correlate: &Correlate) -> Run<Vec<EventSubscription>> {
        let mut found = self
            .view
            .start_subscriptions(EventKind::Message, &correlate.name, &correlate.tenant)?;
        let mut active = Vec::new();
        for row in found.drain(..) {
            if !self.known_definition(row.definition)?.row.suspended {
                active.push(row);
            }
        }
        Ok(active)
    }

    fn deliver(&mut self, correlate: &Correlate, subscription: &EventSubscription) -> Run<Correlated> {
        let (Some(execution), Some(instance)) = (subscription.execution, subscription.instance) else {
            return Err(Halt::execution("the event subscription has no execution"));
        };
        let payload = Payload {
            variables: &correlate.variables,
            local: &correlate.local_variables,
            triggered: &correlate.triggered_scope_variables,
        };
        self.attempt(|work| work.fire(execution, &subscription.activity, payload))?;
        self.run_agenda()?;
        let ended = self.ended.get(&instance).map(|ended| ended.variables.clone());
        let variables = match &ended {
            Some(variables) => variables.clone(),
            None if correlate.with_variables => self.local_values(instance)?,
            None => Vec::new(),
        };
        let ended = ended.is_some() || self.execution(execution)?.is_none();
        let (id, tenant) = (execution, subscription.tenant.clone());
        Ok(Correlated::Execution {
            id,
            instance,
            tenant,
            ended,
            variables,
        })
    }

    fn start_by_message(&mut self, correlate: &Correlate, subscription: &EventSubscription) -> Run<Correlated> {
        let definition = self.known_definition(subscription.definition)?;
        let Some(start) = definition.model.find(&subscription.activity) else {
            return Err(Halt::execution(format!(
                "the process model has no element '{}'",
                subscription.activity
            )));
        };
        // Local variables of a message that starts an instance are its variables too.
        let variables: Vec<_> = correlate
            .variables
            .iter()
            .chain(&correlate.local_variables)
            .cloned()
            .collect();
        let started = self.start_once(&Launch {
            definition: &definition,
            start: Some(start),
            at: &[],
            restarted: None,
            business_key: correlate.business_key.as_deref(),
            variables: &variables,
            triggered: &correlate.triggered_scope_variables,
            form: false,
            once: &correlate.once,
            with_variables: correlate.with_variables,
        })?;
        Ok(Correlated::Started(Box::new(started)))
    }
}

fn mismatch(message: String) -> Halt {
    MachineError::Mismatch(message).into()
}

fn correlation_set(correlate: &Correlate) -> String {
    let keys = |keys: &[(String, crate::Value)]| match keys {
        [] => "null".to_owned(),
        keys => format!(
            "[{}]",
            keys.iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    format!(
        "CorrelationSet [businessKey={}, correlationKeys={}, localCorrelationKeys={}]",
        correlate.business_key.as_deref().unwrap_or("null"),
        keys(&correlate.correlation_keys),
        keys(&correlate.local_correlation_keys),
    )
}
