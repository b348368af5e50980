//! Where a token is.

use std::sync::Arc;

use super::halt::{Halt, Run};
use super::work::Work;
use crate::id::Id;
use crate::model::{Element, ElementIx, ProcessModel};
use crate::row::{DefinitionRow, Execution};
use crate::view::Definition;

/// An execution with its element.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) execution: Id,
    pub(super) instance: Id,
    /// The scope around: an execution or the instance.
    pub(super) parent: Id,
    pub(super) definition: Arc<Definition>,
    pub(super) ix: ElementIx,
}

impl Place {
    pub(super) fn element(&self) -> &Element {
        self.definition.model.at(self.ix)
    }

    pub(super) fn model(&self) -> &ProcessModel {
        &self.definition.model
    }
}

impl Work<'_> {
    /// The place of an execution; none where there is no such execution.
    pub(super) fn find_place(&mut self, execution: Id) -> Run<Option<Place>> {
        let Some(row) = self.execution(execution)? else {
            return Ok(None);
        };
        let Execution {
            instance,
            parent,
            definition,
            ..
        } = *row;
        let definition = self.known_definition(definition)?;
        let Some(row) = self.execution(execution)? else {
            return Ok(None);
        };
        let Some(ix) = definition.model.find(&row.activity) else {
            return Err(Halt::execution(format!(
                "the process model has no element '{}'",
                row.activity
            )));
        };
        Ok(Some(Place {
            execution,
            instance,
            parent,
            definition,
            ix,
        }))
    }

    /// The place of an execution that must exist: a row names it.
    pub(super) fn place(&mut self, execution: Id) -> Run<Place> {
        self.find_place(execution)?
            .ok_or_else(|| Halt::execution(format!("execution {execution} doesn't exist")))
    }

    /// An id as the outside knows it.
    pub(super) fn text(&self, id: Id) -> String {
        id.text(self.env.node)
    }

    /// The full id of a definition: `key:version:uuid`.
    pub(super) fn definition_text(&self, row: &DefinitionRow) -> String {
        format!("{}:{}:{}", row.key, row.version, self.text(row.id))
    }
}
