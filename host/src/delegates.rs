//! Delegates: code that engines call synchronously, within their transaction (design, F7).
//!
//! `POST /delegates/{name}` with the execution as JSON; the answer is what the engine sets, or a BPMN error. An engine
//! waits for it inside a transaction, so delegates have slots of their own that tasks cannot take, and whoever finds
//! none free is told so at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use handoff_runtime::{
    CallContext, CallError, CallErrorKind, Capabilities, Deadline,
    wit::{
        delegate::{DelegateError, Delegation, Execution, ExecutionEvent},
        types::BpmnError,
    },
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    server::Refusal,
    trace::{self, TRACEPARENT},
    typed_json::{Origin, TypedValueError, TypedVariables, read_variables, write_variables},
    worker::{Worker, Workforce},
};

/// The version of the protocol.
const VERSION: u32 = 1;
/// The largest request.
const BODY_MAX_BYTES: usize = 16 << 20;
/// The time of a call whose engine does not say.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// What an engine sends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    version: u32,
    engine: String,
    invocation_id: String,
    #[serde(default = "first")]
    attempt: u32,
    deadline_ms: Option<u64>,
    event: String,
    activity_id: String,
    activity_name: Option<String>,
    transition_id: Option<String>,
    process_instance_id: String,
    process_definition_id: String,
    #[serde(default)]
    process_definition_key: String,
    execution_id: String,
    business_key: Option<String>,
    tenant_id: Option<String>,
    #[serde(default)]
    variables: TypedVariables,
    #[serde(default)]
    extension_properties: BTreeMap<String, Option<String>>,
}

const fn first() -> u32 {
    1
}

/// What it gets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<TypedVariables>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_variables: Option<TypedVariables>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bpmn_error: Option<BpmnErrorDto>,
}

#[derive(Debug, Serialize)]
struct BpmnErrorDto {
    code: String,
    message: Option<String>,
    variables: TypedVariables,
}

/// Serves delegates.
pub struct Delegates {
    workforce: watch::Receiver<Arc<Workforce>>,
    capabilities: Arc<dyn Capabilities>,
    slots: Arc<Semaphore>,
}

impl Delegates {
    /// Serves the delegates of `workforce`, at most `concurrency` at once.
    pub fn new(
        workforce: watch::Receiver<Arc<Workforce>>,
        capabilities: Arc<dyn Capabilities>,
        concurrency: u32,
    ) -> Arc<Self> {
        Arc::new(Self {
            workforce,
            capabilities,
            slots: Arc::new(Semaphore::new(concurrency as usize)),
        })
    }

    /// The routes.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/delegates/{name}", post(call))
            .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
            .with_state(self)
    }
}

async fn call(
    State(delegates): State<Arc<Delegates>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Only names that are served become labels: a caller must not be able to make up any number of them.
    let known = delegates.workforce.borrow().delegate(&name).is_some();
    let response = match delegates.serve(&name, &headers, &body).await {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(refused) => refused.into_response(),
    };
    let label = if known { name } else { "unknown".to_owned() };
    let status = response.status().as_u16().to_string();
    metrics::counter!("handoff_delegate_calls_total", "delegate" => label, "status" => status).increment(1);
    response
}

