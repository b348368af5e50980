//! Commands on external tasks. The order of the checks and their words are Camunda's (`rest-semantics` 3.3).

use crate::command::ExternalTaskAction;
use crate::core::behaviour::external_task_site;
use crate::core::halt::{Halt, Run};
use crate::core::incident::IncidentOf;
use crate::core::work::Work;
use crate::error::{Entity, MachineError};
use crate::id::Id;
use crate::row::{ExternalTask, LogState};

/// How long an error message may be, in characters, as in Camunda.
const MESSAGE_MAX: usize = 666;

impl Work<'_> {
    pub(super) fn act_on_external_task(&mut self, id: Id, action: &ExternalTaskAction) -> Run<()> {
        validate(action)?;
        let Some(task) = self.external_task(id)?.cloned() else {
            return Err(MachineError::NotFound {
                kind: Entity::ExternalTask,
                message: format!("External task with id {} does not exist", self.text(id)),
            }
            .into());
        };
        self.check_worker(&task, action)?;
        match action {
            ExternalTaskAction::Complete {
                variables,
                local_variables,
                ..
            } => {
                self.check_active(&task)?;
                self.attempt(|work| work.complete(&task, variables, local_variables))?;
                self.run_agenda()
            }
            ExternalTaskAction::Fail { .. } => {
                self.check_active(&task)?;
                self.attempt(|work| work.fail(&task, action))?;
                self.run_agenda()
            }
            ExternalTaskAction::BpmnError {
                code,
                message,
                variables,
                ..
            } => {
                self.check_active(&task)?;
                self.attempt(|work| {
                    work.set_variables(task.execution, variables)?;
                    Err(Halt::bpmn(code.clone(), message.clone(), task.execution))
                })?;
                self.run_agenda()
            }
            ExternalTaskAction::Lock { worker, duration } => {
                let until = self.now().saturating_add(*duration);
                self.change::<ExternalTask>(id, |row| {
                    row.worker = Some(worker.clone());
                    row.lock_expiration = Some(until);
                });
                Ok(())
            }
            ExternalTaskAction::ExtendLock { duration, .. } => self.extend_lock(&task, *duration),
            ExternalTaskAction::Unlock => {
                self.change::<ExternalTask>(id, |row| {
                    row.worker = None;
                    row.lock_expiration = None;
                });
                Ok(())
            }
            ExternalTaskAction::SetRetries(retries) => self.set_external_task_retries(&task, *retries),
            ExternalTaskAction::SetPriority(priority) => {
                self.change::<ExternalTask>(id, |row| row.priority = *priority);
                Ok(())
            }
        }
    }

    /// Who may do it: only the worker that holds the task, however long ago its lock ran out.
    fn check_worker(&self, task: &ExternalTask, action: &ExternalTaskAction) -> Run<()> {
        let id = self.text(task.id);
        let holder = task.worker.as_deref().unwrap_or("null");
        let (worker, message) = match action {
            ExternalTaskAction::Complete { worker, .. } => (
                worker,
                format!(
                    "External Task {id} cannot be completed by worker '{worker}'. It is locked by worker '{holder}'."
                ),
            ),
            ExternalTaskAction::Fail { worker, .. } => (
                worker,
                format!(
                    "Failure of External Task {id} cannot be reported by worker '{worker}'. It is locked by worker '{holder}'."
                ),
            ),
            ExternalTaskAction::BpmnError { worker, .. } => (
                worker,
                format!(
                    "Bpmn error of External Task {id} cannot be reported by worker '{worker}'. It is locked by worker '{holder}'."
                ),
            ),
            ExternalTaskAction::ExtendLock { worker, .. } => (
                worker,
                format!(
                    "The lock of the External Task {id} cannot be extended by worker '{worker}''. It is locked by worker '{holder}'."
                ),
            ),
            ExternalTaskAction::Lock { worker, .. } => {
                let free = task.worker.is_none() || task.lock_expiration.is_none_or(|until| until <= self.now());
                if free {
                    return Ok(());
                }
                (
                    worker,
                    format!(
                        "External Task {id} cannot be locked by worker '{worker}'. It is locked by worker '{holder}'."
                    ),
                )
            }
            ExternalTaskAction::Unlock | ExternalTaskAction::SetRetries(_) | ExternalTaskAction::SetPriority(_) => {
                return Ok(());
            }
        };
        if task.worker.as_ref() == Some(worker) {
            Ok(())
        } else {
            Err(MachineError::NotLockHolder(message).into())
        }
    }

    fn check_active(&self, task: &ExternalTask) -> Run<()> {
        if task.suspended {
            let message = format!(
                "ENGINE-03043 ExternalTaskEntity with id '{}' is suspended.",
                self.text(task.id)
            );
            return Err(MachineError::Suspended(message).into());
        }
        Ok(())
    }

    fn complete(
        &mut self,
        task: &ExternalTask,
        variables: &[crate::command::VariableInput],
        local_variables: &[crate::command::VariableInput],
    ) -> Run<()> {
        self.set_variables(task.execution, variables)?;
        self.set_local_variables(task.execution, local_variables)?;
        self.map_errors(task, false)?;
        self.log_external_task(task, LogState::Successful)?;
        if task.retries.is_some_and(|retries| retries <= 0) {
            self.end_incidents(task.id, true)?;
        }
        self.remove::<ExternalTask>(task.id);
        let place = self.place(task.execution)?;
        self.leave(&place)
    }

    fn fail(&mut self, task: &ExternalTask, action: &ExternalTaskAction) -> Run<()> {
        let ExternalTaskAction::Fail {
            message,
            details,
            retries,
            retry_timeout,
            variables,
            local_variables,
            ..
        } = action
        else {
            return Ok(());
        };
        self.set_variables(task.execution, variables)?;
        self.set_local_variables(task.execution, local_variables)?;
        let message = message
            .as_ref()
            .map(|message| message.chars().take(MESSAGE_MAX).collect::<String>());
        let until = self.now().saturating_add(*retry_timeout);
        self.change::<ExternalTask>(task.id, |row| {
            row.error_message = message;
            if details.is_some() {
                row.error_details.clone_from(details);
            }
        });
        self.map_errors(task, true)?;
        self.change::<ExternalTask>(task.id, |row| row.lock_expiration = Some(until));
        if let Some(failed) = self.external_task(task.id)?.cloned() {
            self.log_external_task(&failed, LogState::Failed)?;
            self.set_external_task_retries(&failed, *retries)?;
        }
        Ok(())
    }

    /// `camunda:errorEventDefinition`: the first whose expression holds makes a BPMN error of it. An expression that
    /// fails at a failure counts as false, so that the failure is noted.
    fn map_errors(&mut self, task: &ExternalTask, failing: bool) -> Run<()> {
        let (place, site) = external_task_site(self, task)?;
        for mapping in &place.element().error_mappings {
            let holds = match self.evaluate_with(&site, &mapping.condition, Some(task.id), None) {
                Ok(datum) => datum == crate::expression::Datum::Boolean(true),
                Err(crate::expression::EvalError::Failed(_) | crate::expression::EvalError::Unknown(_)) if failing => {
                    false
                }
                Err(error) => return Err(error.into()),
            };
            if holds {
                let code = self.optional_text(&site, mapping.code.as_ref())?.unwrap_or_default();
                let message = self.optional_text(&site, mapping.message.as_ref())?;
                return Err(Halt::bpmn(code, message, task.execution));
            }
        }
        Ok(())
    }

    fn extend_lock(&mut self, task: &ExternalTask, duration: i64) -> Run<()> {
        self.check_active(task)?;
        let now = self.now();
        if task.lock_expiration.is_none_or(|until| until < now) {
            return Err(MachineError::BadUserRequest(format!(
                "Cannot extend a lock that expired: lockExpirationTime is not greater than or equal to {now}"
            ))
            .into());
        }
        self.change::<ExternalTask>(task.id, |row| row.lock_expiration = Some(now.saturating_add(duration)));
        Ok(())
    }

    pub(super) fn set_external_task_retries(&mut self, task: &ExternalTask, retries: i32) -> Run<()> {
        let before = task.retries;
        self.change::<ExternalTask>(task.id, |row| row.retries = Some(retries));
        if retries <= 0 && before.is_none_or(|before| before > 0) {
            self.raise_incident(IncidentOf {
                kind: "failedExternalTask".to_owned(),
                configuration: task.id,
                instance: Some(task.instance),
                execution: Some(task.execution),
                definition: Some(task.definition),
                activity: task.activity.clone(),
                failed_activity: None,
                message: task.error_message.clone(),
                tenant: task.tenant.clone(),
            })?;
        } else if retries > 0 && before.is_some_and(|before| before <= 0) {
            self.end_incidents(task.id, true)?;
        }
        Ok(())
    }
}

fn validate(action: &ExternalTaskAction) -> Run<()> {
    let bad = |message: &str| Err(MachineError::BadUserRequest(message.to_owned()).into());
    match action {
        ExternalTaskAction::Fail { retries, .. } if *retries < 0 => {
            Err(Halt::execution("retries is not greater than or equal to 0"))
        }
        ExternalTaskAction::Fail { retry_timeout, .. } if *retry_timeout < 0 => {
            Err(Halt::execution("retryDuration is not greater than or equal to 0"))
        }
        ExternalTaskAction::Lock { duration, .. } if *duration <= 0 => bad("lockDuration is not greater than 0"),
        ExternalTaskAction::ExtendLock { duration, .. } if *duration <= 0 => bad("lockTime is not greater than 0"),
        ExternalTaskAction::SetRetries(retries) if *retries < 0 => {
            bad("The number of retries cannot be negative: retries is not greater than or equal to 0")
        }
        _ => Ok(()),
    }
}
