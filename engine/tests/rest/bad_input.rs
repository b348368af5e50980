//! Bad input: a clear error that names the place, and nothing has changed.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::models;
use super::server::TestServer;

const FETCH: &str = "/external-task/fetchAndLock";

#[tokio::test]
async fn malformed_json_is_told_with_its_place() -> Result<()> {
    let server = TestServer::start().await?;
    for (body, place) in [
        ("{\"messageName\": ", "line 1 column"),
        ("{\n  \"messageName\": \"a\",,\n}", "line 2 column"),
        ("[1, 2]", "line 1 column"),
        ("{\"all\": {}}", "expected a boolean"),
        ("\u{0}", "line 1 column"),
        ("{\"messageName\": \"\\ud800\"}", "line 1 column"),
    ] {
        let answer = server.post_raw("/message", "application/json", body.to_owned()).await?;
        let (status, kind, message) = answer.refusal()?;
        assert_eq!(
            (status, kind.as_str()),
            (400, "InvalidRequestException"),
            "{body:?}: {message}"
        );
        assert!(message.contains(place), "{body:?}: {message}");
        assert_eq!(answer.json()["code"], Json::Null);
    }
    let invalid = server
        .post_raw("/message", "application/json", vec![b'{', 0xff, b'}'])
        .await?;
    assert_eq!(invalid.refusal()?.0, 400, "not UTF-8");
    server.stop().await
}

#[tokio::test]
async fn another_content_type_is_415() -> Result<()> {
    let server = TestServer::start().await?;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let (status, kind, _) = server.post_raw("/message", content_type, "{}").await?.refusal()?;
        assert_eq!(
            (status, kind.as_str()),
            (415, "NotSupportedException"),
            "{content_type}"
        );
    }
    let answer = server
        .post_raw("/message", "application/json; charset=UTF-8", "{}")
        .await?;
    assert_eq!(answer.refusal()?.2, "No message name supplied");
    server.stop().await
}

#[tokio::test]
async fn deep_and_long_bodies_are_refused() -> Result<()> {
    let server = TestServer::start().await?;
    let deep = format!("{{\"processVariables\": {{\"a\": {{\"value\": {}", "[".repeat(50_000));
    let (status, _, message) = server.post_raw("/message", "application/json", deep).await?.refusal()?;
    assert_eq!(status, 400);
    assert!(message.contains("recursion limit"), "{message}");
    let long = format!("{{\"messageName\": \"{}\"}}", "x".repeat(17 << 20));
    let (status, kind, _) = server.post_raw("/message", "application/json", long).await?.refusal()?;
    assert_eq!((status, kind.as_str()), (413, "RestException"));
    server.stop().await
}

