//! A small Camunda 7: external tasks with locks and long polls, as its REST API has them, and faults on demand.
//!
//! It keeps what it was asked, so that tests can assert what was *not* sent.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::{net::TcpListener, sync::Notify};

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This answer instead; nothing is done.
    Answer(u16, String),
    /// This answer with `Retry-After`.
    Busy(u64),
    /// A redirect to somewhere else.
    Redirect(u16, String),
    /// This status, with a body that repeats all headers: an error of the engine, or a page.
    Echo(u16, bool),
    /// Accepted and never answered; nothing is done.
    Hang,
    /// Done, but the answer is cut off.
    Truncate,
    /// Done, but the connection breaks before the answer.
    Break,
    /// Somebody else takes the task's lock just before.
    Rival(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) method: Method,
    /// Without the `/engine-rest/` before it.
    pub(crate) path: String,
    pub(crate) body: Json,
    pub(crate) authorization: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct FakeTask {
    pub(crate) topic: String,
    pub(crate) worker: Option<String>,
    pub(crate) locked_until: Option<Instant>,
    pub(crate) retries: Option<i64>,
    pub(crate) error_message: Option<String>,
    pub(crate) variables: Json,
    /// What ended it: the request's path and body.
    pub(crate) ended: Option<(String, Json)>,
}

#[derive(Default)]
struct Inner {
    tasks: BTreeMap<String, FakeTask>,
    calls: Vec<Call>,
    faults: HashMap<String, VecDeque<Fault>>,
    canned: HashMap<String, VecDeque<(u16, Json)>>,
    answers_at_once: bool,
    minds_expiry: bool,
    hands_out_twice: bool,
    is_handoff: bool,
    demand: Option<Demand>,
    broken: Option<Fault>,
    clock_off_hours: i64,
    completions: HashMap<String, u32>,
}

type Demand = Arc<dyn Fn(&http::HeaderMap) -> bool + Send + Sync>;

#[derive(Clone)]
pub(crate) struct FakeEngine {
    inner: Arc<Mutex<Inner>>,
    changed: Arc<Notify>,
    pub(crate) address: SocketAddr,
}

