//! A compiled process.

use std::collections::HashMap;

use super::element::{Element, Flow, Kind};
use super::event::{CatchKind, StartEvent, Trigger};
use super::extension::Listener;
use super::form::Form;
use super::index::{ElementIx, FlowIx};
use crate::error::Problem;
use crate::expression::Expression;

/// One executable process, compiled: elements and flows by position, in XML order.
#[derive(Debug)]
pub struct ProcessModel {
    /// The id of the process: the key of its definitions.
    pub key: String,
    /// The name.
    pub name: Option<String>,
    /// The target namespace of the file.
    pub category: Option<String>,
    /// The documentation.
    pub description: Option<String>,
    /// `camunda:versionTag`
    pub version_tag: Option<String>,
    /// `camunda:historyTimeToLive` in days.
    pub history_time_to_live: Option<i32>,
    /// `camunda:isStartableInTasklist`
    pub startable_in_tasklist: bool,
    /// `camunda:jobPriority`
    pub job_priority: Option<Expression>,
    /// Of the process itself.
    pub listeners: Vec<Listener>,
    /// Extension properties of the process.
    pub properties: Vec<(String, String)>,
    /// The elements right in the process, in XML order.
    pub children: Vec<ElementIx>,
    /// The start event of a start by key; none where only messages, timers or signals can start it.
    pub initial: Option<ElementIx>,
    /// Whether something in it can be compensated.
    pub compensates: bool,
    /// Whether it has conditional events within.
    pub conditional: bool,
    /// The form of the start event that a start by key takes.
    pub start_form: Form,
    /// `camunda:initiator`: the variable that gets the user who started the instance.
    pub initiator: Option<String>,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    pub(super) elements: Vec<Element>,
    pub(super) flows: Vec<Flow>,
    pub(super) by_id: HashMap<String, ElementIx>,
    pub(super) flows_by_id: HashMap<String, FlowIx>,
}

impl ProcessModel {
    /// The element at a position of this very model.
    #[must_use]
    pub fn at(&self, ix: ElementIx) -> &Element {
        &self.elements[ix.index()]
    }

    /// The flow at a position of this very model.
    #[must_use]
    pub fn flow(&self, ix: FlowIx) -> &Flow {
        &self.flows[ix.index()]
    }

    /// All elements, in XML order.
    pub fn elements(&self) -> impl Iterator<Item = (ElementIx, &Element)> {
        self.elements
            .iter()
            .enumerate()
            .map(|(ix, element)| (ElementIx(ix as u32), element))
    }

    /// An element by its id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<ElementIx> {
        self.by_id.get(id).copied()
    }

    /// An element by its id.
    #[must_use]
    pub fn element(&self, id: &str) -> Option<&Element> {
        self.find(id).map(|ix| self.at(ix))
    }

    /// A flow by its id.
    #[must_use]
    pub fn find_flow(&self, id: &str) -> Option<FlowIx> {
        self.flows_by_id.get(id).copied()
    }

    /// The elements right in a scope.
    #[must_use]
    pub fn children_of(&self, scope: Option<ElementIx>) -> &[ElementIx] {
        match scope {
            Some(scope) => &self.at(scope).children,
            None => &self.children,
        }
    }

    /// The start events right in the process.
    pub fn start_events(&self) -> impl Iterator<Item = (ElementIx, &Element, &StartEvent)> {
        self.starts_of(None)
    }

    /// The start events right in a scope.
    pub fn starts_of(&self, scope: Option<ElementIx>) -> impl Iterator<Item = (ElementIx, &Element, &StartEvent)> {
        self.children_of(scope)
            .iter()
            .filter_map(|ix| match &self.at(*ix).kind {
                Kind::Start(start) => Some((*ix, self.at(*ix), start)),
                _ => None,
            })
    }

    /// The event sub-processes right in a scope, each with its start event.
    pub fn event_sub_processes(
        &self,
        scope: Option<ElementIx>,
    ) -> impl Iterator<Item = (ElementIx, ElementIx, &StartEvent)> {
        self.children_of(scope).iter().filter_map(|ix| match self.at(*ix).kind {
            Kind::SubProcess { by_event: true, .. } => self
                .starts_of(Some(*ix))
                .next()
                .map(|(start, _, event)| (*ix, start, event)),
            _ => None,
        })
    }

    /// The elements whose events an instance of a scope waits for: its own, those behind an event-based gateway, those on
    /// its boundary, those that start the event sub-processes inside.
    #[must_use]
    pub fn events_of(&self, scope: Option<ElementIx>) -> Vec<ElementIx> {
        let mut events = Vec::new();
        if let Some(ix) = scope {
            let element = self.at(ix);
            match &element.kind {
                Kind::Catch(CatchKind::Event(_)) if !element.after_event_gateway => events.push(ix),
                Kind::Receive(Some(_)) => events.push(ix),
                Kind::EventGateway => events.extend(element.outgoing.iter().map(|flow| self.flow(*flow).target)),
                _ => {}
            }
            events.extend(&element.boundary);
        }
        events.extend(self.event_sub_processes(scope).map(|(_, start, _)| start));
        events
    }

    /// What triggers an event of any kind; none where the element is no event that waits.
    #[must_use]
    pub fn trigger(&self, ix: ElementIx) -> Option<&Trigger> {
        match &self.at(ix).kind {
            Kind::Start(start) => Some(&start.trigger),
            Kind::Boundary(boundary) => Some(&boundary.trigger),
            Kind::Catch(CatchKind::Event(trigger)) => Some(trigger),
            _ => None,
        }
    }

    /// A problem with an element of this model.
    #[must_use]
    pub fn problem(&self, element: &str, message: String) -> Problem {
        let (line, column) = self
            .element(element)
            .map_or((self.line, self.column), |e| (e.line, e.column));
        Problem {
            message,
            line,
            column,
            main_element: Some(element.to_owned()),
            elements: vec![element.to_owned()],
        }
    }
}