#[tokio::test]
async fn deployments_that_cannot_be_executed_change_nothing() -> Result<()> {
    let server = TestServer::start().await?;
    let unknown = models::process(
        r#"<startEvent id="start"/><sequenceFlow id="f" sourceRef="start" targetRef="x"/>
        <adHocSubProcess id="x"/>"#,
    );
    let dangling =
        models::process(r#"<startEvent id="start"/><sequenceFlow id="f" sourceRef="start" targetRef="no"/>"#);
    for (name, file, statuses) in [
        ("text.bpmn", "this is no XML".to_owned(), vec![500]),
        ("cut.bpmn", models::external_task()[..300].to_owned(), vec![500]),
        ("html.bpmn", "<html><body/></html>".to_owned(), vec![400, 500]),
        (
            "dtd.bpmn",
            format!("<!DOCTYPE d [<!ENTITY a \"b\">]>{}", models::external_task()),
            vec![400, 500],
        ),
        ("unknown.bpmn", unknown, vec![400]),
        ("dangling.bpmn", dangling, vec![400]),
    ] {
        let answer = server.deploy(name, &file).await?;
        let (status, _, message) = answer.refusal()?;
        assert!(statuses.contains(&status), "{name}: {answer:?}");
        assert!(!message.is_empty(), "{name}");
        if status == 400 {
            assert_eq!(answer.json()["type"], "ParseException", "{name}");
            let errors = &answer.json()["details"][name]["errors"];
            assert!(
                errors[0]["line"].as_u64().is_some_and(|line| line > 0),
                "{name}: {answer:?}"
            );
        }
    }
    assert_eq!(server.get("/deployment/count").await?.json(), json!({"count": 0}));
    assert_eq!(
        server.get("/process-definition/count").await?.json(),
        json!({"count": 0})
    );
    server.stop().await
}

#[tokio::test]
async fn a_form_that_is_none_is_refused() -> Result<()> {
    let server = TestServer::start().await?;
    let part = |disposition: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    };
    let form = "multipart/form-data; boundary=b";
    for (content_type, body, status, words) in [
        (
            form,
            format!("{}--b--\r\n", part("name=\"deployment-name\"", "x")),
            400,
            "No deployment resources contained",
        ),
        (
            form,
            format!("{}--b--\r\n", part("name=\"data\"", "x")),
            400,
            "No file name found",
        ),
        (
            form,
            part("name=\"data\"; filename=\"a\"", "cut off"),
            400,
            "multipart/form-data cannot be processed",
        ),
        ("multipart/form-data", String::new(), 400, "boundary"),
        (
            form,
            format!("{}--b--\r\n", part("name=\"tenant-id\"", &"x".repeat(5000))),
            413,
            "at most 4096 bytes",
        ),
    ] {
        let answer = server.post_raw("/deployment/create", content_type, body).await?;
        let (got, _, message) = answer.refusal()?;
        assert_eq!(got, status, "{answer:?}");
        assert!(message.contains(words), "want {words:?} in {message:?}");
    }
    let many: String = (0..1001)
        .map(|n| part(&format!("name=\"f{n}\"; filename=\"f{n}\""), ""))
        .collect();
    let answer = server
        .post_raw("/deployment/create", form, format!("{many}--b--\r\n"))
        .await?;
    assert_eq!(answer.refusal()?.0, 413);
    server.stop().await
}

