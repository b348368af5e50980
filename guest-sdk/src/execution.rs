//! The execution that calls a delegate.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::processes::{StartRequest, Started};
use crate::start_once::start_once;
use crate::{EngineError, Execution, ExecutionEvent, VariableError, Variables};

impl Execution {
    /// An execution for a worker's own tests: the first attempt of an `end` listener, with nothing in it but what is
    /// given.
    pub fn new(engine: impl Into<String>, delegate: impl Into<String>) -> Self {
        Self {
            engine: engine.into(),
            name: delegate.into(),
            invocation_id: String::new(),
            attempt: 1,
            event: ExecutionEvent::End,
            activity_id: String::new(),
            activity_name: None,
            transition_id: None,
            process_instance_id: String::new(),
            process_definition_id: String::new(),
            process_definition_key: String::new(),
            execution_id: String::new(),
            business_key: None,
            tenant_id: None,
            variables: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// The variables that the execution sees.
    pub fn variables(&self) -> Variables<'_> {
        Variables::new(&self.variables)
    }

    /// One variable, as [`Variables::get`].
    ///
    /// # Errors
    /// When there is no such variable, or its value does not fit the type.
    pub fn get<T: DeserializeOwned>(&self, variable: &str) -> Result<T, VariableError> {
        self.variables().get(variable)
    }

    /// All variables as one struct, as [`Variables::deserialize`].
    ///
    /// # Errors
    /// When a field has no variable, or a value does not fit.
    pub fn deserialize<'a, T: Deserialize<'a>>(&'a self) -> Result<T, VariableError> {
        self.variables().deserialize()
    }

    /// Starts a process instance once for this invocation, however often it is attempted: where the request has no
    /// dedupe key, it is made of the engine and the invocation's id; where it has no business key, it is the
    /// execution's.
    ///
    /// # Errors
    /// As [`Task::start`](crate::Task::start).
    pub fn start(&self, mut request: StartRequest) -> Result<Started, EngineError> {
        if request.business_key.is_none() {
            request.business_key.clone_from(&self.business_key);
        }
        start_once(request, self.dedupe_key())
    }

    /// The dedupe key of what is started for this invocation: the same in every attempt.
    pub fn dedupe_key(&self) -> String {
        format!("{}/{}", self.engine, self.invocation_id)
    }
}
