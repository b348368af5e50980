//! Elements and flows of a compiled process.

use super::event::{Boundary, CatchKind, EndKind, EventName, StartEvent, ThrowKind};
use super::extension::{Declaration, ErrorMapping, Listener, Parameter, TaskListener};
use super::index::{ElementIx, FlowIx};
use super::script::Condition;
use super::task::{CallActivity, ServiceTask, UserTask};
use crate::expression::Expression;

/// A flow element, or the body of a multi-instance activity.
#[derive(Debug)]
pub struct Element {
    /// The id; the body of a multi-instance activity has that of the activity and `#multiInstanceBody`.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// As Camunda's history names it: `serviceTask`, `noneEndEvent`, …
    pub activity_type: &'static str,
    /// The element that it lies in; none right in the process.
    pub scope: Option<ElementIx>,
    /// The elements right inside, in XML order.
    pub children: Vec<ElementIx>,
    /// In XML order of the flows.
    pub incoming: Vec<FlowIx>,
    /// In XML order of the flows.
    pub outgoing: Vec<FlowIx>,
    /// Taken when no other is.
    pub default_flow: Option<FlowIx>,
    /// Boundary events on it, in XML order.
    pub boundary: Vec<ElementIx>,
    /// Whether it is a scope of variables in Camunda: local variables of others go to the scope around.
    pub is_scope: bool,
    /// A job stands before it.
    pub async_before: bool,
    /// A job stands after it.
    pub async_after: bool,
    /// Its jobs exclude others of the instance.
    pub exclusive: bool,
    /// `camunda:jobPriority`
    pub job_priority: Option<Expression>,
    /// `camunda:failedJobRetryTimeCycle`
    pub retry_cycle: Option<Expression>,
    /// Of `start` and `end`.
    pub listeners: Vec<Listener>,
    /// Of user tasks.
    pub task_listeners: Vec<TaskListener>,
    /// Input parameters.
    pub inputs: Vec<Parameter>,
    /// Output parameters.
    pub outputs: Vec<Parameter>,
    /// `property` elements of a user task.
    pub declarations: Vec<Declaration>,
    /// Extension properties.
    pub properties: Vec<(String, String)>,
    /// `camunda:errorEventDefinition` of an external task.
    pub error_mappings: Vec<ErrorMapping>,
    /// It is run by compensation only.
    pub for_compensation: bool,
    /// What compensates it: the target of its compensation boundary event, or the event sub-process inside that
    /// compensation starts.
    pub compensation_handler: Option<ElementIx>,
    /// It stands after an event-based gateway: it does not wait by itself.
    pub after_event_gateway: bool,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

impl Element {
    /// Whether it throws compensation: what compensates runs below its execution.
    #[must_use]
    pub fn throws_compensation(&self) -> bool {
        matches!(
            self.kind,
            Kind::Throw(ThrowKind::Compensate(_)) | Kind::End(EndKind::Compensate(_) | EndKind::Cancel)
        )
    }
}

/// What an element is.
#[derive(Debug)]
pub enum Kind {
    /// Start event.
    Start(StartEvent),
    /// End event.
    End(EndKind),
    /// Intermediate catch event.
    Catch(CatchKind),
    /// Intermediate throw event.
    Throw(ThrowKind),
    /// Boundary event.
    Boundary(Boundary),
    /// None and manual task.
    Pass,
    /// Service, send and business rule task.
    Service(ServiceTask),
    /// User task.
    User(Box<UserTask>),
    /// Receive task; without a message it waits for a signal by its execution's id.
    Receive(Option<EventName>),
    /// Call activity.
    Call(Box<CallActivity>),
    /// Embedded sub-process and transaction.
    SubProcess {
        /// An event sub-process: it has no incoming flow.
        by_event: bool,
        /// A transaction.
        transaction: bool,
    },
    /// The body of a multi-instance activity; its only child is the activity.
    MultiInstance(Box<MultiInstance>),
    /// Exclusive gateway.
    Exclusive,
    /// Parallel gateway.
    Parallel,
    /// Inclusive gateway.
    Inclusive,
    /// Event-based gateway.
    EventGateway,
}

/// How a multi-instance activity repeats.
#[derive(Debug)]
pub struct MultiInstance {
    /// One after the other.
    pub sequential: bool,
    /// How many.
    pub cardinality: Option<Expression>,
    /// Over what: the name of a variable or an expression.
    pub collection: Option<Expression>,
    /// The variable that has the item.
    pub element_variable: Option<String>,
    /// Ends it early.
    pub completion_condition: Option<Expression>,
}

/// A sequence flow.
#[derive(Debug)]
pub struct Flow {
    /// The id.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// From.
    pub source: ElementIx,
    /// To.
    pub target: ElementIx,
    /// Taken only when this is true.
    pub condition: Option<Condition>,
    /// Of `take`.
    pub listeners: Vec<Listener>,
}
