//! `processes`: starting instances, correlating messages, setting variables. Granted per engine.

use super::grants::GrantKind;
use crate::{
    bindings::imports::processes::{Host, Message, Receiver, StartRequest, Started},
    state::{Run, RunState},
    wit::types::{EngineError, Variable},
};

impl Host for RunState {
    async fn start(&mut self, request: StartRequest) -> Result<Started, EngineError> {
        self.run.may_process("processes.start", &request.engine)?;
        let request = StartRequest {
            variables: self.run.with_contents(request.variables).await?,
            ..request
        };
        self.run
            .on_host(|host, caller| async move { host.start(&caller, request).await })
            .await
    }

    async fn correlate(&mut self, message: Message) -> Result<Vec<Receiver>, EngineError> {
        self.run.may_process("processes.correlate", &message.engine)?;
        let message = Message {
            variables: self.run.with_contents(message.variables).await?,
            local_variables: self.run.with_contents(message.local_variables).await?,
            ..message
        };
        self.run
            .on_host(|host, caller| async move { host.correlate(&caller, message).await })
            .await
    }

    async fn set_variables(
        &mut self,
        engine: String,
        process_instance_id: String,
        variables: Vec<Variable>,
    ) -> Result<(), EngineError> {
        self.run.may_process("processes.set-variables", &engine)?;
        let variables = self.run.with_contents(variables).await?;
        self.run
            .on_host(|host, caller| async move {
                host.set_variables(&caller, engine, process_instance_id, variables)
                    .await
            })
            .await
    }
}

impl Run {
    fn may_process(&self, capability: &str, engine: &str) -> Result<(), EngineError> {
        self.grants
            .check(GrantKind::Processes, capability, engine)
            .map_err(EngineError::Denied)
    }
}
