//! The reader: XML tree to compiled processes. One file for each kind of thing that is read.

mod activity;
mod boundary;
mod check;
mod compensation;
mod decision;
mod declaration;
mod definitions;
mod event;
mod extension;
mod flow;
mod form;
mod gateway;
mod listener;
mod parameter;
mod problems;
mod process;
mod scope;
mod script;
mod subscriptions;
pub(crate) mod time_to_live;
mod trigger;
mod unread;

use std::sync::Arc;

use self::definitions::Definitions;
use self::problems::Problems;
use super::xml::{self, Ns};
use super::{ParseError, ParsedResource};

pub(super) fn read(resource: &str, bytes: &[u8]) -> Result<ParsedResource, ParseError> {
    let root = xml::read(bytes).map_err(|error| {
        ParseError::Malformed(format!(
            "ENGINE-09005 Could not parse BPMN process. Errors: \n* {} | resource {resource} | line {} | column {}",
            error.message, error.place.line, error.place.column
        ))
    })?;
    let mut problems = Problems::default();
    if root.ns != Ns::Bpmn || root.name != "definitions" {
        problems.error(
            &root,
            format!("the root element is '{}', not 'definitions' of BPMN 2.0", root.name),
        );
        return Err(problems.into_error());
    }
    problems.check_ids(&root);
    let definitions = Definitions::read(&root, &mut problems);
    let mut processes = Vec::new();
    for node in root.bpmn("process") {
        if node.attribute("isExecutable") == Some("false") {
            let id = node.id().unwrap_or_default();
            problems.warn(node, format!("Ignoring non-executable process with id '{id}'. Set the attribute isExecutable=\"true\" to deploy this process."));
        } else {
            unread::warn(&mut problems, node);
            processes.push(Arc::new(process::read(node, &definitions, &mut problems)));
        }
    }
    problems.finish(ParsedResource {
        processes,
        warnings: Vec::new(),
    })
}
