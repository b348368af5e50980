//! What people do with their tasks.

use super::{OPERATOR, Property, Subject, TASK_WORKER};
use crate::command::{Command, TaskAction, TaskFields, TaskLink};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::id::Id;
use crate::row::{Comment, Delegation, UserTask};

fn word(delegation: Option<Delegation>) -> Option<String> {
    let word = match delegation? {
        Delegation::Pending => "PENDING",
        Delegation::Resolved => "RESOLVED",
    };
    Some(word.to_owned())
}

/// What differs between two states of a task, by Camunda's names.
fn differences(before: &UserTask, after: &TaskFields, parents: [Option<String>; 2]) -> Vec<Property> {
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    let [old_parent, new_parent] = parents;
    let all = [
        ("assignee", before.assignee.clone(), after.assignee.clone()),
        ("delegation", word(before.delegation), word(after.delegation)),
        ("description", before.description.clone(), after.description.clone()),
        ("dueDate", number(before.due), number(after.due)),
        ("followUpDate", number(before.follow_up), number(after.follow_up)),
        ("name", before.name.clone(), after.name.clone()),
        ("owner", before.owner.clone(), after.owner.clone()),
        ("parentTask", old_parent, new_parent),
        (
            "priority",
            number(Some(before.priority.into())),
            number(Some(after.priority.into())),
        ),
    ];
    all.into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| Property::changed(name, old, new))
        .collect()
}

fn fields(task: &UserTask) -> TaskFields {
    TaskFields {
        name: task.name.clone(),
        description: task.description.clone(),
        assignee: task.assignee.clone(),
        owner: task.owner.clone(),
        delegation: task.delegation,
        parent: task.parent,
        priority: task.priority,
        due: task.due,
        follow_up: task.follow_up,
        tenant: task.tenant.clone(),
    }
}

