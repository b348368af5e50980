//! The clients of Camunda 7, unchanged, from their registries: each subscribes, reads and writes typed variables, reports
//! failures and BPMN errors, extends locks and unlocks.
//!
//! What they need is installed once under `target/clients`, by their lock files. Where a tool is missing the test says
//! so; with `CI=true` it fails. A Go client is not tested: the module proxy serves none that is known.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value as Json, json};
use tokio::process::Command;

use super::models;
use super::server::TestServer;

/// How long an installation or a client may take.
const INSTALL: Duration = Duration::from_secs(300);
/// How much of what a program wrote is shown, in characters.
const TAIL: usize = 12_000;
const RUN: Duration = Duration::from_secs(150);

/// A program from elsewhere, and how it is installed.
pub(crate) struct Tool {
    /// Its sources, in `tests/clients`.
    pub(crate) directory: &'static str,
    /// Which tools it needs.
    pub(crate) tools: &'static [&'static str],
    /// Run by `sh` in a directory of its own, with the sources in `$SOURCE`; done once for each lock file.
    pub(crate) install: &'static str,
    /// The file that says what is installed.
    pub(crate) lock: &'static str,
}

/// A client, and what it can do.
struct Client {
    tool: Tool,
    /// Run by `sh` there; the address and the number of tasks are `$1` and `$2`.
    run: &'static str,
    actions: &'static [&'static str],
    /// What the client writes beside numbers, texts and flags.
    rich: bool,
    /// The retries that its failure leaves.
    retries: i64,
}

const ALL: &[&str] = &["complete", "fail", "error", "extend", "unlock"];

/// Installs what `requirements.txt` lists.
pub(crate) const PIP: &str =
    "python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check -r \"$SOURCE/requirements.txt\"";

fn sources(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(directory)
}

/// Where a client is installed: beside what cargo builds.
fn home(directory: &str) -> Result<PathBuf> {
    let built = std::env::current_exe()?;
    let target = built
        .ancestors()
        .nth(3)
        .context("the test is not in a target directory")?;
    let home = target.join("clients").join(directory);
    std::fs::create_dir_all(&home)?;
    Ok(home)
}

/// Which of the tools is missing, as a reason not to run; an error in continuous integration.
#[allow(clippy::print_stdout, reason = "a test that is not run says so")]
fn missing(tools: &[&str]) -> Result<bool> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |tool: &&&str| std::env::split_paths(&path).any(|directory| directory.join(tool).is_file());
    let Some(tool) = tools.iter().find(|tool| !is_there(tool)) else {
        return Ok(false);
    };
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        bail!("'{tool}' is not installed: in continuous integration every client is run");
    }
    println!("not run: '{tool}' is not installed");
    Ok(true)
}

async fn sh(script: &str, directory: &Path, source: &Path, arguments: &[&str], limit: Duration) -> Result<()> {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(script)
        .arg("sh")
        .args(arguments)
        .current_dir(directory)
        .env("SOURCE", source);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(limit, command.output()).await;
    let output = output.with_context(|| format!("after {limit:?} it still ran: {script}"))??;
    let tail = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.chars()
            .rev()
            .take(TAIL)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<String>()
    };
    ensure!(
        output.status.success(),
        "{script}: {}\n{}\n{}",
        output.status,
        tail(&output.stdout),
        tail(&output.stderr)
    );
    Ok(())
}

/// Installs a client, unless what is there is by the same lock file.
async fn install(client: &Tool) -> Result<PathBuf> {
    static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one = ONE_AT_A_TIME.lock().await;
    let (home, source) = (home(client.directory)?, sources(client.directory));
    let lock = std::fs::read(source.join(client.lock))?;
    let stamp = home.join("installed");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(home);
    }
    sh(client.install, &home, &source, &[], INSTALL).await?;
    std::fs::write(&stamp, lock)?;
    Ok(home)
}

fn model() -> String {
    models::process(
        r#"<startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="official"/>
    <boundaryEvent id="oops" attachedToRef="work"><errorEventDefinition errorRef="e" camunda:errorMessageVariable="said"/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="oops" targetRef="caught"/>
    <userTask id="caught"/>
    <sequenceFlow id="f3" sourceRef="work" targetRef="end"/>
    <endEvent id="end"/>"#,
    )
    .replace("<process ", r#"<error id="e" errorCode="oops"/><process "#)
}

/// Runs a program, installed before; not where a tool is missing, which is said.
///
/// # Errors
/// It fails, with the end of what it wrote.
pub(crate) async fn run(tool: &Tool, script: &str, arguments: &[&str]) -> Result<()> {
    if missing(tool.tools)? {
        return Ok(());
    }
    let home = install(tool).await?;
    sh(script, &home, &sources(tool.directory), arguments, RUN).await
}

async fn check(client: &Client) -> Result<()> {
    if missing(client.tool.tools)? {
        return Ok(());
    }
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &model()).await?;
    let mut instances = Vec::new();
    for action in client.actions {
        let variables = json!({
            "do": {"value": action, "type": "String"},
            "int": {"value": 42, "type": "Integer"},
            "text": {"value": "é漢", "type": "String"},
            "flag": {"value": true, "type": "Boolean"},
            "double": {"value": 1.5, "type": "Double"},
            "json": {"value": "{\"a\": [1, 2]}", "type": "Json"},
            "date": {"value": "2026-01-31T08:15:30.123+0000", "type": "Date"},
        });
        let started = server
            .post("/process-definition/key/p/start", &json!({ "variables": variables }))
            .await?;
        let id = started.json()["id"]
            .as_str()
            .with_context(|| format!("{started:?}"))?
            .to_owned();
        instances.push((*action, id));
    }
    let url = server.url("");
    let count = instances.len().to_string();
    run(&client.tool, client.run, &[&url, &count]).await?;
    for (action, instance) in &instances {
        seen(&server, client, action, instance)
            .await
            .with_context(|| format!("{}: {action}", client.tool.directory))?;
    }
    server.stop().await
}