impl Delegates {
    async fn serve(&self, name: &str, headers: &HeaderMap, body: &Bytes) -> Result<Answer, Refusal> {
        require_json(headers)?;
        let worker = self.workforce.borrow().delegate(name).cloned().ok_or_else(|| {
            let message = format!("no worker serves delegate `{name}`; a manifest with delegates = [\"{name}\"] would");
            Refusal::new(StatusCode::NOT_FOUND, "UnknownDelegate", message)
        })?;
        let _slot = self.slots.clone().try_acquire_owned().map_err(|_| {
            Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Full",
                "all slots for delegates are in use; try again",
            )
        })?;
        let invocation: Invocation = serde_json::from_slice(body)
            .map_err(|error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "InvalidInvocation", error.to_string()))?;
        if invocation.version != VERSION {
            let message = format!(
                "version {} is not spoken here; version {VERSION} is",
                invocation.version
            );
            return Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "UnknownVersion",
                message,
            ));
        }
        let parent = parent(&invocation, headers);
        let span = trace::delegate(name, &invocation.engine, parent.as_deref());
        let result = self
            .run(name, &*worker, invocation, trace::traceparent(&span).or(parent))
            .instrument(span.clone())
            .await;
        let label = result.as_ref().map_or_else(|refused| refused.type_name, |_| "answered");
        trace::ended(&span, label, result.is_ok());
        result
    }

    async fn run(
        &self,
        name: &str,
        worker: &dyn Worker,
        invocation: Invocation,
        traceparent: Option<String>,
    ) -> Result<Answer, Refusal> {
        let profile = worker.profile();
        let asked = invocation.deadline_ms.map_or(DEFAULT_DEADLINE, Duration::from_millis);
        let deadline = Deadline::after(asked.min(profile.time_limit));
        let cancel = CancellationToken::new();
        let context = CallContext {
            deadline: deadline.clone(),
            capabilities: self.capabilities.clone(),
            // The engine's connection closes: this future is dropped, and with it the guard. Nobody waits any more.
            cancel: cancel.clone(),
            traceparent,
        };
        let _cancel = cancel.drop_guard();
        let (engine, invocation_id) = (invocation.engine.clone(), invocation.invocation_id.clone());
        let execution = execution(name, invocation)?;
        let called = {
            let mut deadline = deadline;
            tokio::select! {
                biased;
                called = worker.execute(execution, context) => called,
                // The worker's own deadline comes first and says more; this one holds if it does not.
                () = async { deadline.passed().await; tokio::time::sleep(Duration::from_millis(100)).await } => {
                    return Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, "Deadline", format!("delegate `{name}` did not end in time")));
                }
            }
        };
        let result = match called {
            Ok(Ok(Delegation {
                variables,
                local_variables,
            })) => Ok(Answer {
                version: VERSION,
                variables: Some(write_variables(&variables)?),
                local_variables: Some(write_variables(&local_variables)?),
                bpmn_error: None,
            }),
            Ok(Err(DelegateError::BpmnError(BpmnError {
                code,
                message,
                variables,
            }))) => Ok(Answer {
                version: VERSION,
                variables: None,
                local_variables: None,
                bpmn_error: Some(BpmnErrorDto {
                    code,
                    message,
                    variables: write_variables(&variables)?,
                }),
            }),
            Ok(Err(DelegateError::Failure(message) | DelegateError::Other(message))) => Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "DelegateFailed",
                message,
            )),
            Err(error) => Err(call_failed(&profile.name, &error)),
        };
        tracing::info!(
            delegate = name,
            worker = profile.name,
            engine,
            invocation = invocation_id,
            status = result.as_ref().map_or_else(|refused| refused.status.as_u16(), |_| 200),
            "delegate"
        );
        result
    }
}

impl From<TypedValueError> for Refusal {
    fn from(error: TypedValueError) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "DelegateFailed",
            format!("the delegate's result cannot be written: {error}"),
        )
    }
}

fn call_failed(worker: &str, error: &CallError) -> Refusal {
    tracing::warn!(
        worker,
        error = error.message,
        details = error.details(),
        "the delegate failed"
    );
    let (status, type_name) = match error.kind {
        CallErrorKind::Deadline => (StatusCode::GATEWAY_TIMEOUT, "Deadline"),
        CallErrorKind::NoCapacity => (StatusCode::TOO_MANY_REQUESTS, "Full"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "DelegateFailed"),
    };
    let details = error
        .details()
        .map(|details| format!("\n{details}"))
        .unwrap_or_default();
    Refusal::new(
        status,
        type_name,
        format!("worker {worker}: {}{details}", error.message),
    )
}

/// Refuses media types that a form of a web page can send.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        "send Content-Type: application/json",
    ))
}

/// The trace that the process belongs to, as for a task; else that of the request, as an instrumented engine sends it.
fn parent(invocation: &Invocation, headers: &HeaderMap) -> Option<String> {
    let property = invocation.extension_properties.get(TRACEPARENT).cloned().flatten();
    let variable = || invocation.variables.get(TRACEPARENT)?.value.as_str().map(str::to_owned);
    let header = || headers.get(TRACEPARENT)?.to_str().ok().map(str::to_owned);
    property.or_else(variable).or_else(header)
}

fn execution(name: &str, invocation: Invocation) -> Result<Execution, Refusal> {
    let origin = Origin {
        engine: &invocation.engine,
        execution_id: &invocation.execution_id,
    };
    let variables = read_variables(invocation.variables, origin)
        .map_err(|error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "InvalidInvocation", error.to_string()))?;
    Ok(Execution {
        name: name.to_owned(),
        invocation_id: invocation.invocation_id,
        attempt: invocation.attempt,
        event: match invocation.event.as_str() {
            "start" => ExecutionEvent::Start,
            "end" => ExecutionEvent::End,
            "take" => ExecutionEvent::Take,
            "execute" => ExecutionEvent::Execute,
            other => ExecutionEvent::Other(other.to_owned()),
        },
        activity_id: invocation.activity_id,
        activity_name: invocation.activity_name,
        transition_id: invocation.transition_id,
        process_instance_id: invocation.process_instance_id,
        process_definition_id: invocation.process_definition_id,
        process_definition_key: invocation.process_definition_key,
        execution_id: invocation.execution_id,
        business_key: invocation.business_key,
        tenant_id: invocation.tenant_id,
        variables,
        attributes: Vec::new(),
        engine: invocation.engine,
    })
}
