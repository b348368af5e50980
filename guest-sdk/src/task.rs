//! The task that a handler is given.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::processes::{StartRequest, Started};
use crate::start_once::start_once;
use crate::{EngineError, Task, TaskRef, VariableError, Variables};

impl Task {
    /// A task for a worker's own tests, with nothing in it but what is given.
    pub fn new(id: TaskRef, topic: impl Into<String>) -> Self {
        Self {
            id,
            topic: topic.into(),
            business_key: None,
            variables: Vec::new(),
            retries: None,
            priority: 0,
            process_instance_id: String::new(),
            process_definition_id: String::new(),
            process_definition_key: String::new(),
            process_definition_version_tag: None,
            execution_id: String::new(),
            activity_id: String::new(),
            activity_instance_id: String::new(),
            tenant_id: None,
            created: None,
            error_message: None,
            error_details: None,
            extension_properties: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// The variables that came with the task.
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

    /// Starts a process instance once for this task, however often the task is delivered: where the request has no
    /// dedupe key, it is made of the task's engine and id; where it has no business key, it is the task's.
    ///
    /// A task that starts more than one instance gives each request a dedupe key of its own, made of
    /// [`dedupe_key`](Self::dedupe_key) and its purpose.
    ///
    /// # Errors
    /// As [`processes::start`](crate::processes::start); [`EngineError::Rejected`] for a second, different request
    /// without a dedupe key, which would be taken for the first.
    pub fn start(&self, mut request: StartRequest) -> Result<Started, EngineError> {
        if request.business_key.is_none() {
            request.business_key.clone_from(&self.business_key);
        }
        start_once(request, self.dedupe_key())
    }

    /// The dedupe key of what is started for this task: the same in every delivery of the task.
    pub fn dedupe_key(&self) -> String {
        self.id.to_string()
    }
}
