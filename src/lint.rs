//! `handoff lint`: what is wrong with models, and what will hurt, without an engine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use handoff_engine::model::{self, ParseError, Problem};

/// `handoff lint [--strict] [--workers DIR] FILE…`
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Fail for warnings too
    #[arg(long)]
    strict: bool,
    /// A workers folder: topics that none of its manifests names are warned about
    #[arg(long, value_name = "DIR")]
    workers: Option<PathBuf>,
    /// The models: BPMN, and DMN where the name ends in .dmn or .dmn11.xml
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Prints a line for each problem: `file:line:column: error|warning: message`. The exit code is 1 where there is an
/// error, or with `--strict` a warning.
///
/// # Errors
/// A file or the workers folder cannot be read.
pub(crate) fn run(args: &LintArgs) -> Result<ExitCode> {
    let topics = args.workers.as_deref().map(served).transpose()?;
    let (mut errors, mut warnings) = (0, 0);
    for path in &args.files {
        let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let (wrong, harmful) = look(path, &bytes, topics.as_ref());
        errors += wrong.len();
        warnings += harmful.len();
        print(path, "error", &wrong);
        print(path, "warning", &harmful);
    }
    Ok(if errors > 0 || (args.strict && warnings > 0) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Errors and warnings of a file.
fn look(path: &Path, bytes: &[u8], topics: Option<&BTreeSet<String>>) -> (Vec<Problem>, Vec<Problem>) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if model::is_file_of_decisions(name) {
        return match model::parse_decisions(bytes) {
            Ok(parsed) => (Vec::new(), parsed.warnings),
            Err(problem) => (vec![*problem], Vec::new()),
        };
    }
    match model::parse(name, bytes) {
        Ok(parsed) => {
            let mut warnings = parsed.warnings;
            for process in &parsed.processes {
                warnings.extend(model::lint(process, topics));
            }
            (Vec::new(), warnings)
        }
        Err(ParseError::Refused(errors, warnings)) => (errors, warnings),
        Err(ParseError::Malformed(message)) => (vec![malformed(message)], Vec::new()),
    }
}

/// The parser gives the place of what it cannot read at the message's end.
fn malformed(message: String) -> Problem {
    let number = |name: &str| {
        let rest = message.rsplit_once(name)?.1;
        rest.split(' ').next()?.parse().ok()
    };
    Problem {
        line: number("| line ").unwrap_or_default(),
        column: number("| column ").unwrap_or_default(),
        main_element: None,
        elements: Vec::new(),
        message,
    }
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
fn print(path: &Path, level: &str, problems: &[Problem]) {
    for problem in problems {
        println!(
            "{}:{}:{}: {level}: {}",
            path.display(),
            problem.line,
            problem.column,
            problem.message
        );
    }
}

/// The topics that the manifests of a workers folder name.
fn served(folder: &Path) -> Result<BTreeSet<String>> {
    let mut topics = BTreeSet::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("read the workers folder {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let manifest: toml::Table = toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        for topic in manifest
            .get("topics")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            // A topic is its name, or a table with a name.
            let name = topic.as_str().or_else(|| topic.get("name")?.as_str());
            topics.extend(name.map(str::to_owned));
        }
    }
    Ok(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
        <process id="p" isExecutable="true"><startEvent id="s"/>
        <serviceTask id="a" camunda:type="external" camunda:topic="paint"/><sequenceFlow id="f" sourceRef="s" targetRef="a"/>
        </process></definitions>"#;

    #[test]
    fn topics_come_from_the_manifests_of_the_folder() -> Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("a.toml"), "engine = \"e\"\ntopics = [\"ship\"]\n")?;
        std::fs::write(folder.path().join("a.wasm"), "")?;
        let topics = served(folder.path())?;
        let (errors, warnings) = look(Path::new("m.bpmn"), MODEL.as_bytes(), Some(&topics));
        assert!(errors.is_empty());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].message.contains("'paint'") && warnings[0].line == 3);
        std::fs::write(folder.path().join("b.toml"), "topics = [\"paint\"]\n")?;
        let topics = served(folder.path())?;
        assert!(look(Path::new("m.bpmn"), MODEL.as_bytes(), Some(&topics)).1.is_empty());
        Ok(())
    }

    #[test]
    fn decisions_are_read_too() {
        let file = |input: &str, policy: &str| {
            format!(
                r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
  <decision id="price" name="price"><decisionTable id="t" hitPolicy="{policy}">
    <input id="i"><inputExpression id="e" typeRef="string">
      <text>{input}</text></inputExpression></input>
    <output id="o" name="o" typeRef="string"/>
  </decisionTable></decision></definitions>"#
            )
        };
        let look = |name: &str, xml: String| look(Path::new(name), xml.as_bytes(), None);
        let fine = look("price.dmn", file("x", "UNIQUE"));
        assert!(fine.0.is_empty() && fine.1.is_empty(), "{fine:?}");
        let (errors, warnings) = look("price.dmn", file("x +", "UNIQUE"));
        assert!(errors.is_empty());
        assert_eq!(warnings.len(), 1, "it fails when it is reached: {warnings:?}");
        assert!(warnings[0].line > 1, "{warnings:?}");
        let (errors, _) = look("price.dmn11.xml", file("x", "PRIORITY"));
        assert_eq!((errors.len(), errors[0].line), (1, 2), "{errors:?}");
        assert_eq!(look("price.dmn", "<definitions".to_owned()).0.len(), 1);
    }

    /// Messages of a file with one process.
    fn warnings(process: &str) -> Vec<String> {
        let head = MODEL.split_once("<process").map_or("", |(head, _)| head);
        let xml = format!(
            r#"{head}<message id="m" name="m"/><process id="p" isExecutable="true" camunda:historyTimeToLive="P1D">{process}</process></definitions>"#
        );
        let (errors, warnings) = look(Path::new("m.bpmn"), xml.as_bytes(), None);
        assert!(errors.is_empty(), "{errors:?}");
        assert!(
            warnings.iter().all(|problem| problem.line > 0),
            "each has its place: {warnings:?}"
        );
        warnings.into_iter().map(|problem| problem.message).collect()
    }

    const EXTERNAL: &str = r#"camunda:type="external" camunda:topic="t""#;

    #[test]
    fn each_finding_is_told() {
        let listener = r#"<extensionElements><camunda:executionListener event="end" delegateExpression="${x}"/></extensionElements>"#;
        let flow = |id: &str, from: &str, to: &str| {
            format!(r#"<sequenceFlow id="{id}" sourceRef="{from}" targetRef="{to}"/>"#)
        };
        let start = r#"<startEvent id="s"/>"#;
        for (process, words) in [
            (
                format!(
                    r#"{start}<userTask id="u"/><userTask id="far"/>{}"#,
                    flow("f", "s", "u")
                ),
                "'far' is never reached",
            ),
            (
                format!(r#"{start}<parallelGateway id="g"/>{}"#, flow("f", "s", "g")),
                "the parallel gateway 'g' has no way out",
            ),
            (
                format!(
                    r#"{start}<exclusiveGateway id="g"/><userTask id="a"/><userTask id="b"/>{}<sequenceFlow id="f1" sourceRef="g" targetRef="a"><conditionExpression>${{x}}</conditionExpression></sequenceFlow><sequenceFlow id="f2" sourceRef="g" targetRef="b"><conditionExpression>${{y}}</conditionExpression></sequenceFlow>"#,
                    flow("f", "s", "g")
                ),
                "give it a default flow",
            ),
            (
                format!(
                    r#"<startEvent id="s">{listener}<messageEventDefinition messageRef="m"/></startEvent><userTask id="u"/>{}"#,
                    flow("f", "s", "u")
                ),
                "but is not async before",
            ),
            (
                format!(
                    r#"<startEvent id="s" camunda:asyncBefore="true">{listener}<messageEventDefinition messageRef="m"/></startEvent><userTask id="u"/>{}"#,
                    flow("f", "s", "u")
                ),
                "but is not async after",
            ),
            (
                format!(
                    r#"{start}<serviceTask id="x" {EXTERNAL}/><userTask id="u"/><intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>{}{}{}"#,
                    flow("f", "s", "x"),
                    flow("f1", "x", "u"),
                    flow("f2", "u", "c")
                ),
                "it may come before anybody waits for it",
            ),
        ] {
            let found = warnings(&process);
            assert!(
                found.iter().any(|message| message.contains(words)),
                "{words}: {found:?}"
            );
        }
        let plain = format!(r#"{start}<userTask id="u"/>{}"#, flow("f", "s", "u"));
        assert_eq!(warnings(&plain), Vec::<String>::new());
    }

    #[test]
    fn warnings_fail_only_where_it_is_strict() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("m.bpmn");
        let model = MODEL.replace(
            r#"isExecutable="true""#,
            r#"isExecutable="true" camunda:historyTimeToLive="P1D""#,
        );
        std::fs::write(&file, model.replace("</process>", r#"<userTask id="far"/></process>"#))?;
        let run = |strict| {
            run(&LintArgs {
                strict,
                workers: None,
                files: vec![file.clone()],
            })
        };
        assert_eq!(run(false)?, ExitCode::SUCCESS);
        assert_eq!(run(true)?, ExitCode::FAILURE);
        std::fs::write(&file, "<definitions")?;
        assert_eq!(run(false)?, ExitCode::FAILURE);
        std::fs::remove_file(&file)?;
        assert!(run(false).is_err_and(|error| error.to_string().contains("m.bpmn")));
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_has_its_place_too() {
        let bad = MODEL.replace("topic=\"paint\"", "topic=\"${paint\"");
        let (errors, _) = look(Path::new("m.bpmn"), bad.as_bytes(), None);
        assert_eq!((errors.len(), errors[0].line), (1, 3), "{errors:?}");
    }
}
