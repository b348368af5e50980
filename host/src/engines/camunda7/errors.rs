//! What an answer of Camunda 7 means, beginning with whether it is one at all.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::transport::Reply;
use crate::engines::Fault;

/// The body of every error of the engine.
#[derive(Debug, Deserialize)]
struct ErrorDto {
    #[serde(rename = "type")]
    type_name: Option<String>,
    message: Option<String>,
    code: Option<i64>,
}

/// Optimistic locking, in Camunda's `BuiltinExceptionCode`: the only machine-readable "try again".
const OPTIMISTIC_LOCKING: i64 = 1;

/// What a refused correlation's message contains; the package before it differs between Camunda, Operaton and CIB seven.
const MISMATCH: &str = "MismatchingMessageCorrelationException";

/// Classifies an answer that is not a success.
pub(super) fn classify(reply: &Reply) -> Fault {
    let error: Option<ErrorDto> = serde_json::from_slice(&reply.body)
        .ok()
        .filter(|e: &ErrorDto| e.type_name.is_some() || e.message.is_some());
    let status = reply.status;
    if matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED
    ) {
        return Fault::Unauthorized(describe(status, error.as_ref(), reply));
    }
    if status.is_redirection() {
        return Fault::Foreign(format!(
            "{status}; redirects are not followed, configure the URL they lead to"
        ));
    }
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::REQUEST_TIMEOUT
    ) {
        return Fault::Unavailable {
            message: describe(status, error.as_ref(), reply),
            retry_after: reply.retry_after,
        };
    }
    let message = describe(status, error.as_ref(), reply);
    // A 404 or 400 of a proxy or a login page must never be taken for the engine's word that a task is gone.
    let Some(error) = error else {
        return Fault::Foreign(message);
    };
    let text = error.message.as_deref().unwrap_or_default();
    if text.contains(MISMATCH) {
        return Fault::Mismatch(reply.shown.masked_in(text.to_owned()));
    }
    match status {
        // The words of the server and not of the engine: it is not there, or not at this path.
        StatusCode::NOT_FOUND if text.starts_with("HTTP 404") => Fault::Foreign(message),
        StatusCode::NOT_FOUND => Fault::NotFound(message),
        StatusCode::FORBIDDEN => Fault::Rejected(message),
        _ if status.is_client_error() => Fault::Rejected(message),
        _ if error.code == Some(OPTIMISTIC_LOCKING) => Fault::Conflict(message),
        _ if is_overload(text) => Fault::Unavailable {
            message,
            retry_after: reply.retry_after,
        },
        _ => Fault::Failed(message),
    }
}

/// Camunda reports a full queue of long polls, and its own stop, as status 500.
fn is_overload(message: &str) -> bool {
    message.contains("too many requests at the same time") || message.contains("due to shutdown of application server")
}

fn describe(status: StatusCode, error: Option<&ErrorDto>, reply: &Reply) -> String {
    match error {
        Some(ErrorDto { type_name, message, .. }) => {
            let type_name = type_name.as_deref().unwrap_or("error");
            match message.as_deref().filter(|message| !message.is_empty()) {
                Some(message) => reply
                    .shown
                    .masked_in(format!("{} {type_name}: {message}", status.as_u16())),
                None => format!("{} {type_name}", status.as_u16()),
            }
        }
        None => format!("{status}, with a body that begins {:?}", reply.excerpt()),
    }
}

/// Reads `Retry-After` in seconds. Its date form would depend on the engine's wall clock and is ignored.
pub(super) fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    headers
        .get(http::header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Fault {
        classify(&Reply {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: Some(Duration::from_secs(3)),
            cut: None,
            body: body.to_owned().into(),
            shown: Default::default(),
        })
    }

    #[test]
    fn each_answer_is_what_somebody_acts_on() {
        let cases = [
            (
                404,
                r#"{"type":"RestException","message":"External task with id X does not exist","code":0}"#,
                "not_found",
            ),
            (404, "<html>nginx</html>", "foreign"),
            (
                404,
                r#"{"type":"NotFoundException","message":"HTTP 404 Not Found","code":null}"#,
                "foreign",
            ),
            (
                400,
                r#"{"type":"RestException","message":"External Task X cannot be completed by worker 'W'.","code":0}"#,
                "rejected",
            ),
            (400, "Bad Request", "foreign"),
            (
                500,
                r#"{"type":"OptimisticLockingException","message":"m","code":1}"#,
                "conflict",
            ),
            (
                500,
                r#"{"type":"ScriptEvaluationException","message":"m","code":0}"#,
                "failed",
            ),
            (500, "<html>Tomcat</html>", "foreign"),
            (
                500,
                r#"{"type":"InvalidRequestException","message":"At the moment the server has to handle too many requests at the same time. Please try again later.","code":null}"#,
                "unavailable",
            ),
            (503, "", "unavailable"),
            (502, "<html>", "unavailable"),
            (401, "", "unauthorized"),
            (302, "", "foreign"),
            (
                400,
                r#"{"type":"RestException","message":"org.operaton.bpm.engine.MismatchingMessageCorrelationException: Cannot correlate message 'M': …","code":0}"#,
                "mismatch",
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(reply(status, body).label(), expected, "{status} {body}");
        }
        assert_eq!(reply(503, "").retry_after(), Some(Duration::from_secs(3)));
    }

    /// What engines of the forks say, recorded from operaton-engine 1.0.0 and cibseven-engine 2.0.0: their REST passes on
    /// the sentence of a refusal, and for a message that found no receiver the exception with its package.
    #[test]
    fn forks_differ_in_words_and_not_in_what_they_mean() {
        let refusals = [
            "External Task 8 cannot be completed by worker 'W'. It is locked by worker 'null'.",
            "External Task 8 cannot be completed by worker 'W'. It is locked by worker 'V'.",
            "External Task 8 cannot be locked by worker 'X'. It is locked by worker 'W'.",
            "Failure of External Task 8 cannot be reported by worker 'W'. It is locked by worker 'V'.",
            "Bpmn error of External Task 8 cannot be reported by worker 'W'. It is locked by worker 'V'.",
            "The lock of the External Task 8 cannot be extended by worker 'W''. It is locked by worker 'V'.",
            // As a later Operaton has it.
            "The lock of the External Task 8 cannot be extended by worker 'W'. It is locked by worker 'V'.",
            "Cannot extend a lock that expired: lockExpirationTime is not greater than or equal to 1795647444500",
        ];
        let body =
            |message: &str| serde_json::json!({"type": "RestException", "message": message, "code": 0}).to_string();
        for refusal in refusals {
            assert_eq!(reply(400, &body(refusal)).label(), "rejected", "{refusal}");
        }
        for vendor in ["camunda", "operaton", "cibseven", "eximeebpms"] {
            let mismatch = format!(
                "org.{vendor}.bpm.engine.MismatchingMessageCorrelationException: Cannot correlate message 'M': No process definition or execution matches the parameters"
            );
            assert_eq!(reply(400, &body(&mismatch)).label(), "mismatch", "{mismatch}");
        }
    }
}