impl FakeEngine {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let engine = Self {
            inner: Arc::default(),
            changed: Arc::default(),
            address: listener.local_addr().unwrap(),
        };
        let router = engine.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        engine
    }

    /// The same engine behind another listener, such as one that speaks TLS.
    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/engine-rest", self.address)
    }

    pub(crate) fn add(&self, id: &str, topic: &str) {
        self.add_with(id, topic, json!({}));
    }

    pub(crate) fn add_with(&self, id: &str, topic: &str, variables: Json) {
        let task = FakeTask {
            topic: topic.into(),
            worker: None,
            locked_until: None,
            retries: None,
            error_message: None,
            variables,
            ended: None,
        };
        self.inner.lock().tasks.insert(id.into(), task);
        self.changed.notify_waiters();
    }

    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut FakeTask)) {
        change(self.inner.lock().tasks.get_mut(id).unwrap());
        self.changed.notify_waiters();
    }

    pub(crate) fn remove(&self, id: &str) {
        self.inner.lock().tasks.remove(id);
    }

    pub(crate) fn task(&self, id: &str) -> FakeTask {
        self.inner.lock().tasks[id].clone()
    }

    /// The next request whose path ends with `suffix` goes wrong.
    pub(crate) fn fault(&self, suffix: &str, fault: Fault) {
        self.inner
            .lock()
            .faults
            .entry(suffix.into())
            .or_default()
            .push_back(fault);
    }

    /// Every request goes wrong, until it is told otherwise.
    pub(crate) fn break_all(&self, fault: Option<Fault>) {
        self.inner.lock().broken = fault;
    }

    /// Answers 401 to requests whose headers are not as they should be.
    pub(crate) fn demand(&self, good: impl Fn(&http::HeaderMap) -> bool + Send + Sync + 'static) {
        self.inner.lock().demand = Some(Arc::new(good));
    }

    /// As [`Self::demand`], of the header that carries credentials.
    pub(crate) fn demand_authorization(&self, value: &str) {
        let value = value.to_owned();
        self.demand(move |headers| {
            headers
                .get("authorization")
                .is_some_and(|shown| shown == value.as_str())
        });
    }

    /// The engine's clock is so many hours ahead.
    pub(crate) fn clock_off(&self, hours: i64) {
        self.inner.lock().clock_off_hours = hours;
    }

    /// How often a task was completed, in effect.
    pub(crate) fn completions(&self, id: &str) -> u32 {
        self.inner.lock().completions.get(id).copied().unwrap_or(0)
    }

    /// The tasks that are locked and have not ended.
    pub(crate) fn locked(&self) -> Vec<String> {
        let now = Instant::now();
        let inner = self.inner.lock();
        inner
            .tasks
            .iter()
            .filter(|(_, task)| task.ended.is_none() && task.locked_until.is_some_and(|until| until > now))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Answers requests to anything but tasks; the last answer stays.
    pub(crate) fn answer(&self, method_and_path: &str, status: u16, body: Json) {
        self.inner
            .lock()
            .canned
            .entry(method_and_path.into())
            .or_default()
            .push_back((status, body));
    }

    /// Answers empty fetches without waiting, as a proxy or an engine without long polling would.
    pub(crate) fn answer_at_once(&self) {
        self.inner.lock().answers_at_once = true;
    }

    /// Refuses to end a task whose lock has run out, also for its last holder.
    pub(crate) fn mind_expiry(&self) {
        self.inner.lock().minds_expiry = true;
    }

    /// Hands out tasks that are locked already.
    pub(crate) fn hand_out_twice(&self, yes: bool) {
        self.inner.lock().hands_out_twice = yes;
        self.changed.notify_waiters();
    }

    /// Answers `GET /handoff` as our engine does.
    pub(crate) fn be_handoff(&self) {
        self.inner.lock().is_handoff = true;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.inner.lock().calls.clone()
    }

    pub(crate) fn calls_to(&self, suffix: &str) -> Vec<Call> {
        self.calls()
            .into_iter()
            .filter(|call| call.path.ends_with(suffix))
            .collect()
    }

    /// Waits until the engine is in a state, at most ten seconds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let reached = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if condition(self) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(10), reached).await.is_err() {
            let calls: Vec<_> = self
                .calls()
                .iter()
                .map(|call| format!("{} {} {}", call.method, call.path, call.body))
                .collect();
            panic!(
                "not reached: {what}\n{:#?}\n{}",
                self.inner.lock().tasks,
                calls.join("\n")
            );
        }
    }

    pub(crate) async fn until_ended(&self, id: &str) -> Json {
        self.until(&format!("{id} ended"), |engine| engine.task(id).ended.is_some())
            .await;
        self.task(id).ended.unwrap().1
    }
}

async fn serve(State(engine): State<FakeEngine>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/engine-rest/").to_owned();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
    let authorization = parts
        .headers
        .get("authorization")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    let call = Call {
        at: Instant::now(),
        method: parts.method.clone(),
        path: path.clone(),
        body: body.clone(),
        authorization,
    };
    let fault = {
        let mut inner = engine.inner.lock();
        inner.calls.push(call);
        if inner.demand.as_ref().is_some_and(|good| !good(&parts.headers)) {
            let page = format!("<html>Who are you? You sent {:?}</html>", shown(&parts.headers));
            return (StatusCode::UNAUTHORIZED, page).into_response();
        }
        let key = inner
            .faults
            .iter()
            .find(|(suffix, faults)| path.ends_with(suffix.as_str()) && !faults.is_empty())
            .map(|(k, _)| k.clone());
        key.and_then(|key| inner.faults.get_mut(&key).unwrap().pop_front())
            .or_else(|| inner.broken.clone())
    };
    engine.changed.notify_waiters();
    match fault.clone() {
        Some(Fault::Answer(status, body)) => return (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Fault::Busy(seconds)) => {
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", seconds.to_string())]).into_response();
        }
        Some(Fault::Echo(status, in_json)) => {
            let text = format!("You sent {:?}", shown(&parts.headers));
            let body = if in_json {
                json!({ "type": "RestException", "message": text, "code": 0 }).to_string()
            } else {
                format!("<html>{text}</html>")
            };
            return (StatusCode::from_u16(status).unwrap(), body).into_response();
        }
        Some(Fault::Redirect(status, location)) => {
            return (StatusCode::from_u16(status).unwrap(), [("location", location)]).into_response();
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Rival(rival)) => {
            let id = path.split('/').nth(1).unwrap();
            engine.change(id, |task| {
                (task.worker, task.locked_until) = (Some(rival), Some(Instant::now() + Duration::from_secs(60)));
            });
        }
        Some(Fault::Truncate | Fault::Break) | None => {}
    }
    let (status, answer) = engine
        .act(&parts.method, &path, parts.uri.query().unwrap_or_default(), &body)
        .await;
    engine.changed.notify_waiters();
    let answer = if answer.is_null() {
        String::new()
    } else {
        answer.to_string()
    };
    let broken = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    match fault {
        Some(Fault::Break) => {
            let body = futures::stream::iter([Err::<Bytes, _>(broken())]);
            // Not 204, which has no body that could break off.
            (StatusCode::OK, Body::from_stream(body)).into_response()
        }
        Some(Fault::Truncate) => {
            let half = Bytes::from(answer[..answer.len() / 2].to_owned());
            (
                status,
                Body::from_stream(futures::stream::iter([Ok(half), Err(broken())])),
            )
                .into_response()
        }
        _ if answer.is_empty() => status.into_response(),
        _ => (status, [("content-type", "application/json")], answer).into_response(),
    }
}

