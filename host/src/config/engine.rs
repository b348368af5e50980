//! `[engines.NAME]`: one engine that tasks are fetched from.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;

use super::error::Complaint;

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
    /// Sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
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

const fn polls() -> u32 {
    2
}

const fn request_timeout_ms() -> u32 {
    10_000
}

const fn connect_timeout_ms() -> u32 {
    3_000
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

/// Who the host says it is to an engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Auth {
    /// Nobody.
    #[default]
    None,
    /// HTTP Basic.
    Basic(BasicAuth),
    /// A bearer token from a file, which is read again and again.
    BearerFile(PathBuf),
}

/// HTTP Basic. The password is in a file or in the environment, never in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BasicAuth {
    /// The user.
    pub user: String,
    /// A file with the password; one trailing line break is not part of it.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// A variable of the host's environment.
    #[serde(default)]
    pub password_env: Option<String>,
}

impl BasicAuth {
    /// The password. Fails with what is wrong, in the words of an operator.
    pub fn password(&self) -> Result<String, String> {
        match (&self.password_file, &self.password_env) {
            (Some(file), _) => std::fs::read_to_string(file)
                .map(|password| password.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| format!("cannot read the password in {}: {error}", file.display())),
            (None, Some(name)) => {
                std::env::var(name).map_err(|_| format!("the environment has no variable {name} with the password"))
            }
            (None, None) => Err("basic has no password; add password-file or password-env".to_owned()),
        }
    }
}

impl Auth {
    pub(super) const fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::None => None,
            Self::Basic(basic) => basic.password_file.as_mut(),
            Self::BearerFile(file) => Some(file),
        }
    }
}

impl EngineConfig {
    /// An engine at `url` with everything else at its default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            dialect: Dialect::default(),
            auth: Auth::None,
            headers: BTreeMap::new(),
            lock_duration_ms: lock_duration_ms(),
            long_poll_ms: long_poll_ms(),
            max_tasks: max_tasks(),
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

    pub(super) fn validate(&self, name: &str) -> Result<(), Complaint> {
        let table = format!("engines.{name}");
        if !(self.url.starts_with("http://") || self.url.starts_with("https://")) {
            let message = format!("is `{}`; write http://HOST:PORT/engine-rest or https://…", self.url);
            return Err(Complaint::new(table, "url", message));
        }
        if let Auth::Basic(basic) = &self.auth
            && basic.password_file.is_some() == basic.password_env.is_some()
        {
            return Err(Complaint::new(
                table,
                "auth",
                "basic needs either password-file or password-env",
            ));
        }
        let positive = [
            ("lock-duration-ms", self.lock_duration_ms),
            ("max-tasks", self.max_tasks),
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
}
