//! Migration plans: which activity of one version becomes which of another. Pure functions over two models
//! (`DefaultMigrationInstructionGenerator` and the validators beside it).

use crate::command::MigratingInstruction;
use crate::model::{CatchKind, Element, ElementIx, Kind, ProcessModel, ServiceTask, Trigger};

/// What is wrong with one instruction of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstructionReport {
    /// The instruction.
    pub instruction: MigratingInstruction,
    /// What is wrong, as Camunda words it.
    pub failures: Vec<String>,
}

/// What is wrong with migrating one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceReport {
    /// The instance.
    pub instance: String,
    /// Of the instance as a whole.
    pub failures: Vec<String>,
    /// Of activity instances.
    pub activities: Vec<ActivityReport>,
    /// Of transition instances.
    pub transitions: Vec<ActivityReport>,
}

/// What is wrong with migrating one activity or transition instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityReport {
    /// Its id outside.
    pub id: String,
    /// Its activity.
    pub activity: String,
    /// The instruction, where there is one.
    pub instruction: Option<MigratingInstruction>,
    /// What is wrong, as Camunda words it.
    pub failures: Vec<String>,
}

impl InstanceReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.failures.is_empty() && self.activities.is_empty() && self.transitions.is_empty()
    }
}

/// The name of Camunda's behaviour of an element that can be migrated; none where it cannot.
fn behaviour(element: &Element) -> Option<&'static str> {
    Some(match &element.kind {
        Kind::User(_) => "UserTaskActivityBehavior",
        Kind::Service(ServiceTask::External(_)) => "ExternalTaskActivityBehavior",
        Kind::Receive(_) => "ReceiveTaskActivityBehavior",
        Kind::Call(_) => "CallActivityBehavior",
        Kind::SubProcess { by_event: true, .. } => "EventSubProcessActivityBehavior",
        Kind::SubProcess { .. } => "SubProcessActivityBehavior",
        Kind::MultiInstance(multi) if multi.sequential => "SequentialMultiInstanceActivityBehavior",
        Kind::MultiInstance(_) => "ParallelMultiInstanceActivityBehavior",
        Kind::Catch(CatchKind::Event(Trigger::Condition(_))) => "IntermediateConditionalEventBehavior",
        Kind::Catch(CatchKind::Event(_)) => "IntermediateCatchEventActivityBehavior",
        Kind::EventGateway => "EventBasedGatewayActivityBehavior",
        Kind::Parallel => "ParallelGatewayActivityBehavior",
        Kind::Inclusive => "InclusiveGatewayActivityBehavior",
        Kind::Boundary(boundary) => match boundary.trigger {
            Trigger::Condition(_) => "BoundaryConditionalEventActivityBehavior",
            Trigger::Message(_) | Trigger::Signal(_) | Trigger::Timer(_) => "BoundaryEventActivityBehavior",
            _ => return None,
        },
        Kind::Start(start) if element.scope.is_some() => match start.trigger {
            Trigger::Condition(_) => "EventSubProcessStartConditionalEventActivityBehavior",
            Trigger::Message(_) | Trigger::Signal(_) | Trigger::Timer(_) => {
                "EventSubProcessStartEventActivityBehavior"
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// Sub-processes of either kind become each other.
fn compatible(source: &str, target: &str) -> bool {
    let scope = |name: &str| name == "SubProcessActivityBehavior" || name == "EventSubProcessActivityBehavior";
    source == target || scope(source) && scope(target)
}

/// Camunda's name of what an event waits for, where it waits for something that is stored.
fn event_type(model: &ProcessModel, ix: ElementIx) -> Option<&'static str> {
    let boundary = matches!(model.at(ix).kind, Kind::Boundary(_));
    let start = matches!(model.at(ix).kind, Kind::Start(_));
    Some(match (model.trigger(ix)?, boundary, start) {
        (Trigger::Message(_), true, _) => "boundaryMessage",
        (Trigger::Message(_), _, true) => "messageStartEvent",
        (Trigger::Message(_), _, _) => "intermediateMessageCatch",
        (Trigger::Signal(_), true, _) => "boundarySignal",
        (Trigger::Signal(_), _, true) => "signalStartEvent",
        (Trigger::Signal(_), _, _) => "intermediateSignalCatch",
        (Trigger::Timer(_), true, _) => "boundaryTimer",
        (Trigger::Timer(_), _, true) => "startTimerEvent",
        (Trigger::Timer(_), _, _) => "intermediateTimer",
        (Trigger::Condition(_), true, _) => "boundaryConditional",
        (Trigger::Condition(_), _, true) => "conditionalStartEvent",
        (Trigger::Condition(_), _, _) => "intermediateConditional",
        _ => return None,
    })
}

fn is_conditional(model: &ProcessModel, ix: ElementIx) -> bool {
    matches!(model.trigger(ix), Some(Trigger::Condition(_)))
}

/// The plan that maps what has the same id and kind in the same scope.
#[must_use]
pub fn generate(source: &ProcessModel, target: &ProcessModel, update_event_triggers: bool) -> Vec<MigratingInstruction> {
    let mut plan = Vec::new();
    let mut scopes = vec![(None, None)];
    while let Some((from, to)) = scopes.pop() {
        for ix in source.children_of(from) {
            let element = source.at(*ix);
            let same = target
                .children_of(to)
                .iter()
                .copied()
                .find(|other| target.at(*other).id == element.id);
            let Some(other) = same else { continue };
            let update = update_event_triggers && event_type(source, *ix).is_some();
            let instruction = MigratingInstruction {
                source: element.id.clone(),
                target: element.id.clone(),
                update_event_trigger: update,
            };
            let kinds = (behaviour(element), behaviour(target.at(other)));
            let (Some(one), Some(two)) = kinds else { continue };
            if one != two
                || element.for_compensation
                || target.at(other).for_compensation
                || event_type(source, *ix) != event_type(target, other)
                || is_conditional(source, *ix) && !update
                || fewer_incoming(element, target.at(other))
            {
                continue;
            }
            // An event goes with its activity.
            if let (Kind::Boundary(boundary), Kind::Boundary(other)) = (&element.kind, &target.at(other).kind)
                && source.at(boundary.host).id != target.at(other.host).id
            {
                continue;
            }
            plan.push(instruction);
            if !element.children.is_empty() {
                scopes.push((Some(*ix), Some(other)));
            }
        }
    }
    plan
}

fn fewer_incoming(source: &Element, target: &Element) -> bool {
    matches!(source.kind, Kind::Parallel | Kind::Inclusive) && target.incoming.len() < source.incoming.len()
}

/// What is wrong with a plan; nothing where it can be executed.
#[must_use]
pub fn validate(
    source: &ProcessModel,
    target: &ProcessModel,
    instructions: &[MigratingInstruction],
) -> Vec<InstructionReport> {
    let check = Check {
        source,
        target,
        instructions,
    };
    let reports = instructions.iter().map(|instruction| InstructionReport {
        instruction: instruction.clone(),
        failures: check.failures(instruction),
    });
    reports.filter(|report| !report.failures.is_empty()).collect()
}

struct Check<'c> {
    source: &'c ProcessModel,
    target: &'c ProcessModel,
    instructions: &'c [MigratingInstruction],
}

impl Check<'_> {
    fn failures(&self, instruction: &MigratingInstruction) -> Vec<String> {
        let (source, target) = (
            self.source.find(&instruction.source),
            self.target.find(&instruction.target),
        );
        let mut failures = Vec::new();
        if source.is_none() {
            failures.push(format!("Source activity '{}' does not exist", instruction.source));
        }
        if target.is_none() {
            failures.push(format!("Target activity '{}' does not exist", instruction.target));
        }
        let (Some(source), Some(target)) = (source, target) else {
            return failures;
        };
        let (from, to) = (self.source.at(source), self.target.at(target));
        match (behaviour(from), behaviour(to)) {
            (Some(one), Some(two)) if compatible(one, two) => {}
            (one, two) => failures.push(format!(
                "Activities have incompatible types ({} is not compatible with {})",
                one.unwrap_or(from.activity_type),
                two.unwrap_or(to.activity_type)
            )),
        }
        self.events(instruction, source, target, &mut failures);
        let mapped = |other: &&MigratingInstruction| other.source == instruction.source;
        if self.instructions.iter().filter(mapped).count() > 1 {
            failures.push(format!(
                "There are multiple mappings for source activity id '{}'",
                instruction.source
            ));
        }
        self.scopes(source, target, &mut failures);
        if fewer_incoming(from, to) {
            failures.push(
                "The target gateway must have at least the same number of incoming sequence flows that the source gateway has"
                    .to_owned(),
            );
        }
        failures
    }

    fn events(
        &self,
        instruction: &MigratingInstruction,
        source: ElementIx,
        target: ElementIx,
        failures: &mut Vec<String>,
    ) {
        let types = (event_type(self.source, source), event_type(self.target, target));
        if let (Some(one), Some(two)) = types
            && one != two
        {
            failures.push(format!("Events are not of the same type ({one} != {two})"));
        }
        let waits = types.0.is_some() || matches!(self.source.at(source).kind, Kind::Receive(Some(_)));
        if instruction.update_event_trigger && !waits {
            failures.push("Cannot update event trigger because the activity does not define a persistent event trigger".to_owned());
        }
        if is_conditional(self.source, source) && !instruction.update_event_trigger {
            failures.push(format!(
                "Conditional event with id '{}' mapped to '{}' must update event trigger flag",
                instruction.source, instruction.target
            ));
        }
        if let (Kind::Boundary(one), Kind::Boundary(two)) = (&self.source.at(source).kind, &self.target.at(target).kind)
        {
            let (one, two) = (&self.source.at(one.host).id, &self.target.at(two.host).id);
            if self.target_of(one) != Some(two.as_str()) {
                failures.push(format!(
                    "The source activity's event scope ({one}) must be mapped to the target activity's event scope ({two})"
                ));
            }
        }
    }

    fn scopes(&self, source: ElementIx, target: ElementIx, failures: &mut Vec<String>) {
        // The closest scope around the source that is mapped must be mapped to one around the target.
        let mut scope = self.source.at(source).scope;
        while let Some(ix) = scope {
            let id = &self.source.at(ix).id;
            if let Some(mapped) = self.target_of(id) {
                if !self.is_around(mapped, target) {
                    failures.push(format!(
                        "The closest mapped ancestor '{id}' is mapped to scope '{mapped}' which is not an ancestor of target scope '{}'",
                        self.target.at(target).id
                    ));
                }
                break;
            }
            scope = self.source.at(ix).scope;
        }
        // Nothing comes into a multi-instance body that was not in one.
        let mut scope = self.target.at(target).scope;
        while let Some(ix) = scope {
            let body = self.target.at(ix);
            if matches!(body.kind, Kind::MultiInstance(_))
                && !self.instructions.iter().any(|other| other.target == body.id)
            {
                failures.push(format!(
                    "Target activity '{}' is a descendant of multi-instance body '{}' that is not mapped from the source process definition.",
                    self.target.at(target).id,
                    body.id
                ));
            }
            scope = body.scope;
        }
        if matches!(self.source.at(source).kind, Kind::MultiInstance(_)) {
            let inner = self.source.at(source).children.first();
            if inner.is_some_and(|inner| self.target_of(&self.source.at(*inner).id).is_none()) {
                failures.push("Cannot remove the inner activity of a multi-instance body when the body is mapped".to_owned());
            }
        }
    }

    fn target_of(&self, source: &str) -> Option<&str> {
        let found = self.instructions.iter().find(|other| other.source == source);
        found.map(|other| other.target.as_str())
    }

    fn is_around(&self, scope: &str, target: ElementIx) -> bool {
        let mut around = self.target.at(target).scope;
        while let Some(ix) = around {
            if self.target.at(ix).id == scope {
                return true;
            }
            around = self.target.at(ix).scope;
        }
        false
    }
}
