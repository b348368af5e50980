//! The life of an activity instance, in Camunda's order: job before it, the instance, subscriptions, input parameters,
//! timers, start listeners, behaviour, end listeners, output parameters, job after it, take listeners, next.

use std::sync::Arc;

use smallvec::SmallVec;

use super::agenda::Op;
use super::behaviour;
use super::context::Site;
use super::halt::{Halt, Run};
use super::place::Place;
use super::work::Work;
use crate::id::Id;
use crate::model::{CatchKind, ElementIx, FlowIx, Kind, ListenerEvent};
use crate::row::{Execution, ExecutionState, HistoricActivity};
use crate::view::Definition;

/// The flows that a token takes at once.
pub(super) type Flows = SmallVec<[FlowIx; 4]>;

impl Work<'_> {
    /// Makes an execution for a token that goes to an element; its activity starts when it arrives.
    pub(super) fn spawn(&mut self, instance: Id, parent: Id, definition: &Arc<Definition>, ix: ElementIx) -> Run<Id> {
        let id = self.id()?;
        self.insert(Execution {
            id,
            instance,
            definition: definition.row.id,
            parent,
            activity: definition.model.at(ix).id.clone(),
            state: ExecutionState::Active,
            start_time: self.now(),
            suspended: false,
            entered_as: None,
        });
        self.on_the_way.insert(id);
        Ok(id)
    }

    /// Makes an execution and sends its token on its way.
    pub(super) fn send(&mut self, instance: Id, parent: Id, definition: &Arc<Definition>, ix: ElementIx) -> Run<Id> {
        let execution = self.spawn(instance, parent, definition, ix)?;
        self.agenda.push(Op::Arrive { execution, flow: None });
        Ok(execution)
    }

    /// A token arrives at an element.
    pub(super) fn arrive(&mut self, place: &Place, flow: Option<FlowIx>) -> Run<()> {
        self.come_to(place);
        if let Some(flow) = flow {
            self.take_listeners(place, flow)?;
            self.came_by.insert(place.execution, flow);
            if !self.show_changes(place)? {
                return Ok(());
            }
        }
        if let Kind::End(end) = &place.element().kind
            && end.interrupts_scope()
        {
            self.interrupt_scope(place.parent, Some(place.execution))?;
        }
        self.count_step(&place.element().id)?;
        if place.element().async_before {
            self.on_the_way.remove(&place.execution);
            self.change::<Execution>(place.execution, |row| row.state = ExecutionState::AsyncBefore);
            return self.create_async_job(place, place.execution);
        }
        self.begin(place)
    }

    /// Starts the activity instance.
    pub(super) fn begin(&mut self, place: &Place) -> Run<()> {
        if self.enter(place)? {
            behaviour::execute(self, place)
        } else {
            Ok(())
        }
    }

    /// Starts an activity instance without what its behaviour does: a scope into which a token is put. Whether it is
    /// still there: a condition may have ended it.
    pub(super) fn enter(&mut self, place: &Place) -> Run<bool> {
        if !self.enter_unseen(place)? {
            return Ok(false);
        }
        let looked_at = place.element().is_scope && place.model().conditional && !is_handler(place);
        Ok(!looked_at || self.show_scope(place.execution)?)
    }

    /// The same, but conditions that hold already are not looked at.
    pub(super) fn enter_unseen(&mut self, place: &Place) -> Run<bool> {
        self.come_to(place);
        let now = self.now();
        if !self.on_the_way.remove(&place.execution) {
            self.change::<Execution>(place.execution, |row| {
                row.state = ExecutionState::Active;
                row.start_time = now;
            });
        }
        self.starting.insert(place.execution);
        self.activity_history(place)?;
        if place.element().is_scope {
            self.open_scope(place)?;
        }
        self.listeners(place, ListenerEvent::Start)?;
        let goes_on = self.show_changes(place)?;
        self.starting.remove(&place.execution);
        Ok(goes_on)
    }

    /// Subscriptions, input parameters and timers of an activity instance that is a scope.
    fn open_scope(&mut self, place: &Place) -> Run<()> {
        let waits = !is_handler(place);
        if waits {
            self.subscribe(place)?;
        }
        self.declare(place)?;
        self.map_inputs(place)?;
        if waits {
            self.start_timers(place)?;
        }
        self.start_timeouts(place)
    }

    fn activity_history(&mut self, place: &Place) -> Run<()> {
        if matches!(place.element().kind, Kind::Catch(CatchKind::Link)) {
            // The history of Camunda has no links.
            self.history.leave_out(place.execution);
            return Ok(());
        }
        let parent_activity = self.execution(place.parent)?.map(|row| row.entered().to_owned());
        let Some(instance) = self.instance(place.instance)? else {
            return Ok(());
        };
        let (root, tenant) = (instance.root, instance.tenant.clone());
        let element = place.element();
        let row = HistoricActivity {
            id: place.execution,
            parent: place.parent,
            parent_activity,
            instance: place.instance,
            root,
            definition: place.definition.row.id,
            definition_key: place.definition.row.key.clone(),
            activity: element.id.clone(),
            activity_name: element.name.clone(),
            activity_type: element.activity_type.to_owned(),
            task: None,
            assignee: None,
            called_instance: None,
            start_time: self.now(),
            end_time: None,
            canceled: false,
            complete_scope: false,
            tenant,
            removal_time: None,
            entered_as: None,
        };
        self.history.activity_start(row);
        Ok(())
    }

    /// Leaves an activity as most do: by all flows whose conditions hold, or else by the default flow, or, where it has
    /// none, the path ends. What compensates something ends there.
    pub(super) fn leave(&mut self, place: &Place) -> Run<()> {
        if !self.show_changes(place)? {
            return Ok(());
        }
        self.ending.insert(place.execution);
        self.remember_for_compensation(place)?;
        let flows = self.outgoing(place)?;
        if flows.is_empty() && self.compensates_something(place)? {
            return self.end_compensation(place);
        }
        self.leave_by(place, &flows)
    }

    fn outgoing(&mut self, place: &Place) -> Run<Flows> {
        let element = place.element();
        let mut flows = Flows::new();
        for ix in &element.outgoing {
            if element.default_flow != Some(*ix) && self.holds(place, *ix)? {
                flows.push(*ix);
            }
        }
        if flows.is_empty() {
            flows.extend(element.default_flow);
        }
        if flows.is_empty() && !element.outgoing.is_empty() {
            return Err(Halt::execution(format!(
                "ENGINE-02006 No conditional sequence flow leaving the Flow Node '{}' could be selected for continuing the process.",
                element.id
            )));
        }
        Ok(flows)
    }

    /// Whether a flow may be taken. A flow without a condition always is.
    pub(super) fn holds(&mut self, place: &Place, flow: FlowIx) -> Run<bool> {
        match &place.model().flow(flow).condition {
            Some(condition) => self.condition_holds(&Site::from(place), condition),
            None => Ok(true),
        }
    }

    /// Leaves an activity by these flows; where there is none, the path ends.
    pub(super) fn leave_by(&mut self, place: &Place, flows: &[FlowIx]) -> Run<()> {
        self.come_to(place);
        self.ending.insert(place.execution);
        self.end_listeners(place)?;
        self.history
            .activity_end(place.execution, self.now(), false, flows.is_empty());
        if !self.show_changes(place)? {
            return Ok(());
        }
        if flows.is_empty() {
            // At the end of a whole instance Camunda makes no job.
            if place.element().async_after && place.parent != place.instance {
                return self.wait_after(place, place.execution, &[]);
            }
            return self.end_path(place);
        }
        self.map_outputs(place)?;
        if place.element().async_after {
            self.dispose_holdings(place)?;
            for (position, flow) in flows.iter().enumerate() {
                let execution = match position {
                    0 => place.execution,
                    _ => {
                        let execution = self.spawn(place.instance, place.parent, &place.definition, place.ix)?;
                        self.on_the_way.remove(&execution);
                        execution
                    }
                };
                self.wait_after(place, execution, &[*flow])?;
            }
            return Ok(());
        }
        self.dispose(place)?;
        self.take(place, flows)
    }

    /// All flows that leave an element.
    pub(super) fn all_outgoing(place: &Place) -> Flows {
        place.element().outgoing.iter().copied().collect()
    }

    /// A job continues behind the activity.
    fn wait_after(&mut self, place: &Place, execution: Id, flows: &[FlowIx]) -> Run<()> {
        let flows = flows.iter().map(|flow| place.model().flow(*flow).id.clone()).collect();
        self.change::<Execution>(execution, |row| row.state = ExecutionState::AsyncAfter { flows });
        self.create_async_job(place, execution)
    }

    /// The job behind an activity runs: the token goes on.
    pub(super) fn continue_after(&mut self, place: &Place, flows: &[String]) -> Run<()> {
        if flows.is_empty() {
            return self.end_path(place);
        }
        let mut taken = Flows::new();
        for id in flows {
            let flow = place.model().find_flow(id);
            taken.push(flow.ok_or_else(|| Halt::execution(format!("the process model has no sequence flow '{id}'")))?);
        }
        self.dispose(place)?;
        self.take(place, &taken)
    }

    /// Sends a token on each flow; the first moves first.
    fn take(&mut self, place: &Place, flows: &[FlowIx]) -> Run<()> {
        let mut ops = SmallVec::<[Op; 4]>::new();
        for flow in flows {
            let target = place.model().flow(*flow).target;
            let execution = self.spawn(place.instance, place.parent, &place.definition, target)?;
            ops.push(Op::Arrive {
                execution,
                flow: Some(*flow),
            });
        }
        self.agenda.extend(ops.into_iter().rev());
        Ok(())
    }

    /// Ends a path: the activity instance is over, and its scope may be.
    pub(super) fn end_path(&mut self, place: &Place) -> Run<()> {
        self.map_outputs(place)?;
        self.keep_loop(place)?;
        self.dispose(place)?;
        if place.parent == place.instance {
            self.last_activity.insert(place.instance, place.element().id.clone());
        }
        self.agenda.push(Op::ChildEnded { scope: place.parent });
        Ok(())
    }

    /// Ends an activity instance where it is, as if it were a none end event: its listeners are called.
    pub(super) fn end(&mut self, place: &Place, complete_scope: bool) -> Run<()> {
        self.end_listeners(place)?;
        self.history
            .activity_end(place.execution, self.now(), false, complete_scope);
        self.end_path(place)
    }

    /// Calls the end listeners, and remembers where one failed.
    fn end_listeners(&mut self, place: &Place) -> Run<()> {
        let outcome = self.listeners(place, ListenerEvent::End);
        if matches!(outcome, Err(Halt::Thrown(_))) {
            self.end_listeners_failed.insert(place.execution);
        }
        outcome
    }

    /// Ends a token that another one of its join goes on for.
    pub(super) fn join_into(&mut self, place: &Place, complete_scope: bool) -> Run<()> {
        self.end_listeners(place)?;
        self.history
            .activity_end(place.execution, self.now(), false, complete_scope);
        self.map_outputs(place)?;
        self.dispose(place)
    }
}

/// Whether it runs because something is compensated. Camunda gives a handler the execution of what it compensates, and
/// so prepares no scope of its own: there are no subscriptions, timers and conditions.
fn is_handler(place: &Place) -> bool {
    let around = place.element().scope.map(|ix| &place.model().at(ix).kind);
    place.element().for_compensation && !matches!(around, Some(Kind::MultiInstance(_)))
}
