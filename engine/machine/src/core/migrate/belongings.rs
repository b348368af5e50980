//! What hangs on a node: variables, tasks, subscriptions, timers, incidents. Events that are mapped go along, with their
//! names and due dates unless the instruction says that they are to be those of the target; events that are new begin.

use std::sync::Arc;

use super::Journey;
use super::tree::{Node, What};
use crate::core::context::Site;
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::delta::Change;
use crate::id::Id;
use crate::migration::{InstanceReport, Scope, event_scope};
use crate::model::{ASYNC_AFTER, ASYNC_BEFORE, ElementIx, Kind, Trigger};
use crate::row::{
    EventKind, EventSubscription, ExecutionState, ExternalTask, Incident, Job, JobKind, UserTask, Variable,
};

/// What hangs on a node, and what will become of it.
#[derive(Default)]
pub(super) struct Belongings {
    variables: Vec<Id>,
    subscriptions: Vec<Carried>,
    jobs: Vec<Carried>,
    pub(super) lost_subscriptions: Vec<Id>,
    pub(super) lost_jobs: Vec<Id>,
    new_subscriptions: Vec<ElementIx>,
    new_timers: Vec<ElementIx>,
    new_timeouts: Vec<String>,
}

/// A subscription or timer that goes along.
struct Carried {
    id: Id,
    target: ElementIx,
    update: bool,
}

