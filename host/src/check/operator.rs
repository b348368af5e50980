//! What `handoff.toml` says about workers and listeners, against what is there: names that nobody has, grants that a
//! worker asks for in vain, secrets that cannot be read, addresses and directories that are taken.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
};

use handoff_runtime::{Catalog, Grants, RuntimeError, SecretSource, WorkerVersion, check_state_dir};

use super::{Finding, Severity};
use crate::config::Config;

/// All that does not need the workers.
pub(super) fn settings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, source) in &config.secrets {
        if let Err(reason) = readable(source) {
            findings.push(Finding::new(Severity::Error, format!("[secrets.{name}]"), reason));
        }
    }
    let tables = config.workers.grants.iter();
    let tables = tables.map(|(name, grants)| (format!("[workers.grants.{name}]"), grants));
    for (table, grants) in tables.chain([("[workers.default-grants]".to_owned(), &config.workers.default_grants)]) {
        findings.extend(unknown_names(config, &table, grants));
    }
    if let Some(Err(reason)) = config.telemetry.as_ref().map(|telemetry| telemetry.resolved_headers()) {
        findings.push(Finding::new(Severity::Error, "[telemetry]", reason));
    }
    let admin = config.admin.iter().map(|admin| ("[admin]", admin.listen));
    let delegates = config
        .delegates
        .iter()
        .map(|delegates| ("[delegates]", delegates.listen));
    for (table, address) in admin.chain(delegates) {
        findings.extend(listener(table, address));
    }
    findings.extend(state_dir(config));
    findings
}

/// What fits the workers.
pub(super) fn workers(config: &Config, catalog: &Catalog) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names: Vec<&str> = catalog.workers().map(|worker| worker.name.as_str()).collect();
    let grants = config.workers.grants.keys().map(|name| ("grants", name));
    let settings = config.workers.config.keys().map(|name| ("config", name));
    for (table, name) in grants
        .chain(settings)
        .filter(|(_, name)| !names.contains(&name.as_str()))
    {
        let message = format!("no worker has this name; there are: {}", list(&names));
        findings.push(Finding::new(
            Severity::Warning,
            format!("[workers.{table}.{name}]"),
            message,
        ));
    }
    for version in catalog.workers().filter_map(|worker| worker.current.as_ref()) {
        findings.extend(asked_in_vain(config, version));
    }
    findings
}

fn readable(source: &SecretSource) -> Result<(), String> {
    match source {
        SecretSource::File(path) => match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => Err(format!("{} is empty", path.display())),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        },
        SecretSource::Env(name) => match std::env::var(name) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("the environment has no variable {name} in UTF-8")),
        },
    }
}

/// Engines and secrets that a grant names and nobody configures.
fn unknown_names(config: &Config, table: &str, grants: &Grants) -> Vec<Finding> {
    let engines: Vec<&str> = config.engines.keys().map(String::as_str).collect();
    let secrets: Vec<&str> = config.secrets.keys().map(String::as_str).collect();
    let lists = [
        ("processes", &grants.processes, "engine", "engines", &engines),
        ("tasks", &grants.tasks, "engine", "engines", &engines),
        ("secrets", &grants.secrets, "secret", "secrets", &secrets),
    ];
    let mut findings = Vec::new();
    for (key, granted, what, section, known) in lists {
        for name in granted
            .iter()
            .filter(|name| *name != "*" && !known.contains(&name.as_str()))
        {
            let message = format!(
                "{key} names the {what} `{name}`, which is not configured; add [{section}.{name}] or correct the name (there are: {})",
                list(known)
            );
            findings.push(Finding::new(Severity::Warning, table, message));
        }
    }
    findings
}

/// What a worker's manifest asks for and the operator does not allow.
fn asked_in_vain(config: &Config, version: &WorkerVersion) -> Option<Finding> {
    let name = version.name();
    let allowed = config
        .workers
        .grants
        .get(name)
        .unwrap_or(&config.workers.default_grants);
    let asked = &version.manifest().grants;
    let text = |grants: &Grants| grants.http.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (asked_http, allowed_http) = (text(asked), text(allowed));
    let lists: BTreeMap<&str, (&[String], &[String])> = BTreeMap::from([
        ("processes", (&asked.processes[..], &allowed.processes[..])),
        ("tasks", (&asked.tasks[..], &allowed.tasks[..])),
        ("http", (&asked_http[..], &allowed_http[..])),
        ("secrets", (&asked.secrets[..], &allowed.secrets[..])),
    ]);
    let missing: Vec<String> = lists
        .into_iter()
        .filter(|(key, (asked, allowed))| {
            let any = *key != "secrets" && *key != "http" && allowed.iter().any(|name| name == "*");
            !any && asked.iter().any(|name| !allowed.contains(name))
        })
        .map(|(key, (asked, _))| format!("{key} = {asked:?}"))
        .collect();
    (!missing.is_empty()).then(|| {
        let message = format!(
            "it asks for more than it is allowed, and its calls will be denied; to allow them, write {} under \
             [workers.grants.{name}] in {}",
            missing.join(" and "),
            config.file.display()
        );
        Finding::new(Severity::Warning, format!("worker {name}"), message)
    })
}

