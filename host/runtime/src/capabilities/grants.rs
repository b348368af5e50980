//! Grants: what a worker may reach. The author asks in the manifest, the operator allows in the host's file, and both
//! have to. A denial says which line in which file is missing.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::http::rules::HttpGrant;
use crate::{config::OperatorPolicy, wit::types::Denial};

/// What is granted: in a manifest what the worker asks for, in the operator's file what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Grants {
    /// Engines on which processes may be started, messages correlated and variables set. `*` is every engine.
    pub processes: Vec<String>,
    /// Engines whose tasks may be completed apart from fetching them. `*` is every engine.
    pub tasks: Vec<String>,
    /// Where HTTP requests may go, as `https://host:port`.
    pub http: Vec<HttpGrant>,
    /// Secrets, by the operator's names.
    pub secrets: Vec<String>,
}

/// The grants of one worker that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantKind {
    Processes,
    Tasks,
    Secrets,
}

impl GrantKind {
    const fn key(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Tasks => "tasks",
            Self::Secrets => "secrets",
        }
    }

    fn of(self, grants: &Grants) -> &[String] {
        match self {
            Self::Processes => &grants.processes,
            Self::Tasks => &grants.tasks,
            Self::Secrets => &grants.secrets,
        }
    }

    fn allows(self, grants: &Grants, subject: &str) -> bool {
        let wildcard = self != Self::Secrets;
        self.of(grants)
            .iter()
            .any(|granted| granted == subject || (wildcard && granted == "*"))
    }
}

/// The author's and the operator's grants of one worker.
#[derive(Debug, Clone)]
pub(crate) struct WorkerGrants {
    worker: String,
    manifest: Grants,
    manifest_file: PathBuf,
    operator: Grants,
    operator_file: PathBuf,
}

impl WorkerGrants {
    pub(crate) fn new(worker: &str, manifest: Grants, manifest_file: &Path, policy: &OperatorPolicy) -> Self {
        Self {
            worker: worker.to_owned(),
            manifest,
            manifest_file: manifest_file.to_owned(),
            operator: policy.grants.get(worker).unwrap_or(&policy.default_grants).clone(),
            operator_file: policy.file.clone(),
        }
    }

    /// Whether `subject` is granted; the denial names `capability`.
    pub(crate) fn check(&self, kind: GrantKind, capability: &str, subject: &str) -> Result<(), Denial> {
        let by_author = kind.allows(&self.manifest, subject);
        let by_operator = kind.allows(&self.operator, subject);
        if by_author && by_operator {
            return Ok(());
        }
        let line = |existing: &[String]| {
            let names: Vec<String> = existing
                .iter()
                .map(String::as_str)
                .chain([subject])
                .map(|name| format!("\"{name}\""))
                .collect();
            format!("{} = [{}]", kind.key(), names.join(", "))
        };
        Err(self.denial(
            capability,
            subject,
            (!by_author).then(|| line(kind.of(&self.manifest))),
            (!by_operator).then(|| line(kind.of(&self.operator))),
        ))
    }

    /// The grant of the author and that of the operator that let a request go to `scheme://host:port`.
    pub(crate) fn check_http(&self, scheme: &str, host: &str, port: u16) -> Result<HttpPermit, Denial> {
        let find = |grants: &Grants| {
            grants
                .http
                .iter()
                .filter(|g| g.matches(scheme, host, port))
                .max_by_key(|g| g.is_exact())
                .cloned()
        };
        let (by_author, by_operator) = (find(&self.manifest), find(&self.operator));
        if let (Some(author), Some(operator)) = (&by_author, &by_operator) {
            return Ok(HttpPermit {
                private: author.is_exact() && operator.is_exact(),
            });
        }
        let subject = format!("{scheme}://{host}:{port}");
        let line = |existing: &[HttpGrant]| {
            let names: Vec<String> = existing
                .iter()
                .map(ToString::to_string)
                .chain([subject.clone()])
                .map(|name| format!("\"{name}\""))
                .collect();
            format!("http = [{}]", names.join(", "))
        };
        Err(self.denial(
            "http",
            &subject,
            by_author.is_none().then(|| line(&self.manifest.http)),
            by_operator.is_none().then(|| line(&self.operator.http)),
        ))
    }

