//! How a task ends: the outcomes, and what can be made one.

use std::fmt;
use std::time::Duration;

use crate::{BpmnError, Completion, Deferral, Error, Failure, Outcome};

/// The builder's methods for variables, which several types have.
macro_rules! with_variables {
    ($($type:ty),*) => {$(
        impl $type {
            /// Adds a variable.
            #[must_use]
            pub fn variable(mut self, name: impl Into<String>, value: impl Into<crate::Value>) -> Self {
                self.variables.push(crate::Variable::new(name, value));
                self
            }

            /// Adds a variable that is visible until the engine's next wait state and never stored.
            #[must_use]
            pub fn transient(mut self, name: impl Into<String>, value: impl Into<crate::Value>) -> Self {
                self.variables.push(crate::Variable::transient(name, value));
                self
            }

            /// Adds a variable that holds a JSON document.
            ///
            /// # Errors
            /// When the value cannot be written as JSON.
            pub fn json<T: serde::Serialize + ?Sized>(
                self,
                name: impl Into<String>,
                value: &T,
            ) -> Result<Self, crate::Error> {
                Ok(self.variable(name, crate::Value::json(value)?))
            }

            /// Adds variables that were made elsewhere.
            #[must_use]
            pub fn variables(mut self, variables: impl IntoIterator<Item = crate::Variable>) -> Self {
                self.variables.extend(variables);
                self
            }
        }
    )*};
}
pub(crate) use with_variables;

/// The builder's method for local variables.
macro_rules! with_local_variables {
    ($($type:ty),*) => {$(
        impl $type {
            /// Adds a variable of the activity's own scope.
            #[must_use]
            pub fn local_variable(mut self, name: impl Into<String>, value: impl Into<crate::Value>) -> Self {
                self.local_variables.push(crate::Variable::new(name, value));
                self
            }
        }
    )*};
}
pub(crate) use with_local_variables;

with_variables!(Completion, BpmnError, Failure);
with_local_variables!(Completion, Failure);

impl Completion {
    /// The task is done.
    pub fn new() -> Self {
        Self {
            variables: Vec::new(),
            local_variables: Vec::new(),
        }
    }
}

impl Default for Completion {
    fn default() -> Self {
        Self::new()
    }
}

impl BpmnError {
    /// A business error by its code, which the process model catches.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: None,
            variables: Vec::new(),
        }
    }

    /// Adds a message, which the model can put into a variable.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

impl fmt::Display for BpmnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "BPMN error {}: {message}", self.code),
            None => write!(f, "BPMN error {}", self.code),
        }
    }
}

impl std::error::Error for BpmnError {}

impl Failure {
    /// A technical failure. The host counts the retries down and chooses a growing time before the next try, unless
    /// they are set here.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            details: None,
            retries: None,
            retry_after_ms: None,
            variables: Vec::new(),
            local_variables: Vec::new(),
        }
    }

    /// A failure with the error's message, and its sources in the details.
    pub fn from_error(error: &dyn std::error::Error) -> Self {
        let sources = std::iter::successors(error.source(), |error| error.source());
        let causes: Vec<_> = sources.map(|source| format!("caused by: {source}")).collect();
        let details = (!causes.is_empty()).then(|| causes.join("\n"));
        Self {
            details,
            ..Self::new(error.to_string())
        }
    }

    /// Adds what helps the person who opens the incident.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// Sets the retries that are left now; 0 raises an incident.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Sets how long to wait before the next try: whole milliseconds, at most 49 days.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after_ms = Some(milliseconds(wait));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Deferral {
    /// Somebody else will complete the task. Its lock runs as long as the host keeps it by default.
    pub fn new() -> Self {
        Self {
            lock_for_ms: None,
            reason: None,
        }
    }

    /// Lets the lock run for this long from now, until the task is delivered again: whole milliseconds, at most 49 days.
    #[must_use]
    pub fn lock_for(mut self, duration: Duration) -> Self {
        self.lock_for_ms = Some(milliseconds(duration));
        self
    }

    /// Says why, for the log.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl Default for Deferral {
    fn default() -> Self {
        Self::new()
    }
}

impl Outcome {
    /// The task is done: [`Completion::new`].
    pub fn complete() -> Completion {
        Completion::new()
    }

    /// Somebody else will complete the task: [`Deferral::new`].
    pub fn defer() -> Deferral {
        Deferral::new()
    }
}

impl From<Completion> for Outcome {
    fn from(completion: Completion) -> Self {
        Self::Complete(completion)
    }
}

impl From<Deferral> for Outcome {
    fn from(deferral: Deferral) -> Self {
        Self::Deferred(deferral)
    }
}

impl From<BpmnError> for Outcome {
    fn from(error: BpmnError) -> Self {
        Self::BpmnError(error)
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        match error {
            Error::Bpmn(error) => Self::BpmnError(error),
            Error::Failure(failure) => Self::Failure(failure),
        }
    }
}

/// What a handler may return.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    note = "return `handoff_sdk::Result` of a `Completion`, a `Deferral` or an `Outcome`"
)]
pub trait IntoOutcome {
    /// The outcome that is reported to the engine.
    fn into_outcome(self) -> Outcome;
}

impl<T: Into<Outcome>> IntoOutcome for T {
    fn into_outcome(self) -> Outcome {
        self.into()
    }
}

impl<T: Into<Outcome>, E: Into<Error>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        match self {
            Ok(outcome) => outcome.into(),
            Err(error) => error.into().into(),
        }
    }
}

/// Whole milliseconds, as the contract has them; the longest it can say for a longer time.
pub(crate) fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Value, Variable};

    #[test]
    fn a_builder_gathers_variables() {
        let completion = Outcome::complete()
            .variable("done", true)
            .transient("token", "t")
            .local_variable("attempt", 2)
            .json("lines", &["a", "b"])
            .unwrap_or_default();
        let expected = Completion {
            variables: vec![
                Variable::new("done", true),
                Variable::transient("token", "t"),
                Variable::new("lines", Value::Json(r#"["a","b"]"#.into())),
            ],
            local_variables: vec![Variable::new("attempt", 2)],
        };
        assert_eq!(completion, expected);
    }

    #[test]
    fn results_become_outcomes() {
        let ok: crate::Result<Deferral> = Ok(Outcome::defer().lock_for(Duration::from_secs(60)));
        let expected = Outcome::Deferred(Deferral {
            lock_for_ms: Some(60_000),
            reason: None,
        });
        assert_eq!(ok.into_outcome(), expected);
        let error: Result<Completion, std::fmt::Error> = Err(std::fmt::Error);
        let outcome = error.into_outcome();
        assert_eq!(outcome, Failure::from_error(&std::fmt::Error).into());
        assert_eq!(
            BpmnError::new("X").into_outcome(),
            Outcome::BpmnError(BpmnError::new("X"))
        );
    }

    #[test]
    fn long_times_are_cut_to_what_the_contract_can_say() {
        assert_eq!(
            Failure::new("").retry_after(Duration::MAX).retry_after_ms,
            Some(u32::MAX)
        );
    }
}
