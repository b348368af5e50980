//! Errors as Camunda's clients know them: `{"type", "message", "code"}` with the status of the exception's family.
//!
//! `type` is the simple name of a Java exception, because clients compare it. `code` is 0 for errors of the engine
//! (1 where the caller should simply try again), and null for errors of the REST layer itself. Every error has a JSON
//! body: the Java client reads one from every answer of 300 and above, and breaks on an empty one.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use handoff_machine::MachineError;
use handoff_machine::error::{ParseProblems, Problem};
use handoff_machine::view::ViewError;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value as Json, json};

use super::migration::instance_report;

/// The result of a REST operation.
pub(crate) type Result<T, E = RestError> = std::result::Result<T, E>;

/// The code of an engine's error that has no code of its own (`BuiltinExceptionCode.FALLBACK`).
const FALLBACK: i32 = 0;
/// The code of an error that a retry cures (`BuiltinExceptionCode.OPTIMISTIC_LOCKING`).
const OPTIMISTIC_LOCKING: i32 = 1;

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RestError {
    /// The status of the answer.
    pub(crate) status: StatusCode,
    /// The simple name of Camunda's exception.
    pub(crate) kind: &'static str,
    /// What a person reads.
    pub(crate) message: String,
    /// See the module.
    pub(crate) code: Option<i32>,
    /// What is wrong where, under its name: the `details` of a [`MachineError::Parse`], the `validationReport` of a
    /// migration.
    details: Option<Box<(&'static str, Json)>>,
    /// A header that belongs to the status: `Retry-After`, `WWW-Authenticate`, `Allow`.
    header: Option<Box<(header::HeaderName, HeaderValue)>>,
}

impl RestError {
    /// An error of the REST layer: `code` is null.
    pub(crate) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            code: None,
            details: None,
            header: None,
        }
    }

    /// An error that the engine raised: `code` is 0.
    pub(crate) fn of_engine(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Some(FALLBACK),
            ..Self::new(status, kind, message)
        }
    }

    /// 400 `InvalidRequestException`
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    }

    /// 404 `InvalidRequestException`: most resources answer so for an unknown id.
    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "InvalidRequestException", message)
    }

    /// 500 `OptimisticLockingException`, code 1: the caller should simply try again.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "OptimisticLockingException", message);
        Self {
            code: Some(OPTIMISTIC_LOCKING),
            ..error
        }
    }

    /// 503: the caller may try again after `delay`.
    pub(crate) fn overloaded(message: impl Into<String>, delay: Duration) -> Self {
        let seconds = HeaderValue::from(delay.as_secs().max(1));
        Self {
            header: Some(Box::new((header::RETRY_AFTER, seconds))),
            ..Self::of_engine(StatusCode::SERVICE_UNAVAILABLE, "RestException", message)
        }
    }

    /// 500: the engine answered a command or question by another one's reply. A bug, told as one.
    pub(crate) fn unexpected(reply: &impl std::fmt::Debug) -> Self {
        tracing::error!(?reply, "a command was answered by another one's reply");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::of_engine(
            status,
            "ProcessEngineException",
            "The engine gave an answer that does not belong to the command",
        )
    }

    /// The same error with a header that belongs to it.
    pub(crate) fn with_header(self, name: header::HeaderName, value: HeaderValue) -> Self {
        Self {
            header: Some(Box::new((name, value))),
            ..self
        }
    }

    /// The same error with what is wrong in detail (`validationReport`).
    pub(crate) fn with_report(self, report: Json) -> Self {
        Self {
            details: Some(Box::new(("validationReport", report))),
            ..self
        }
    }

    /// The same error under another type: many resources of Camunda wrap what the engine raised.
    pub(crate) fn into_kind(self, kind: &'static str) -> Self {
        Self {
            kind,
            details: None,
            ..self
        }
    }

    /// The same error with words before its message.
    pub(crate) fn context(self, before: &str) -> Self {
        Self {
            message: format!("{before}{}", self.message),
            ..self
        }
    }

    /// Whether another try, later, may succeed: such an error is passed on as it is, never wrapped.
    fn is_transient(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE || self.code == Some(OPTIMISTIC_LOCKING)
    }

    /// Wraps as Camunda's resources do: any error of the engine becomes a `RestException` of status 500 with words
    /// before, and any error in what was sent an `InvalidRequestException` of its own status.
    pub(crate) fn wrapped(self, before: &str) -> Self {
        // What is no exception of the engine is passed on too: Camunda's resources catch only their own.
        let foreign = self.code.is_none() && self.status == StatusCode::INTERNAL_SERVER_ERROR;
        if self.is_transient() || foreign {
            return self;
        }
        if self.code.is_some() {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Self {
                status,
                ..self.into_kind("RestException").context(before)
            };
        }
        self.into_kind("InvalidRequestException").context(before)
    }
}

