//! Traces: a task and a delegate continue the trace that their process brings along, and the host delivers its spans to
//! a collector.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use handoff_harness::{
    Rest,
    orders::{ORDER_PROCESS, Order},
    pattern::TOKEN,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use serde_json::{Value, json};

use crate::scene::{Plan, Scene};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Takes what is exported over OTLP, as far as a test needs it.
struct Collector {
    url: String,
    received: Arc<Mutex<Vec<ResourceSpans>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let collector = Self {
            url,
            received: Arc::clone(&received),
        };
        // Ends with the process of the tests.
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let received = Arc::clone(&received);
                thread::spawn(move || serve(connection, &received));
            }
        });
        collector
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let scopes = received.iter().flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

/// Answers the requests of one connection until it is closed.
fn serve(connection: TcpStream, received: &Mutex<Vec<ResourceSpans>>) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("post /v1/traces "), "{head}");
        assert!(head.contains("\r\nx-key: 17\r\n"), "{head}");
        let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?;
        let mut body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        received.lock().unwrap().extend(request.resource_spans);
        (&connection)
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .ok()?;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    let value = found.and_then(|attribute| attribute.value.as_ref());
    value.map(|value| format!("{value:?}")).unwrap_or_default()
}

/// The set-up of the pattern, whose host exports to the collector.
fn traced(collector: &Collector) -> Scene {
    Scene::start(Plan {
        host_settings: format!(
            "[telemetry]\notlp-endpoint = {:?}\nservice-name = \"inventory-host\"\nheaders = {{ X-Key = \"17\" }}\n",
            collector.url
        ),
        ..Plan::default()
    })
}

#[test]
fn a_task_continues_the_trace_of_its_process() {
    let collector = Collector::start();
    let mut scene = traced(&collector);
    let order = Order::numbered("traced", 1);
    let text = |value: &str| json!({"value": value, "type": "String"});
    let variables = json!({
        "item": text(order.item),
        "quantity": {"value": order.quantity, "type": "Integer"},
        "traceparent": text(&format!("00-{TRACE}-{PARENT}-01")),
    });
    scene.order.rest().start(ORDER_PROCESS, &order.key, variables).unwrap();
    scene.assert_all_end(&[order]);
    // What is left is delivered before the host ends.
    assert!(scene.host.stop().unwrap().success());

    let spans = collector.spans();
    let task = spans
        .iter()
        .find(|span| span.name == "task check-inventory")
        .unwrap_or_else(|| panic!("no span of the task among {spans:#?}"));
    assert_eq!(
        (hex(&task.trace_id), hex(&task.parent_span_id)),
        (TRACE.into(), PARENT.into())
    );
    assert_eq!(task.kind, SpanKind::Consumer as i32);
    assert!(attribute(task, "handoff.outcome").contains("deferred"), "{task:#?}");
    assert_ne!(task.status.clone().unwrap_or_default().code, StatusCode::Error as i32);
    let call = spans
        .iter()
        .find(|span| span.name == "call" && span.parent_span_id == task.span_id)
        .expect("the worker's call within it");
    assert_eq!(hex(&call.trace_id), TRACE);
    // The worker passes it on: Inventory's process is in the same trace, its listener and its tasks behind this one.
    for name in [
        "delegate completeExternalTask",
        "task count-stock",
        "task tell-order-checked",
    ] {
        let handed_over = spans.iter().find(|span| span.name == name);
        let handed_over = handed_over.unwrap_or_else(|| panic!("no span {name} among {spans:#?}"));
        assert_eq!(
            (hex(&handed_over.trace_id), &handed_over.parent_span_id),
            (TRACE.into(), &task.span_id),
            "{name}"
        );
    }
    let received = collector.received.lock().unwrap();
    assert!(format!("{:?}", received[0].resource).contains("inventory-host"));
    let log = scene.host.process().log().unwrap();
    let line = log
        .lines()
        .find(|line| line.contains("check-inventory") && line.contains("deferred"));
    assert!(line.expect("the task's line").contains(TRACE), "{log}");
}

#[test]
fn a_delegate_continues_the_trace_of_a_property_a_variable_or_a_request() {
    let collector = Collector::start();
    let mut scene = traced(&collector);
    let traces: Vec<String> = ('1'..='4').map(|digit| format!("{}{digit}", &TRACE[..31])).collect();
    let parent = |index: usize| format!("00-{}-{PARENT}-01", traces[index]);
    let property = |index: usize| json!({ "traceparent": parent(index) });
    let variable = |index: usize| json!({ "traceparent": { "type": "String", "value": parent(index) } });
    // The one that comes first is continued.
    let calls: [(Value, Value, Option<usize>); 4] = [
        (property(0), variable(3), Some(3)),
        (json!({}), variable(1), Some(3)),
        (json!({ "kind": "listener" }), json!({}), Some(2)),
        (json!({}), json!({}), None),
    ];
    for (properties, variables, header) in calls {
        let body = json!({
            "version": 1, "engine": "inventory", "invocationId": "i", "event": "end", "activityId": "a",
            "processInstanceId": "p", "processDefinitionId": "d", "executionId": "e",
            "variables": variables, "extensionProperties": properties,
        });
        let rest = Rest::new(&format!("http://{}", scene.host.delegates_address()))
            .with_header("Authorization", &format!("Bearer {TOKEN}"));
        let rest = match header {
            Some(index) => rest.with_header("traceparent", &parent(index)),
            None => rest,
        };
        let answer = rest.try_post("/delegates/completeExternalTask", &body).unwrap();
        // It is told no task to complete.
        assert_eq!(answer.status, 500, "{answer:?}");
    }
    assert!(scene.host.stop().unwrap().success());

    let spans = collector.spans();
    let calls: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "delegate completeExternalTask")
        .collect();
    assert_eq!(calls.len(), 4, "{spans:#?}");
    for (index, call) in calls.iter().enumerate() {
        assert_eq!(call.kind, SpanKind::Server as i32);
        assert_eq!(call.status.clone().unwrap_or_default().code, StatusCode::Error as i32);
        let continued = (hex(&call.trace_id), hex(&call.parent_span_id));
        match traces.get(index).filter(|_| index < 3) {
            Some(trace) => assert_eq!(continued, (trace.clone(), PARENT.to_owned())),
            None => assert!(
                !traces.contains(&continued.0) && continued.1.is_empty(),
                "{continued:?}"
            ),
        }
    }
}
