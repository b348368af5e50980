//! What runs in an instance, as a tree, each node with the instruction for it.

use std::collections::VecDeque;

use super::Journey;
use super::belongings::Belongings;
use crate::command::MigratingInstruction;
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::id::Id;
use crate::migration::{InstanceReport, Scope, compensation_trigger, event_scope};
use crate::model::{ElementIx, Kind};
use crate::row::{EventKind, EventSubscription, ExecutionState};

/// A place in the tree.
pub(super) type At = usize;

/// The root's place: the instance itself.
pub(super) const ROOT: At = 0;

/// The instance and all that is in it. Parents come before their children.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

pub(super) struct Node {
    pub(super) what: What,
    /// None at the root.
    pub(super) parent: Option<At>,
    pub(super) children: Vec<At>,
    /// What it is of.
    pub(super) source: Scope,
    /// The instruction's position.
    pub(super) instruction: Option<usize>,
    /// What it will be of; none where nothing is said of it.
    pub(super) target: Option<Scope>,
    pub(super) belongings: Belongings,
    /// It has been taken away.
    pub(super) removed: bool,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// The instance.
    Instance(Id),
    /// An activity instance.
    Activity(Id),
    /// A token before or after an asynchronous continuation.
    Transition(Id),
    /// A scope that has ended and is kept, with the subscription that compensates it.
    Kept { execution: Id, subscription: KeptBy },
    /// What compensates an activity that has ended.
    Compensation(Id),
}

/// The subscription that compensates a scope.
#[derive(Clone, Debug)]
pub(super) struct KeptBy {
    pub(super) id: Id,
    /// What it starts.
    pub(super) source: ElementIx,
    pub(super) is_mapped: bool,
    /// What it will start.
    pub(super) target: Option<ElementIx>,
}

impl What {
    /// The execution or instance of the node; none where it is only a subscription.
    pub(super) fn owner(&self) -> Option<Id> {
        match self {
            Self::Instance(id) | Self::Activity(id) | Self::Transition(id) | Self::Kept { execution: id, .. } => {
                Some(*id)
            }
            Self::Compensation(_) => None,
        }
    }

    pub(super) fn is_compensation(&self) -> bool {
        matches!(self, Self::Kept { .. } | Self::Compensation(_))
    }
}

impl Tree {
    fn add(&mut self, parent: Option<At>, what: What, source: Scope, mapping: Option<Mapped>) -> At {
        let at = self.nodes.len();
        if let Some(parent) = parent {
            self.nodes[parent].children.push(at);
        }
        let (instruction, target) = match mapping {
            Some(mapping) => (mapping.instruction, mapping.target),
            None => (None, None),
        };
        self.nodes.push(Node {
            what,
            parent,
            children: Vec::new(),
            source,
            instruction,
            target,
            belongings: Belongings::default(),
            removed: false,
        });
        at
    }

    /// Puts a node below another one.
    pub(super) fn hang(&mut self, node: At, parent: At) {
        if let Some(before) = self.nodes[node].parent {
            self.nodes[before].children.retain(|child| *child != node);
        }
        self.nodes[node].parent = Some(parent);
        self.nodes[parent].children.push(node);
    }
}

/// What an instruction says of a node.
struct Mapped {
    instruction: Option<usize>,
    target: Option<Scope>,
}

impl Journey<'_> {
    /// The first instruction for an element, and what it becomes.
    pub(super) fn mapped(&self, source: &str) -> Option<(usize, ElementIx)> {
        let of = |instruction: &MigratingInstruction| instruction.source == source;
        let position = self.migration.instructions.iter().position(of)?;
        let target = &self.migration.instructions[position].target;
        Some((position, self.target.model.find(target)?))
    }

    fn map(&self, source: ElementIx) -> Mapped {
        let mapped = self.mapped(&self.source.model.at(source).id);
        Mapped {
            instruction: mapped.map(|(position, _)| position),
            target: mapped.map(|(_, target)| Some(target)),
        }
    }

    /// What compensates goes with its boundary event, or with the start event of its event sub-process.
    fn map_handler(&self, handler: ElementIx) -> Option<(usize, Option<ElementIx>)> {
        let trigger = compensation_trigger(&self.source.model, handler)?;
        let (instruction, target) = self.mapped(&self.source.model.at(trigger).id)?;
        let scope = event_scope(&self.target.model, target).flatten();
        let handler = scope.and_then(|scope| self.target.model.at(scope).compensation_handler);
        Some((instruction, handler))
    }
}