/// Whether the engine has what the client did.
async fn seen(server: &TestServer, client: &Client, action: &str, instance: &str) -> Result<()> {
    let task = server
        .get(&format!("/external-task?processInstanceId={instance}"))
        .await?
        .json()[0]
        .clone();
    let history = server
        .get(&format!("/history/process-instance/{instance}"))
        .await?
        .json();
    let variables = server
        .get(&format!("/history/variable-instance?processInstanceId={instance}"))
        .await?
        .json();
    let variable = |name: &str| {
        let list = variables.as_array().into_iter().flatten();
        let found = list
            .filter(|variable| variable["name"] == name)
            .map(|variable| json!([variable["type"], variable["value"]]));
        found.collect::<Vec<_>>()
    };
    let has = |name: &str, kind: &str, value: Json| {
        ensure!(variable(name) == [json!([kind, value])], "{name}: {:?}", variable(name));
        Ok(())
    };
    match action {
        "complete" => {
            ensure!(history["state"] == "COMPLETED", "{history}");
            has("outInt", "Integer", json!(43))?;
            has("outText", "String", json!("ü"))?;
            has("outFlag", "Boolean", json!(false))?;
            has("outDouble", "Double", json!(2.5))?;
            if client.rich {
                has("outJson", "Json", json!("{\"b\":1}"))?;
                has("outDate", "Date", json!("2026-01-31T08:15:30.123+0000"))?;
            }
        }
        "fail" => {
            ensure!(
                task["errorMessage"] == "no" && task["retries"] == client.retries,
                "{task}"
            );
        }
        "error" => {
            let caught = server.get(&format!("/task?processInstanceId={instance}")).await?.json();
            ensure!(caught[0]["taskDefinitionKey"] == "caught", "{caught}");
            has("said", "String", json!("why"))?;
            has("outText", "String", json!("ü"))?;
        }
        "extend" => {
            let later = server
                .get(&format!(
                    "/external-task/count?processInstanceId={instance}&lockExpirationAfter={}",
                    in_minutes(15)?
                ))
                .await?;
            ensure!(later.json()["count"] == 1, "{task}");
        }
        "unlock" => ensure!(history["state"] == "COMPLETED", "it did not come again: {task}"),
        other => bail!("nobody knows how to check '{other}'"),
    }
    Ok(())
}

/// An instant from now, for a query string.
fn in_minutes(minutes: u64) -> Result<String> {
    let at = std::time::SystemTime::now() + Duration::from_secs(minutes * 60);
    let at = jiff::Timestamp::try_from(at)?;
    Ok(at.strftime("%Y-%m-%dT%H:%M:%S.000%%2B0000").to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_client() -> Result<()> {
    check(&Client {
        tool: Tool {
            directory: "javascript",
            tools: &["node", "npm"],
            install: "cp \"$SOURCE\"/package*.json . && npm ci --silent --no-audit --no-fund",
            lock: "package-lock.json",
        },
        run: "cp \"$SOURCE/client.mjs\" . && node client.mjs \"$1\" \"$2\"",
        actions: ALL,
        rich: true,
        retries: 3,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_java_client() -> Result<()> {
    check(&Client {
        tool: Tool {
            directory: "java",
            tools: &["java", "mvn"],
            install: "cp \"$SOURCE/pom.xml\" . && mvn --quiet --batch-mode dependency:build-classpath -Dmdep.outputFile=classpath",
            lock: "pom.xml",
        },
        run: "java -Xmx128m -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8 -cp \"$(cat classpath)\" \"$SOURCE/Client.java\" \"$1\" \"$2\"",
        actions: ALL,
        rich: true,
        retries: 3,
    })
    .await
}

fn python(run: &'static str, actions: &'static [&'static str], retries: i64) -> Client {
    Client {
        tool: Tool {
            directory: "python",
            tools: &["python3"],
            install: PIP,
            lock: "requirements.txt",
        },
        run,
        actions,
        rich: false,
        retries,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python3_client() -> Result<()> {
    let run = "venv/bin/python \"$SOURCE/python3.py\" \"$1\" \"$2\"";
    check(&python(run, &["complete", "fail", "error"], 3)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn operaton_tasks() -> Result<()> {
    let run = "venv/bin/python \"$SOURCE/operaton_tasks.py\" \"$1\" \"$2\"";
    check(&python(run, &["complete", "fail", "error"], 0)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pycamunda() -> Result<()> {
    let run = "venv/bin/python \"$SOURCE/pycamunda_client.py\" \"$1\" \"$2\"";
    check(&python(run, ALL, 3)).await
}
