//! The history of whom tasks were for (Camunda's identity link log).

use super::halt::Run;
use super::work::Work;
use crate::delta::Change;
use crate::id::Id;
use crate::row::{IdentityLink, IdentityLinkLog, UserTask};

const ASSIGNEE: &str = "assignee";
const OWNER: &str = "owner";

/// Which of a task's people a command sets: what is set is logged even where it stays the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reset {
    pub(super) assignee: bool,
    pub(super) owner: bool,
}

impl Work<'_> {
    /// A user or group that a task has from now on, or has no more.
    pub(super) fn log_link_row(&mut self, link: &IdentityLink, added: bool) -> Run<()> {
        let Some(task) = self.task(link.task)?.cloned() else {
            return Ok(());
        };
        self.log_part(&task, &link.kind, link.user.clone(), link.group.clone(), added)
    }

    /// The assignee and the owner of a task that is new, or was changed.
    pub(super) fn log_people(&mut self, id: Id, before: Option<&UserTask>, reset: Reset) -> Run<()> {
        let Some(after) = self.task(id)?.cloned() else {
            return Ok(());
        };
        let old = |part: fn(&UserTask) -> &Option<String>| before.and_then(|before| part(before).clone());
        let parts = [
            (
                ASSIGNEE,
                old(|task| &task.assignee),
                after.assignee.clone(),
                reset.assignee,
            ),
            (OWNER, old(|task| &task.owner), after.owner.clone(), reset.owner),
        ];
        for (kind, old, new, reset) in parts {
            if old == new && !reset {
                continue;
            }
            if old.is_some() {
                self.log_part(&after, kind, old, None, false)?;
            }
            if new.is_some() {
                self.log_part(&after, kind, new, None, true)?;
            }
        }
        Ok(())
    }

    fn log_part(
        &mut self,
        task: &UserTask,
        kind: &str,
        user: Option<String>,
        group: Option<String>,
        added: bool,
    ) -> Run<()> {
        let (root, definition_key) = match &task.place {
            Some(place) => (
                self.instance(place.instance)?.map(|row| row.root),
                self.definition(place.definition)?.map(|row| row.row.key.clone()),
            ),
            None => (None, None),
        };
        let row = IdentityLinkLog {
            id: self.id()?,
            time: self.now(),
            kind: kind.to_owned(),
            user,
            group,
            task: task.id,
            instance: task.instance(),
            root,
            definition: task.definition(),
            definition_key,
            added,
            assigner: self.env.user.clone(),
            tenant: task.tenant.clone(),
            removal_time: None,
        };
        self.history.push(Change::HistoryIdentityLink(row));
        Ok(())
    }
}