impl Work<'_> {
    pub(super) fn read_tree(&mut self, journey: &Journey<'_>, report: &mut InstanceReport) -> Run<Tree> {
        let mut tree = Tree { nodes: Vec::new() };
        let whole = Mapped {
            instruction: None,
            target: Some(None),
        };
        tree.add(None, What::Instance(journey.instance), None, Some(whole));
        let mut open = VecDeque::from([(journey.instance, ROOT)]);
        while let Some((owner, at)) = open.pop_front() {
            for child in self.children(owner)? {
                let Some(row) = self.execution(child)?.cloned() else {
                    continue;
                };
                let what = match row.state {
                    ExecutionState::Ended => continue,
                    ExecutionState::AsyncBefore | ExecutionState::AsyncAfter { .. } => What::Transition(child),
                    ExecutionState::Active | ExecutionState::Joining { .. } | ExecutionState::Compensating => {
                        What::Activity(child)
                    }
                };
                let source = self.element(journey, &row.activity)?;
                let node = tree.add(Some(at), what, Some(source), Some(journey.map(source)));
                open.push_back((child, node));
            }
        }
        for at in 0..tree.nodes.len() {
            if !matches!(tree.nodes[at].what, What::Transition(_))
                && let Some(owner) = tree.nodes[at].what.owner()
            {
                self.read_compensations(journey, &mut tree, owner, at)?;
            }
        }
        for at in 0..tree.nodes.len() {
            let belongings = self.read_belongings(journey, &tree.nodes[at], report)?;
            tree.nodes[at].belongings = belongings;
        }
        Ok(tree)
    }

    /// What can be compensated in a scope, and in the scopes that have ended there.
    fn read_compensations(&mut self, journey: &Journey<'_>, tree: &mut Tree, owner: Id, at: At) -> Run<()> {
        let mut open = vec![(owner, at)];
        while let Some((owner, at)) = open.pop() {
            for id in self.subscriptions_of(owner)? {
                let row = self.subscription(id)?.filter(|row| row.kind == EventKind::Compensate);
                let Some(row) = row.cloned() else { continue };
                let handler = self.element(journey, &row.activity)?;
                match kept_execution(&row) {
                    Some(execution) => {
                        let node = self.read_kept(journey, tree, at, execution, id, handler)?;
                        open.push((execution, node));
                    }
                    None => {
                        let mapped = journey.map_handler(handler).map(|(instruction, target)| Mapped {
                            instruction: Some(instruction),
                            target: target.map(Some),
                        });
                        tree.add(Some(at), What::Compensation(id), Some(handler), mapped);
                    }
                }
            }
        }
        Ok(())
    }

    fn read_kept(
        &mut self,
        journey: &Journey<'_>,
        tree: &mut Tree,
        at: At,
        execution: Id,
        subscription: Id,
        handler: ElementIx,
    ) -> Run<At> {
        let Some(activity) = self.execution(execution)?.map(|row| row.activity.clone()) else {
            return Err(Halt::execution(format!("execution {execution} doesn't exist")));
        };
        let source = self.element(journey, &activity)?;
        let model = &journey.source.model;
        let by_event = matches!(model.at(handler).kind, Kind::SubProcess { by_event: true, .. });
        let of_handler = if handler != source && (model.at(handler).for_compensation || by_event) {
            journey.map_handler(handler)
        } else {
            let mapped = journey.mapped(&model.at(handler).id);
            mapped.map(|(instruction, target)| (instruction, Some(target)))
        };
        let what = What::Kept {
            execution,
            subscription: KeptBy {
                id: subscription,
                source: handler,
                is_mapped: of_handler.is_some(),
                target: of_handler.and_then(|(_, target)| target),
            },
        };
        Ok(tree.add(Some(at), what, Some(source), Some(journey.map(source))))
    }

    fn element(&self, journey: &Journey<'_>, activity: &str) -> Run<ElementIx> {
        let found = journey.source.model.find(activity);
        found.ok_or_else(|| Halt::execution(format!("the process model has no element '{activity}'")))
    }
}

/// The execution of a scope that has ended, where a subscription compensates one.
fn kept_execution(row: &EventSubscription) -> Option<Id> {
    row.configuration.as_ref().and_then(|text| text.parse().ok()).map(Id)
}
