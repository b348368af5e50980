//! A process: its attributes, and what is done once all of its elements are known.

use std::collections::HashMap;

use super::super::element::{Element, Flow, Kind};
use super::super::event::{Boundary, CatchKind, StartEvent, Trigger};
use super::super::index::{ElementIx, FlowIx};
use super::super::process::ProcessModel;
use super::super::xml::{Node, Place};
use super::compensation::{self, CompensationThrow};
use super::definitions::Definitions;
use super::problems::Problems;
use super::{check, extension, flow, form, listener, scope, time_to_live};
use crate::error::Problem;
use crate::expression::Expression;

/// A process that is being read.
pub(super) struct Builder<'a> {
    pub(super) definitions: &'a Definitions,
    pub(super) problems: &'a mut Problems,
    pub(super) elements: Vec<Element>,
    pub(super) flows: Vec<Flow>,
    pub(super) by_id: HashMap<String, ElementIx>,
    pub(super) flows_by_id: HashMap<String, FlowIx>,
    /// Where a token goes that is sent to an id: the body of a multi-instance activity, the target of a link.
    pub(super) entries: HashMap<String, ElementIx>,
    /// Link throw events by id: their link's name and scope.
    pub(super) links: HashMap<String, (String, Option<ElementIx>)>,
    /// Link catch events by name and scope.
    pub(super) link_targets: HashMap<(String, Option<ElementIx>), ElementIx>,
    /// What compensation events name.
    pub(super) compensation_throws: Vec<CompensationThrow>,
    pub(super) task_priority: Option<Expression>,
    pub(super) job_priority: Option<Expression>,
}

impl Builder<'_> {
    pub(super) fn at(&mut self, ix: ElementIx) -> &mut Element {
        &mut self.elements[ix.index()]
    }

    /// A problem with an element that has been read.
    pub(super) fn problem_at(&mut self, id: &str, message: String) {
        let (line, column) = self.by_id.get(id).map_or((0, 0), |ix| {
            let element = &self.elements[ix.index()];
            (element.line, element.column)
        });
        self.problems.push_error(Problem {
            message,
            line,
            column,
            main_element: Some(id.to_owned()),
            elements: vec![id.to_owned()],
        });
    }

    /// Adds an element to its scope.
    pub(super) fn add(&mut self, mut element: Element, scope: Option<ElementIx>) -> ElementIx {
        let ix = ElementIx(self.elements.len() as u32);
        element.scope = scope;
        self.by_id.insert(element.id.clone(), ix);
        self.entries.entry(element.id.clone()).or_insert(ix);
        self.elements.push(element);
        if let Some(scope) = scope {
            self.at(scope).children.push(ix);
        }
        ix
    }
}

/// An element with nothing but its id, name and place.
pub(super) fn blank(id: String, name: Option<&str>, kind: Kind, activity_type: &'static str, place: Place) -> Element {
    Element {
        id,
        name: name.map(str::to_owned),
        kind,
        activity_type,
        scope: None,
        children: Vec::new(),
        incoming: Vec::new(),
        outgoing: Vec::new(),
        default_flow: None,
        boundary: Vec::new(),
        is_scope: false,
        async_before: false,
        async_after: false,
        exclusive: true,
        job_priority: None,
        retry_cycle: None,
        listeners: Vec::new(),
        task_listeners: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        declarations: Vec::new(),
        properties: Vec::new(),
        error_mappings: Vec::new(),
        for_compensation: false,
        compensation_handler: None,
        after_event_gateway: false,
        line: place.line,
        column: place.column,
    }
}