impl Work<'_> {
    pub(super) fn read_belongings(
        &mut self,
        journey: &Journey<'_>,
        node: &Node,
        report: &mut InstanceReport,
    ) -> Run<Belongings> {
        let mut belongings = Belongings::default();
        let Some(owner) = node.what.owner() else {
            return Ok(belongings);
        };
        self.local_values(owner)?;
        belongings.variables = self.tables.variables.owned(owner).to_vec();
        if matches!(node.what, What::Instance(_) | What::Activity(_)) {
            self.read_subscriptions(journey, node, owner, &mut belongings)?;
            self.read_jobs(journey, node, owner, &mut belongings, report)?;
        }
        Ok(belongings)
    }

    fn read_subscriptions(
        &mut self,
        journey: &Journey<'_>,
        node: &Node,
        owner: Id,
        belongings: &mut Belongings,
    ) -> Run<()> {
        let mut declared = declared(journey, node.target, |trigger| {
            trigger.is_none_or(|trigger| trigger.subscription().is_some())
        });
        for id in self.subscriptions_of(owner)? {
            let Some(row) = self.subscription(id)?.filter(|row| row.kind != EventKind::Compensate) else {
                continue;
            };
            match journey.carried(node, id, &row.activity) {
                Some(carried) => {
                    declared.retain(|ix| *ix != carried.target);
                    belongings.subscriptions.push(carried);
                }
                None => belongings.lost_subscriptions.push(id),
            }
        }
        belongings.new_subscriptions = declared;
        Ok(())
    }

    fn read_jobs(
        &mut self,
        journey: &Journey<'_>,
        node: &Node,
        owner: Id,
        belongings: &mut Belongings,
        report: &mut InstanceReport,
    ) -> Run<()> {
        let mut timers = declared(journey, node.target, |trigger| {
            matches!(trigger, Some(Trigger::Timer(_)))
        });
        let mut timeouts = timeouts(journey, node.target);
        let mut others = Vec::new();
        for id in self.jobs_of(owner)? {
            let Some(job) = self.job(id)?.cloned() else { continue };
            let carried = journey.carried(node, id, &job.activity);
            match (job.kind, carried) {
                (JobKind::Timer { .. }, Some(carried)) => {
                    timers.retain(|ix| *ix != carried.target);
                    belongings.jobs.push(carried);
                }
                (JobKind::TaskTimeout { listener, .. }, Some(carried)) if timeouts.contains(&listener) => {
                    timeouts.retain(|other| *other != listener);
                    belongings.jobs.push(carried);
                }
                (JobKind::Timer { .. } | JobKind::TaskTimeout { .. }, _) => belongings.lost_jobs.push(id),
                _ => others.push(self.text(id)),
            }
        }
        if !others.is_empty() {
            let jobs = others.join(", ");
            report
                .failures
                .push(format!("Process instance contains not migrated jobs: [{jobs}]"));
        }
        timers.retain(|ix| !journey.has_fired(node, *ix));
        timeouts.retain(|listener| !journey.has_timed_out(node, listener));
        (belongings.new_timers, belongings.new_timeouts) = (timers, timeouts);
        Ok(())
    }

    pub(super) fn carry_belongings(&mut self, journey: &Journey<'_>, node: &Node) -> Run<()> {
        let Some(owner) = node.what.owner() else {
            return Ok(());
        };
        for id in &node.belongings.variables {
            self.carry_variable(journey, *id)?;
        }
        match (&node.what, node.target) {
            (What::Transition(id), Some(Some(ix))) => return self.carry_continuation(journey, *id, ix),
            (What::Activity(id), Some(Some(ix))) => self.carry_tasks(journey, *id, ix)?,
            _ => {}
        }
        if !matches!(node.what, What::Instance(_) | What::Activity(_)) {
            return Ok(());
        }
        if let Some(target) = node.target {
            self.carry_own_incidents(journey, owner, target)?;
        }
        let site = Site {
            execution: owner,
            instance: journey.instance,
            definition: Arc::clone(&journey.target),
            ix: node.target.flatten(),
        };
        for carried in &node.belongings.subscriptions {
            self.carry_subscription(journey, &site, carried)?;
        }
        for carried in &node.belongings.jobs {
            self.carry_timer(journey, &site, carried)?;
        }
        for ix in &node.belongings.new_subscriptions {
            self.subscribe_to(&site, *ix)?;
        }
        for ix in &node.belongings.new_timers {
            self.start_timer_of(&site, *ix)?;
        }
        for listener in &node.belongings.new_timeouts {
            self.start_timeout(&site, listener)?;
        }
        Ok(())
    }

    fn start_timeout(&mut self, site: &Site, listener: &str) -> Run<()> {
        let definition = Arc::clone(&site.definition);
        let Some(task) = site.ix.map(|ix| definition.model.at(ix)) else {
            return Ok(());
        };
        let named = task
            .task_listeners
            .iter()
            .find(|other| other.id.as_deref() == Some(listener));
        match named.and_then(|listener| listener.timer.as_ref()) {
            Some(timer) => self.create_timeout_job(site, task, listener, timer),
            None => Ok(()),
        }
    }

    fn carry_variable(&mut self, journey: &Journey<'_>, id: Id) -> Run<()> {
        let Some(scope) = self.tables.variables.get(id).map(|row: &Variable| row.scope) else {
            return Ok(());
        };
        let scope_activity = self.execution(scope)?.map(|row| row.entered().to_owned());
        self.history.push(Change::HistoryVariableMigrated {
            id,
            definition: journey.target.row.id,
            definition_key: journey.target.row.key.clone(),
            scope,
            scope_activity,
        });
        Ok(())
    }

    fn carry_tasks(&mut self, journey: &Journey<'_>, execution: Id, ix: ElementIx) -> Run<()> {
        let (definition, key) = (journey.target.row.id, &journey.target.row.key);
        let activity = &journey.target.model.at(ix).id;
        let entered_as = self.execution(execution)?.and_then(|row| row.entered_as.clone());
        if let Some(id) = self.task_of(execution)? {
            self.migrate::<UserTask>(id, |row| {
                if let Some(place) = &mut row.place {
                    (place.definition, place.activity) = (definition, activity.clone());
                    place.entered_as.clone_from(&entered_as);
                }
            });
            if let Some(task) = self.task(id)?.cloned() {
                let definition_key = key.clone();
                self.history.push(Change::HistoryTaskMigrated { task, definition_key });
            }
        }
        if let Some(id) = self.external_task_of(execution)? {
            self.external_task(id)?;
            self.migrate::<ExternalTask>(id, |row| {
                (row.definition, row.activity) = (definition, activity.clone());
                row.definition_key.clone_from(key);
                row.entered_as = entered_as;
            });
            self.carry_incidents(journey, id, activity)?;
        }
        Ok(())
    }

    fn carry_continuation(&mut self, journey: &Journey<'_>, execution: Id, ix: ElementIx) -> Run<()> {
        let state = self.execution(execution)?.map(|row| row.state.clone());
        let moment = match state {
            Some(ExecutionState::AsyncAfter { .. }) => ASYNC_AFTER,
            _ => ASYNC_BEFORE,
        };
        for id in self.jobs_of(execution)? {
            self.carry_job(journey, id, ix, Some(moment))?;
        }
        Ok(())
    }

    fn carry_timer(&mut self, journey: &Journey<'_>, site: &Site, carried: &Carried) -> Run<()> {
        self.carry_job(journey, carried.id, carried.target, None)?;
        if carried.update {
            self.renew_timer(site, carried.id, carried.target)?;
        }
        Ok(())
    }

    fn carry_job(&mut self, journey: &Journey<'_>, id: Id, ix: ElementIx, moment: Option<&str>) -> Run<()> {
        let row = &journey.target.row;
        let activity = &journey.target.model.at(ix).id;
        let job_definition = crate::core::job::job_definition(&journey.target, activity, moment);
        let job_definition = job_definition.map(|jobs| jobs.id);
        self.job(id)?;
        self.migrate::<Job>(id, |job| {
            (job.definition, job.definition_key) = (Some(row.id), Some(row.key.clone()));
            job.activity.clone_from(activity);
            job.job_definition = job_definition.or(job.job_definition);
        });
        self.carry_incidents(journey, id, activity)
    }

    fn carry_subscription(&mut self, journey: &Journey<'_>, site: &Site, carried: &Carried) -> Run<()> {
        let element = journey.target.model.at(carried.target);
        let name = match carried.update {
            true => self.event_name(site, carried.target)?,
            false => None,
        };
        self.migrate::<EventSubscription>(carried.id, |row| {
            (row.definition, row.activity) = (journey.target.row.id, element.id.clone());
            if let Some(name) = name {
                row.name = name;
            }
        });
        Ok(())
    }

    fn carry_incidents(&mut self, journey: &Journey<'_>, configuration: Id, activity: &str) -> Run<()> {
        for incident in self.incidents_of(configuration)? {
            self.carry_incident(journey, incident.id, activity);
        }
        Ok(())
    }

    /// Those that somebody has made, and those of called instances: what they are about is not among the rows here.
    fn carry_own_incidents(&mut self, journey: &Journey<'_>, execution: Id, target: Scope) -> Run<()> {
        let Some(ix) = target else { return Ok(()) };
        for incident in self.view.incidents_of_execution(execution)? {
            if incident.custom.is_some() || incident.is_handed_on() {
                let id = incident.id;
                self.tables.incidents.load(incident);
                self.carry_incident(journey, id, &journey.target.model.at(ix).id);
            }
        }
        Ok(())
    }

    fn carry_incident(&mut self, journey: &Journey<'_>, id: Id, activity: &str) {
        let definition = journey.target.row.id;
        self.migrate::<Incident>(id, |row| {
            row.definition = Some(definition);
            activity.clone_into(&mut row.activity);
        });
        self.history.push(Change::HistoryIncidentMigrated {
            id,
            definition,
            definition_key: journey.target.row.key.clone(),
            activity: activity.to_owned(),
        });
    }
}

