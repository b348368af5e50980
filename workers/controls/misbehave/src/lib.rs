//! Misbehaves, for the tests of containment: the variable `do` says how. What takes a loop or an instruction alone is
//! written as WebAssembly text in those tests; here is what takes a language and its libraries.

use handoff_sdk::{BpmnError, Completion, Error, Failure, Result, Task, log, secrets, tasks};
use wasip2::http::{
    outgoing_handler,
    types::{Fields, OutgoingRequest, Scheme},
};

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Completion> {
    let what: String = task.get("do")?;
    match what.as_str() {
        "panic" => panics(),
        "tell-a-secret-in-a-failure" => {
            let secret = secret()?;
            Err(Failure::new(format!("cannot log in with {secret}"))
                .details(format!("password {secret}"))
                .into())
        }
        "tell-a-secret-in-an-error" => Err(BpmnError::new("login")
            .message(format!("not with {}", secret()?))
            .into()),
        "tell-a-secret-in-a-panic" => panics_with(&secret()?),
        "complete-twice" => {
            let mut completion = Completion::new();
            for attempt in ["first", "second"] {
                let ending = tasks::complete(&task.id, &Completion::new().variable("by", attempt));
                log::info!(attempt; "completed: {ending:?}");
                completion = completion.variable(attempt, format!("{ending:?}"));
            }
            // And once more, by its outcome.
            Ok(completion)
        }
        "call" => {
            let url: String = task.get("url")?;
            match call(&url) {
                Ok(status) => Ok(Completion::new().variable("status", i32::from(status))),
                Err(reason) => Err(Failure::new(format!("cannot call {url}: {reason}")).retries(0).into()),
            }
        }
        other => Err(Failure::new(format!("misbehaves in no such way: {other}")).into()),
    }
}

fn secret() -> Result<String> {
    let secret = secrets::get("token").map_err(|error| Error::from(Failure::from_error(&error)))?;
    log::warn!(secret; "the secret is {secret}");
    Ok(secret)
}

#[allow(clippy::panic, reason = "what is tested")]
fn panics() -> Result<Completion> {
    panic!("the stock of a warehouse cannot be negative")
}

#[allow(clippy::panic, reason = "what is tested")]
fn panics_with(secret: &str) -> Result<Completion> {
    panic!("cannot log in with {secret}")
}

/// `GET`s an `http://` URL, follows no redirect, and returns the status.
fn call(url: &str) -> std::result::Result<u16, String> {
    let rest = url.strip_prefix("http://").ok_or("not http")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    let set = request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(&format!("/{path}"))));
    set.map_err(|()| "no such URL".to_owned())?;
    let response = outgoing_handler::handle(request, None).map_err(|error| format!("{error:?}"))?;
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(answer))) => Ok(answer.status()),
        Some(Ok(Err(error))) => Err(format!("{error:?}")),
        Some(Err(())) | None => Err("no answer".to_owned()),
    }
}
