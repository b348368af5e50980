//! `[engines.NAME]`: one engine that tasks are fetched from.

use std::{collections::BTreeMap, fmt, time::Duration};

use handoff_runtime::SecretSource;
use serde::Deserialize;

use super::{
    auth::{Auth, TlsConfig, has_credentials, is_http},
    error::Complaint,
};

/// One engine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EngineConfig {
    /// The root of its REST API, such as `http://127.0.0.1:8080/engine-rest`.
    pub url: String,
    /// What it speaks.
    #[serde(default)]
    pub dialect: Dialect,
    /// Who the host says it is.
    #[serde(default)]
    pub auth: Auth,
    /// What a connection by `https` needs beside the system's own certificates.
    #[serde(default)]
    pub tls: TlsConfig,
    /// Sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderText>,
    /// Sent with every request too, with values from files, which are read again when they change, or from the
    /// environment.
    #[serde(default)]
    pub secret_headers: BTreeMap<String, SecretSource>,
    /// How long a fetched task is locked at first, in milliseconds. It is extended while a worker runs, so it only says
    /// how soon another host takes over when this one dies.
    #[serde(default = "lock_duration_ms")]
    pub lock_duration_ms: u32,
    /// How long a poll waits for the first task, in milliseconds.
    #[serde(default = "long_poll_ms")]
    pub long_poll_ms: u32,
    /// The most tasks of one poll.
    #[serde(default = "max_tasks")]
    pub max_tasks: u32,
    /// The largest answer that is read, in mebibytes. A poll whose answer is larger is repeated for fewer tasks.
    #[serde(default = "max_answer_mb")]
    pub max_answer_mb: u32,
    /// Whether tasks with a higher priority are fetched first.
    #[serde(default = "priority")]
    pub priority: bool,
    /// In which order of creation tasks are fetched, among those of one priority if that counts.
    #[serde(default)]
    pub order: FetchOrder,
    /// Polls at once: a second one lets a topic be asked for that became free while the first one waits.
    #[serde(default = "polls")]
    pub polls: u32,
    /// How long any other request may take, in milliseconds; also what a poll may take beyond its wait.
    #[serde(default = "request_timeout_ms")]
    pub request_timeout_ms: u32,
    /// How long a connection may take to be made, in milliseconds.
    #[serde(default = "connect_timeout_ms")]
    pub connect_timeout_ms: u32,
}

const fn lock_duration_ms() -> u32 {
    30_000
}

const fn long_poll_ms() -> u32 {
    20_000
}

const fn max_tasks() -> u32 {
    64
}

const fn max_answer_mb() -> u32 {
    64
}

const fn priority() -> bool {
    true
}

const fn polls() -> u32 {
    2
}

const fn request_timeout_ms() -> u32 {
    10_000
}

const fn connect_timeout_ms() -> u32 {
    3_000
}

/// In which order of creation tasks are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FetchOrder {
    /// What waits longest comes first.
    #[default]
    OldestFirst,
    /// What came last comes first.
    NewestFirst,
    /// As the engine finds them: less work for an engine with very many tasks.
    Any,
}

/// The value of a header. It is not shown: operators write keys there.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct HeaderText(String);

impl HeaderText {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What an engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Dialect {
    /// The REST API of Camunda 7, Operaton, CIB seven, EximeeBPMS and `handoff engine`.
    #[default]
    Camunda7,
}

impl EngineConfig {
    /// An engine at `url` with everything else at its default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            dialect: Dialect::default(),
            auth: Auth::None,
            tls: TlsConfig::default(),
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            lock_duration_ms: lock_duration_ms(),
            long_poll_ms: long_poll_ms(),
            max_tasks: max_tasks(),
            max_answer_mb: max_answer_mb(),
            priority: priority(),
            order: FetchOrder::default(),
            polls: polls(),
            request_timeout_ms: request_timeout_ms(),
            connect_timeout_ms: connect_timeout_ms(),
        }
    }

    /// How long a fetched task is locked at first.
    pub const fn lock_duration(&self) -> Duration {
        Duration::from_millis(self.lock_duration_ms as u64)
    }

    /// How long a poll waits for the first task.
    pub const fn long_poll(&self) -> Duration {
        Duration::from_millis(self.long_poll_ms as u64)
    }

    /// How long a request may take.
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms as u64)
    }

    /// How long a connection may take to be made.
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms as u64)
    }

    /// Whether secrets for this engine travel where others can read them.
    pub fn shows_secrets_unencrypted(&self) -> bool {
        let local = |url: &str| {
            let host = url.strip_prefix("http://").unwrap_or_default();
            host.starts_with("127.") || host.starts_with("[::1]") || host.starts_with("localhost")
        };
        let open = |url: &str| url.starts_with("http://") && !local(url);
        let shows = self.auth != Auth::None || !self.secret_headers.is_empty();
        let asks = matches!(&self.auth, Auth::Oauth2(oauth2) if open(&oauth2.token_url));
        asks || (shows && open(&self.url))
    }

    pub(super) fn validate(&self, name: &str) -> Result<(), Complaint> {
        let table = format!("engines.{name}");
        if has_credentials(&self.url) {
            let message = "has credentials in it; write auth = { basic = { user = \"…\", password-file = \"…\" } }";
            return Err(Complaint::new(table, "url", message));
        }
        if !is_http(&self.url) {
            let message = format!("is `{}`; write http://HOST:PORT/engine-rest or https://…", self.url);
            return Err(Complaint::new(table, "url", message));
        }
        self.auth.validate(&table)?;
        self.tls.validate(&table, &self.url)?;
        self.validate_headers(&table)?;
        let positive = [
            ("lock-duration-ms", self.lock_duration_ms),
            ("max-tasks", self.max_tasks),
            ("max-answer-mb", self.max_answer_mb),
            ("polls", self.polls),
            ("request-timeout-ms", self.request_timeout_ms),
            ("connect-timeout-ms", self.connect_timeout_ms),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(Complaint::new(
                table,
                key,
                "has to be 1 at least; leave it out for the default",
            ));
        }
        if self.long_poll_ms > 1_800_000 {
            return Err(Complaint::new(
                table,
                "long-poll-ms",
                "is longer than the 1800000 that engines accept",
            ));
        }
        Ok(())
    }

    fn validate_headers(&self, table: &str) -> Result<(), Complaint> {
        let known = |name: &str| {
            self.secret_headers
                .keys()
                .any(|secret| secret.eq_ignore_ascii_case(name))
        };
        if let Some(name) = self.headers.keys().find(|name| known(name)) {
            let message = format!("have `{name}` too; keep it in one of both");
            return Err(Complaint::new(table, "secret-headers", message));
        }
        let names = self.headers.keys().chain(self.secret_headers.keys());
        for name in names {
            if self.auth != Auth::None && name.eq_ignore_ascii_case("authorization") {
                let message = format!("and headers both set `{name}`; keep one of both");
                return Err(Complaint::new(table, "auth", message));
            }
        }
        Ok(())
    }
}
