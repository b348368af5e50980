//! Modification: tokens are cancelled and put elsewhere, step by step, while the instance stays
//! (`ModifyProcessInstanceCmd`, `AbstractInstantiationCmd`, `AbstractInstanceCancellationCmd`).

use std::sync::Arc;

use crate::command::{Instruction, Modification, StartAt, StartPoint};
use crate::core::agenda::Op;
use crate::core::behaviour;
use crate::core::cancel::no_such_instance;
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::error::MachineError;
use crate::id::Id;
use crate::model::{ElementIx, FlowIx, Kind, ProcessModel};
use crate::row::{Execution, ExecutionState};
use crate::view::Definition;

/// The delete reason of an instance of which a modification has left nothing.
const REASON: &str = "Cancellation via API";

/// Where a token is to be put: an element, by a flow or not.
struct Target {
    element: ElementIx,
    flow: Option<FlowIx>,
}

impl Work<'_> {
    pub(in crate::core) fn modify_instance(&mut self, id: Id, modification: &Modification) -> Run<()> {
        let Some(definition) = self.instance(id)?.map(|row| row.definition) else {
            return Err(no_such_instance(&self.text(id)).into());
        };
        let definition = self.known_definition(definition)?;
        self.skip_listeners = modification.skip_custom_listeners;
        self.skip_io_mappings = modification.skip_io_mappings;
        self.preserved = Some(id);
        let mut ended_by_itself = false;
        for instruction in &modification.instructions {
            match instruction {
                Instruction::Start(start) => {
                    self.put_token(id, &definition, start)?;
                    self.run_agenda()?;
                    ended_by_itself = true;
                }
                Instruction::CancelActivity(activity) => {
                    self.cancel_activity(id, &definition, activity)?;
                    ended_by_itself = false;
                }
                Instruction::CancelActivityInstance(execution) => {
                    self.cancel_one(id, *execution, false)?;
                    ended_by_itself = false;
                }
                Instruction::CancelTransitionInstance(execution) => {
                    self.cancel_one(id, *execution, true)?;
                    ended_by_itself = false;
                }
            }
        }
        self.preserved = None;
        if self.instance(id)?.is_some() && self.live_children(id)?.is_empty() {
            if ended_by_itself {
                self.end_instance(id, None)?;
            } else {
                let reason = modification.reason.as_deref().unwrap_or(REASON);
                self.terminate(id, Some(reason))?;
            }
        }
        self.run_agenda()
    }

    /// Puts the first tokens of an instance that does not begin at its start event.
    pub(super) fn start_by_instructions(&mut self, id: Id, at: &[StartAt]) -> Run<()> {
        let Some(definition) = self.instance(id)?.map(|row| row.definition) else {
            return Ok(());
        };
        let definition = self.known_definition(definition)?;
        let outer = self.preserved.replace(id);
        for start in at {
            self.put_token(id, &definition, start)?;
            self.run_agenda()?;
        }
        self.preserved = outer;
        if self.instance(id)?.is_some() && self.live_children(id)?.is_empty() {
            self.end_instance(id, None)?;
        }
        Ok(())
    }

    /// Puts a token somewhere, with the scopes around that there are not.
    fn put_token(&mut self, instance: Id, definition: &Arc<Definition>, start: &StartAt) -> Run<()> {
        let model = &definition.model;
        let target = find_target(model, &start.point)?;
        let (scope, missing) = match start.ancestor {
            Some(ancestor) => self.below_ancestor(instance, model, &target, ancestor)?,
            None => self.nearest_scope(instance, model, &target)?,
        };
        let outermost = missing.last().copied().unwrap_or(target.element);
        let scope = self.make_room(definition, scope, outermost)?;
        let mut parent = scope;
        for ix in missing.into_iter().rev() {
            parent = self.enter_missing_scope(instance, parent, definition, ix)?;
        }
        let execution = self.spawn(instance, parent, definition, target.element)?;
        self.join_multi_instance(parent, execution)?;
        self.set_variables(parent, &start.variables)?;
        self.set_local_variables(execution, &start.local_variables)?;
        self.agenda.push(Op::Arrive {
            execution,
            flow: target.flow,
        });
        Ok(())
    }

    /// The innermost scope instance around the target that there is, and the scopes between, innermost first.
    fn nearest_scope(&mut self, instance: Id, model: &ProcessModel, target: &Target) -> Run<(Id, Vec<ElementIx>)> {
        let mut missing = Vec::new();
        let mut scope = model.at(target.element).scope;
        while let Some(ix) = scope {
            let id = &model.at(ix).id;
            let found = self.active_instances_of(instance, id)?;
            match found.as_slice() {
                [] => {
                    missing.push(ix);
                    scope = model.at(ix).scope;
                }
                [only] => return Ok((*only, missing)),
                _ => {
                    return Err(Halt::execution(format!(
                        "Ancestor activity execution is ambiguous for activity {id}"
                    )));
                }
            }
        }
        Ok((instance, missing))
    }

    /// The scopes between the target and the scope instance that was named.
    fn below_ancestor(
        &mut self,
        instance: Id,
        model: &ProcessModel,
        target: &Target,
        ancestor: Id,
    ) -> Run<(Id, Vec<ElementIx>)> {
        let text = self.text(ancestor);
        let named = if ancestor == instance {
            None
        } else {
            match self.execution(ancestor)?.filter(|row| row.instance == instance) {
                Some(row) => model.find(&row.activity),
                None => {
                    return Err(MachineError::NotValid(format!(
                        "Cannot perform instruction: Ancestor activity instance '{text}' does not exist: ancestorInstance is null"
                    ))
                    .into());
                }
            }
        };
        let mut missing = Vec::new();
        let mut scope = model.at(target.element).scope;
        while scope != named {
            let Some(ix) = scope else {
                return Err(MachineError::NotValid(format!(
                    "Cannot perform instruction: Scope execution for '{text}' cannot be found in parent hierarchy of flow element '{}'",
                    model.at(target.element).id
                ))
                .into());
            };
            missing.push(ix);
            scope = model.at(ix).scope;
        }
        Ok((ancestor, missing))
    }

    /// What interrupts its scope or its activity does so too when a token is put there. Returns the scope that the
    /// token goes into.
    fn make_room(&mut self, definition: &Arc<Definition>, scope: Id, outermost: ElementIx) -> Run<Id> {
        let model = &definition.model;
        match &model.at(outermost).kind {
            Kind::SubProcess { by_event: true, .. } => {
                let interrupting = model
                    .starts_of(Some(outermost))
                    .next()
                    .is_some_and(|(_, _, start)| start.interrupting);
                if interrupting {
                    self.interrupt_for(scope, &model.at(outermost).id)?;
                }
            }
            Kind::Boundary(boundary) if boundary.interrupting => {
                let host = model.at(boundary.host).id.clone();
                for child in self.children(scope)? {
                    if self.execution(child)?.is_some_and(|row| row.activity == host) {
                        self.cancel(child)?;
                    }
                }
            }
            _ => {}
        }
        Ok(scope)
    }

    fn enter_missing_scope(
        &mut self,
        instance: Id,
        parent: Id,
        definition: &Arc<Definition>,
        ix: ElementIx,
    ) -> Run<Id> {
        let execution = self.spawn(instance, parent, definition, ix)?;
        self.join_multi_instance(parent, execution)?;
        self.count_step(&definition.model.at(ix).id)?;
        let place = self.place(execution)?;
        if !self.enter(&place)? {
            return Err(Halt::execution(format!(
                "the scope '{}' was ended by an event while it was entered",
                place.element().id
            )));
        }
        if matches!(place.element().kind, Kind::MultiInstance(_)) {
            behaviour::open_multi_instance(self, execution)?;
        }
        Ok(execution)
    }

    /// An inner instance of a multi-instance activity is counted.
    fn join_multi_instance(&mut self, parent: Id, execution: Id) -> Run<()> {
        let Some(body) = self.find_place(parent)? else {
            return Ok(());
        };
        if let Kind::MultiInstance(multi) = &body.element().kind {
            let others = self.live_children(parent)?.len() - 1;
            if multi.sequential && others > 0 {
                return Err(Halt::execution(format!(
                    "Concurrent instantiation not possible for activities in scope {}",
                    body.element().id
                )));
            }
            behaviour::add_inner_instance(self, multi, parent, execution)?;
        }
        Ok(())
    }

    fn cancel_activity(&mut self, instance: Id, definition: &Definition, activity: &str) -> Run<()> {
        if definition.model.find(activity).is_none() {
            return Err(MachineError::NotValid(format!(
                "Cannot perform instruction: Cancel all instances of activity '{activity}'; Activity '{activity}' does not exist: activity is null"
            ))
            .into());
        }
        for execution in self.all_instances_of(instance, activity)? {
            // One may have gone with another.
            if self.execution(execution)?.is_some() {
                self.cancel_upwards(instance, execution)?;
            }
        }
        Ok(())
    }

    pub(super) fn cancel_one(&mut self, instance: Id, execution: Id, transition: bool) -> Run<()> {
        let waits = |state: &ExecutionState| {
            matches!(state, ExecutionState::AsyncBefore | ExecutionState::AsyncAfter { .. }) == transition
        };
        if execution == instance && !transition {
            return self.cancel_children(instance);
        }
        let found = self
            .execution(execution)?
            .is_some_and(|row| row.instance == instance && waits(&row.state));
        if !found {
            let (what, name) = match transition {
                true => ("transition", "transitionInstance"),
                false => ("activity", "activityInstance"),
            };
            let text = self.text(execution);
            let title = if transition { "Transition" } else { "Activity" };
            return Err(MachineError::NotValid(format!(
                "Cannot perform instruction: Cancel {what} instance '{text}'; {title} instance '{text}' does not exist: {name} is null"
            ))
            .into());
        }
        self.cancel_upwards(instance, execution)
    }

    /// Cancels an execution, and the scopes around it in which nothing else runs.
    fn cancel_upwards(&mut self, instance: Id, execution: Id) -> Run<()> {
        let mut top = execution;
        loop {
            let Some(parent) = self.execution(top)?.map(|row| row.parent) else {
                return Ok(());
            };
            if parent == instance || self.live_children(parent)?.len() > 1 {
                self.cancel(top)?;
                if let Some(body) = self.find_place(parent)?
                    && matches!(body.element().kind, Kind::MultiInstance(_))
                {
                    behaviour::remove_inner_instance(self, parent)?;
                }
                return Ok(());
            }
            top = parent;
        }
    }

    /// The open instances of an activity, as scopes.
    pub(in crate::core) fn active_instances_of(&mut self, instance: Id, activity: &str) -> Run<Vec<Id>> {
        self.find_executions(instance, |row| {
            row.activity == activity && matches!(row.state, ExecutionState::Active)
        })
    }

    /// The open instances of an activity, those before and after it too.
    fn all_instances_of(&mut self, instance: Id, activity: &str) -> Run<Vec<Id>> {
        self.find_executions(instance, |row| {
            row.activity == activity && row.state != ExecutionState::Ended
        })
    }

    /// The executions of an instance that are wanted, in the order of their creation.
    pub(in crate::core) fn find_executions(
        &mut self,
        instance: Id,
        wanted: impl Fn(&Execution) -> bool,
    ) -> Run<Vec<Id>> {
        let mut found = Vec::new();
        let mut open = self.children(instance)?;
        while let Some(execution) = open.pop() {
            open.extend(self.children(execution)?);
            if self.execution(execution)?.is_some_and(&wanted) {
                found.push(execution);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// The element of a place where a token is put.
fn find_target(model: &ProcessModel, point: &StartPoint) -> Run<Target> {
    let unknown = |what: &str, kind: &str, id: &str| {
        let (title, name) = (
            if kind == "activity" { "Activity" } else { "Transition" },
            if kind == "activity" { "activity" } else { "transition" },
        );
        Halt::Error(MachineError::NotValid(format!(
            "Cannot perform instruction: {what} {kind} '{id}'; {title} '{id}' does not exist: {name} is null"
        )))
    };
    match point {
        StartPoint::Before(id) => {
            let element = model.find(id).ok_or_else(|| unknown("Start before", "activity", id))?;
            Ok(Target { element, flow: None })
        }
        StartPoint::After(id) => {
            let element = model.find(id).ok_or_else(|| unknown("Start after", "activity", id))?;
            let flow = match model.at(element).outgoing.as_slice() {
                [only] => *only,
                [] => {
                    return Err(Halt::execution(format!(
                        "Cannot start after activity {id}; activity has no outgoing sequence flow to take"
                    )));
                }
                _ => {
                    return Err(Halt::execution(format!(
                        "Cannot start after activity {id}; activity has more than one outgoing sequence flow"
                    )));
                }
            };
            Ok(by_flow(model, flow))
        }
        StartPoint::Transition(id) => {
            let flow = model.find_flow(id).ok_or_else(|| unknown("Start", "transition", id))?;
            Ok(by_flow(model, flow))
        }
    }
}

fn by_flow(model: &ProcessModel, flow: FlowIx) -> Target {
    Target {
        element: model.flow(flow).target,
        flow: Some(flow),
    }
}