fn listener(table: &str, address: SocketAddr) -> Option<Finding> {
    let error = TcpListener::bind(address).err()?;
    Some(match error.kind() {
        ErrorKind::AddrInUse => Finding::new(
            Severity::Warning,
            table,
            format!("{address} is in use: by a host that runs already, or by another program"),
        ),
        _ => Finding::new(Severity::Error, table, format!("cannot listen on {address}: {error}")),
    })
}

fn state_dir(config: &Config) -> Option<Finding> {
    let configured = config.workers.state_dir.is_some();
    let dir = config
        .workers
        .state_dir
        .clone()
        .or_else(|| config.default_state_dir())?;
    let error = check_state_dir(&dir).err()?;
    let (severity, message) = match &error {
        RuntimeError::StateInUse { .. } => (
            Severity::Warning,
            format!("{error} (or it is this very host, which runs already)"),
        ),
        _ if configured => (Severity::Error, error.to_string()),
        _ => (
            Severity::Warning,
            format!("{error}; rollbacks would hold until the host stops; set state-dir"),
        ),
    };
    Some(Finding::new(severity, "[workers]", message))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn found(more: &str) -> Vec<(Severity, String)> {
        let text = format!("[engines.order]\nurl = \"http://x\"\n[workers]\ndir = \"w\"\n{more}");
        let config = Config::parse(&text, Path::new("handoff.toml")).unwrap();
        let findings = settings(&config)
            .into_iter()
            .chain(workers(&config, &Catalog::default()));
        findings
            .map(|finding| (finding.severity, format!("{}: {}", finding.subject, finding.message)))
            .collect()
    }

    #[test]
    fn every_name_that_nobody_has_is_named_with_those_that_there_are() {
        let cases = [
            (
                "[workers.grants.chek]\n",
                "[workers.grants.chek]: no worker has this name; there are: none",
            ),
            ("[workers.config.chek]\na = \"1\"\n", "[workers.config.chek]: no worker"),
            (
                "[workers.default-grants]\ntasks = [\"ordr\"]\n",
                "[workers.default-grants]: tasks names the engine `ordr`",
            ),
            (
                "[workers.default-grants]\nsecrets = [\"api\"]\n",
                "add [secrets.api] or correct the name (there are: none)",
            ),
        ];
        for (text, expected) in cases {
            let found = found(text);
            assert!(
                found
                    .iter()
                    .any(|(severity, message)| *severity == Severity::Warning && message.contains(expected)),
                "{found:?}"
            );
        }
        assert_eq!(
            found("[workers.default-grants]\ntasks = [\"*\"]\nprocesses = [\"order\"]\n"),
            []
        );
    }

    #[test]
    fn a_state_directory_that_cannot_be_used_is_found() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let state = |dir: &Path| found(&format!("state-dir = {dir:?}\n"));
        assert_eq!(state(&dir.path().join("new/state")), []);
        assert!(!dir.path().join("new").exists(), "a check makes nothing");

        std::fs::write(dir.path().join("file"), "").unwrap();
        let below_a_file = state(&dir.path().join("file/state"));
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let open_to_others = state(dir.path());
        for (found, said) in [(below_a_file, "file/state"), (open_to_others, "chmod 700")] {
            let [(severity, message)] = &found[..] else {
                panic!("{found:?}");
            };
            assert_eq!(*severity, Severity::Error);
            assert!(
                message.starts_with("[workers]: ") && message.contains(said),
                "{message}"
            );
        }
    }

    #[test]
    fn secrets_that_are_not_there_and_addresses_that_are_taken_are_found() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = format!(
            "[secrets.a]\nfile = \"/none/such\"\n[secrets.b]\nenv = \"HANDOFF_NO_SUCH\"\n[admin]\nlisten = \"{}\"\n\
             [telemetry]\notlp-endpoint = \"http://x\"\nheaders = {{ k = \"env:HANDOFF_NO_SUCH\" }}\n",
            taken.local_addr().unwrap()
        );
        let found = found(&text);
        for expected in [
            "[secrets.a]: cannot read /none/such",
            "[secrets.b]: the environment",
            "[telemetry]: [telemetry] headers",
        ] {
            let error =
                |(severity, message): &&(Severity, String)| *severity == Severity::Error && message.contains(expected);
            assert!(found.iter().any(|one| error(&one)), "{expected} in {found:?}");
        }
        assert!(
            found
                .iter()
                .any(|(severity, message)| *severity == Severity::Warning && message.contains("is in use")),
            "{found:?}"
        );
    }
}
