//! `property` elements of a user task. Camunda can give a source no target, so that every one with a source fails when
//! its task is reached; what they say of targets it does not look at. The same happens here.

use super::context::Site;
use super::halt::{Halt, Run};
use super::place::Place;
use super::work::Work;

impl Work<'_> {
    /// The task is reached.
    pub(super) fn declare(&mut self, place: &Place) -> Run<()> {
        let site = Site {
            execution: place.parent,
            ..Site::from(place)
        };
        for declaration in &place.element().declarations {
            let source = declaration.source.as_deref().or(declaration.link.as_deref());
            if let Some(source) = source {
                return Err(Halt::execution(format!(
                    "Couldn't create variable '{}', since the source variable '{source}' does not exist",
                    declaration.name
                )));
            }
            let expression = declaration
                .source_expression
                .as_ref()
                .or(declaration.link_expression.as_ref());
            if let Some(expression) = expression {
                self.evaluate(&site, expression)?;
                return Err(Halt::execution(format!(
                    "Couldn't create variable '{}': it has no name to be set by",
                    declaration.name
                )));
            }
        }
        Ok(())
    }
}