impl Work<'_> {
    pub(super) fn about_task(&mut self, task: &UserTask) -> Run<Subject> {
        let subject = match task.instance() {
            Some(instance) => self.about_instance(instance)?,
            None => Subject::default(),
        };
        Ok(Subject {
            execution: task.execution(),
            task: Some(task.id),
            tenant: task.tenant.clone(),
            ..subject
        })
    }

    pub(super) fn log_on_task(&mut self, command: &Command) -> Run<()> {
        match command {
            Command::Task { id, action } => self.log_task_action(*id, action),
            Command::CompleteTask { id, .. } => self.log_task_end(*id, "Complete"),
            Command::SubmitTaskForm { id, variables, .. } => {
                let delegated = self
                    .task(*id)?
                    .is_some_and(|task| task.delegation == Some(Delegation::Pending));
                match delegated {
                    true => self.log_task_action(*id, &TaskAction::Resolve(variables.clone())),
                    false => self.log_task_end(*id, "Complete"),
                }
            }
            Command::DeleteTask(id) => self.log_task_end(*id, "Delete"),
            Command::AddAttachment(new) => self.log_attachment("AddAttachment", new.task, new.name.clone()),
            Command::DeleteAttachment(id) => match self.view.attachment(*id)? {
                Some(row) => self.log_attachment("DeleteAttachment", row.task, row.name),
                None => Ok(()),
            },
            Command::EditComment { id, message } => {
                let comment = self.view.comment(*id)?;
                let old = comment.as_ref().map(|row| row.message.clone());
                let change = Property::changed("comment", old, Some(message.clone()));
                self.log_comment("UpdateComment", comment.as_ref(), change)
            }
            Command::DeleteComment(id) => {
                let comment = self.view.comment(*id)?;
                let change = Property::changed("comment", None, None);
                self.log_comment("DeleteComment", comment.as_ref(), change)
            }
            Command::DeleteComments { task, instance } => {
                let comment = Comment {
                    id: task.or(*instance).unwrap_or(self.env.first_id),
                    task: *task,
                    instance: *instance,
                    root: None,
                    user: None,
                    time: self.now(),
                    message: String::new(),
                };
                let change = Property::changed("comment", None, None);
                self.log_comment("DeleteComment", Some(&comment), change)
            }
            _ => Ok(()),
        }
    }

    fn log_comment(&mut self, operation_type: &str, comment: Option<&Comment>, change: Property) -> Run<()> {
        let Some(comment) = comment else { return Ok(()) };
        let task = match comment.task {
            Some(task) => self.task(task)?.cloned(),
            None => None,
        };
        let (subject, category) = match (task, comment.instance) {
            (Some(task), _) => (self.about_task(&task)?, TASK_WORKER),
            (None, Some(instance)) => (self.about_instance(instance)?, OPERATOR),
            (None, None) => (
                Subject {
                    task: comment.task,
                    ..Subject::default()
                },
                TASK_WORKER,
            ),
        };
        self.log(operation_type, "Comment", category, &subject, vec![change])
    }

    fn log_attachment(&mut self, operation_type: &str, task: Id, name: Option<String>) -> Run<()> {
        let subject = match self.task(task)?.cloned() {
            Some(task) => self.about_task(&task)?,
            None => Subject {
                task: Some(task),
                ..Subject::default()
            },
        };
        let change = Property::changed("name", None, name);
        self.log(operation_type, "Attachment", TASK_WORKER, &subject, vec![change])
    }

    fn log_task_end(&mut self, id: Id, operation_type: &str) -> Run<()> {
        let Some(task) = self.task(id)?.cloned() else {
            return Ok(());
        };
        let subject = self.about_task(&task)?;
        let change = Property::changed("delete", Some("false".to_owned()), Some("true".to_owned()));
        self.log(operation_type, "Task", TASK_WORKER, &subject, vec![change])
    }

    fn log_task_action(&mut self, id: Id, action: &TaskAction) -> Run<()> {
        let Some(task) = self.task(id)?.cloned() else {
            return Ok(());
        };
        let mut after = fields(&task);
        let operation_type = match action {
            TaskAction::Claim(user) => {
                after.assignee.clone_from(user);
                if user.is_some() { "Claim" } else { "Assign" }
            }
            TaskAction::Assign(user) => {
                after.assignee.clone_from(user);
                "Assign"
            }
            TaskAction::Delegate(user) => {
                after.delegation = Some(Delegation::Pending);
                after.owner = task.owner.clone().or_else(|| task.assignee.clone());
                after.assignee.clone_from(user);
                "Delegate"
            }
            TaskAction::Resolve(_) => {
                after.delegation = Some(Delegation::Resolved);
                after.assignee.clone_from(&task.owner);
                "Resolve"
            }
            TaskAction::Update(fields) => {
                after = (**fields).clone();
                "Update"
            }
            TaskAction::Link(link) => return self.log_link(&task, link, true),
            TaskAction::Unlink(link) => return self.log_link(&task, link, false),
            TaskAction::BpmnError { .. } | TaskAction::Escalation { .. } => return Ok(()),
        };
        let subject = self.about_task(&task)?;
        let parents = [task.parent, after.parent].map(|parent| parent.map(|parent| self.text(parent)));
        let changes = differences(&task, &after, parents);
        self.log(operation_type, "Task", TASK_WORKER, &subject, changes)
    }

    fn log_link(&mut self, task: &UserTask, link: &TaskLink, added: bool) -> Run<()> {
        let operation_type = match (added, link.group.is_some()) {
            (true, false) => "AddUserLink",
            (true, true) => "AddGroupLink",
            (false, false) => "DeleteUserLink",
            (false, true) => "DeleteGroupLink",
        };
        let subject = self.about_task(task)?;
        let who = link.user.clone().or_else(|| link.group.clone());
        let change = Property::changed(&link.kind, None, who);
        self.log(operation_type, "IdentityLink", TASK_WORKER, &subject, vec![change])
    }

    /// A task that somebody has made.
    pub(in crate::core) fn log_task_created(&mut self, task: &UserTask) -> Run<()> {
        if self.env.user.is_none() {
            return Ok(());
        }
        let blank = UserTask {
            name: None,
            description: None,
            assignee: None,
            owner: None,
            delegation: None,
            parent: None,
            priority: 50,
            due: None,
            follow_up: None,
            ..task.clone()
        };
        let parents = [None, task.parent.map(|parent| self.text(parent))];
        let changes = differences(&blank, &fields(task), parents);
        let subject = self.about_task(task)?;
        if changes.is_empty() {
            return self.log_bare("Create", "Task", TASK_WORKER, &subject);
        }
        self.log("Create", "Task", TASK_WORKER, &subject, changes)
    }
}
