//! OpenTelemetry spans: a task's stay in this host, the call of its worker, the report of its end.
//!
//! They are `tracing` spans of a target of their own, which nothing but an exporter listens to: without one they are
//! disabled and cost nothing. A task's span continues the trace that its process brings along, and the worker gets the
//! span as its `traceparent`.

use std::collections::HashMap;

use opentelemetry::global;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::worker::WorkerProfile;
use handoff_runtime::wit::types::Task;

/// The target of all spans that are exported.
pub const TARGET: &str = "handoff::trace";

/// The W3C name of the header, variable and extension property.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// A task's stay in this host. `parent` is the trace that the process belongs to.
pub(crate) fn task(engine: &str, worker: &WorkerProfile, task: &Task, parent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "task",
        otel.name = format_args!("task {}", task.topic),
        otel.kind = "consumer",
        otel.status_code = Empty,
        handoff.engine = engine,
        handoff.topic = task.topic,
        handoff.worker = worker.name,
        handoff.version = worker.version,
        handoff.task = task.id.id,
        handoff.outcome = Empty,
        bpmn.process_instance = task.process_instance_id,
        bpmn.process_definition = task.process_definition_key,
        bpmn.activity = task.activity_id,
    );
    continues(&span, parent);
    span
}

/// The call of a worker.
pub(crate) fn call() -> Span {
    tracing::info_span!(target: TARGET, "call", otel.kind = "internal")
}

/// The report of a task's end.
pub(crate) fn report() -> Span {
    tracing::info_span!(target: TARGET, "report", otel.kind = "client")
}

/// An engine's call of a delegate.
pub(crate) fn delegate(name: &str, engine: &str, parent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "delegate",
        otel.name = format_args!("delegate {name}"),
        otel.kind = "server",
        otel.status_code = Empty,
        handoff.engine = engine,
        handoff.outcome = Empty,
    );
    continues(&span, parent);
    span
}

/// How it went.
pub(crate) fn ended(span: &Span, outcome: &str, well: bool) {
    span.record("handoff.outcome", outcome);
    if !well {
        span.record("otel.status_code", "ERROR");
    }
}

fn continues(span: &Span, parent: Option<&str>) {
    if let (false, Some(parent)) = (span.is_disabled(), parent) {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), parent.to_owned())]);
        let context = global::get_text_map_propagator(|propagator| propagator.extract(&carrier));
        // Fails only where nobody exports.
        let _ = span.set_parent(context);
    }
}

/// The `traceparent` of whatever a span sets off; none where nobody exports.
pub(crate) fn traceparent(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let mut carrier = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&span.context(), &mut carrier));
    carrier.remove(TRACEPARENT)
}

/// The trace's id in a `traceparent`.
pub(crate) fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent
        .split('-')
        .nth(1)
        .filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_trace_id_becomes_one() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_id(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id));
        assert_eq!(trace_id("00-\n-1-1"), None);
        assert_eq!(trace_id("rubbish"), None);
    }
}
