//! User tasks: who has them, what is said of them, and what they see.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::models;
use super::server::TestServer;

fn user_task() -> String {
    models::process(
        r#"<startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="u"/>
    <userTask id="u" name="Do it" camunda:candidateUsers="joe, ${who}" camunda:candidateGroups="sales,hr"/>
    <sequenceFlow id="f2" sourceRef="u" targetRef="end"/>
    <endEvent id="end"/>"#,
    )
}

/// A server, an instance and its task.
async fn with_task() -> Result<(TestServer, String, String)> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &user_task()).await?;
    let variables = json!({"variables": {"who": {"value": "ann"}}});
    let started = server.post("/process-definition/key/p/start", &variables).await?.json();
    let instance = started["id"].as_str().context("an instance")?.to_owned();
    let tasks = server.get(&format!("/task?processInstanceId={instance}")).await?.json();
    let task = tasks[0]["id"].as_str().context("a task")?.to_owned();
    Ok((server, instance, task))
}

async fn count(server: &TestServer, query: &str) -> Result<i64> {
    let answer = server.get(&format!("/task/count?{query}")).await?;
    answer.json()["count"]
        .as_i64()
        .with_context(|| format!("{query}: {answer:?}"))
}

#[tokio::test]
async fn candidates_are_found_until_somebody_has_the_task() -> Result<()> {
    let (server, _, task) = with_task().await?;
    for (query, expected) in [
        ("candidateUser=joe", 1),
        ("candidateUser=ann", 1),
        ("candidateUser=eve", 0),
        ("candidateGroup=sales", 1),
        ("candidateGroups=hr,it", 1),
        ("candidateGroupLike=sa%25", 1),
        ("withCandidateGroups=true", 1),
        ("withoutCandidateUsers=true", 0),
        ("involvedUser=joe", 1),
        ("name=do%20IT", 1),
        ("nameNotLike=Do%25", 0),
    ] {
        assert_eq!(count(&server, query).await?, expected, "{query}");
    }
    let claim = format!("/task/{task}/claim");
    assert_eq!(server.post(&claim, &json!({"userId": "joe"})).await?.status, 204);
    assert_eq!(
        server.post(&claim, &json!({"userId": "joe"})).await?.status,
        204,
        "it is theirs"
    );
    let (status, kind, _) = server.post(&claim, &json!({"userId": "eve"})).await?.refusal()?;
    assert_eq!((status, kind.as_str()), (500, "TaskAlreadyClaimedException"));
    for (query, expected) in [
        ("candidateUser=joe", 0),
        ("candidateUser=joe&includeAssignedTasks=true", 1),
        ("assignee=joe", 1),
        ("assigneeNotIn=joe", 0),
    ] {
        assert_eq!(count(&server, query).await?, expected, "{query}");
    }
    let misuse = server
        .get("/task?candidateUser=joe&candidateGroup=sales")
        .await?
        .refusal()?;
    assert_eq!(misuse.0, 500, "{misuse:?}");
    server.stop().await
}

#[tokio::test]
async fn any_of_several_queries() -> Result<()> {
    let (server, instance, _) = with_task().await?;
    let query = |name: &str| json!({"processInstanceId": instance, "orQueries": [{"name": name, "owner": "nobody"}]});
    let found = server.post("/task/count", &query("Do it")).await?.json();
    assert_eq!(found["count"], 1);
    let found = server.post("/task/count", &query("Other")).await?.json();
    assert_eq!(found["count"], 0);
    server.stop().await
}