/// Every header as it came, as a careless error page repeats them.
fn shown(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn error(status: u16, message: impl Into<String>) -> (StatusCode, Json) {
    (
        StatusCode::from_u16(status).unwrap(),
        json!({ "type": "RestException", "message": message.into(), "code": 0 }),
    )
}

impl FakeEngine {
    async fn act(&self, method: &Method, path: &str, query: &str, body: &Json) -> (StatusCode, Json) {
        let segments: Vec<_> = path.split('/').collect();
        match (method.as_str(), segments.as_slice()) {
            ("POST", ["external-task", "fetchAndLock"]) => (StatusCode::OK, self.fetch(body).await),
            ("GET", ["external-task"]) => (StatusCode::OK, self.list(query)),
            ("GET", ["external-task", id]) => self.get(id),
            ("POST", ["external-task", id, action]) => self.change_task(id, action, path, body),
            ("GET", ["version"]) => (StatusCode::OK, json!({ "version": "7.24.0" })),
            ("GET", ["handoff"]) if self.inner.lock().is_handoff => (
                StatusCode::OK,
                json!({ "name": "handoff", "version": "0.1.0", "engine": "inventory", "dedupeKey": true }),
            ),
            _ => {
                let mut inner = self.inner.lock();
                match inner.canned.get_mut(&format!("{method} {path}")) {
                    Some(answers) if answers.len() > 1 => answers.pop_front(),
                    Some(answers) => answers.front().cloned(),
                    None => None,
                }
                .map_or_else(
                    || {
                        (
                            StatusCode::NOT_FOUND,
                            json!({ "type": "NotFoundException", "message": "HTTP 404", "code": null }),
                        )
                    },
                    |(status, body)| (StatusCode::from_u16(status).unwrap(), body),
                )
            }
        }
    }

    async fn fetch(&self, body: &Json) -> Json {
        let wait = Duration::from_millis(body["asyncResponseTimeout"].as_u64().unwrap_or(0));
        let until = tokio::time::Instant::now() + wait;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let tasks = self.lock_tasks(body);
            if !tasks.is_empty() || self.inner.lock().answers_at_once {
                return Json::Array(tasks);
            }
            // Looks again soon in any case: a lock may have run out.
            let look_again = tokio::time::Instant::now() + Duration::from_millis(20);
            if tokio::time::timeout_at(until.min(look_again), changed).await.is_err()
                && tokio::time::Instant::now() >= until
            {
                return json!([]);
            }
        }
    }

    fn lock_tasks(&self, body: &Json) -> Vec<Json> {
        let now = Instant::now();
        let worker = body["workerId"].as_str().unwrap();
        let max = body["maxTasks"].as_u64().unwrap() as usize;
        let mut inner = self.inner.lock();
        let again = inner.hands_out_twice;
        let off = inner.clock_off_hours;
        let mut locked = Vec::new();
        for (id, task) in &mut inner.tasks {
            let Some(topic) = body["topics"]
                .as_array()
                .unwrap()
                .iter()
                .find(|topic| topic["topicName"] == task.topic)
            else {
                continue;
            };
            let free = task.locked_until.is_none_or(|until| until <= now) || again;
            if locked.len() >= max || !free || task.ended.is_some() || task.retries == Some(0) {
                continue;
            }
            task.worker = Some(worker.to_owned());
            task.locked_until = Some(now + Duration::from_millis(topic["lockDuration"].as_u64().unwrap()));
            locked.push(wire(id, task, off));
        }
        if !locked.is_empty() {
            inner.hands_out_twice = false;
        }
        locked
    }

    fn list(&self, query: &str) -> Json {
        let worker = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("workerId="))
            .unwrap_or_default();
        let now = Instant::now();
        let inner = self.inner.lock();
        let held = inner.tasks.iter().filter(|(_, task)| {
            task.ended.is_none()
                && task.worker.as_deref() == Some(worker)
                && task.locked_until.is_some_and(|until| until > now)
        });
        held.map(|(id, task)| without_variables(wire(id, task, inner.clock_off_hours)))
            .collect()
    }

    fn get(&self, id: &str) -> (StatusCode, Json) {
        match self.inner.lock().tasks.get(id).filter(|task| task.ended.is_none()) {
            Some(task) => (StatusCode::OK, without_variables(wire(id, task, 0))),
            None => error(404, format!("External task with id {id} does not exist")),
        }
    }

    fn change_task(&self, id: &str, action: &str, path: &str, body: &Json) -> (StatusCode, Json) {
        let now = Instant::now();
        let mut inner = self.inner.lock();
        let minds_expiry = inner.minds_expiry;
        let Some(task) = inner.tasks.get_mut(id).filter(|task| task.ended.is_none()) else {
            return error(404, format!("External task with id {id} does not exist"));
        };
        let worker = body["workerId"].as_str().map(str::to_owned);
        let expired = task.locked_until.is_none_or(|until| until <= now);
        let millis = |key: &str| Duration::from_millis(body[key].as_u64().unwrap_or(0));
        let holds = worker.is_some() && worker == task.worker;
        match action {
            "unlock" => (task.worker, task.locked_until) = (None, None),
            "lock" if expired || holds => {
                (task.worker, task.locked_until) = (worker, Some(now + millis("lockDuration")))
            }
            "extendLock" if holds && !expired => task.locked_until = Some(now + millis("newDuration")),
            "complete" | "bpmnError" if holds && !(minds_expiry && expired) => {
                task.ended = Some((path.to_owned(), body.clone()));
                *inner.completions.entry(id.to_owned()).or_default() += 1;
            }
            "failure" if holds => {
                task.retries = body["retries"].as_i64();
                task.error_message = body["errorMessage"].as_str().map(str::to_owned);
                task.locked_until = Some(now + millis("retryTimeout"));
            }
            _ => {
                return error(
                    400,
                    format!(
                        "External Task {id} cannot be {action}ed by worker '{worker:?}'. It is locked by worker '{:?}'.",
                        task.worker
                    ),
                );
            }
        }
        (StatusCode::NO_CONTENT, Json::Null)
    }
}

/// Only a fetch answers them.
fn without_variables(mut task: Json) -> Json {
    task.as_object_mut().unwrap().remove("variables");
    task
}

fn wire(id: &str, task: &FakeTask, clock_off_hours: i64) -> Json {
    let lock_expiration = task.locked_until.map(|until| {
        let left = jiff::SignedDuration::try_from(until.saturating_duration_since(Instant::now())).unwrap();
        let at = jiff::Timestamp::now() + left + jiff::SignedDuration::from_hours(clock_off_hours);
        at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
    });
    json!({
        "activityId": "work", "activityInstanceId": "work:1", "errorMessage": task.error_message, "errorDetails": null,
        "executionId": format!("execution-{id}"), "id": id, "lockExpirationTime": lock_expiration,
        "createTime": "2026-01-01T00:00:00.000+0000", "processDefinitionId": "p:1:1", "processDefinitionKey": "p",
        "processDefinitionVersionTag": null, "processInstanceId": format!("instance-{id}"), "retries": task.retries,
        "suspended": false, "workerId": task.worker, "topicName": task.topic, "tenantId": null,
        "variables": task.variables, "priority": 0, "businessKey": format!("key-{id}"), "extensionProperties": {},
    })
}
