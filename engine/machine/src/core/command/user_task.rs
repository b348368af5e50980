//! Commands on user tasks, as Camunda's `…TaskCmd` have them. Whose status the refusals get is the REST's affair.

use crate::command::{Reply, TaskAction, TaskFields, TaskLink, VariableInput};
use crate::core::context::Site;
use crate::core::escalation::Escalated;
use crate::core::halt::{Halt, Run};
use crate::core::identity_log::Reset;
use crate::core::work::Work;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::Id;
use crate::model::Kind;
use crate::row::{Comment, Delegation, HistoricTask, IdentityLink, UserTask};

/// The parts in a task that are fields of it.
const ASSIGNEE: &str = "assignee";
const OWNER: &str = "owner";
/// Whom a command sets.
const ASSIGNS: Reset = Reset {
    assignee: true,
    owner: false,
};
const OWNS: Reset = Reset {
    assignee: false,
    owner: true,
};
const BOTH: Reset = Reset {
    assignee: true,
    owner: true,
};

impl Work<'_> {
    /// A task that may be acted on.
    fn active_task(&mut self, id: Id) -> Run<UserTask> {
        let Some(task) = self.task(id)?.cloned() else {
            let message = format!("Cannot find task with id {}: task is null", self.text(id));
            return Err(MachineError::NotFound {
                kind: Entity::Task,
                message,
            }
            .into());
        };
        if task.suspended {
            let message = format!("ENGINE-03043 task with id '{}' is suspended.", self.text(id));
            return Err(MachineError::Suspended(message).into());
        }
        // The history of variables needs their instance and its definition.
        if let Some(place) = &task.place {
            self.instance(place.instance)?;
            self.known_definition(place.definition)?;
        }
        Ok(task)
    }

    pub(super) fn submit_task_form(&mut self, id: Id, variables: &[VariableInput], wanted: bool) -> Run<Reply> {
        let task = self.active_task(id)?;
        if task.delegation != Some(Delegation::Pending) {
            return self.complete_task(id, variables, wanted, true);
        }
        self.set_submitted(&task, variables, true)?;
        self.update_task(id, ASSIGNS, |row| {
            row.delegation = Some(Delegation::Resolved);
            row.assignee.clone_from(&row.owner);
        })?;
        self.run_agenda()?;
        Ok(Reply::Done)
    }

    fn set_submitted(&mut self, task: &UserTask, variables: &[VariableInput], form: bool) -> Run<()> {
        let Some(execution) = task.execution() else {
            return self.set_variables(task.id, variables);
        };
        let place = self.place(execution)?;
        match &place.element().kind {
            Kind::User(definition) if form => {
                self.submit_form(&Site::from(&place), &definition.form, Some(task.id), variables)
            }
            _ => self.set_variables(execution, variables),
        }
    }

    pub(super) fn complete_task(
        &mut self,
        id: Id,
        variables: &[VariableInput],
        wanted: bool,
        form: bool,
    ) -> Run<Reply> {
        let task = self.active_task(id)?;
        let Some(place) = &task.place else {
            self.set_variables(id, variables)?;
            self.end_task(id, "completed")?;
            return Ok(if wanted {
                Reply::Variables(Vec::new())
            } else {
                Reply::Done
            });
        };
        self.keep_variables |= wanted;
        self.attempt(|work| {
            work.set_submitted(&task, variables, form)?;
            work.complete_user_task(id)
        })?;
        self.run_agenda()?;
        if !wanted {
            return Ok(Reply::Done);
        }
        let ended = self.ended.get(&place.instance).map(|ended| ended.variables.clone());
        Ok(Reply::Variables(match ended {
            Some(variables) => variables,
            None => self.local_values(place.instance)?,
        }))
    }

    pub(super) fn create_task(&mut self, fields: &TaskFields) -> Run<()> {
        if let Some(parent) = fields.parent
            && self.task(parent)?.is_none()
        {
            return Err(MachineError::NotValid(format!(
                "Could not save task: Parent task with id '{}' does not exist: parentTask is null",
                self.text(parent)
            ))
            .into());
        }
        let task = UserTask {
            id: self.id()?,
            place: None,
            name: fields.name.clone(),
            description: fields.description.clone(),
            assignee: fields.assignee.clone(),
            owner: fields.owner.clone(),
            delegation: fields.delegation,
            parent: fields.parent,
            priority: fields.priority,
            created: self.now(),
            updated: None,
            due: fields.due,
            follow_up: fields.follow_up,
            suspended: false,
            tenant: fields.tenant.clone(),
        };
        self.history.task_start(HistoricTask {
            task: task.clone(),
            root: None,
            definition_key: None,
            end_time: None,
            delete_reason: None,
            removal_time: None,
        });
        self.log_task_created(&task)?;
        let id = task.id;
        self.insert(task);
        self.log_people(id, None, Reset::default())
    }

    pub(super) fn act_on_task(&mut self, id: Id, action: &TaskAction) -> Run<()> {
        let task = self.active_task(id)?;
        match action {
            TaskAction::Claim(user) => {
                if let (Some(user), Some(holder)) = (user, &task.assignee)
                    && user != holder
                {
                    let message = format!("Task '{}' is already claimed by someone else.", self.text(id));
                    return Err(MachineError::AlreadyClaimed(message).into());
                }
                self.update_task(id, ASSIGNS, |row| row.assignee.clone_from(user))
            }
            TaskAction::Assign(user) => self.update_task(id, ASSIGNS, |row| row.assignee.clone_from(user)),
            TaskAction::Delegate(user) => self.update_task(id, ASSIGNS, |row| {
                row.delegation = Some(Delegation::Pending);
                if row.owner.is_none() {
                    row.owner.clone_from(&row.assignee);
                }
                row.assignee.clone_from(user);
            }),
            TaskAction::Resolve(variables) => {
                self.set_variables(task.execution().unwrap_or(id), variables)?;
                self.update_task(id, ASSIGNS, |row| {
                    row.delegation = Some(Delegation::Resolved);
                    row.assignee.clone_from(&row.owner);
                })
            }
            TaskAction::Update(fields) => self.update_task(id, BOTH, |row| {
                row.name.clone_from(&fields.name);
                row.description.clone_from(&fields.description);
                row.assignee.clone_from(&fields.assignee);
                row.owner.clone_from(&fields.owner);
                row.delegation = fields.delegation;
                row.parent = fields.parent;
                row.priority = fields.priority;
                row.due = fields.due;
                row.follow_up = fields.follow_up;
                if row.place.is_none() {
                    row.tenant.clone_from(&fields.tenant);
                }
            }),
            TaskAction::Link(link) => self.link(id, link),
            TaskAction::Unlink(link) => self.unlink(id, link),
            TaskAction::BpmnError {
                code,
                message,
                variables,
            } => self.fail_task(&task, code, message.clone(), variables),
            TaskAction::Escalation { code, variables } => self.escalate_task(&task, code, variables),
        }?;
        self.run_agenda()
    }

    /// Throws an escalation from the task's activity, which goes on unless it is interrupted.
    fn escalate_task(&mut self, task: &UserTask, code: &str, variables: &[VariableInput]) -> Run<()> {
        let Some(place) = &task.place else {
            return Err(Halt::execution("a task that is in no process cannot escalate"));
        };
        let place = self.place(place.execution)?;
        self.set_variables(place.execution, variables)?;
        if self.escalate(&place, code)? == Escalated::Uncaught {
            return Err(Halt::execution(format!(
                "ENGINE-02043 Execution with id '{}' throws an escalation event with escalationCode '{code}', but no escalation handler was defined. ",
                place.element().id
            )));
        }
        Ok(())
    }

    /// Throws a BPMN error from the task's activity.
    fn fail_task(
        &mut self,
        task: &UserTask,
        code: &str,
        message: Option<String>,
        variables: &[VariableInput],
    ) -> Run<()> {
        let Some(place) = &task.place else {
            return Err(Halt::execution("a task that is in no process cannot throw an error"));
        };
        let execution = place.execution;
        self.set_variables(execution, variables)?;
        self.attempt(|_| Err(Halt::bpmn(code, message, execution)))
    }

    fn link(&mut self, task: Id, link: &TaskLink) -> Run<()> {
        match link.kind.as_str() {
            ASSIGNEE => return self.update_task(task, ASSIGNS, |row| row.assignee.clone_from(&link.user)),
            OWNER => return self.update_task(task, OWNS, |row| row.owner.clone_from(&link.user)),
            _ => {}
        }
        let is_same = |row: &IdentityLink| row.user == link.user && row.group == link.group && row.kind == link.kind;
        if !self.links_of(task)?.iter().any(is_same) {
            self.add_link(task, link.user.clone(), link.group.clone(), &link.kind)?;
        }
        self.update_task(task, Reset::default(), |_| {})
    }

    fn unlink(&mut self, task: Id, link: &TaskLink) -> Run<()> {
        match link.kind.as_str() {
            ASSIGNEE => return self.update_task(task, ASSIGNS, |row| row.assignee = None),
            OWNER => return self.update_task(task, OWNS, |row| row.owner = None),
            _ => {}
        }
        for row in self.links_of(task)? {
            if row.user == link.user && row.group == link.group && row.kind == link.kind {
                self.log_link_row(&row, false)?;
                self.remove::<IdentityLink>(row.id);
            }
        }
        self.update_task(task, Reset::default(), |_| {})
    }

    pub(super) fn delete_task(&mut self, id: Id) -> Run<()> {
        let Some(task) = self.task(id)?.cloned() else {
            return Ok(());
        };
        if task.place.is_some() {
            return Err(Halt::execution(
                "The task cannot be deleted because is part of a running process",
            ));
        }
        let mut doomed = vec![id];
        while let Some(id) = doomed.pop() {
            for part in self.view.sub_tasks(id)? {
                if part.place.is_none() && self.task(part.id)?.is_some() {
                    doomed.push(part.id);
                }
            }
            self.end_task(id, "deleted")?;
        }
        Ok(())
    }

    pub(super) fn add_comment(
        &mut self,
        task: Id,
        instance: Option<Id>,
        user: Option<String>,
        message: &str,
    ) -> Run<Reply> {
        let of_task = self.task(task)?.and_then(UserTask::instance);
        let root = match of_task {
            Some(of_task) => self.instance(of_task)?.map(|row| row.root),
            None => None,
        };
        let comment = Comment {
            id: self.id()?,
            task: Some(task),
            instance,
            root,
            user,
            time: self.now(),
            message: message.to_owned(),
        };
        self.others.push(Change::InsertComment(comment.clone()));
        self.touch_task(task);
        Ok(Reply::Commented(comment))
    }
}