#[tokio::test]
async fn a_delegated_task_comes_back_to_its_owner() -> Result<()> {
    let (server, _, task) = with_task().await?;
    let post = async |what: &str, body: Json| server.post(&format!("/task/{task}/{what}"), &body).await;
    let state = async || {
        let task = server.get(&format!("/task/{task}")).await?.json();
        let field = |name: &str| task[name].as_str().map(str::to_owned);
        Ok::<_, anyhow::Error>((
            field("assignee"),
            field("owner"),
            field("delegationState"),
            field("taskState"),
        ))
    };
    let some = |text: &str| Some(text.to_owned());
    post("assignee", json!({"userId": "ann"})).await?;
    assert_eq!(post("delegate", json!({"userId": "bob"})).await?.status, 204);
    assert_eq!(
        state().await?,
        (some("bob"), some("ann"), some("PENDING"), some("Updated"))
    );
    assert_eq!(
        post("submit-form", json!({"variables": {"x": {"value": 1}}}))
            .await?
            .status,
        204
    );
    assert_eq!(
        state().await?,
        (some("ann"), some("ann"), some("RESOLVED"), some("Updated")),
        "its form gives it back"
    );
    let done = post(
        "complete",
        json!({"withVariablesInReturn": true, "variables": {"y": {"value": true}}}),
    )
    .await?;
    assert_eq!(done.status, 200);
    assert_eq!(done.json()["x"]["value"], 1, "the instance has ended: {done:?}");
    assert_eq!(done.json()["y"]["value"], true);
    let history = server.get(&format!("/history/task?taskId={task}")).await?.json();
    assert_eq!(
        (&history[0]["assignee"], &history[0]["taskState"]),
        (&json!("ann"), &json!("Completed"))
    );
    server.stop().await
}

#[tokio::test]
async fn parts_in_a_task_are_given_and_taken() -> Result<()> {
    let (server, _, task) = with_task().await?;
    let links = format!("/task/{task}/identity-links");
    let list = async || Ok::<_, anyhow::Error>(server.get(&links).await?.json());
    assert_eq!(
        list().await?,
        json!([
            {"userId": "joe", "groupId": null, "type": "candidate"},
            {"userId": "ann", "groupId": null, "type": "candidate"},
            {"userId": null, "groupId": "sales", "type": "candidate"},
            {"userId": null, "groupId": "hr", "type": "candidate"},
        ])
    );
    let link = json!({"userId": "eve", "type": "observer"});
    assert_eq!(server.post(&links, &link).await?.status, 204);
    assert_eq!(
        server
            .post(&links, &json!({"userId": "own", "type": "owner"}))
            .await?
            .status,
        204
    );
    assert_eq!(
        list().await?[4],
        json!({"userId": "eve", "groupId": null, "type": "observer"})
    );
    assert_eq!(
        list().await?[5],
        json!({"userId": "own", "groupId": null, "type": "owner"})
    );
    assert_eq!(server.post(&format!("{links}/delete"), &link).await?.status, 204);
    assert_eq!(list().await?.as_array().map(Vec::len), Some(5));
    let both = json!({"userId": "a", "groupId": "b", "type": "candidate"});
    assert_eq!(
        server.post(&links, &both).await?.refusal()?.2,
        "Identity Link requires userId or groupId, but not both."
    );
    server.stop().await
}

