//! Compensation. An activity that has a handler and is left subscribes its scope to compensation. A scope that is left
//! with such subscriptions stays as an ended execution, with a snapshot of its variables. An event that throws
//! compensation runs the handlers, the latest first, each in an execution below its own; what compensates an ended scope
//! runs in that. The event goes on when all have ended.

use super::halt::{Halt, Run};
use super::place::Place;
use super::work::Work;
use crate::id::{Id, Millis};
use crate::model::{Boundary, ElementIx, EndKind, Kind, ListenerEvent, Trigger};
use crate::row::{EventKind, EventSubscription, Execution, ExecutionState};

impl Work<'_> {
    /// An activity is being left: it can be compensated from now on.
    pub(super) fn remember_for_compensation(&mut self, place: &Place) -> Run<()> {
        if !place.model().compensates {
            return Ok(());
        }
        let element = place.element();
        if matches!(element.kind, Kind::SubProcess { .. } | Kind::MultiInstance(_)) {
            self.keep_scope(place)?;
        }
        match element.compensation_handler {
            Some(handler) if !is_event_sub_process(place, handler) => {
                let now = self.now();
                self.subscribe_compensation(place, place.parent, handler, now, None)
            }
            _ => Ok(()),
        }
    }

    /// Keeps what a scope that is being left knows of its compensation.
    fn keep_scope(&mut self, place: &Place) -> Run<()> {
        let own = self.compensations_of(place.execution)?;
        let handler = place
            .element()
            .compensation_handler
            .filter(|handler| is_event_sub_process(place, *handler));
        if own.is_empty() && handler.is_none() {
            return Ok(());
        }
        let kept = self.id()?;
        self.insert(Execution {
            id: kept,
            instance: place.instance,
            definition: place.definition.row.id,
            parent: place.parent,
            activity: place.element().id.clone(),
            state: ExecutionState::Ended,
            start_time: self.now(),
            suspended: false,
            entered_as: None,
        });
        let counted = self.loop_variables(place);
        for (name, value) in self.local_values(place.execution)? {
            // Camunda keeps the counter and the item of a parallel instance outside of its scope.
            if !counted.iter().any(|own| *own == name) {
                self.set_local_variable(kept, &name, value, false)?;
            }
        }
        for row in own {
            let id = self.id()?;
            self.insert(EventSubscription {
                id,
                execution: Some(kept),
                ..row
            });
        }
        for child in self.children(place.execution)? {
            if self.is_in(child, &ExecutionState::Ended)? {
                self.move_execution(child, kept);
            }
        }
        let now = self.now();
        self.subscribe_compensation(place, place.parent, handler.unwrap_or(place.ix), now, Some(kept))
    }

    fn is_in(&mut self, execution: Id, state: &ExecutionState) -> Run<bool> {
        Ok(self.execution(execution)?.is_some_and(|row| row.state == *state))
    }

    pub(super) fn move_execution(&mut self, execution: Id, parent: Id) {
        let before = self.tables.executions.get(execution).map(|row| row.parent);
        self.change::<Execution>(execution, |row| row.parent = parent);
        self.tables.executions.relist(execution, before);
    }

    fn subscribe_compensation(
        &mut self,
        place: &Place,
        scope: Id,
        handler: ElementIx,
        created: Millis,
        kept: Option<Id>,
    ) -> Run<()> {
        let id = self.id()?;
        let Some(instance) = self.instance(place.instance)? else {
            return Ok(());
        };
        let (tenant, business_key) = (instance.tenant.clone(), instance.business_key.clone());
        self.insert(EventSubscription {
            id,
            kind: EventKind::Compensate,
            name: String::new(),
            instance: Some(place.instance),
            execution: Some(scope),
            definition: place.definition.row.id,
            activity: place.model().at(handler).id.clone(),
            created,
            tenant,
            business_key,
            configuration: kept.map(|kept| kept.0.to_string()),
        });
        Ok(())
    }

    fn compensations_of(&mut self, scope: Id) -> Run<Vec<EventSubscription>> {
        let mut found = Vec::new();
        for id in self.subscriptions_of(scope)? {
            found.extend(
                self.subscription(id)?
                    .filter(|row| row.kind == EventKind::Compensate)
                    .cloned(),
            );
        }
        Ok(found)
    }

    /// What an event compensates: all of its scope, and of the scope around where it is in an event sub-process; or one
    /// activity of these.
    pub(super) fn compensations_for(&mut self, place: &Place, activity: Option<&str>) -> Run<Vec<EventSubscription>> {
        let mut found = self.compensations_of(place.parent)?;
        let mut scope = self.find_place(place.parent)?;
        while let Some(around) =
            scope.filter(|scope| matches!(scope.element().kind, Kind::SubProcess { by_event: true, .. }))
        {
            found.extend(self.compensations_of(around.parent)?);
            scope = self.find_place(around.parent)?;
        }
        if let Some(activity) = activity {
            let model = place.model();
            let wanted = model.find(activity).map(|ix| {
                let element = model.at(ix);
                match (element.scope.map(|scope| model.at(scope)), element.compensation_handler) {
                    (Some(body), _) if matches!(body.kind, Kind::MultiInstance(_)) => body.id.as_str(),
                    (_, Some(handler)) => model.at(handler).id.as_str(),
                    _ => activity,
                }
            });
            found.retain(|row| Some(row.activity.as_str()) == wanted);
        }
        Ok(found)
    }

    /// Runs what compensates, below the execution that throws it: the latest first.
    pub(super) fn compensate(&mut self, thrower: &Place, mut rows: Vec<EventSubscription>) -> Run<()> {
        let mut runs = Vec::new();
        // All are there before the first begins: it may end at once.
        for row in rows.drain(..) {
            let execution = self.compensating_execution(thrower, &row)?;
            runs.push((row, execution));
        }
        runs.sort_by_key(|(row, _)| std::cmp::Reverse((row.created, row.id)));
        for (row, execution) in runs {
            // One of them may have ended the event that throws them.
            if self.execution(execution)?.is_none() {
                continue;
            }
            self.remove::<EventSubscription>(row.id);
            let place = self.place(execution)?;
            let Some(handler) = place.model().find(&row.activity) else {
                return Err(Halt::execution(format!(
                    "the process model has no element '{}'",
                    row.activity
                )));
            };
            self.attempt(|work| work.run_compensation(&place, handler))?;
        }
        Ok(())
    }

    fn run_compensation(&mut self, place: &Place, handler: ElementIx) -> Run<()> {
        self.count_step(&place.model().at(handler).id)?;
        if !self.is_in(place.execution, &ExecutionState::Compensating)? {
            return self.begin(place);
        }
        // Another event sub-process has ended in it, and what was done there is undone.
        if place.model().at(handler).for_compensation {
            let execution = self.spawn(place.instance, place.execution, &place.definition, handler)?;
            let place = self.place(execution)?;
            return self.begin(&place);
        }
        let rows = self.compensations_of(place.execution)?;
        self.compensate(place, rows)
    }

    /// The execution in which a handler runs: that of the scope that has ended, or one of its own.
    fn compensating_execution(&mut self, thrower: &Place, row: &EventSubscription) -> Run<Id> {
        let kept = row.configuration.as_ref().and_then(|text| text.parse().ok()).map(Id);
        if let Some(kept) = kept {
            self.place(kept)?;
            self.move_execution(kept, thrower.execution);
            self.change::<Execution>(kept, |row| row.state = ExecutionState::Compensating);
            return Ok(kept);
        }
        let Some(handler) = thrower.model().find(&row.activity) else {
            return Err(Halt::execution(format!(
                "the process model has no element '{}'",
                row.activity
            )));
        };
        self.spawn(thrower.instance, thrower.execution, &thrower.definition, handler)
    }

    /// Whether what runs below a place compensates something.
    pub(super) fn waits_for_compensation(&mut self, place: &Place) -> Run<bool> {
        Ok(place.element().throws_compensation() || self.is_in(place.execution, &ExecutionState::Compensating)?)
    }

    /// Whether an activity runs because something is compensated.
    pub(super) fn compensates_something(&mut self, place: &Place) -> Run<bool> {
        if !place.element().for_compensation {
            return Ok(false);
        }
        let mut scope = self.find_place(place.parent)?;
        while let Some(around) = scope {
            if around.element().throws_compensation() {
                return Ok(true);
            }
            scope = self.find_place(around.parent)?;
        }
        Ok(false)
    }

    /// What compensates has ended. It has no output parameters, as in Camunda.
    pub(super) fn end_compensation(&mut self, place: &Place) -> Run<()> {
        self.listeners(place, ListenerEvent::End)?;
        self.history.activity_end(place.execution, self.now(), false, false);
        self.dispose(place)?;
        self.compensated(place.parent)
    }

    /// One of those that run below an execution has ended: where it was the last, the execution goes on.
    pub(super) fn compensated(&mut self, execution: Id) -> Run<()> {
        let Some(place) = self.find_place(execution)? else {
            return Ok(());
        };
        if !self.live_children(execution)?.is_empty() {
            return Ok(());
        }
        if self.is_in(execution, &ExecutionState::Compensating)? {
            self.dispose(&place)?;
            return self.compensated(place.parent);
        }
        match place.element().kind {
            Kind::End(EndKind::Cancel) => self.cancel_transaction(&place),
            _ => self.leave(&place),
        }
    }

    /// A transaction has compensated all: its cancel boundary event goes on.
    pub(super) fn cancel_transaction(&mut self, place: &Place) -> Run<()> {
        let mut host = self.find_place(place.parent)?;
        while let Some(scope) = host {
            let boundary = scope.element().boundary.iter().copied().find(|event| {
                matches!(
                    &scope.model().at(*event).kind,
                    Kind::Boundary(Boundary {
                        trigger: Trigger::Cancel,
                        ..
                    })
                )
            });
            if let Some(event) = boundary {
                return self.fire_boundary(&scope, event, true, &[]);
            }
            // The event of a multi-instance transaction is on its body.
            let around = self.find_place(scope.parent)?;
            host = around.filter(|around| matches!(around.element().kind, Kind::MultiInstance(_)));
        }
        Err(crate::MachineError::NullValue(format!(
            "Could not find cancel boundary event for cancel end event {}: cancelBoundaryEvent is null",
            place.element().id
        ))
        .into())
    }

    /// An event sub-process interrupts the scope that it is in. The history of a user task says so where the task is all
    /// that is done there, and no scope itself: in Camunda it is the scope's own execution then.
    pub(super) fn interrupt_for(&mut self, scope: Id, sub_process: &str) -> Run<()> {
        if let [only] = self.live_children(scope)?[..]
            && !self.place(only)?.element().is_scope
        {
            self.task_delete_reason = Some(format!("Interrupting activity Activity({sub_process}) executed."));
        }
        let outcome = self.interrupt_scope(scope, None);
        self.task_delete_reason = None;
        self.interrupted.insert(scope);
        outcome
    }

    /// Everything else in the scope of an event ends before it: what the scope waits for, too, but what has ended can
    /// still be compensated.
    pub(super) fn interrupt_scope(&mut self, scope: Id, but: Option<Id>) -> Run<()> {
        for child in self.live_children(scope)? {
            if Some(child) != but {
                self.cancel(child)?;
            }
        }
        for id in self.subscriptions_of(scope)? {
            if self
                .subscription(id)?
                .is_some_and(|row| row.kind != EventKind::Compensate)
            {
                self.remove::<EventSubscription>(id);
            }
        }
        self.drop_jobs(scope)
    }
}

fn is_event_sub_process(place: &Place, ix: ElementIx) -> bool {
    matches!(place.model().at(ix).kind, Kind::SubProcess { by_event: true, .. })
}
