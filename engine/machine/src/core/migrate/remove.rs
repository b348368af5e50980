//! What is not mapped is taken away, from the leaves upwards: scopes end where they are, and what is in them goes to the
//! scope around; events that nobody waits for any more go.

use super::tree::{At, Tree, What};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::id::Id;
use crate::row::{EventSubscription, Execution, LogState};

impl Work<'_> {
    pub(super) fn remove_unmapped(&mut self, tree: &mut Tree) -> Run<()> {
        // Children come after their parents.
        for at in (0..tree.nodes.len()).rev() {
            if tree.nodes[at].target.is_some() {
                self.drop_unmapped_events(tree, at)?;
            } else if !matches!(tree.nodes[at].what, What::Compensation(_)) {
                self.remove_scope(tree, at)?;
            }
        }
        Ok(())
    }

    fn drop_unmapped_events(&mut self, tree: &Tree, at: At) -> Run<()> {
        let belongings = &tree.nodes[at].belongings;
        for id in &belongings.lost_subscriptions {
            self.remove::<EventSubscription>(*id);
        }
        for id in &belongings.lost_jobs {
            self.drop_job(*id, LogState::Deleted)?;
        }
        Ok(())
    }

    fn remove_scope(&mut self, tree: &mut Tree, at: At) -> Run<()> {
        let Some(parent) = tree.nodes[at].parent else {
            return Ok(());
        };
        let Some(owner) = tree.nodes[parent].what.owner() else {
            return Ok(());
        };
        for child in std::mem::take(&mut tree.nodes[at].children) {
            tree.hang(child, parent);
            self.move_node(&tree.nodes[child].what, owner);
        }
        match tree.nodes[at].what.clone() {
            What::Activity(execution) => self.cancel(execution)?,
            What::Kept {
                execution,
                subscription,
            } => {
                self.remove::<EventSubscription>(subscription.id);
                self.drop_variables(execution)?;
                self.remove::<Execution>(execution);
            }
            What::Instance(_) | What::Transition(_) | What::Compensation(_) => {}
        }
        tree.nodes[at].removed = true;
        tree.nodes[parent].children.retain(|child| *child != at);
        Ok(())
    }

    /// Puts a node into another scope.
    pub(super) fn move_node(&mut self, what: &What, scope: Id) {
        match what {
            What::Activity(execution) | What::Transition(execution) => self.move_execution(*execution, scope),
            What::Kept {
                execution,
                subscription,
            } => {
                self.move_execution(*execution, scope);
                self.migrate::<EventSubscription>(subscription.id, |row| row.execution = Some(scope));
            }
            What::Compensation(id) => self.migrate::<EventSubscription>(*id, |row| row.execution = Some(scope)),
            What::Instance(_) => {}
        }
    }
}
