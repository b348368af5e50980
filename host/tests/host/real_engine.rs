//! The host's connection to a real `handoff engine`: every filter, and every type of variable both ways.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use handoff_engine::{rest::Server, service::Engine as EngineService};
use handoff_host::{
    config::FetchOrder,
    engines::{Engine, Fetch, camunda7::Camunda7},
    worker::Workforce,
};
use handoff_runtime::{
    TopicSubscription,
    wit::types::{Completion, File, FileContent, FileReference, Instant, Outcome, Serialized, Task, Value, Variable},
};
use serde_json::{Value as Json, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    auth::connect,
    support::{NativeWorker, TestHost, config, topic, until},
};

/// An engine with a database of its own.
pub(crate) struct RealEngine {
    pub(crate) url: String,
    http: reqwest::Client,
    _stop: DropGuard,
    _data: tempfile::TempDir,
}

impl RealEngine {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let mut config = handoff_engine::config::Config::new(data.path());
        config.listen = "127.0.0.1:0".parse().unwrap();
        let engine = EngineService::open(&config).unwrap();
        let server = Server::bind(engine, &config).await.unwrap();
        let url = format!("http://{}/engine-rest", server.local_addr());
        let stop = CancellationToken::new();
        tokio::spawn(server.serve(stop.clone()));
        Self {
            url,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _stop: stop.drop_guard(),
            _data: data,
        }
    }

    pub(crate) async fn deploy(&self, model: &str, tenant: Option<&str>) -> String {
        let part = reqwest::multipart::Part::text(model.to_owned()).file_name("model.bpmn");
        let mut form = reqwest::multipart::Form::new()
            .text("deployment-name", "test")
            .part("model.bpmn", part);
        if let Some(tenant) = tenant {
            form = form.text("tenant-id", tenant.to_owned());
        }
        let answer = self
            .http
            .post(format!("{}/deployment/create", self.url))
            .multipart(form)
            .send()
            .await
            .unwrap();
        let answer: Json = answer.json().await.unwrap();
        let definitions = answer["deployedProcessDefinitions"].as_object();
        definitions
            .unwrap_or_else(|| panic!("{answer}"))
            .keys()
            .next()
            .unwrap()
            .clone()
    }

    pub(crate) async fn post(&self, path: &str, body: Json) -> Json {
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .json(&body)
            .send()
            .await
            .unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path} {body}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) async fn get(&self, path: &str) -> Json {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

fn one_task(key: &str, topic: &str, more: &str, after: &str) -> String {
    format!(
        r##"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">
  <process id="{key}" isExecutable="true" camunda:historyTimeToLive="P1D" {more}>
    <startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="{topic}" camunda:taskPriority="${{priority}}">
      <extensionElements><camunda:properties><camunda:property name="colour" value="blue"/></camunda:properties></extensionElements>
    </serviceTask>
    <sequenceFlow id="f2" sourceRef="work" targetRef="next"/>
    {after}
    <sequenceFlow id="f3" sourceRef="next" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>"##
    )
}

/// The business keys of what a subscription gets, in order. Everything is given back.
async fn fetched(me: &Camunda7, subscription: TopicSubscription, change: impl FnOnce(&mut Fetch)) -> Vec<String> {
    let mut fetch = Fetch {
        subscriptions: vec![subscription],
        max_tasks: 100,
        priority: true,
        order: FetchOrder::OldestFirst,
        wait: Duration::ZERO,
        lock_duration: Duration::from_secs(60),
    };
    change(&mut fetch);
    let locked = me.fetch(&fetch).await.unwrap().tasks;
    for locked in &locked {
        me.release(&locked.task.id.id).await.unwrap();
    }
    let key = |task: &Task| task.business_key.clone().unwrap();
    locked.iter().map(|locked| key(&locked.task)).collect()
}

#[tokio::test]
async fn every_filter_of_fetch_and_lock_filters() {
    let engine = RealEngine::start().await;
    let after = r#"<userTask id="next"/>"#;
    let plain = engine.deploy(&one_task("p", "t", "", after), None).await;
    let tagged = engine
        .deploy(&one_task("p", "t", r#"camunda:versionTag="v2""#, after), None)
        .await;
    let other = engine.deploy(&one_task("q", "t", "", after), None).await;
    let blue = engine.deploy(&one_task("r", "t", "", after), Some("blue")).await;
    let green = engine.deploy(&one_task("r", "t", "", after), Some("green")).await;
    for (definition, key, priority, vip) in [
        (&plain, "plain", 5, json!(true)),
        (&tagged, "tagged", 9, json!(false)),
        (&other, "other", 9, json!("true")),
        (&blue, "blue", 1, json!(7)),
        (&green, "green", 5, json!(null)),
    ] {
        let body = json!({ "businessKey": key, "variables": {
            "priority": { "value": priority, "type": "Integer" }, "vip": { "value": vip },
            "big": { "value": "x".repeat(10) } } });
        engine
            .post(&format!("/process-definition/{definition}/start"), body)
            .await;
    }
    let me = connect(&engine.url, "");
    let with = |change: &dyn Fn(&mut TopicSubscription)| {
        let mut subscription = topic("t");
        change(&mut subscription);
        subscription
    };
    let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
    type Change<'a> = &'a dyn Fn(&mut TopicSubscription);
    let cases: &[(&str, Change<'_>, &[&str])] = &[
        ("nothing", &|_| {}, &["plain", "tagged", "other", "blue", "green"]),
        ("businessKey", &|s| s.business_key = Some("other".into()), &["other"]),
        (
            "processDefinitionId",
            &|s| s.process_definition_id = Some(plain.clone()),
            &["plain"],
        ),
        (
            "processDefinitionIdIn",
            &|s| s.process_definition_id_in = vec![plain.clone(), blue.clone()],
            &["plain", "blue"],
        ),
        (
            "processDefinitionKey",
            &|s| s.process_definition_key = Some("p".into()),
            &["plain", "tagged"],
        ),
        (
            "processDefinitionKeyIn",
            &|s| s.process_definition_key_in = vec!["q".into(), "r".into()],
            &["other", "blue", "green"],
        ),
        (
            "processDefinitionVersionTag",
            &|s| s.process_definition_version_tag = Some("v2".into()),
            &["tagged"],
        ),
        ("tenantIdIn", &|s| s.tenant_ids = vec!["blue".into()], &["blue"]),
        (
            "withoutTenantId",
            &|s| s.without_tenant_id = true,
            &["plain", "tagged", "other"],
        ),
        (
            "processVariables, a boolean",
            &|s| drop(s.process_variables.insert("vip".into(), json!(true))),
            &["plain"],
        ),
        (
            "processVariables, a text",
            &|s| drop(s.process_variables.insert("vip".into(), json!("true"))),
            &["other"],
        ),
        (
            "processVariables, a number",
            &|s| drop(s.process_variables.insert("vip".into(), json!(7))),
            &["blue"],
        ),
        (
            "two at once",
            &|s| {
                s.process_definition_key = Some("p".into());
                s.business_key = Some("tagged".into());
            },
            &["tagged"],
        ),
        (
            "what nobody has",
            &|s| s.process_definition_key = Some("nobody".into()),
            &[],
        ),
    ];
    for (name, change, expected) in cases {
        let found = fetched(&me, with(*change), |_| {}).await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), set(expected), "{name}");
    }

    let by_priority = fetched(&me, topic("t"), |_| {}).await;
    assert_eq!(by_priority, ["tagged", "other", "plain", "green", "blue"]);
    let by_age = fetched(&me, topic("t"), |fetch| fetch.priority = false).await;
    assert_eq!(by_age, ["plain", "tagged", "other", "blue", "green"]);
    let newest = fetched(&me, topic("t"), |fetch| {
        (fetch.priority, fetch.order) = (false, FetchOrder::NewestFirst);
    })
    .await;
    assert_eq!(newest, ["green", "blue", "other", "tagged", "plain"]);
    let two = fetched(&me, topic("t"), |fetch| fetch.max_tasks = 2).await;
    assert_eq!(two, ["tagged", "other"]);
}

#[tokio::test]
async fn only_what_is_asked_for_is_fetched_of_a_task() {
    let engine = RealEngine::start().await;
    let definition = engine
        .deploy(&one_task("p", "t", "", r#"<userTask id="next"/>"#), None)
        .await;
    let body =
        json!({ "variables": { "priority": { "value": 1 }, "a": { "value": "instance" }, "b": { "value": 2 } } });
    engine
        .post(&format!("/process-definition/{definition}/start"), body)
        .await;
    let execution = engine.get("/external-task").await[0]["executionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let local = json!({ "modifications": { "a": { "value": "local", "type": "String" } } });
    engine
        .post(&format!("/execution/{execution}/localVariables"), local)
        .await;
    let me = connect(&engine.url, "");
    for (variables, local_variables, properties, expected) in [
        (None, false, false, vec![("a", "local"), ("b", "2"), ("priority", "1")]),
        (None, true, true, vec![("a", "local")]),
        (Some(vec!["b".to_owned()]), false, true, vec![("b", "2")]),
        (Some(vec!["b".to_owned()]), true, false, vec![]),
        (Some(Vec::new()), false, false, vec![]),
    ] {
        let subscription = TopicSubscription {
            variables,
            local_variables,
            include_extension_properties: properties,
            ..topic("t")
        };
        let fetch = Fetch {
            subscriptions: vec![subscription.clone()],
            max_tasks: 1,
            priority: true,
            order: FetchOrder::Any,
            wait: Duration::ZERO,
            lock_duration: Duration::from_secs(60),
        };
        let task = me.fetch(&fetch).await.unwrap().tasks.remove(0).task;
        let mut found: Vec<_> = task
            .variables
            .iter()
            .map(|variable| {
                let value = match &variable.value {
                    Value::Text(text) => text.clone(),
                    Value::Integer(number) => number.to_string(),
                    other => panic!("{other:?}"),
                };
                (variable.name.clone(), value)
            })
            .collect();
        found.sort();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        assert_eq!(found, expected, "{subscription:?}");
        let properties_found = [("colour".to_owned(), "blue".to_owned())];
        assert_eq!(
            task.extension_properties == properties_found,
            properties,
            "{subscription:?}"
        );
        me.release(&task.id.id).await.unwrap();
    }
}

fn variable(name: &str, value: Value) -> Variable {
    Variable {
        name: name.into(),
        value,
        transient: false,
    }
}

/// A value of each type, with how REST tells it.
fn each_type() -> Vec<(&'static str, Value, Json)> {
    let object = Serialized {
        object_type_name: Some("com.example.Order".into()),
        serialization_data_format: Some("application/json".into()),
        data: Some(r#"{"id":1}"#.into()),
    };
    let info = json!({ "objectTypeName": "com.example.Order", "serializationDataFormat": "application/json" });
    vec![
        ("null", Value::Null, json!({ "type": "Null", "value": null })),
        (
            "boolean",
            Value::Boolean(true),
            json!({ "type": "Boolean", "value": true }),
        ),
        (
            "short",
            Value::Short(i16::MIN),
            json!({ "type": "Short", "value": i16::MIN }),
        ),
        (
            "integer",
            Value::Integer(i32::MAX),
            json!({ "type": "Integer", "value": i32::MAX }),
        ),
        (
            "long",
            Value::Long(9_007_199_254_740_993),
            json!({ "type": "Long", "value": 9_007_199_254_740_993_i64 }),
        ),
        ("double", Value::Double(0.1), json!({ "type": "Double", "value": 0.1 })),
        (
            "endless",
            Value::Double(f64::NEG_INFINITY),
            json!({ "type": "Double", "value": "-Infinity" }),
        ),
        (
            "text",
            Value::Text("ü \u{1F600}\n".into()),
            json!({ "type": "String", "value": "ü \u{1F600}\n" }),
        ),
        (
            "date",
            Value::Date(Instant {
                milliseconds: 1_444_142_082_123,
            }),
            json!({ "type": "Date", "value": "2015-10-06T14:34:42.123+0000" }),
        ),
        (
            "bytes",
            Value::Bytes(vec![0, 255, 10]),
            json!({ "type": "Bytes", "value": "AP8K" }),
        ),
        (
            "json",
            Value::Json(r#"{"a":[1,2]}"#.into()),
            json!({ "type": "Json", "value": r#"{"a":[1,2]}"# }),
        ),
        (
            "xml",
            Value::Xml("<a/>".into()),
            json!({ "type": "Xml", "value": "<a/>" }),
        ),
        (
            "object",
            Value::Object(object),
            json!({ "type": "Object", "value": r#"{"id":1}"#, "valueInfo": info }),
        ),
    ]
}

fn file(name: &str, content: FileContent) -> Value {
    Value::File(File {
        name: name.into(),
        mimetype: Some("text/plain".into()),
        encoding: Some("UTF-8".into()),
        content,
    })
}

fn file_body(name: &str, base64: &str) -> Json {
    json!({ "type": "File", "value": base64,
            "valueInfo": { "filename": name, "mimeType": "text/plain", "encoding": "UTF-8" } })
}

#[tokio::test]
async fn every_type_of_variable_travels_both_ways() {
    let engine = RealEngine::start().await;
    let definition = engine
        .deploy(&one_task("p", "t", "", r#"<userTask id="next"/>"#), None)
        .await;
    let seen: Arc<Mutex<Option<Task>>> = Arc::default();
    let worker = NativeWorker::new("w", {
        let seen = seen.clone();
        move |task, _| {
            *seen.lock().unwrap() = Some(task.clone());
            async move {
                // Everything as it came, a second time under another name, and what passes away.
                let mut variables = task.variables.clone();
                let copies = task.variables.into_iter().map(|variable| Variable {
                    name: format!("copy of {}", variable.name),
                    ..variable
                });
                variables.extend(copies);
                variables.push(variable(
                    "written",
                    file("new.txt", FileContent::Bytes(b"written".to_vec())),
                ));
                variables.push(Variable {
                    transient: true,
                    ..variable("transient", Value::Text("gone".into()))
                });
                Ok(Outcome::Complete(Completion {
                    variables,
                    local_variables: vec![variable("local", Value::Integer(1))],
                }))
            }
        }
    });
    let workforce = Workforce::default().with_topic("order", topic("t"), Arc::new(worker));
    let _host = TestHost::start(config(&engine.url, ""), workforce).await;

    let mut variables =
        json!({ "priority": { "value": 1, "type": "Integer" }, "file": file_body("a.txt", "Y29udGVudA==") });
    for (name, _, wire) in each_type() {
        variables[name] = wire;
    }
    let body = json!({ "variables": variables });
    let started = engine
        .post(&format!("/process-definition/{definition}/start"), body)
        .await;
    let id = started["id"].as_str().unwrap().to_owned();
    until("the task has come", || seen.lock().unwrap().is_some()).await;
    let task = seen.lock().unwrap().clone().unwrap();
    let came = |name: &str| task.variables.iter().find(|v| v.name == name).map(|v| v.value.clone());
    for (name, value, _) in each_type() {
        assert_eq!(came(name), Some(value), "{name}");
    }
    let reference = FileReference {
        engine: "order".into(),
        execution_id: task.execution_id.clone(),
        variable_name: "file".into(),
    };
    assert_eq!(came("file"), Some(file("a.txt", FileContent::Reference(reference))));

    let path = format!("/process-instance/{id}/variables?deserializeValues=false");
    let mut stored = Json::Null;
    for _ in 0..1_000 {
        stored = engine.get(&path).await;
        if stored.get("written").is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (name, _, wire) in each_type() {
        for name in [name.to_owned(), format!("copy of {name}")] {
            assert_eq!(stored[&name]["type"], wire["type"], "{name}");
            assert_eq!(stored[&name]["value"], wire["value"], "{name}");
            if let Some(info) = wire.get("valueInfo") {
                assert_eq!(&stored[&name]["valueInfo"], info, "{name}");
            }
        }
    }
    assert_eq!(stored.get("transient"), None, "it is never stored");
    assert_eq!(stored.get("local"), None, "its scope has ended with the task");
    for (name, filename, content) in [
        ("file", "a.txt", "content"),
        ("copy of file", "a.txt", "content"),
        ("written", "new.txt", "written"),
    ] {
        assert_eq!(stored[name]["valueInfo"]["filename"], filename, "{name}");
        let url = format!(
            "{}/process-instance/{id}/variables/{}/data",
            engine.url,
            name.replace(' ', "%20")
        );
        let data = engine.http.get(url).send().await.unwrap().text().await.unwrap();
        assert_eq!(data, content, "{name}");
    }
}

#[tokio::test]
async fn files_are_read_when_they_are_wanted_and_from_the_tasks_own_scope() {
    let engine = RealEngine::start().await;
    let definition = engine
        .deploy(&one_task("p", "t", "", r#"<userTask id="next"/>"#), None)
        .await;
    let body = json!({ "variables": { "priority": { "value": 1 }, "file": file_body("outer.txt", "b3V0ZXI="),
                                      "outer": file_body("outer.txt", "b3V0ZXI=") } });
    engine
        .post(&format!("/process-definition/{definition}/start"), body)
        .await;
    let execution = engine.get("/external-task").await[0]["executionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let local = json!({ "modifications": { "file": file_body("local.txt", "bG9jYWw=") } });
    engine
        .post(&format!("/execution/{execution}/localVariables"), local)
        .await;
    let me = connect(&engine.url, "");
    let fetch = Fetch {
        subscriptions: vec![topic("t")],
        max_tasks: 1,
        priority: true,
        order: FetchOrder::Any,
        wait: Duration::ZERO,
        lock_duration: Duration::from_secs(60),
    };
    let task = me.fetch(&fetch).await.unwrap().tasks.remove(0).task;
    let reference = |name: &str| {
        let found = task.variables.iter().find(|variable| variable.name == name).unwrap();
        match &found.value {
            Value::File(File {
                content: FileContent::Reference(reference),
                ..
            }) => reference.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(me.read_file(&reference("file"), 100).await.unwrap(), b"local");
    assert_eq!(me.read_file(&reference("outer"), 100).await.unwrap(), b"outer");
    let too_large = me.read_file(&reference("outer"), 3).await;
    assert!(
        matches!(too_large, Err(handoff_host::engines::Fault::TooLarge(_))),
        "{too_large:?}"
    );
}
