//! From the top downwards, each node becomes what its instruction says. Where its new scope is not that of its parent,
//! the scopes between are made, once for all children of a parent, and the node goes below them.

use std::collections::{BTreeMap, VecDeque};

use super::Journey;
use super::tree::{At, ROOT, Tree, What};
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::delta::Change;
use crate::id::Id;
use crate::migration::{Scope, flow_scope};
use crate::model::{ElementIx, Kind};
use crate::row::{EventKind, EventSubscription, Execution, ExecutionState, Instance, Variable};

/// The scopes of the target around a node that there are, each with its execution or instance.
type Branch = BTreeMap<Scope, Id>;

/// The branches of the children of a node: what has ended needs scopes of its own.
struct Branches {
    running: Branch,
    ended: Branch,
}

impl Work<'_> {
    pub(super) fn carry(&mut self, journey: &Journey<'_>, tree: &mut Tree) -> Run<()> {
        // The branches of a node are shared by its children.
        let mut branches: BTreeMap<At, Branches> = BTreeMap::new();
        let mut open = VecDeque::from([ROOT]);
        while let Some(at) = open.pop_front() {
            let Some(target) = tree.nodes[at].target else { continue };
            let around = tree.nodes[at].parent;
            let mut branch = Branch::new();
            if let (Some(parent), Some(ix)) = (around, target) {
                let scope = flow_scope(&journey.target.model, ix);
                let is_compensation = tree.nodes[at].what.is_compensation();
                let elsewhere = tree.nodes[parent].target != Some(scope);
                if let Some(shared) = branches.get_mut(&parent) {
                    let shared = match is_compensation {
                        true => &mut shared.ended,
                        false => &mut shared.running,
                    };
                    if elsewhere {
                        let owner = self.make_scopes(journey, shared, scope, is_compensation)?;
                        self.move_node(&tree.nodes[at].what, owner);
                    }
                    branch = shared.clone();
                }
            }
            self.become_target(journey, tree, at, target)?;
            self.carry_belongings(journey, &tree.nodes[at])?;
            if let Some(owner) = tree.nodes[at].what.owner() {
                if target.is_none_or(|ix| journey.target.model.at(ix).is_scope) {
                    branch.insert(target, owner);
                }
                let (running, ended) = (branch.clone(), branch);
                branches.insert(at, Branches { running, ended });
                open.extend(tree.nodes[at].children.iter().copied());
            }
        }
        Ok(())
    }

    /// Makes what is missing of the scopes around; returns the innermost.
    fn make_scopes(
        &mut self,
        journey: &Journey<'_>,
        branch: &mut Branch,
        scope: Scope,
        is_compensation: bool,
    ) -> Run<Id> {
        let mut missing = Vec::new();
        let mut around = scope;
        let mut owner = loop {
            match (branch.get(&around), around) {
                (Some(owner), _) => break *owner,
                (None, Some(ix)) => {
                    missing.push(ix);
                    around = flow_scope(&journey.target.model, ix);
                }
                (None, None) => return Err(Halt::execution("the instance is not in its own tree".to_owned())),
            }
        };
        for ix in missing.into_iter().rev() {
            owner = match is_compensation {
                true => self.make_ended_scope(journey, owner, ix)?,
                false => self.make_running_scope(journey, owner, ix)?,
            };
            branch.insert(Some(ix), owner);
        }
        Ok(owner)
    }

    fn make_running_scope(&mut self, journey: &Journey<'_>, parent: Id, ix: ElementIx) -> Run<Id> {
        let execution = self.spawn(journey.instance, parent, &journey.target, ix)?;
        let suspended = self.instance(journey.instance)?.is_some_and(|row| row.suspended);
        self.change::<Execution>(execution, |row| row.suspended = suspended);
        self.count_step(&journey.target.model.at(ix).id)?;
        let place = self.place(execution)?;
        self.enter_unseen(&place)?;
        Ok(execution)
    }

    /// A scope as if it had ended: what is in it can be compensated.
    fn make_ended_scope(&mut self, journey: &Journey<'_>, parent: Id, ix: ElementIx) -> Run<Id> {
        let (execution, subscription) = (self.id()?, self.id()?);
        let Some(instance) = self.instance(journey.instance)?.cloned() else {
            return Err(Halt::execution("the instance has ended".to_owned()));
        };
        let activity = journey.target.model.at(ix).id.clone();
        self.insert(Execution {
            id: execution,
            instance: journey.instance,
            definition: journey.target.row.id,
            parent,
            activity: activity.clone(),
            state: ExecutionState::Ended,
            start_time: self.now(),
            suspended: instance.suspended,
            entered_as: None,
        });
        self.insert(EventSubscription {
            id: subscription,
            kind: EventKind::Compensate,
            name: String::new(),
            instance: Some(journey.instance),
            execution: Some(parent),
            definition: journey.target.row.id,
            activity,
            created: self.now(),
            tenant: instance.tenant,
            business_key: instance.business_key,
            configuration: Some(execution.0.to_string()),
        });
        Ok(execution)
    }

    fn become_target(&mut self, journey: &Journey<'_>, tree: &Tree, at: At, target: Scope) -> Run<()> {
        let node = &tree.nodes[at];
        let definition = journey.target.row.id;
        let element = target.map(|ix| journey.target.model.at(ix));
        match (&node.what, element) {
            (What::Instance(id), _) => {
                self.migrate::<Instance>(*id, |row| row.definition = definition);
                self.history.push(Change::HistoryInstanceMigrated {
                    id: *id,
                    definition,
                    definition_key: journey.target.row.key.clone(),
                });
            }
            (What::Activity(id), Some(element)) => {
                let activity = element.id.clone();
                self.migrate::<Execution>(*id, |row| {
                    // The id of the activity instance stays as it is.
                    let entered = row.entered().to_owned();
                    (row.definition, row.activity) = (definition, activity);
                    row.entered_as = Some(entered).filter(|entered| *entered != row.activity);
                });
                let was_scope = node.source.is_some_and(|ix| journey.source.model.at(ix).is_scope);
                if was_scope && !element.is_scope {
                    self.give_up_scope(*id)?;
                }
                self.activity_migrated(journey, *id)?;
            }
            (What::Transition(id), Some(element)) => {
                let activity = element.id.clone();
                let state = match self.execution(*id)?.map(|row| row.state.clone()) {
                    Some(ExecutionState::AsyncAfter { flows }) if element.outgoing.len() <= 1 => {
                        let only = element.outgoing.first();
                        let only = only.map(|flow| journey.target.model.flow(*flow).id.clone());
                        // What has none ends, also where the flow is one that has come.
                        let flows = if flows.is_empty() && only.is_none() {
                            flows
                        } else {
                            only.into_iter().collect()
                        };
                        Some(ExecutionState::AsyncAfter { flows })
                    }
                    state => state,
                };
                self.migrate::<Execution>(*id, |row| {
                    (row.definition, row.activity) = (definition, activity);
                    if let Some(state) = state {
                        row.state = state;
                    }
                });
            }
            (
                What::Kept {
                    execution,
                    subscription,
                },
                Some(element),
            ) => {
                let activity = element.id.clone();
                let handler = subscription.target.map(|ix| journey.target.model.at(ix).id.clone());
                let handler = handler.unwrap_or_else(|| activity.clone());
                self.migrate::<Execution>(*execution, |row| {
                    (row.definition, row.activity) = (definition, activity)
                });
                self.migrate::<EventSubscription>(subscription.id, |row| {
                    (row.definition, row.activity) = (definition, handler);
                });
            }
            (What::Compensation(id), Some(element)) => {
                let activity = element.id.clone();
                self.migrate::<EventSubscription>(*id, |row| (row.definition, row.activity) = (definition, activity));
            }
            (_, None) => {}
        }
        Ok(())
    }

    fn activity_migrated(&mut self, journey: &Journey<'_>, id: Id) -> Run<()> {
        let place = self.place(id)?;
        let parent_activity = self.execution(place.parent)?.map(|row| row.entered().to_owned());
        let entered_as = self.execution(id)?.and_then(|row| row.entered_as.clone());
        let element = place.element();
        self.history.push(Change::HistoryActivityMigrated {
            id,
            parent: place.parent,
            parent_activity,
            definition: journey.target.row.id,
            definition_key: journey.target.row.key.clone(),
            activity: element.id.clone(),
            activity_name: element.name.clone(),
            activity_type: element.activity_type.to_owned(),
            entered_as,
        });
        Ok(())
    }

    /// An activity is no scope any more: where it is alone in the scope around, its variables go there. Beside others,
    /// they stay its own, as those of a concurrent token do.
    fn give_up_scope(&mut self, execution: Id) -> Run<()> {
        let parent = self.place(execution)?.parent;
        let around = self.find_place(parent)?;
        let in_body = around.is_some_and(|around| matches!(around.element().kind, Kind::MultiInstance(_)));
        if in_body || self.live_children(parent)?.len() > 1 {
            return Ok(());
        }
        for (name, _) in self.local_values(execution)? {
            if self.local_value(parent, &name)?.is_none()
                && let Some(id) = self
                    .variable_names
                    .get(&execution)
                    .and_then(|names| names.get(&name))
                    .copied()
            {
                self.migrate::<Variable>(id, |row| row.scope = parent);
                if let Some(names) = self.variable_names.get_mut(&execution) {
                    names.remove(&name);
                }
                self.variable_names.entry(parent).or_default().insert(name, id);
            }
        }
        Ok(())
    }
}