#[tokio::test]
async fn a_fetch_is_checked_as_camunda_checks_it() -> Result<()> {
    let server = TestServer::start().await?;
    let topic = json!([{"topicName": "t", "lockDuration": 1000}]);
    for (body, status, kind, message) in [
        (json!({"topics": topic}), 500, "NullValueException", "workerId is null"),
        (
            json!({"workerId": "w", "topics": [{"lockDuration": 1}]}),
            500,
            "NullValueException",
            "topicName is null",
        ),
        (
            json!({"workerId": "w", "topics": [{"topicName": "t"}]}),
            500,
            "ProcessEngineException",
            "lockTime is not greater than 0",
        ),
        (
            json!({"workerId": "w", "maxTasks": -1, "topics": topic}),
            500,
            "ProcessEngineException",
            "maxResults is not greater than or equal to 0",
        ),
        (
            json!({"workerId": "w", "sorting": [{"sortBy": "createTime", "sortOrder": "DESC"}]}),
            400,
            "InvalidRequestException",
            "Cannot set query sortOrder parameter to value DESC",
        ),
        (
            json!({"workerId": "w", "sorting": [{"sortBy": "createTime"}]}),
            400,
            "NotValidException",
            "Invalid query: call asc() or desc() after using orderByXX(): direction is null",
        ),
        (
            json!({"workerId": "w", "topics": [{"topicName": "t", "lockDuration": 1, "processVariables": {"a": {}}}]}),
            500,
            "ProcessEngineException",
            "Object values cannot be used to query",
        ),
    ] {
        let refusal = server.post(FETCH, &body).await?.refusal()?;
        assert_eq!(refusal, (status, kind.to_owned(), message.to_owned()), "{body}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_bad_variable_starts_nothing() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    for (variable, words) in [
        (json!({"value": 1, "type": "wombat"}), "Unsupported value type 'wombat'"),
        (
            json!({"value": "x", "type": "Integer"}),
            "Cannot convert value 'x' of type 'Integer' to java type java.lang.Integer",
        ),
        (
            json!({"value": 1, "type": "Json"}),
            "Must provide 'null' or String value",
        ),
        (json!({"value": "aGk=", "type": "File"}), "filename"),
    ] {
        let body = json!({"variables": {"v": variable}});
        let (status, kind, message) = server.post("/process-definition/key/p/start", &body).await?.refusal()?;
        assert_eq!((status, kind.as_str()), (400, "InvalidRequestException"));
        assert!(
            message.starts_with("Cannot instantiate process definition p: ") && message.contains(words),
            "{message}"
        );
    }
    assert_eq!(server.get("/process-instance/count").await?.json(), json!({"count": 0}));
    server.stop().await
}

#[tokio::test]
async fn queries_refuse_what_they_do_not_know() -> Result<()> {
    let server = TestServer::start().await?;
    for (path, words) in [
        (
            "/task?sortBy=nope&sortOrder=asc",
            "Cannot set query parameter 'sortBy' to value 'nope'",
        ),
        ("/task?sortBy=name", "Only a single sorting parameter specified"),
        (
            "/job?maxResults=many",
            "Cannot set query parameter 'maxResults' to value 'many'",
        ),
        (
            "/history/process-instance?startedAfter=yesterday",
            "Cannot set query parameter 'startedAfter'",
        ),
        (
            "/process-instance?variables=a",
            "variable query parameter has to have format KEY_OPERATOR_VALUE.",
        ),
    ] {
        let (status, kind, message) = server.get(path).await?.refusal()?;
        assert_eq!((status, kind.as_str()), (400, "InvalidRequestException"), "{path}");
        assert!(message.contains(words), "{path}: {message}");
    }
    assert_eq!(
        server.get("/task?unheardOf=1&name=' OR 1=1 --").await?.json(),
        json!([])
    );
    server.stop().await
}

#[tokio::test]
async fn large_queries_are_answered_or_refused() -> Result<()> {
    let server = TestServer::start().await?;
    let filters: Vec<_> = (0..50)
        .map(|at| json!({"name": format!("v{at}"), "value": at}))
        .collect();
    let query = json!({"processVariables": filters, "taskVariables": filters});
    let queries = vec![query; 20];
    let answer = server.post("/task", &json!({"orQueries": queries})).await?;
    assert_eq!((answer.status, answer.json()), (200, json!([])), "{answer:?}");
    let orders = vec![json!({"sortBy": "name", "sortOrder": "asc"}); 5_000];
    let (status, kind, message) = server.post("/task", &json!({"sorting": orders})).await?.refusal()?;
    assert_eq!((status, kind.as_str()), (400, "InvalidRequestException"));
    assert_eq!(message, "'sorting' may list at most 50 orders");
    server.stop().await
}

#[tokio::test]
async fn what_is_not_there_is_told_as_json() -> Result<()> {
    let server = TestServer::start().await?;
    for (method, path, status, kind) in [
        (Method::GET, "/nope", 404, "NotFoundException"),
        (Method::PUT, "/version", 405, "NotAllowedException"),
        (Method::GET, "/process-instance/%ff", 404, "NotFoundException"),
        (Method::GET, "/process-instance/nope", 404, "InvalidRequestException"),
        (
            Method::GET,
            "/process-instance/nope/variables",
            500,
            "NullValueException",
        ),
        (Method::GET, "/external-task/nope", 404, "RestException"),
        (Method::POST, "/external-task/nope/unlock", 404, "RestException"),
        (Method::GET, "/execution/nope", 404, "InvalidRequestException"),
        (Method::GET, "/task/nope", 404, "InvalidRequestException"),
        (Method::GET, "/job/nope", 404, "InvalidRequestException"),
        (Method::GET, "/incident/nope", 404, "InvalidRequestException"),
        (
            Method::GET,
            "/history/process-instance/nope",
            404,
            "InvalidRequestException",
        ),
        (
            Method::GET,
            "/deployment/nope/resources",
            404,
            "InvalidRequestException",
        ),
    ] {
        let (got, kind_got, message) = server.send(method, path, None).await?.refusal()?;
        assert_eq!((got, kind_got.as_str()), (status, kind), "{path}: {message}");
    }
    server.stop().await
}