    /// The denial of a private address that no grant names by host and port.
    pub(crate) fn private_address(&self, scheme: &str, host: &str, port: u16) -> Denial {
        let line = format!("http = [\"{scheme}://{host}:{port}\"]");
        self.denial(
            "http to a private address",
            &format!("{scheme}://{host}:{port}"),
            Some(line.clone()),
            Some(line),
        )
    }

    fn denial(&self, capability: &str, subject: &str, manifest: Option<String>, operator: Option<String>) -> Denial {
        let manifest = manifest.map(|line| format!("`{line}` under [grants] in {}", self.manifest_file.display()));
        let operator = operator.map(|line| {
            format!(
                "`{line}` under [workers.grants.{}] in {}",
                self.worker,
                self.operator_file.display()
            )
        });
        let remedy = [manifest, operator]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", and ");
        tracing::warn!(target: "handoff::worker", worker = self.worker, capability, subject, remedy, "capability denied");
        metrics::counter!("handoff_worker_denials_total", "worker" => self.worker.clone(), "capability" => capability.to_owned())
            .increment(1);
        Denial {
            capability: capability.to_owned(),
            subject: subject.to_owned(),
            remedy,
        }
    }
}

/// What an HTTP grant permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HttpPermit {
    /// Both grants name the very host and port, so the address may be private or loopback.
    pub(crate) private: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(manifest: &str, operator: &str) -> WorkerGrants {
        let policy = OperatorPolicy {
            default_grants: toml::from_str(operator).unwrap(),
            file: "handoff.toml".into(),
            ..OperatorPolicy::default()
        };
        WorkerGrants::new(
            "w",
            toml::from_str(manifest).unwrap(),
            Path::new("workers/w.toml"),
            &policy,
        )
    }

    #[test]
    fn both_have_to_allow() {
        let ask = "processes = [\"inventory\"]";
        assert!(
            grants(ask, ask)
                .check(GrantKind::Processes, "processes.start", "inventory")
                .is_ok()
        );
        assert!(
            grants(ask, "processes = [\"*\"]")
                .check(GrantKind::Processes, "processes.start", "inventory")
                .is_ok()
        );

        let denial = grants(ask, "")
            .check(GrantKind::Processes, "processes.start", "inventory")
            .unwrap_err();
        assert_eq!(
            denial.remedy,
            "`processes = [\"inventory\"]` under [workers.grants.w] in handoff.toml"
        );

        let denial = grants("processes = [\"a\"]", "")
            .check(GrantKind::Processes, "processes.start", "b")
            .unwrap_err();
        assert!(
            denial
                .remedy
                .contains("`processes = [\"a\", \"b\"]` under [grants] in workers/w.toml, and `"),
            "{denial:?}"
        );
    }

    #[test]
    fn a_grant_for_processes_is_none_for_tasks() {
        let ask = "processes = [\"order\"]";
        assert!(
            grants(ask, ask)
                .check(GrantKind::Tasks, "tasks.complete", "order")
                .is_err()
        );
    }

    #[test]
    fn secrets_have_no_wildcard() {
        let ask = "secrets = [\"*\"]";
        assert!(
            grants(ask, ask)
                .check(GrantKind::Secrets, "secrets.get", "token")
                .is_err()
        );
    }

    #[test]
    fn a_worker_that_is_named_gets_nothing_from_the_default() {
        let everything: Grants = toml::from_str("tasks = [\"*\"]").unwrap();
        let policy = OperatorPolicy {
            default_grants: everything.clone(),
            grants: [("w".to_owned(), Grants::default())].into(),
            ..OperatorPolicy::default()
        };
        let grants = WorkerGrants::new("w", everything, Path::new("w.toml"), &policy);
        assert!(grants.check(GrantKind::Tasks, "tasks.complete", "order").is_err());
    }

    #[test]
    fn private_addresses_need_the_very_host_and_port_from_both() {
        let exact = "http = [\"http://localhost:8080\"]";
        let wide = "http = [\"*\"]";
        assert!(
            grants(exact, exact)
                .check_http("http", "localhost", 8080)
                .unwrap()
                .private
        );
        assert!(
            !grants(exact, wide)
                .check_http("http", "localhost", 8080)
                .unwrap()
                .private
        );
        assert!(grants(exact, exact).check_http("http", "localhost", 8081).is_err());
    }
}
