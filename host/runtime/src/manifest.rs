//! The manifest beside a component: `NAME.toml` beside `NAME.wasm`.
//!
//! Unknown keys are refused, because a misspelt limit or grant that is silently ignored is worse than a worker that does
//! not load. Every error names the file, the line and what to write instead.

mod limits;
mod topics;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

pub use crate::capabilities::grants::Grants;
pub use limits::ManifestLimits;
pub use topics::TopicSubscription;

/// What the author of a worker says about it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Manifest {
    /// The engine that the topics are fetched from, by its name in the host's configuration.
    pub engine: Option<String>,
    /// The topics whose tasks the worker handles: names, or tables with filters.
    pub topics: Vec<TopicSubscription>,
    /// The delegates that the worker serves, by the names that process models use.
    pub delegates: Vec<String>,
    /// What the worker wants to do. The operator has to allow it too.
    pub grants: Grants,
    /// Settings that the worker reads by `config.get`.
    pub config: BTreeMap<String, String>,
    /// Limits of a call; what is left out is the host's default.
    pub limits: ManifestLimits,
    /// Tries after the first failure before an incident is raised.
    pub retries: Option<u32>,
    /// The wait before the first retry; it grows from there.
    pub retry_after_ms: Option<u32>,
    /// Pins the component: the SHA-256 of the file, in hex.
    pub sha256: Option<String>,
}

/// A manifest that cannot be used: where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ManifestError {
    /// The manifest.
    pub file: PathBuf,
    /// The line, counted from 1, where one line is to blame.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Manifest {
    /// Parses and checks a manifest. `file` is what errors call it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_at(text, span.start));
            let source = line
                .and_then(|line| text.lines().nth(line - 1))
                .map(str::trim)
                .filter(|s| !s.is_empty());
            let mut message = error.message().trim_end().to_owned();
            if let Some(source) = source {
                message = format!("{message} (at `{source}`)");
            }
            ManifestError {
                file: file.to_owned(),
                line,
                message,
            }
        })?;
        manifest
            .check()
            .map_err(|Complaint { key, message }| ManifestError {
                file: file.to_owned(),
                line: line_of_key(text, key),
                message,
            })
            .map(|()| manifest)
    }

    /// How many tries there are after the first failure.
    pub fn retries(&self) -> u32 {
        self.retries.unwrap_or(3)
    }

    /// The wait before the first retry.
    pub fn retry_after(&self) -> Duration {
        Duration::from_millis(self.retry_after_ms.unwrap_or(5_000).into())
    }

    /// The engine that a topic is fetched from; `parse` has seen to it that there is one.
    pub fn engine_of<'a>(&'a self, topic: &'a TopicSubscription) -> Option<&'a str> {
        topic.engine.as_deref().or(self.engine.as_deref())
    }

    fn check(&self) -> Result<(), Complaint> {
        if self.topics.is_empty() && self.delegates.is_empty() {
            return Err(Complaint::new(
                "topics",
                "the worker has neither topics nor delegates; add `topics = [\"a-topic\"]` or `delegates = [\"a-name\"]`",
            ));
        }
        let mut seen = BTreeSet::new();
        for topic in &self.topics {
            topic.check()?;
            let Some(engine) = self.engine_of(topic) else {
                return Err(Complaint::new(
                    "topics",
                    format!(
                        "topic `{}` has no engine to be fetched from; add `engine = \"…\"`",
                        topic.name
                    ),
                ));
            };
            if engine.is_empty() {
                return Err(Complaint::new("engine", "the name of an engine cannot be empty"));
            }
            if !seen.insert((engine, topic.name.as_str())) {
                return Err(Complaint::new(
                    "topics",
                    format!("topic `{}` is listed twice; list it once", topic.name),
                ));
            }
        }
        let mut seen = BTreeSet::new();
        for delegate in &self.delegates {
            if delegate.is_empty() || delegate.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#')) {
                return Err(Complaint::new(
                    "delegates",
                    format!(
                        "`{delegate}` is no delegate's name: it is part of a URL's path and has no blanks and no /, ?, #"
                    ),
                ));
            }
            if !seen.insert(delegate) {
                return Err(Complaint::new(
                    "delegates",
                    format!("delegate `{delegate}` is listed twice; list it once"),
                ));
            }
        }
        if let Some(pin) = &self.sha256
            && (pin.len() != 64 || !pin.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(Complaint::new(
                "sha256",
                "sha256 is the component's SHA-256 in 64 hex digits, as `sha256sum` prints it",
            ));
        }
        self.limits.check()
    }
}