/// The events of a kind that an instance of a scope of the target waits for.
fn declared(journey: &Journey<'_>, target: Option<Scope>, kind: impl Fn(Option<&Trigger>) -> bool) -> Vec<ElementIx> {
    let Some(scope) = target else { return Vec::new() };
    let model = &journey.target.model;
    let mut events = model.events_of(scope);
    events.retain(|ix| kind(model.trigger(*ix)));
    events
}

/// The timeout listeners of a user task of the target.
fn timeouts(journey: &Journey<'_>, target: Option<Scope>) -> Vec<String> {
    let task = target.flatten().map(|ix| journey.target.model.at(ix));
    let listeners = task.into_iter().flat_map(|task| &task.task_listeners);
    listeners
        .filter(|listener| listener.timer.is_some())
        .filter_map(|listener| listener.id.clone())
        .collect()
}

impl Journey<'_> {
    /// An event goes along where it is mapped to one that the node will wait for.
    fn carried(&self, node: &Node, id: Id, activity: &str) -> Option<Carried> {
        let (position, target) = self.mapped(activity)?;
        let scope = event_scope(&self.target.model, target)?;
        (node.target == Some(scope)).then(|| Carried {
            id,
            target,
            update: self.migration.instructions[position].update_event_trigger,
        })
    }

    /// A timer on a boundary that interrupts nothing and has no job has fired: it does not begin again. As in Camunda,
    /// that is not seen of an event sub-process.
    fn has_fired(&self, node: &Node, timer: ElementIx) -> bool {
        let interrupts = match &self.target.model.at(timer).kind {
            Kind::Boundary(boundary) => boundary.interrupting,
            _ => return false,
        };
        let source = &self.source.model;
        let mut timers = source.events_of(node.source);
        timers.retain(|ix| matches!(source.trigger(*ix), Some(Trigger::Timer(_))));
        !interrupts
            && timers
                .iter()
                .filter_map(|ix| self.mapped(&source.at(*ix).id))
                .any(|(_, target)| target == timer)
    }

    /// A timeout listener that the source has, too, has been called.
    fn has_timed_out(&self, node: &Node, listener: &str) -> bool {
        let task = node.source.map(|ix| self.source.model.at(ix));
        task.is_some_and(|task| {
            let known =
                |other: &crate::model::TaskListener| other.timer.is_some() && other.id.as_deref() == Some(listener);
            task.task_listeners.iter().any(known)
        })
    }
}
