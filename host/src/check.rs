//! `handoff host --check`: everything that can be found out without running a task.

mod operator;

use std::{path::PathBuf, time::Duration};

use handoff_runtime::{Registry, RegistryConfig, Runtime, RuntimeConfig, SecretSource};

use crate::{
    config::Config,
    engines::Engine,
    host::{connect, worker_id},
};

/// How long an engine has to answer.
const PROBE_TIME: Duration = Duration::from_secs(5);

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// The host starts, but something will not work.
    Warning,
    /// The host does not start.
    Error,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file, worker or engine.
    pub subject: String,
    /// What was found.
    pub message: String,
}

impl Finding {
    fn new(severity: Severity, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity,
            subject: subject.into(),
            message: message.into(),
        }
    }
}

impl Config {
    /// Checks the configuration with all that it points at: files, workers, and, if `engines` is set, whether the
    /// engines answer.
    pub async fn check(&self, runtime: RuntimeConfig, engines: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.check_files(&mut findings);
        findings.extend(operator::settings(self));
        if self.engines.is_empty() {
            let message = "no engine is configured: nothing will be fetched; add [engines.NAME] with its url";
            findings.push(Finding::new(
                Severity::Warning,
                self.file.display().to_string(),
                message,
            ));
        }
        self.check_workers(runtime, &mut findings).await;
        self.check_engines(engines, &mut findings).await;
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }

    fn check_files(&self, findings: &mut Vec<Finding>) {
        let mut files: Vec<(String, PathBuf)> = Vec::new();
        for (name, engine) in &self.engines {
            let secrets = engine.secret_headers.values().filter_map(|source| match source {
                SecretSource::File(file) => Some(file),
                SecretSource::Env(_) => None,
            });
            let auth = engine.auth.files().chain(secrets);
            files.extend(auth.map(|file| (format!("engines.{name}.auth"), file.clone())));
            files.extend(
                engine
                    .tls
                    .files()
                    .map(|file| (format!("engines.{name}.tls"), file.clone())),
            );
        }
        files.extend(
            self.delegates
                .iter()
                .filter_map(|d| d.token_file.clone())
                .map(|file| ("delegates".to_owned(), file)),
        );
        files.extend(
            self.admin
                .iter()
                .filter_map(|a| a.token_file.clone())
                .map(|file| ("admin".to_owned(), file)),
        );
        for (table, file) in files {
            match std::fs::read_to_string(&file) {
                Ok(token) if token.trim().is_empty() => {
                    findings.push(Finding::new(
                        Severity::Error,
                        format!("[{table}]"),
                        format!("{} is empty", file.display()),
                    ));
                }
                Ok(_) => {}
                Err(error) => {
                    findings.push(Finding::new(
                        Severity::Error,
                        format!("[{table}]"),
                        format!("cannot read {}: {error}", file.display()),
                    ));
                }
            }
        }
    }

    async fn check_workers(&self, runtime: RuntimeConfig, findings: &mut Vec<Finding>) {
        let mut folder = RegistryConfig::new(&self.workers.dir);
        folder.cache_dir.clone_from(&self.workers.cache_dir);
        folder.policy = self.policy();
        let opened = match Runtime::new(runtime) {
            Ok(runtime) => Registry::open(runtime, folder).await,
            Err(error) => Err(error),
        };
        let registry = match opened {
            Ok(registry) => registry,
            Err(error) => {
                findings.push(Finding::new(Severity::Error, "[workers]", error.to_string()));
                return;
            }
        };
        let catalog = registry.current();
        findings.extend(operator::workers(self, &catalog));
        if catalog.workers().next().is_none() {
            let message = format!(
                "{} has no workers; put NAME.wasm and NAME.toml there",
                self.workers.dir.display()
            );
            findings.push(Finding::new(Severity::Warning, "[workers]", message));
        }
        for worker in catalog.workers() {
            let subject = format!("worker {}", worker.name);
            match (&worker.last_error, &worker.current) {
                (Some(error), _) => findings.push(Finding::new(Severity::Error, subject, error.to_string())),
                (None, Some(version)) => {
                    findings.push(Finding::new(
                        Severity::Fine,
                        subject,
                        format!("version {}", version.digest().short()),
                    ));
                }
                (None, None) => findings.push(Finding::new(Severity::Warning, subject, "is not loaded")),
            }
        }
    }

    async fn check_engines(&self, ask: bool, findings: &mut Vec<Finding>) {
        let lines = match connect(self, &worker_id()) {
            Ok(lines) => lines,
            Err(error) => {
                findings.push(Finding::new(
                    Severity::Error,
                    self.file.display().to_string(),
                    error.to_string(),
                ));
                return;
            }
        };
        for (name, engine) in &self.engines {
            if engine.shows_secrets_unencrypted() {
                let message = "what the host says of itself goes over the network unencrypted; use https://";
                findings.push(Finding::new(Severity::Warning, format!("engine {name}"), message));
            }
        }
        if !ask {
            return;
        }
        for line in lines {
            let subject = format!("engine {}", line.engine.name());
            let finding = match tokio::time::timeout(PROBE_TIME, probe(&*line.engine)).await {
                Ok(Ok(product)) => Finding::new(Severity::Fine, subject, product),
                Ok(Err(reason)) => Finding::new(Severity::Warning, subject, reason),
                Err(_) => Finding::new(
                    Severity::Warning,
                    subject,
                    format!("no answer within {} s", PROBE_TIME.as_secs()),
                ),
            };
            findings.push(finding);
        }
    }
}

async fn probe(engine: &dyn Engine) -> Result<String, String> {
    engine
        .probe()
        .await
        .map(|features| features.product)
        .map_err(|fault| fault.to_string())
}
