//! The error of workers' functions, which `?` makes from any other.

use std::any::Any;
use std::time::Duration;

use crate::{BpmnError, Failure};

/// What workers' functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a worker's function has no result: a business error or a technical failure.
///
/// `?` makes one from any [`std::error::Error`]: a [`BpmnError`] stays one and a [`Failure`] too; all others become a
/// failure with their message, and their sources in the details. Like similar types it is no `std::error::Error`
/// itself, because it could not be made from all of them then.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The process model handles it.
    Bpmn(BpmnError),
    /// The engine offers the task again, or raises an incident.
    Failure(Failure),
}

impl Error {
    /// Sets the retries that are left now, where this is a failure; 0 raises an incident.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        self.map_failure(|failure| failure.retries(retries))
    }

    /// Sets how long to wait before the next try, where this is a failure.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.map_failure(|failure| failure.retry_after(wait))
    }

    fn map_failure(self, change: impl FnOnce(Failure) -> Failure) -> Self {
        match self {
            Self::Bpmn(error) => Self::Bpmn(error),
            Self::Failure(failure) => Self::Failure(change(failure)),
        }
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let failure = Failure::from_error(&error);
        let error: Box<dyn Any> = Box::new(error);
        match error
            .downcast::<BpmnError>()
            .map_err(|error| error.downcast::<Failure>())
        {
            Ok(error) => Self::Bpmn(*error),
            Err(Ok(failure)) => Self::Failure(*failure),
            Err(Err(_)) => Self::Failure(failure),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bpmn(error) => error.fmt(f),
            Self::Failure(failure) => failure.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<i32> {
        Ok(text.parse::<i32>()?)
    }

    #[test]
    fn any_error_becomes_a_failure_by_question_mark() {
        let Err(Error::Failure(failure)) = parse("x") else {
            unreachable!("an error was expected")
        };
        assert_eq!(failure.message, "invalid digit found in string");
        assert_eq!((failure.retries, failure.retry_after_ms), (None, None));
    }

    #[test]
    fn business_errors_and_failures_stay_what_they_are() {
        let business = BpmnError::new("OUT_OF_STOCK").message("no lamps");
        assert_eq!(Error::from(business.clone()), Error::Bpmn(business));
        let failure = Failure::new("try later").retries(5).retry_after(Duration::from_secs(3));
        assert_eq!(Error::from(failure.clone()), Error::Failure(failure));
    }

    #[test]
    fn sources_go_into_the_details() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("cannot read the quantity")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let Err(inner) = "x".parse::<i32>() else {
            unreachable!("an error was expected")
        };
        let Error::Failure(failure) = Error::from(Outer(inner)).retries(2) else {
            unreachable!("no business error")
        };
        assert_eq!(failure.message, "cannot read the quantity");
        assert_eq!(
            failure.details.as_deref(),
            Some("caused by: invalid digit found in string")
        );
        assert_eq!(failure.retries, Some(2));
    }
}
