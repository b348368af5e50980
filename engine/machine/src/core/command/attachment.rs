//! What people attach to tasks.

use crate::command::{NewAttachment, Reply};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::delta::Change;
use crate::id::Id;
use crate::row::{Attachment, UserTask};

impl Work<'_> {
    /// Keeps what is attached; of a task that has ended too.
    pub(super) fn add_attachment(&mut self, new: &NewAttachment) -> Run<Reply> {
        let instance = self.task(new.task)?.and_then(UserTask::instance);
        let root = match instance {
            Some(instance) => self.instance(instance)?.map(|row| row.root),
            None => None,
        };
        let row = Attachment {
            id: self.id()?,
            task: new.task,
            instance,
            root,
            user: self.env.user.clone(),
            time: self.now(),
            name: new.name.clone(),
            description: new.description.clone(),
            kind: new.kind.clone(),
            url: new.url.clone(),
        };
        self.others.push(Change::InsertAttachment {
            row: row.clone(),
            content: new.content.clone(),
        });
        self.touch_task(new.task);
        Ok(Reply::Attached(row))
    }

    pub(super) fn delete_attachment(&mut self, id: Id) -> Run<()> {
        if let Some(row) = self.view.attachment(id)? {
            self.others.push(Change::DeleteAttachment(id));
            self.task(row.task)?;
            self.touch_task(row.task);
        }
        Ok(())
    }

    /// What hangs on a task has changed.
    pub(super) fn touch_task(&mut self, task: Id) {
        if self.tables.tasks.get(task).is_some() {
            let now = self.now();
            self.change::<UserTask>(task, |row| row.updated = Some(now));
        }
    }
}
