//! What a delegate answers.

use crate::outcome::{with_local_variables, with_variables};
use crate::{Delegation, Error, Failure};

with_variables!(Delegation);
with_local_variables!(Delegation);

impl Delegation {
    /// The engine goes on.
    pub fn new() -> Self {
        Self {
            variables: Vec::new(),
            local_variables: Vec::new(),
        }
    }
}

impl Default for Delegation {
    fn default() -> Self {
        Self::new()
    }
}

/// What a delegate may return. A BPMN error is caught by the process model; a failure rolls the engine's transaction
/// back, and a job is tried again, whatever the failure says about retries: the job has its own.
#[diagnostic::on_unimplemented(
    message = "a delegate cannot return `{Self}`",
    note = "return `handoff_sdk::Result` of a `Delegation` or `()`"
)]
pub trait IntoDelegation {
    /// The delegation, or why there is none.
    ///
    /// # Errors
    /// The delegate's own.
    fn into_delegation(self) -> Result<Delegation, Error>;
}

impl IntoDelegation for Delegation {
    fn into_delegation(self) -> Result<Delegation, Error> {
        Ok(self)
    }
}

impl IntoDelegation for () {
    fn into_delegation(self) -> Result<Delegation, Error> {
        Ok(Delegation::new())
    }
}

impl<T: IntoDelegation, E: Into<Error>> IntoDelegation for Result<T, E> {
    fn into_delegation(self) -> Result<Delegation, Error> {
        self.map_err(Into::into)?.into_delegation()
    }
}

/// A failure in one text, as a delegate's answer has it.
pub(crate) fn failure_text(failure: Failure) -> String {
    match failure.details {
        Some(details) => format!("{}\n{details}", failure.message),
        None => failure.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BpmnError;

    #[test]
    fn results_become_delegations() {
        assert_eq!(().into_delegation(), Ok(Delegation::new()));
        let answer: crate::Result<Delegation> = Ok(Delegation::new().variable("a", 1));
        assert_eq!(answer.into_delegation(), Ok(Delegation::new().variable("a", 1)));
        let error: Result<(), BpmnError> = Err(BpmnError::new("DUPLICATE"));
        assert_eq!(error.into_delegation(), Err(Error::Bpmn(BpmnError::new("DUPLICATE"))));
    }

    #[test]
    fn a_failure_is_told_with_its_details() {
        assert_eq!(
            failure_text(Failure::new("down").details("caused by: a reset")),
            "down\ncaused by: a reset"
        );
    }
}
