//! `handoff.toml`: what the operator decides.
//!
//! At its shortest it names an engine and the workers' folder:
//!
//! ```toml
//! [engines.order]
//! url = "http://127.0.0.1:8080/engine-rest"
//! [workers]
//! dir = "workers"
//! ```
//!
//! Unknown keys are refused. Relative paths count from the file's own folder. Every error names the file, the line and
//! what to write instead.

mod auth;
mod engine;
mod error;
mod listen;
mod telemetry;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use handoff_runtime::{Allocator, Grants, OperatorPolicy, SecretSource, manifest::ManifestLimits};
use serde::Deserialize;

pub use auth::{Auth, BasicAuth, ClientAuth, OAuth2, TlsConfig};
pub use engine::{Dialect, EngineConfig, FetchOrder, HeaderText};
pub use error::ConfigError;
pub use listen::{AdminConfig, DelegatesConfig};
pub use telemetry::TelemetryConfig;

/// The whole configuration of a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The engines, by the names that manifests use.
    #[serde(default)]
    pub engines: BTreeMap<String, EngineConfig>,
    /// The workers' folder and what they may do.
    pub workers: WorkersConfig,
    /// Health, metrics and status; absent: not served.
    #[serde(default)]
    pub admin: Option<AdminConfig>,
    /// The endpoint that engines call delegates at; absent: not served.
    #[serde(default)]
    pub delegates: Option<DelegatesConfig>,
    /// Bounds of everything that can grow.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Where secrets come from, by the names that grants use.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Where traces go; absent: none are made.
    #[serde(default)]
    pub telemetry: Option<TelemetryConfig>,
    /// The file that it was read from; remedies name it.
    #[serde(skip)]
    pub file: PathBuf,
}

/// `[workers]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkersConfig {
    /// The folder with `NAME.wasm` and `NAME.toml` for each worker. Who can write to it decides what runs.
    pub dir: PathBuf,
    /// A private folder for compiled components; absent: they are compiled at every start.
    #[serde(default)]
    pub cache_dir: Option<PathBuf>,
    /// A private folder for the versions that ran before and for pins; absent: a hidden one beside the configuration.
    #[serde(default)]
    pub state_dir: Option<PathBuf>,
    /// What workers may do, by name. A worker that is named here gets nothing from the default.
    #[serde(default)]
    pub grants: BTreeMap<String, Grants>,
    /// What workers may do that are not named.
    #[serde(default)]
    pub default_grants: Grants,
    /// Settings by worker name, over those of the manifest.
    #[serde(default)]
    pub config: BTreeMap<String, BTreeMap<String, String>>,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LimitsConfig {
    /// Tasks in hand at once, all workers together.
    pub concurrency: u32,
    /// Delegates that run at once, apart from tasks.
    pub delegate_concurrency: u32,
    /// Memory of all workers' instances together, in MiB.
    pub memory_mb: u32,
    /// Log lines of all workers together in one second.
    pub log_lines_per_second: u32,
    /// Limits of workers whose manifests ask for none.
    pub worker_default: ManifestLimits,
    /// What no manifest can ask for more of.
    pub worker_max: ManifestLimits,
    /// The longest that a component may take to compile, in milliseconds.
    pub compile_ms: u64,
    /// Memory that compiling one component may take, in MiB.
    pub compile_memory_mb: u32,
    /// Threads that workers run on; absent: one per processor.
    pub threads: Option<usize>,
    /// How workers get their memory.
    pub allocator: Allocator,
    /// How often one task may lose its lock to somebody else while a worker runs, before it is failed with no retries
    /// left.
    pub lost_locks: u32,
    /// How long a stop waits for running tasks, in milliseconds.
    pub shutdown_ms: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            concurrency: 64,
            delegate_concurrency: 16,
            memory_mb: 2_048,
            log_lines_per_second: 10_000,
            worker_default: ManifestLimits::default(),
            worker_max: ManifestLimits::default(),
            compile_ms: 300_000,
            compile_memory_mb: 3_072,
            threads: None,
            allocator: Allocator::Auto,
            lost_locks: 5,
            shutdown_ms: 20_000,
        }
    }
}