impl From<MachineError> for RestError {
    /// As Camunda's `ExceptionHandlerHelper` has it where a resource does not say otherwise.
    fn from(error: MachineError) -> Self {
        use StatusCode as S;
        let message = error.to_string();
        let of = |status, kind| Self::of_engine(status, kind, message.clone());
        match error {
            MachineError::BadUserRequest(_) => of(S::BAD_REQUEST, "BadUserRequestException"),
            MachineError::NullValue(_) => of(S::INTERNAL_SERVER_ERROR, "NullValueException"),
            MachineError::NotValid(_) => of(S::BAD_REQUEST, "NotValidException"),
            MachineError::NotAllowed(_) => of(S::BAD_REQUEST, "NotAllowedException"),
            MachineError::NotFound { .. } => of(S::NOT_FOUND, "InvalidRequestException"),
            MachineError::NotLockHolder(_) => of(S::BAD_REQUEST, "RestException"),
            // Camunda answers the cause's `toString()`: clients tell a mismatch by the class in it.
            MachineError::Mismatch(_) => {
                let message = format!("org.camunda.bpm.engine.MismatchingMessageCorrelationException: {message}");
                Self::of_engine(S::BAD_REQUEST, "RestException", message)
            }
            MachineError::AlreadyClaimed(_) => of(S::INTERNAL_SERVER_ERROR, "TaskAlreadyClaimedException"),
            MachineError::Suspended(_) => of(S::BAD_REQUEST, "SuspendedEntityInteractionException"),
            MachineError::AlreadyRunning(_) => Self::new(S::BAD_REQUEST, "HandoffAlreadyRunning", message),
            MachineError::Parse(problems) => Self {
                details: Some(Box::new(("details", details(&problems)))),
                ..of(S::BAD_REQUEST, "ParseException")
            },
            MachineError::Migration(report) => {
                of(S::BAD_REQUEST, "MigratingProcessInstanceValidationException").with_report(instance_report(&report))
            }
            MachineError::Execution(_) | MachineError::Delegate(_) | MachineError::View(ViewError::Store(_)) => {
                of(S::INTERNAL_SERVER_ERROR, "ProcessEngineException")
            }
            MachineError::FormField(_) => of(S::INTERNAL_SERVER_ERROR, "FormFieldValidationException"),
            MachineError::Script(_) => of(S::INTERNAL_SERVER_ERROR, "ScriptEvaluationException"),
            MachineError::Java { class, .. } => Self::new(S::INTERNAL_SERVER_ERROR, class, message),
            MachineError::View(ViewError::Reserved(_)) => Self::conflict(message),
        }
    }
}

impl From<rusqlite::Error> for RestError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a query failed");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::of_engine(
            status,
            "ProcessEngineException",
            format!("The database could not be read: {error}"),
        )
    }
}

fn details(problems: &ParseProblems) -> Json {
    let resources = problems.resources.iter().map(|(name, errors, warnings)| {
        let list = |problems: &[Problem]| problems.iter().map(problem).collect::<Vec<_>>();
        (
            name.clone(),
            json!({ "errors": list(errors), "warnings": list(warnings) }),
        )
    });
    Json::Object(resources.collect())
}

/// One problem as Camunda sends it: the key of the element ids begins with a Cyrillic letter on the wire, and with a
/// Latin one in its documentation. Both are sent.
pub(crate) fn problem(problem: &Problem) -> Json {
    json!({
        "message": problem.message,
        "line": problem.line,
        "column": problem.column,
        "mainElementId": problem.main_element,
        "\u{435}lementIds": problem.elements,
        "elementIds": problem.elements,
    })
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("type".into(), self.kind.into());
        body.insert("message".into(), self.message.into());
        body.insert("code".into(), self.code.into());
        if let Some(details) = self.details {
            let (name, details) = *details;
            body.insert(name.into(), details);
        }
        let mut response = (self.status, axum::Json(Json::Object(body))).into_response();
        if let Some(header) = self.header {
            let (name, value) = *header;
            response.headers_mut().insert(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_machine::id::Id;

    #[test]
    fn a_reserved_instance_asks_for_another_try() {
        let error = RestError::from(MachineError::View(ViewError::Reserved(Id(7))));
        assert_eq!(
            (error.status.as_u16(), error.kind, error.code),
            (500, "OptimisticLockingException", Some(1))
        );
        assert_eq!(
            error.clone().wrapped("Cannot do it: "),
            error,
            "what another try cures is never hidden"
        );
    }

    #[test]
    fn overload_says_when_to_come_again() {
        let error = RestError::overloaded("full", Duration::from_millis(10)).wrapped("Cannot start: ");
        let response = error.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1", "never at once");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    }

    #[test]
    fn wrapping_tells_engine_from_request() {
        let engine = RestError::from(MachineError::Execution("no flow".into())).wrapped("Cannot start: ");
        assert_eq!(
            (engine.status.as_u16(), engine.kind, engine.code),
            (500, "RestException", Some(0))
        );
        assert_eq!(engine.message, "Cannot start: no flow");
        let request = RestError::invalid("bad").wrapped("Cannot start: ");
        assert_eq!((request.status.as_u16(), request.code), (400, None));
        assert_eq!(request.kind, "InvalidRequestException");
    }

    #[test]
    fn problems_are_sent_under_both_spellings() {
        let problem = Problem {
            message: "no".into(),
            line: 3,
            column: 4,
            main_element: Some("x".into()),
            elements: vec!["x".into()],
        };
        let problems = ParseProblems {
            message: "m".into(),
            resources: vec![("a.bpmn".into(), vec![problem], vec![])],
        };
        let error = RestError::from(MachineError::Parse(Box::new(problems)));
        let (_, details) = *error.details.unwrap();
        assert_eq!(details["a.bpmn"]["errors"][0]["\u{435}lementIds"], json!(["x"]));
        assert_eq!(details["a.bpmn"]["errors"][0]["elementIds"], json!(["x"]));
    }
}
