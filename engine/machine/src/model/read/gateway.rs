//! Gateways.

use super::super::element::Kind;
use super::super::index::ElementIx;
use super::super::xml::Node;
use super::process::{Builder, blank};
use super::{extension, scope};

pub(super) fn read(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let (kind, activity_type) = match node.name.as_str() {
        "exclusiveGateway" => (Kind::Exclusive, "exclusiveGateway"),
        "parallelGateway" => (Kind::Parallel, "parallelGateway"),
        "inclusiveGateway" => (Kind::Inclusive, "inclusiveGateway"),
        _ => (Kind::EventGateway, "eventBasedGateway"),
    };
    let id = scope::id(builder, node);
    let mut element = blank(id, node.attribute("name"), kind, activity_type, node.place);
    extension::common(builder, node, &mut element);
    if matches!(element.kind, Kind::EventGateway) {
        element.is_scope = true;
        if element.async_after {
            builder
                .problems
                .error(node, "'asyncAfter' not supported for Event Based Gateway elements.");
        }
        if node.attribute("instantiate") == Some("true") {
            builder
                .problems
                .unsupported(node, "an instantiating event-based gateway", "use message start events");
        }
    }
    builder.add(element, parent);
}
