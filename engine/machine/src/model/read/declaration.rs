//! `property` elements of user tasks.

use super::super::extension::Declaration;
use super::super::xml::Node;
use super::process::Builder;

pub(super) fn read(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Vec<Declaration> {
    let mut declarations = Vec::new();
    for property in node.bpmn("property") {
        let Some(name) = property.attribute("name").or_else(|| property.id()) else {
            let message = format!(
                "Invalid property usage on line {}: no id or name specified.",
                property.place.line
            );
            builder.problems.error_in(owner, property, message);
            continue;
        };
        // Nobody evaluates it, but it must be an expression.
        builder.problems.attribute(property, "dstExpr");
        let text = |name: &str| property.camunda(name).map(str::to_owned);
        declarations.push(Declaration {
            name: name.to_owned(),
            source: text("src"),
            source_expression: builder.problems.attribute(property, "srcExpr"),
            link: text("link"),
            link_expression: builder.problems.attribute(property, "linkExpr"),
        });
    }
    declarations
}