pub(super) fn read(node: &Node, definitions: &Definitions, problems: &mut Problems) -> ProcessModel {
    let key = node.id().unwrap_or_default().to_owned();
    if key.is_empty() {
        problems.error(node, "a process must have an id");
    }
    let history_time_to_live = time_to_live::parse(node.camunda("historyTimeToLive")).unwrap_or_else(|message| {
        problems.error(node, message);
        None
    });
    let task_priority = problems.priority(node, "taskPriority");
    let job_priority = problems.priority(node, "jobPriority");
    let mut builder = Builder {
        definitions,
        problems,
        elements: Vec::new(),
        flows: Vec::new(),
        by_id: HashMap::new(),
        flows_by_id: HashMap::new(),
        entries: HashMap::new(),
        links: HashMap::new(),
        link_targets: HashMap::new(),
        compensation_throws: Vec::new(),
        task_priority,
        job_priority,
    };
    scope::read(&mut builder, node, None);
    flow::read(&mut builder, node);
    compensation::read(&mut builder, node);
    let children: Vec<ElementIx> = (0..builder.elements.len() as u32)
        .map(ElementIx)
        .filter(|ix| builder.elements[ix.index()].scope.is_none())
        .collect();
    let initial = initial(&mut builder, node, &children);
    let listeners = listener::read(&mut builder, node, &key);
    let properties = extension::properties(node);
    check::model(&mut builder);
    let compensates = builder
        .elements
        .iter()
        .any(|element| element.compensation_handler.is_some());
    let conditional = builder.elements.iter().any(is_conditional);
    let start = initial.map(|ix| builder.elements[ix.index()].id.clone());
    let start_form = match node
        .bpmn("startEvent")
        .find(|event| start.is_some() && event.id() == start.as_deref())
    {
        Some(event) => form::read(&mut builder, event),
        None => super::super::form::Form::default(),
    };
    let initiator = node
        .bpmn("startEvent")
        .filter_map(|event| event.camunda("initiator"))
        .last()
        .map(str::to_owned);
    ProcessModel {
        key,
        name: node.attribute("name").map(str::to_owned),
        category: definitions.target_namespace.clone(),
        description: documentation(node),
        version_tag: node.camunda("versionTag").map(str::to_owned),
        history_time_to_live,
        startable_in_tasklist: node.camunda("isStartableInTasklist") != Some("false"),
        job_priority: builder.job_priority,
        listeners,
        properties,
        children,
        initial,
        compensates,
        conditional,
        start_form,
        initiator,
        line: node.place.line,
        column: node.place.column,
        elements: builder.elements,
        flows: builder.flows,
        by_id: builder.by_id,
        flows_by_id: builder.flows_by_id,
    }
}

fn is_conditional(element: &Element) -> bool {
    matches!(
        &element.kind,
        Kind::Start(StartEvent {
            trigger: Trigger::Condition(_),
            ..
        }) | Kind::Boundary(Boundary {
            trigger: Trigger::Condition(_),
            ..
        }) | Kind::Catch(CatchKind::Event(Trigger::Condition(_)))
    )
}

/// All of it, a blank line between two.
pub(super) fn documentation(node: &Node) -> Option<String> {
    let texts: Vec<&str> = node.bpmn("documentation").map(|node| node.text.trim()).collect();
    Some(texts.join("\n\n")).filter(|text| !text.is_empty())
}

/// Which start event a start by key takes: the only none or timer one, or the only one at all.
fn initial(builder: &mut Builder<'_>, node: &Node, children: &[ElementIx]) -> Option<ElementIx> {
    let starts: Vec<(ElementIx, bool)> = children
        .iter()
        .filter_map(|ix| match &builder.elements[ix.index()].kind {
            Kind::Start(start) => Some((*ix, matches!(start.trigger, Trigger::None | Trigger::Timer(_)))),
            _ => None,
        })
        .collect();
    let plain: Vec<ElementIx> = starts.iter().filter(|(_, plain)| *plain).map(|(ix, _)| *ix).collect();
    if starts.is_empty() {
        let id = node.id().unwrap_or_default();
        builder
            .problems
            .error(node, format!("process '{id}' has no start event"));
    }
    if plain.len() > 1 {
        builder.problems.error(
            node,
            "multiple none start events or timer start events not supported on process definition",
        );
    }
    match (plain.first(), starts.as_slice()) {
        (Some(ix), _) => Some(*ix),
        (None, [(ix, _)]) => Some(*ix),
        _ => None,
    }
}