impl LimitsConfig {
    /// How long a stop waits for running tasks.
    pub const fn shutdown(&self) -> Duration {
        Duration::from_millis(self.shutdown_ms)
    }
}

impl Config {
    /// Reads a configuration file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError::unreadable(file, &error))?;
        Self::parse(&text, file)
    }

    /// Reads a configuration. `file` is what errors call it, and relative paths count from its folder.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::syntax(text, file, &error))?;
        file.clone_into(&mut config.file);
        config.resolve_paths(file.parent().unwrap_or(Path::new("")));
        config.validate().map_err(|complaint| complaint.at(text, file))?;
        Ok(config)
    }

    /// What the runtime has to know of it.
    pub fn policy(&self) -> OperatorPolicy {
        OperatorPolicy {
            grants: self.workers.grants.clone(),
            default_grants: self.workers.default_grants.clone(),
            config: self.workers.config.clone(),
            secrets: self.secrets.clone(),
            engines: Some(self.engines.keys().cloned().collect()),
            file: self.file.clone(),
        }
    }

    /// Where earlier versions and pins are kept if `state-dir` does not say: `.NAME.state` beside `NAME.toml`.
    pub(crate) fn default_state_dir(&self) -> Option<PathBuf> {
        let name = self.file.file_stem()?.to_str()?;
        Some(self.file.with_file_name(format!(".{name}.state")))
    }

    fn resolve_paths(&mut self, folder: &Path) {
        let resolve = |path: &mut PathBuf| *path = folder.join(&*path);
        resolve(&mut self.workers.dir);
        self.workers.cache_dir.iter_mut().for_each(resolve);
        self.workers.state_dir.iter_mut().for_each(resolve);
        for engine in self.engines.values_mut() {
            engine.auth.files_mut().for_each(resolve);
            engine.tls.files_mut().for_each(resolve);
            engine.secret_headers.values_mut().filter_map(file_of).for_each(resolve);
        }
        self.delegates
            .iter_mut()
            .filter_map(|delegates| delegates.token_file.as_mut())
            .for_each(resolve);
        self.admin
            .iter_mut()
            .filter_map(|admin| admin.token_file.as_mut())
            .for_each(resolve);
        self.secrets.values_mut().filter_map(file_of).for_each(resolve);
    }

    fn validate(&self) -> Result<(), error::Complaint> {
        for (name, engine) in &self.engines {
            engine.validate(name)?;
        }
        let limits = [
            ("concurrency", self.limits.concurrency),
            ("delegate-concurrency", self.limits.delegate_concurrency),
            ("memory-mb", self.limits.memory_mb),
            ("compile-memory-mb", self.limits.compile_memory_mb),
        ];
        if let Some((key, _)) = limits.into_iter().find(|(_, value)| *value == 0) {
            return Err(error::Complaint::new(
                "limits",
                key,
                "has to be 1 at least; leave it out for the default",
            ));
        }
        let tables = [
            ("limits.worker-default", &self.limits.worker_default),
            ("limits.worker-max", &self.limits.worker_max),
        ];
        for (table, limits) in tables {
            if let Some(key) = limits.zero() {
                return Err(error::Complaint::new(
                    table,
                    key,
                    "has to be 1 at least; leave it out for the default",
                ));
            }
        }
        if let Some(delegates) = &self.delegates {
            delegates.validate()?;
        }
        if let Some(admin) = &self.admin {
            admin.validate()?;
        }
        if let Some(telemetry) = &self.telemetry {
            telemetry.validate()?;
        }
        Ok(())
    }
}

