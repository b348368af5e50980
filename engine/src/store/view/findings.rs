//! What a command has found by other means than by an instance, so that it finds the same when it is run again.

use std::cell::RefCell;
use std::sync::Arc;

use handoff_machine::Id;
use handoff_machine::row::EventSubscription;
use handoff_machine::view::{DecisionDefinition, DecisionQuery, Definition, Seen, Tenant};

/// The findings of a command, from its first run on. They are few: a command looks up a handful of definitions and
/// messages by name.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Found>);

/// Of a key, tenant and version (none: the latest): what was found.
type ByKey = (String, Tenant, Option<i32>, Vec<Arc<Definition>>);

#[derive(Debug, Default)]
struct Found {
    by_id: Vec<(Id, Option<Arc<Definition>>)>,
    by_key: Vec<ByKey>,
    decisions: Vec<(DecisionQuery, Option<Arc<DecisionDefinition>>)>,
    subscriptions: Vec<(String, Vec<EventSubscription>)>,
}

impl Findings {
    pub(super) fn definition(
        &self,
        id: Id,
        find: impl FnOnce() -> Seen<Option<Arc<Definition>>>,
    ) -> Seen<Option<Arc<Definition>>> {
        if let Some((_, found)) = self.0.borrow().by_id.iter().find(|(known, _)| *known == id) {
            return Ok(found.clone());
        }
        let found = find()?;
        self.0.borrow_mut().by_id.push((id, found.clone()));
        Ok(found)
    }

    pub(super) fn definitions(
        &self,
        key: &str,
        tenant: &Tenant,
        version: Option<i32>,
        find: impl FnOnce() -> Seen<Vec<Arc<Definition>>>,
    ) -> Seen<Vec<Arc<Definition>>> {
        let same = |known: &&(String, Tenant, Option<i32>, Vec<Arc<Definition>>)| {
            known.0 == key && known.1 == *tenant && known.2 == version
        };
        if let Some((.., found)) = self.0.borrow().by_key.iter().find(same) {
            return Ok(found.clone());
        }
        let found = find()?;
        self.0
            .borrow_mut()
            .by_key
            .push((key.to_owned(), tenant.clone(), version, found.clone()));
        Ok(found)
    }

    pub(super) fn decision(
        &self,
        query: &DecisionQuery,
        find: impl FnOnce() -> Seen<Option<Arc<DecisionDefinition>>>,
    ) -> Seen<Option<Arc<DecisionDefinition>>> {
        if let Some((_, found)) = self.0.borrow().decisions.iter().find(|(known, _)| known == query) {
            return Ok(found.clone());
        }
        let found = find()?;
        self.0.borrow_mut().decisions.push((query.clone(), found.clone()));
        Ok(found)
    }

    /// `query` says what is looked for; its text is made once for each look-up.
    pub(super) fn subscriptions(
        &self,
        query: impl FnOnce() -> String,
        find: impl FnOnce() -> Seen<Vec<EventSubscription>>,
    ) -> Seen<Vec<EventSubscription>> {
        let query = query();
        if let Some((_, found)) = self.0.borrow().subscriptions.iter().find(|(known, _)| *known == query) {
            return Ok(found.clone());
        }
        let found = find()?;
        self.0.borrow_mut().subscriptions.push((query, found.clone()));
        Ok(found)
    }
}
