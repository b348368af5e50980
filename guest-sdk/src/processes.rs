//! Starting processes and sending messages, on every engine that the worker was granted.
//!
//! To start a process for a task, call [`Task::start`](crate::Task::start): it starts once, however often the task is
//! delivered.

use crate::bindings::processes as host;
use crate::engine_error::call;
use crate::outcome::with_variables;
use crate::{EngineError, Value, Variable};

pub use crate::bindings::processes::{IfRunning, Message, Receiver, StartRequest, StartStatus, StartTarget, Started};

/// Starts a process instance. Without a dedupe key, each call starts one.
///
/// # Errors
/// [`EngineError::Mismatch`] where no start event has the message, [`EngineError::NotFound`] where no definition has
/// the key or id, [`EngineError::Rejected`] where one runs and [`IfRunning::Reject`] was asked for.
pub fn start(request: &StartRequest) -> Result<Started, EngineError> {
    call(|| host::start(request))
}

/// Correlates a message to the execution that waits for it, or starts an instance by it. Engines keep no messages.
///
/// # Errors
/// [`EngineError::Mismatch`] where not exactly one receiver matches, unless the message is for [all](Message::to_all).
pub fn correlate(message: &Message) -> Result<Vec<Receiver>, EngineError> {
    call(|| host::correlate(message))
}

/// Sets variables of a process instance.
///
/// # Errors
/// [`EngineError::NotFound`] where there is no such instance (any more).
pub fn set_variables(engine: &str, process_instance_id: &str, variables: &[Variable]) -> Result<(), EngineError> {
    call(|| host::set_variables(engine, process_instance_id, variables))
}

with_variables!(StartRequest, Message);

impl StartRequest {
    /// Starts the process that has a message start event of this name.
    pub fn message(engine: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(engine, StartTarget::Message(name.into()))
    }

    /// Starts the latest version of the definition with this key.
    pub fn definition_key(engine: impl Into<String>, key: impl Into<String>) -> Self {
        Self::new(engine, StartTarget::DefinitionKey(key.into()))
    }

    /// Starts one version of a definition.
    pub fn definition_id(engine: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(engine, StartTarget::DefinitionId(id.into()))
    }

    fn new(engine: impl Into<String>, target: StartTarget) -> Self {
        Self {
            engine: engine.into(),
            target,
            business_key: None,
            dedupe_key: None,
            if_running: IfRunning::Another,
            variables: Vec::new(),
            tenant_id: None,
        }
    }

    /// Sets the instance's business key.
    #[must_use]
    pub fn business_key(mut self, key: impl Into<String>) -> Self {
        self.business_key = Some(key.into());
        self
    }

    /// At most one instance is ever started for a dedupe key. What engines guarantee for it differs; see the host's
    /// documentation.
    #[must_use]
    pub fn dedupe_key(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// What to do where an instance with the same business key runs already: [`IfRunning::Another`] unless it is set.
    #[must_use]
    pub fn if_running(mut self, what: IfRunning) -> Self {
        self.if_running = what;
        self
    }

    /// Sets the tenant to start for.
    #[must_use]
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }
}

impl Message {
    /// A message by its name.
    pub fn new(engine: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            engine: engine.into(),
            name: name.into(),
            business_key: None,
            process_instance_id: None,
            correlation_keys: Vec::new(),
            local_correlation_keys: Vec::new(),
            variables: Vec::new(),
            local_variables: Vec::new(),
            tenant_id: None,
            all: false,
        }
    }

    /// The receiver's instance has this business key.
    #[must_use]
    pub fn business_key(mut self, key: impl Into<String>) -> Self {
        self.business_key = Some(key.into());
        self
    }

    /// The receiver is in this instance.
    #[must_use]
    pub fn process_instance_id(mut self, id: impl Into<String>) -> Self {
        self.process_instance_id = Some(id.into());
        self
    }

    /// The receiver's instance has this variable.
    #[must_use]
    pub fn correlation_key(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.correlation_keys.push(Variable::new(name, value));
        self
    }

    /// The receiving execution itself has this variable.
    #[must_use]
    pub fn local_correlation_key(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.local_correlation_keys.push(Variable::new(name, value));
        self
    }

    /// Adds a variable of the receiving execution's own scope.
    #[must_use]
    pub fn local_variable(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.local_variables.push(Variable::new(name, value));
        self
    }

    /// Sets the tenant whose executions may receive it.
    #[must_use]
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// Delivers to every receiver, and to none without an error.
    #[must_use]
    pub fn to_all(mut self) -> Self {
        self.all = true;
        self
    }
}
