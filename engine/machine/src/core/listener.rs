//! Execution listeners.

use std::sync::Arc;

use super::context::Site;
use super::halt::{Halt, Run};
use super::outside::OnFailure;
use super::place::Place;
use super::script::Occasion;
use super::work::Work;
use crate::model::{FlowIx, Implementation, Listener, ListenerEvent};
use crate::request::DelegateEvent;

impl Work<'_> {
    /// Calls an element's listeners of an event, in their order.
    pub(super) fn listeners(&mut self, place: &Place, event: ListenerEvent) -> Run<()> {
        if place.element().listeners.is_empty() || self.skip_listeners {
            return Ok(());
        }
        let site = Site::from(place);
        for listener in place
            .element()
            .listeners
            .iter()
            .filter(|listener| listener.event == event)
        {
            self.call_listener(&site, listener, None)?;
        }
        Ok(())
    }

    /// Calls the listeners of a flow. They see the element that it leaves; what they throw is thrown in the scope
    /// around.
    pub(super) fn take_listeners(&mut self, place: &Place, flow: FlowIx) -> Run<()> {
        if place.model().flow(flow).listeners.is_empty() || self.skip_listeners {
            return Ok(());
        }
        let definition = Arc::clone(&place.definition);
        let flow = definition.model.flow(flow);
        let site = Site {
            ix: Some(flow.source),
            ..Site::from(place)
        };
        for listener in &flow.listeners {
            self.call_listener(&site, listener, Some(&flow.id))
                .map_err(|halt| match halt {
                    Halt::Thrown(mut thrown) => {
                        thrown.from = place.parent;
                        Halt::Thrown(thrown)
                    }
                    other => other,
                })?;
        }
        Ok(())
    }

    pub(super) fn call_listener(&mut self, site: &Site, listener: &Listener, transition: Option<&str>) -> Run<()> {
        if self.skip_listeners {
            return Ok(());
        }
        match &listener.implementation {
            Implementation::Expression(expression) => {
                self.evaluate(site, expression)?;
                Ok(())
            }
            Implementation::Script(script) => {
                let event = match listener.event {
                    ListenerEvent::Start => "start",
                    ListenerEvent::End => "end",
                    ListenerEvent::Take => "take",
                };
                let occasion = Occasion {
                    event: Some(event),
                    transition,
                    task: None,
                };
                self.run_script(site, script, occasion, OnFailure::EndCommand).map(drop)
            }
            Implementation::Delegate(delegate) => {
                let event = match listener.event {
                    ListenerEvent::Start => DelegateEvent::Start,
                    ListenerEvent::End => DelegateEvent::End,
                    ListenerEvent::Take => DelegateEvent::Take,
                };
                self.call_delegate(site, delegate, event, transition, OnFailure::EndCommand)
            }
        }
    }
}