const fn file_of(secret: &mut SecretSource) -> Option<&mut PathBuf> {
    match secret {
        SecretSource::File(path) => Some(path),
        SecretSource::Env(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: &str =
        "[engines.order]\nurl = \"http://127.0.0.1:8080/engine-rest\"\n[workers]\ndir = \"workers\"\n";

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("conf/handoff.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shortest_form_works_and_paths_count_from_the_file() {
        let config = parse(SHORTEST).unwrap();
        assert_eq!(config.workers.dir, Path::new("conf/workers"));
        assert_eq!(config.engines["order"].long_poll(), Duration::from_secs(20));
        assert!(config.admin.is_none() && config.delegates.is_none());
    }

    #[test]
    fn every_error_names_file_line_key_and_remedy() {
        let cases = [
            (
                "[engines.order]\nurll = \"x\"\n[workers]\ndir = \"w\"\n",
                "handoff.toml:2",
                "urll",
            ),
            (
                "[engines.order]\nurl = \"ftp://x\"\n[workers]\ndir = \"w\"\n",
                "handoff.toml:2",
                "http://",
            ),
            (
                "[engines.order]\nurl = \"http://x\"\nmax-tasks = 0\n[workers]\ndir = \"w\"\n",
                "handoff.toml:3",
                "max-tasks",
            ),
            (
                &format!("{SHORTEST}[admin]\nlisten = \"0.0.0.0:9090\"\n"),
                "handoff.toml:6",
                "insecure = true",
            ),
            (
                &format!("{SHORTEST}[delegates]\nlisten = \"127.0.0.1:9091\"\n"),
                "handoff.toml:5",
                "token-file",
            ),
            (
                &format!("{SHORTEST}[limits]\nconcurrency = 0\n"),
                "handoff.toml:6",
                "concurrency",
            ),
            (
                &format!("{SHORTEST}[limits.worker-max]\nmemory-mb = 0\n"),
                "handoff.toml:6",
                "memory-mb",
            ),
            (
                &format!("{SHORTEST}[telemetry]\notlp-endpoint = \"localhost:4317\"\n"),
                "handoff.toml:6",
                "http://127.0.0.1:4318",
            ),
            (
                &format!("{SHORTEST}[telemetry]\notlp-endpoint = \"http://localhost:4318/v1/traces\"\n"),
                "handoff.toml:6",
                "leave /v1/traces out",
            ),
            (
                &format!("{SHORTEST}[telemetry]\notlp-endpoint = \"http://x\"\nsample-ratio = 2\n"),
                "handoff.toml:7",
                "from 0 to 1",
            ),
            ("[engines.order]\nurl = \"http://x\"\n", "handoff.toml", "workers"),
            ("engines = [", "handoff.toml:1", ""),
        ];
        for (text, place, hint) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(place) && error.contains(hint), "{text}\n→ {error}");
        }
    }

    #[test]
    fn who_the_host_is_can_be_said_in_one_way_only() {
        let engine =
            |more: &str| format!("[engines.order]\nurl = \"https://x/engine-rest\"\n{more}\n[workers]\ndir = \"w\"\n");
        let oauth2 = |more: &str| engine(&format!("auth = {{ oauth2 = {{ client-id = \"c\", {more} }} }}"));
        let cases = [
            (engine("auth = { basic = { user = \"u\" } }"), "password-file"),
            (oauth2("token-url = \"https://t\""), "client-secret-file"),
            (
                oauth2("token-url = \"t\", client-secret-env = \"S\""),
                "begin with https://",
            ),
            (
                oauth2("token-url = \"https://u:hunter2@t\", client-secret-env = \"S\""),
                "credentials in its token-url",
            ),
            (engine("tls = { cert-file = \"c.pem\" }"), "key-file"),
            (
                engine("tls = { ca-file = \"c.pem\" }").replace("https://", "http://"),
                "http://",
            ),
            (
                engine("auth = { bearer-file = \"t\" }\nheaders = { authorization = \"hunter2\" }"),
                "keep one",
            ),
            (
                engine("headers = { X-Key = \"hunter2\" }\nsecret-headers = { x-key = { env = \"K\" } }"),
                "keep it in one",
            ),
            (engine("").replace("https://x", "https://u:hunter2@x"), "credentials"),
            // The line that is to blame is shown, but not what it says.
            (
                engine("auth = { basic = { user = \"u\", password = \"hunter2\" } }"),
                "password = \"…\"",
            ),
        ];
        for (text, hint) in cases {
            let error = parse(&text).unwrap_err();
            assert!(
                error.contains(hint) && error.contains("handoff.toml:"),
                "{text}\n→ {error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
        let unencrypted = |text: &str| parse(text).unwrap().engines["order"].shows_secrets_unencrypted();
        let bearer = engine("auth = { bearer-file = \"t\" }");
        assert!(!unencrypted(&bearer) && unencrypted(&bearer.replace("https://", "http://")));
        assert!(!unencrypted(&bearer.replace("https://x", "http://127.0.0.1:80")));
        let shown = format!("{:?}", parse(&engine("headers = { X-Key = \"hunter2\" }")).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn everything_can_be_said() {
        let config = parse(
            r#"
            [engines.order]
            url = "https://orders.example/engine-rest"
            dialect = "camunda7"
            auth = { basic = { user = "demo", password-env = "ORDER_PASSWORD" } }
            headers = { X-Team = "inventory" }
            lock-duration-ms = 60000
            long-poll-ms = 10000
            max-tasks = 10
            polls = 3
            [engines.inventory]
            url = "http://127.0.0.1:8081/engine-rest"
            auth = { bearer-file = "token" }
            [engines.billing]
            url = "https://billing.example/engine-rest"
            tls = { ca-file = "ca.pem", cert-file = "host.pem", key-file = "host.key" }
            secret-headers = { X-Api-Key = { file = "api.key" } }
            priority = false
            order = "newest-first"
            [engines.billing.auth.oauth2]
            token-url = "https://login.example/token"
            client-id = "host"
            client-secret-file = "client.secret"
            scope = "engine"
            audience = "billing"
            client-auth = "form"
            [workers]
            dir = "/srv/workers"
            cache-dir = "cache"
            state-dir = "state"
            [workers.grants.inventory-check]
            processes = ["inventory"]
            tasks = ["order"]
            [workers.config.inventory-check]
            key = "value"
            [admin]
            listen = "127.0.0.1:9090"
            [delegates]
            listen = "0.0.0.0:9091"
            token-file = "delegates.token"
            [limits]
            concurrency = 8
            memory-mb = 512
            log-lines-per-second = 100
            worker-default = { memory-mb = 32 }
            worker-max = { memory-mb = 64, time-ms = 60000 }
            [secrets.api]
            file = "api.key"
            [telemetry]
            otlp-endpoint = "http://127.0.0.1:4318/"
            headers = { x-key = "1" }
            "#,
        )
        .unwrap();
        assert_eq!(config.workers.cache_dir.as_deref(), Some(Path::new("conf/cache")));
        assert_eq!(config.workers.state_dir.as_deref(), Some(Path::new("conf/state")));
        assert_eq!(config.secrets["api"], SecretSource::File("conf/api.key".into()));
        let billing = &config.engines["billing"];
        assert!(
            matches!(&billing.auth, Auth::Oauth2(oauth2) if oauth2.client_secret_file.as_deref() == Some(Path::new("conf/client.secret")))
        );
        assert_eq!(billing.tls.key_file.as_deref(), Some(Path::new("conf/host.key")));
        assert_eq!(
            billing.secret_headers["X-Api-Key"],
            SecretSource::File("conf/api.key".into())
        );
        assert_eq!((billing.priority, billing.order), (false, FetchOrder::NewestFirst));
        assert_eq!(
            config.telemetry.unwrap().traces_url(),
            "http://127.0.0.1:4318/v1/traces"
        );
        assert!(matches!(&config.engines["inventory"].auth, Auth::BearerFile(file) if file == Path::new("conf/token")));
    }
}
