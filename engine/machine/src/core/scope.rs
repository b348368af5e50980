//! Scopes: what they hold, and what happens when nothing runs in them any more.

use super::behaviour;
use super::context::Site;
use super::halt::Run;
use super::place::Place;
use super::work::{InstanceEnd, Work};
use crate::id::{Id, Millis};
use crate::model::{Element, EndKind, Kind, ListenerEvent, ServiceTask, ThrowKind, Trigger};
use crate::row::{EventSubscription, Execution, ExecutionState, Instance, InstanceState, LogState};

/// How an instance that ends was.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) instance: Instance,
    pub(super) variables: Vec<(String, crate::value::Value)>,
}

pub(super) const MILLIS_OF_DAY: Millis = 24 * 60 * 60 * 1000;

/// Whether an activity instance may have rows of a kind: what cannot be there is not looked for.
impl Place {
    fn has_timers(&self) -> bool {
        let model = self.model();
        let element = self.element();
        // A signal may come by a job, too.
        let timer = |ix| matches!(model.trigger(ix), Some(Trigger::Timer(_) | Trigger::Signal(_)));
        element.async_before
            || element.async_after
            || element.task_listeners.iter().any(|listener| listener.timer.is_some())
            || timer(self.ix)
            || element.boundary.iter().any(|ix| timer(*ix))
            || (matches!(element.kind, Kind::EventGateway)
                && element.outgoing.iter().any(|flow| timer(model.flow(*flow).target)))
            || model
                .event_sub_processes(Some(self.ix))
                .any(|(_, start, _)| timer(start))
    }

    fn may_hold_compensation(&self) -> bool {
        self.model().compensates && matches!(self.element().kind, Kind::SubProcess { .. } | Kind::MultiInstance(_))
    }

    fn has_subscriptions(&self) -> bool {
        let model = self.model();
        let element = self.element();
        let waits = |ix| {
            model
                .trigger(ix)
                .is_some_and(|trigger| trigger.subscription().is_some())
        };
        matches!(element.kind, Kind::Receive(Some(_)) | Kind::EventGateway)
            || self.may_hold_compensation()
            || waits(self.ix)
            || element.boundary.iter().any(|ix| waits(*ix))
            || model
                .event_sub_processes(Some(self.ix))
                .any(|(_, start, _)| waits(start))
    }
}

/// Whether an element is an external task.
pub(super) fn external_task(element: &Element) -> Option<&crate::model::ExternalTask> {
    match &element.kind {
        Kind::Service(ServiceTask::External(task))
        | Kind::Throw(ThrowKind::Message(ServiceTask::External(task)))
        | Kind::End(EndKind::Message(ServiceTask::External(task))) => Some(task),
        _ => None,
    }
}

impl Work<'_> {
    /// Removes an activity instance that is over, with all that hangs on it.
    pub(super) fn dispose(&mut self, place: &Place) -> Run<()> {
        self.dispose_holdings(place)?;
        self.remove::<Execution>(place.execution);
        self.on_the_way.remove(&place.execution);
        Ok(())
    }

    /// Removes all that hangs on an activity instance, but not its execution.
    pub(super) fn dispose_holdings(&mut self, place: &Place) -> Run<()> {
        let execution = place.execution;
        if place.may_hold_compensation() {
            // What has ended in it goes with it.
            self.cancel_all(execution)?;
        }
        if place.has_subscriptions() {
            self.drop_subscriptions(execution)?;
        }
        if place.has_timers() {
            self.drop_jobs(execution)?;
        }
        if external_task(place.element()).is_some() {
            self.drop_external_task(execution)?;
        }
        if matches!(place.element().kind, Kind::User(_)) {
            self.drop_user_task(execution)?;
        }
        self.drop_own_incidents(execution)?;
        self.drop_variables(execution)
    }

    pub(super) fn drop_subscriptions(&mut self, execution: Id) -> Run<()> {
        for id in self.subscriptions_of(execution)? {
            self.remove::<EventSubscription>(id);
        }
        Ok(())
    }

    pub(super) fn drop_jobs(&mut self, execution: Id) -> Run<()> {
        for id in self.jobs_of(execution)? {
            self.drop_job(id, LogState::Deleted)?;
        }
        Ok(())
    }

    /// The executions of a scope in which something still runs.
    pub(super) fn live_children(&mut self, scope: Id) -> Run<Vec<Id>> {
        let mut live = self.children(scope)?;
        live.retain(|id| {
            self.tables
                .executions
                .get(*id)
                .is_some_and(|row| row.state != ExecutionState::Ended)
        });
        Ok(live)
    }

    /// An activity instance of a scope has ended, and no token has left it.
    pub(super) fn child_ended(&mut self, scope: Id) -> Run<()> {
        if let Some(place) = self.find_place(scope)? {
            self.count_step(&place.element().id)?;
            // An error that nobody has caught ends what compensates, too.
            if self.waits_for_compensation(&place)? {
                return self.compensated(scope);
            }
            return behaviour::child_ended(self, &place);
        }
        if self.preserved != Some(scope) && self.instance(scope)?.is_some() && self.live_children(scope)?.is_empty() {
            return self.end_instance(scope, None);
        }
        Ok(())
    }

    /// Ends an instance in which nothing runs any more; `deleted` where somebody has deleted it.
    pub(super) fn end_instance(&mut self, id: Id, deleted: Option<(InstanceState, Option<String>)>) -> Run<()> {
        let Some(instance) = self.instance(id)?.cloned() else {
            return Ok(());
        };
        let definition = self.known_definition(instance.definition)?;
        let site = Site {
            execution: id,
            instance: id,
            definition,
            ix: None,
        };
        let listeners: Vec<_> = site
            .definition
            .model
            .listeners
            .iter()
            .filter(|listener| listener.event == ListenerEvent::End)
            .cloned()
            .collect();
        for listener in &listeners {
            self.call_listener(&site, listener, None)?;
        }
        self.return_to_caller(&instance, deleted.is_some())?;
        let variables = if self.keep_variables {
            self.local_values(id)?
        } else {
            Vec::new()
        };
        self.close_instance_scope(&site)?;
        let now = self.now();
        // A called instance keeps its history as long as the one at the top.
        let removal_time = match site.definition.row.history_time_to_live {
            Some(days) if instance.root == id && !self.env.removal_time_at_start => {
                Some(now + Millis::from(days) * MILLIS_OF_DAY)
            }
            _ => None,
        };
        let (state, reason) = deleted.unwrap_or((InstanceState::Completed, None));
        let activity = self.last_activity.remove(&id);
        self.history.instance_end(
            id,
            InstanceEnd {
                time: now,
                activity,
                reason,
                state,
                removal_time,
            },
        );
        self.remove::<Instance>(id);
        self.ended.insert(id, Ended { instance, variables });
        Ok(())
    }

    /// Removes what hangs on the instance itself.
    fn close_instance_scope(&mut self, site: &Site) -> Run<()> {
        let model = &site.definition.model;
        if model.compensates {
            self.cancel_all(site.instance)?;
        }
        if model.compensates || model.event_sub_processes(None).next().is_some() {
            self.drop_subscriptions(site.instance)?;
            self.drop_jobs(site.instance)?;
        }
        self.drop_variables(site.instance)
    }
}
