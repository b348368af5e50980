//! A recording's step `drain`: completes whatever is open, the smallest activity id first, one at a time, until nothing
//! comes any more.
//!
//! What is open: external tasks of `topics`, fetched by the worker `drain`, and with `tasks` the user tasks of the
//! `instances` and of all that they have called. `variables` go with each completion; `errors` are reported instead of
//! completing; with `jobs` the jobs that can run are waited for first, so that the order does not hang on them.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::server::TestServer;

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// However much comes, it ends.
const AT_MOST: Duration = Duration::from_secs(120);
/// How long jobs may take to run.
const JOBS: Duration = Duration::from_secs(10);

/// Drains, and says what was completed: the activity ids, sorted unless they are wanted in their order. `a 500` is an
/// `a` whose completion gave a 500.
///
/// # Errors
/// A query is refused.
pub(crate) async fn drain(server: &TestServer, want: &Json, instance: Option<&Json>) -> Result<Json> {
    let drain = Drain { server, want };
    let roots = match want.get("instances").and_then(Json::as_array) {
        Some(list) => list.clone(),
        None => instance.cloned().into_iter().collect(),
    };
    let roots: Vec<String> = roots.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    let mut done = drain.run(&roots).await?;
    if !want["ordered"].as_bool().unwrap_or(false) {
        done.sort();
    }
    Ok(done.into())
}

struct Drain<'d> {
    server: &'d TestServer,
    want: &'d Json,
}

impl Drain<'_> {
    async fn run(&self, roots: &[String]) -> Result<Vec<String>> {
        let quiet = Duration::from_secs_f64(self.want["seconds"].as_f64().unwrap_or(1.0));
        let most = self.want["max"].as_u64().unwrap_or(50) as usize;
        let (mut done, mut held, mut tried) = (Vec::new(), BTreeMap::new(), HashSet::new());
        let start = Instant::now();
        let mut last = start;
        while done.len() < most && start.elapsed() < AT_MOST {
            let tree = self.tree(roots).await?;
            if self.want["jobs"].as_bool().unwrap_or(false) && last.elapsed() < JOBS && self.jobs_run(&tree).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            self.fetch(&mut held).await?;
            let mut open: Vec<(String, &str, String)> = held
                .iter()
                .map(|(id, activity): (&String, &String)| (activity.clone(), "external-task", id.clone()))
                .collect();
            if self.want["tasks"].as_bool().unwrap_or(false) {
                for instance in &tree {
                    for task in self.rows(&format!("/task?processInstanceId={instance}")).await? {
                        open.push((text(&task["taskDefinitionKey"]), "task", text(&task["id"])));
                    }
                }
            }
            open.retain(|(_, _, id)| !tried.contains(id));
            open.sort();
            let Some((activity, kind, id)) = open.into_iter().next() else {
                if last.elapsed() > quiet || !roots.is_empty() && self.have_ended(roots).await? {
                    break;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            let status = self.complete(kind, &id, &activity).await?;
            held.remove(&id);
            tried.insert(id);
            // An external task may have been cancelled while it was held.
            if status != 404 || kind == "task" {
                done.push(if status == 204 {
                    activity
                } else {
                    format!("{activity} {status}")
                });
                last = Instant::now();
            }
        }
        Ok(done)
    }

    /// The instances, and all that they have called.
    async fn tree(&self, roots: &[String]) -> Result<Vec<String>> {
        let mut tree = roots.to_vec();
        let mut next = 0;
        while let Some(instance) = tree.get(next).cloned() {
            next += 1;
            for called in self
                .rows(&format!("/process-instance?superProcessInstance={instance}"))
                .await?
            {
                let id = text(&called["id"]);
                if !tree.contains(&id) {
                    tree.push(id);
                }
            }
        }
        Ok(tree)
    }

    async fn jobs_run(&self, tree: &[String]) -> Result<bool> {
        for instance in tree {
            let path = format!("/job/count?executable=true&processInstanceId={instance}");
            if self.server.get(&path).await?.json()["count"].as_u64().unwrap_or(0) > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn fetch(&self, held: &mut BTreeMap<String, String>) -> Result<()> {
        let topics = self.want["topics"].as_array().into_iter().flatten();
        let topics: Vec<Json> = topics
            .map(|topic| json!({"topicName": topic, "lockDuration": 600_000}))
            .collect();
        if topics.is_empty() {
            return Ok(());
        }
        let body = json!({"workerId": "drain", "maxTasks": 50, "topics": topics});
        let answer = self.server.post("/external-task/fetchAndLock", &body).await?;
        ensure!(answer.status == 200, "{answer:?}");
        for task in answer.json().as_array().context("a list")? {
            held.insert(text(&task["id"]), text(&task["activityId"]));
        }
        Ok(())
    }

    async fn complete(&self, kind: &str, id: &str, activity: &str) -> Result<u16> {
        let code = &self.want["errors"][activity];
        let action = if code.is_null() { "complete" } else { "bpmnError" };
        let mut body = match code.is_null() {
            true => json!({"variables": self.want.get("variables").cloned().unwrap_or_else(|| json!({}))}),
            false => json!({ "errorCode": code }),
        };
        if kind == "external-task" {
            body["workerId"] = "drain".into();
        }
        Ok(self.server.post(&format!("/{kind}/{id}/{action}"), &body).await?.status)
    }

    async fn have_ended(&self, roots: &[String]) -> Result<bool> {
        for instance in roots {
            if self.server.get(&format!("/process-instance/{instance}")).await?.status != 404 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn rows(&self, path: &str) -> Result<Vec<Json>> {
        let answer = self.server.send(Method::GET, path, None).await?;
        ensure!(answer.status == 200, "{path}: {answer:?}");
        answer.json().as_array().cloned().context("a list")
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
