//! `tasks`: external tasks apart from fetching them. Granted per engine; what a worker does with its own task it says
//! in its outcome, which needs no grant.

use super::grants::GrantKind;
use crate::{
    bindings::imports::tasks::{Ending, Host},
    state::{Run, RunState},
    wit::types::{BpmnError, Completion, EngineError, Failure, FileReference, TaskRef},
};

impl Host for RunState {
    async fn complete(&mut self, task: TaskRef, completion: Completion) -> Result<Ending, EngineError> {
        self.run.may_task("tasks.complete", &task.engine)?;
        let completion = Completion {
            variables: self.run.with_contents(completion.variables).await?,
            local_variables: self.run.with_contents(completion.local_variables).await?,
        };
        self.run
            .on_host(|host, caller| async move { host.complete(&caller, task, completion).await })
            .await
    }

    async fn throw_error(&mut self, task: TaskRef, mut error: BpmnError) -> Result<Ending, EngineError> {
        self.run.log.redact_in(&mut error);
        self.run.may_task("tasks.throw-error", &task.engine)?;
        let error = BpmnError {
            variables: self.run.with_contents(error.variables).await?,
            ..error
        };
        self.run
            .on_host(|host, caller| async move { host.throw_error(&caller, task, error).await })
            .await
    }

    async fn fail(&mut self, task: TaskRef, mut failure: Failure) -> Result<Ending, EngineError> {
        self.run.log.redact_in(&mut failure);
        self.run.may_task("tasks.fail", &task.engine)?;
        let failure = Failure {
            variables: self.run.with_contents(failure.variables).await?,
            local_variables: self.run.with_contents(failure.local_variables).await?,
            ..failure
        };
        self.run
            .on_host(|host, caller| async move { host.fail(&caller, task, failure).await })
            .await
    }

    async fn extend_lock(&mut self, task: TaskRef, duration: u32) -> Result<Ending, EngineError> {
        self.run.may_task("tasks.extend-lock", &task.engine)?;
        self.run
            .on_host(|host, caller| async move { host.extend_lock(&caller, task, duration).await })
            .await
    }

    async fn unlock(&mut self, task: TaskRef) -> Result<Ending, EngineError> {
        self.run.may_task("tasks.unlock", &task.engine)?;
        self.run
            .on_host(|host, caller| async move { host.unlock(&caller, task).await })
            .await
    }

    async fn read_file(&mut self, reference: FileReference) -> Result<Vec<u8>, EngineError> {
        self.run.read_file(reference).await
    }
}

impl Run {
    fn may_task(&self, capability: &str, engine: &str) -> Result<(), EngineError> {
        self.grants
            .check(GrantKind::Tasks, capability, engine)
            .map_err(EngineError::Denied)
    }
}
