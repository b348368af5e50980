//! `handoff deploy`: sends models to an engine in one deployment.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use reqwest::{
    Client, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::Value;

/// Parsing some thousand elements takes far less.
const TIMEOUT: Duration = Duration::from_secs(60);

/// `handoff deploy --url URL FILE…`
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// The engine's REST, such as http://127.0.0.1:8080/engine-rest
    #[arg(long, env = "HANDOFF_URL")]
    url: String,
    /// The deployment's name; the first file's, if it is not given
    #[arg(long)]
    name: Option<String>,
    /// The tenant that the definitions belong to
    #[arg(long)]
    tenant_id: Option<String>,
    /// Deploy only if a file differs from the latest deployment of this name
    #[arg(long)]
    if_changed: bool,
    /// Have the engine refuse also what Camunda accepts and ignores; a plain Camunda refuses the whole call then
    #[arg(long)]
    strict: bool,
    /// The user of HTTP basic authentication
    #[arg(long, requires = "password_file")]
    user: Option<String>,
    /// The file that the user's password is read from
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
    /// The file that a bearer token is read from
    #[arg(long, conflicts_with = "user")]
    token_file: Option<PathBuf>,
    /// The models; they are deployed together or not at all
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Deploys, and prints a line per definition.
///
/// # Errors
/// A file cannot be read, the engine cannot be reached, or it refuses: the error says where in the model, and why.
pub(crate) async fn run(args: DeployArgs) -> Result<()> {
    let url = format!("{}/deployment/create", args.url.trim_end_matches('/'));
    let request = Client::builder()
        .timeout(TIMEOUT)
        .build()?
        .post(&url)
        .multipart(form(&args)?);
    let response = authenticate(request, &args)?
        .send()
        .await
        .with_context(|| format!("reach the engine at {url}"))?;
    let status = response.status();
    let body = response.text().await.context("read the engine's answer")?;
    if !status.is_success() {
        bail!("the engine refused the deployment ({status}):\n{}", refusal(&body));
    }
    let deployment: Value = serde_json::from_str(&body)
        .with_context(|| format!("{url} answered {status}, but not as an engine does; is the URL right?"))?;
    report(&deployment);
    Ok(())
}

fn form(args: &DeployArgs) -> Result<Form> {
    let mut form = Form::new();
    let mut names = Vec::new();
    for path in &args.files {
        let content = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
            bail!("{} has no file name that a resource could have", path.display());
        };
        if names.contains(&name) {
            bail!("two files are named {name}; a deployment's resources need names of their own");
        }
        form = form.part(name.clone(), Part::bytes(content).file_name(name.clone()));
        names.push(name);
    }
    let name = args.name.clone().or_else(|| names.first().cloned()).unwrap_or_default();
    form = form
        .text("deployment-name", name)
        .text("deployment-source", "handoff deploy");
    if args.if_changed {
        form = form.text("enable-duplicate-filtering", "true");
    }
    if args.strict {
        form = form.text("handoff-strict", "true");
    }
    if let Some(tenant) = &args.tenant_id {
        form = form.text("tenant-id", tenant.clone());
    }
    Ok(form)
}

fn authenticate(request: RequestBuilder, args: &DeployArgs) -> Result<RequestBuilder> {
    let read = |path: &PathBuf| -> Result<String> {
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        Ok(text.trim_end().to_owned())
    };
    Ok(match (&args.user, &args.password_file, &args.token_file) {
        (Some(user), Some(file), _) => request.basic_auth(user, Some(read(file)?)),
        (_, _, Some(file)) => request.bearer_auth(read(file)?),
        _ => request,
    })
}

/// The engine's message, and each problem with its place where the answer has them.
fn refusal(body: &str) -> String {
    let Ok(answer) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    let mut text = answer["message"].as_str().unwrap_or(body).to_owned();
    for (resource, report) in answer["details"].as_object().into_iter().flatten() {
        for problem in report["errors"].as_array().into_iter().flatten() {
            let message = problem["message"].as_str().unwrap_or_default();
            let element = problem["mainElementId"]
                .as_str()
                .map(|id| format!(" at {id}"))
                .unwrap_or_default();
            let (line, column) = (&problem["line"], &problem["column"]);
            text += &format!("\n  {resource}:{line}:{column}{element}: {message}");
        }
    }
    text
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
fn report(deployment: &Value) {
    let id = deployment["id"].as_str().unwrap_or_default();
    println!("deployment {id}");
    let Some(definitions) = deployment["deployedProcessDefinitions"].as_object() else {
        println!("  nothing new");
        return;
    };
    for definition in definitions.values() {
        let key = definition["key"].as_str().unwrap_or_default();
        let resource = definition["resource"].as_str().unwrap_or_default();
        println!("  {key} version {} from {resource}", definition["version"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_place() {
        let body = r#"{"type":"ParseException","message":"ENGINE-09005 Could not parse BPMN process.","code":0,"details":
            {"a.bpmn":{"errors":[{"message":"no such element","line":7,"column":12,"mainElementId":"x"}],"warnings":[]}}}"#;
        let text = refusal(body);
        assert_eq!(
            text,
            "ENGINE-09005 Could not parse BPMN process.\n  a.bpmn:7:12 at x: no such element"
        );
        assert_eq!(refusal("a proxy's page"), "a proxy's page");
    }
}
