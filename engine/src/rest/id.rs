//! Ids as the outside writes them.
//!
//! A text that is no id of this database is not an error: it names a row that does not exist.

use handoff_machine::{Id, Node};
use serde_json::Value as Json;

/// The key that no row has: what a text that is not an id of this database is looked up by.
pub(crate) const NOBODY: Id = Id(-1);

/// Reads and writes the ids of one database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids(pub(crate) Node);

impl Ids {
    /// The row that a text names, or [`NOBODY`].
    pub(crate) fn read(self, text: &str) -> Id {
        Id::parse(text, self.0).unwrap_or(NOBODY)
    }

    /// The row that the id of a process definition names: `key:version:uuid`, or the bare UUID.
    pub(crate) fn read_definition(self, text: &str) -> Id {
        self.read(text.rsplit(':').next().unwrap_or(text))
    }

    /// The row that the id of an activity instance names: `activity:uuid`, or the instance's UUID.
    pub(crate) fn read_activity(self, text: &str) -> Id {
        self.read_definition(text)
    }

    /// A row's id as text.
    pub(crate) fn text(self, id: Id) -> String {
        id.text(self.0)
    }

    /// A row's id in an answer.
    pub(crate) fn json(self, id: Id) -> Json {
        Json::String(self.text(id))
    }

    /// A row's id in an answer, or null.
    pub(crate) fn json_opt(self, id: Option<Id>) -> Json {
        id.map_or(Json::Null, |id| self.json(id))
    }

    /// `key:version:uuid`, or the bare UUID where that would be longer than the 64 characters of Camunda's column.
    pub(crate) fn definition(self, key: &str, version: i32, id: Id) -> String {
        let id = self.text(id);
        let full = format!("{key}:{version}:{id}");
        if full.len() <= 64 { full } else { id }
    }

    /// The id of an activity instance: `activity:uuid`; the bare UUID where `activity` is none, as an instance's root is.
    pub(crate) fn activity(self, activity: Option<&str>, id: Id) -> String {
        match activity {
            Some(activity) => [activity, ":", &self.text(id)].concat(),
            None => self.text(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_found_by_its_full_id() {
        let ids = Ids(Node::new(5));
        let full = ids.definition("order", 3, Id(77));
        assert!(full.starts_with("order:3:"), "{full}");
        assert_eq!(ids.read_definition(&full), Id(77));
        assert_eq!(ids.read_definition("nope"), NOBODY);
        assert_eq!(ids.read_activity(&ids.activity(Some("work"), Id(78))), Id(78));
    }

    #[test]
    fn a_long_key_leaves_the_bare_id() {
        let ids = Ids(Node::new(5));
        let full = ids.definition(&"k".repeat(60), 1, Id(77));
        assert_eq!(full, ids.text(Id(77)));
    }
}
