//! Restart: an ended instance is started anew where the caller says, with the variables that its history has
//! (`RestartProcessInstancesCmd`).

use crate::command::{Once, Restart, VariableInput};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::error::MachineError;
use crate::id::Id;

use super::start::Launch;

impl Work<'_> {
    pub(in crate::core) fn restart_instance(&mut self, restart: &Restart, id: Id) -> Run<()> {
        let text = self.text(id);
        let Some(history) = self.view.historic_instance(id)? else {
            return Err(MachineError::BadUserRequest(format!(
                "Historic process instance cannot be found: historicProcessInstanceId is null: '{text}'"
            ))
            .into());
        };
        if history.end_time.is_none() {
            let message = format!(
                "ENGINE-13040 Historic process instance '{text}' cannot be restarted. It is not completed or terminated."
            );
            return Err(MachineError::Execution(message).into());
        }
        let definition = self.known_definition(restart.definition)?;
        if history.definition != restart.definition {
            return Err(MachineError::Execution(format!(
                "Its process definition '{}' does not match given process definition '{}'",
                self.text(history.definition),
                self.definition_text(&definition.row)
            ))
            .into());
        }
        let variables = self.restarted_variables(restart, id)?;
        let once = Once::default();
        self.skip_listeners = restart.skip_custom_listeners;
        self.skip_io_mappings = restart.skip_io_mappings;
        let started = self.start_once(&Launch {
            definition: &definition,
            start: None,
            at: &restart.at,
            restarted: Some(id),
            business_key: history
                .business_key
                .as_deref()
                .filter(|_| !restart.without_business_key),
            variables: &variables,
            triggered: &[],
            form: false,
            once: &once,
            with_variables: false,
        })?;
        self.log_started(started.instance.id)
    }

    fn restarted_variables(&mut self, restart: &Restart, id: Id) -> Run<Vec<VariableInput>> {
        let input = |name, value| VariableInput {
            name,
            value,
            transient: false,
        };
        Ok(if restart.initial_variables {
            let first = self.view.initial_variables(id)?;
            first.into_iter().map(|row| input(row.name, row.value)).collect()
        } else {
            let last = self.view.historic_variables(id)?;
            last.into_iter().map(|row| input(row.name, row.value)).collect()
        })
    }
}