#[tokio::test]
async fn a_task_has_variables_of_its_own() -> Result<()> {
    let (server, instance, task) = with_task().await?;
    let local = format!("/task/{task}/localVariables");
    assert_eq!(
        server
            .send(Method::PUT, &format!("{local}/l"), Some(&json!({"value": "in"})))
            .await?
            .status,
        204
    );
    let names = async |path: String| {
        let json = server.get(&path).await?.json();
        Ok::<_, anyhow::Error>(json.as_object().context("a map")?.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(names(local.clone()).await?, ["l"]);
    assert_eq!(names(format!("/task/{task}/variables")).await?, ["l", "who"]);
    assert_eq!(names(format!("/process-instance/{instance}/variables")).await?, ["who"]);
    let of_task = server.get(&format!("/variable-instance?taskIdIn={task}")).await?.json();
    assert_eq!(
        (&of_task[0]["name"], &of_task[0]["taskId"]),
        (&json!("l"), &json!(task))
    );
    assert_eq!(count(&server, "taskVariables=l_eq_in").await?, 1);
    assert_eq!(
        server.post(&format!("/task/{task}/complete"), &json!({})).await?.status,
        204
    );
    assert_eq!(
        server.get("/variable-instance/count").await?.json()["count"],
        0,
        "it ends with the task"
    );
    server.stop().await
}

#[tokio::test]
async fn comments_stay_as_long_as_the_history() -> Result<()> {
    let (server, _, task) = with_task().await?;
    let comments = format!("/task/{task}/comment");
    let first = server
        .post(&format!("{comments}/create"), &json!({"message": "one"}))
        .await?
        .json();
    server
        .post(&format!("{comments}/create"), &json!({"message": "two"}))
        .await?;
    let messages = async || {
        let list = server.get(&comments).await?.json();
        let list = list
            .as_array()
            .context("a list")?
            .iter()
            .map(|comment| comment["message"].clone());
        Ok::<_, anyhow::Error>(Json::Array(list.collect()))
    };
    assert_eq!(messages().await?, json!(["two", "one"]), "newest first");
    assert_eq!(first["userId"], Json::Null, "nobody had to say who they are");
    server.post(&format!("/task/{task}/complete"), &json!({})).await?;
    assert_eq!(messages().await?, json!(["two", "one"]), "they outlive the task");
    let one = format!("{comments}/{}", first["id"].as_str().context("an id")?);
    assert_eq!(server.send(Method::DELETE, &one, None).await?.status, 204);
    assert_eq!(messages().await?, json!(["two"]));
    assert_eq!(server.get(&one).await?.status, 404);
    server.stop().await
}

#[tokio::test]
async fn a_task_can_be_in_no_process() -> Result<()> {
    let server = TestServer::start().await?;
    let create = json!({"name": "alone", "priority": 3, "due": "2030-01-31T08:15:30.123+0000"});
    assert_eq!(server.post("/task/create", &create).await?.status, 204);
    let task = server.get("/task?name=alone").await?.json()[0].clone();
    assert_eq!(
        (&task["processInstanceId"], &task["priority"]),
        (&Json::Null, &json!(3))
    );
    let id = task["id"].as_str().context("a task")?.to_owned();
    let part = json!({"name": "part", "parentTaskId": id});
    assert_eq!(server.post("/task/create", &part).await?.status, 204);
    let put = server
        .send(
            Method::PUT,
            &format!("/task/{id}/variables/v"),
            Some(&json!({"value": 1})),
        )
        .await?;
    assert_eq!(put.status, 204, "{put:?}");
    assert_eq!(
        server.get(&format!("/task/{id}/variables")).await?.json()["v"]["value"],
        1
    );
    let update = json!({"name": "renamed"});
    assert_eq!(
        server
            .send(Method::PUT, &format!("/task/{id}"), Some(&update))
            .await?
            .status,
        204
    );
    let task = server.get(&format!("/task/{id}")).await?.json();
    assert_eq!(
        (&task["name"], &task["due"]),
        (&json!("renamed"), &Json::Null),
        "what is left out goes"
    );
    assert_eq!(
        server.send(Method::DELETE, &format!("/task/{id}"), None).await?.status,
        204
    );
    assert_eq!(server.get("/task/count").await?.json()["count"], 0, "with its parts");
    assert_eq!(server.get("/variable-instance/count").await?.json()["count"], 0);
    let own_id = server.post("/task/create", &json!({"id": "mine"})).await?.refusal()?;
    assert!(own_id.2.contains("leave 'id' out"), "{own_id:?}");
    server.stop().await
}

#[tokio::test]
async fn a_suspended_task_is_left_alone() -> Result<()> {
    let (server, instance, task) = with_task().await?;
    let suspend = format!("/process-instance/{instance}/suspended");
    server
        .send(Method::PUT, &suspend, Some(&json!({"suspended": true})))
        .await?;
    for (what, body) in [
        ("claim", json!({"userId": "ann"})),
        ("unclaim", json!({})),
        ("identity-links", json!({"userId": "x", "type": "candidate"})),
    ] {
        let (status, kind, _) = server.post(&format!("/task/{task}/{what}"), &body).await?.refusal()?;
        assert_eq!(
            (status, kind.as_str()),
            (400, "SuspendedEntityInteractionException"),
            "{what}"
        );
    }
    server.stop().await
}