/// What is wrong with a key; its line is looked up where the text is known.
pub(crate) struct Complaint {
    key: &'static str,
    message: String,
}

impl Complaint {
    pub(crate) fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self {
            key,
            message: message.into(),
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&b| b == b'\n').count() + 1
}

/// The first line that assigns `key` or opens a table of that name.
fn line_of_key(text: &str, key: &str) -> Option<usize> {
    text.lines()
        .position(|line| {
            let line = line.trim_start().trim_start_matches('[');
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
        })
        .map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(text, Path::new("workers/w.toml")).map_err(|e| e.to_string())
    }

    fn refused(text: &str, parts: &[&str]) {
        let error = parse(text).expect_err("must be refused");
        for part in parts {
            assert!(error.contains(part), "{error:?} does not say {part:?}");
        }
    }

    #[test]
    fn the_shortest_manifest() {
        let manifest = parse("engine = \"order\"\ntopics = [\"c7bench\"]").unwrap();
        assert_eq!(manifest.topics[0].name, "c7bench");
        assert_eq!(manifest.engine_of(&manifest.topics[0]), Some("order"));
        assert_eq!(manifest.retries(), 3);
    }

    #[test]
    fn everything_a_manifest_can_say() {
        let manifest = parse(
            r#"
            engine = "order"
            delegates = ["completeTask"]
            retries = 5
            retry-after-ms = 100
            sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            [[topics]]
            name = "check"
            engine = "other"
            variables = ["a", "b"]
            local-variables = true
            business-key = "k"
            process-definition-key-in = ["p", "q"]
            process-definition-version-tag = "v1"
            tenant-ids = ["t"]
            process-variables = { kind = "big", count = 3, open = true }
            include-extension-properties = true
            lock-duration-ms = 60000
            [[topics]]
            name = "plain"
            [grants]
            processes = ["inventory"]
            tasks = ["order"]
            http = ["https://api.example.com:443", "http://*.example.org"]
            secrets = ["token"]
            [config]
            greeting = "hello"
            [limits]
            memory-mb = 64
            time-ms = 1000
            concurrency = 4
            log-lines = 10
            payload-kb = 16
            "#,
        )
        .unwrap();
        assert_eq!(manifest.engine_of(&manifest.topics[0]), Some("other"));
        assert_eq!(manifest.engine_of(&manifest.topics[1]), Some("order"));
        assert_eq!(manifest.topics[0].process_variables["count"], serde_json::json!(3));
        assert_eq!(manifest.config["greeting"], "hello");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_known_ones() {
        refused(
            "engine = \"order\"\ntopcis = [\"a\"]",
            &["workers/w.toml:2", "topcis", "`topics`"],
        );
        refused(
            "engine = \"o\"\ntopics = [\"a\"]\n[limits]\nmemroy-mb = 1",
            &["w.toml:4", "memroy-mb", "`memory-mb`"],
        );
        refused(
            "engine = \"o\"\ntopics = [{ name = \"a\", filter = 1 }]",
            &["w.toml:2", "filter", "`variables`"],
        );
    }

    #[test]
    fn a_wrong_type_is_refused_with_its_line() {
        refused("engine = \"o\"\ntopics = \"a\"", &["w.toml:2", "expected a sequence"]);
        refused(
            "engine = \"o\"\ntopics = [\"a\"]\nretries = -1",
            &["w.toml:3", "retries = -1"],
        );
        refused("engine = ", &["w.toml:1"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_remedy() {
        refused("engine = \"o\"", &["neither topics nor delegates", "add `topics"]);
        refused("topics = [\"a\"]", &["w.toml:1", "add `engine"]);
        refused("engine = \"o\"\ntopics = [\"a\", \"a\"]", &["w.toml:2", "twice"]);
        refused("delegates = [\"a/b\"]", &["w.toml:1", "a/b"]);
        refused(
            "engine = \"o\"\ntopics = [\"a\"]\nsha256 = \"12\"",
            &["w.toml:3", "64 hex digits"],
        );
        refused(
            "engine = \"o\"\ntopics = [\"a\"]\n[limits]\nmemory-mb = 0",
            &["w.toml:4", "memory-mb"],
        );
        refused(
            "engine = \"o\"\ntopics = [\"a\"]\n[grants]\nhttp = [\"api.example.com\"]",
            &["w.toml:4", "https://"],
        );
    }
}
