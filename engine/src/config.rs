//! What an engine is started with. Every limit on something that can grow is here, with its default and its unit.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub use crate::service::ScriptLimits;

/// The configuration of one engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The directory of the database. It is made if it does not exist, and belongs to one process at a time.
    pub data_dir: PathBuf,
    /// The engine's name: what delegates are told, and what `/engine-rest/engine/{name}` answers to beside `default`.
    pub name: String,
    /// Who may do what. Without it, only loopback addresses are listened on.
    pub auth_file: Option<PathBuf>,
    /// Listen on any address without authentication.
    pub insecure: bool,
    /// Serve TLS.
    pub tls: Option<TlsFiles>,
    /// Host names beside IP addresses and `localhost` that requests may name as their `Host` (a guard against DNS
    /// rebinding).
    pub allowed_hosts: Vec<String>,
    /// Where delegates are called. Without it, reaching a delegate fails.
    pub delegates: Option<DelegatesConfig>,
    /// How much history is kept.
    pub history: HistoryLevel,
    /// For how long history is kept.
    pub retention: HistoryConfig,
    /// Refuse at deployment also what Camunda accepts and ignores.
    pub strict: bool,
    /// Limits.
    pub limits: Limits,
}

impl Config {
    /// An engine on a free loopback port, with the defaults of everything else.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: data_dir.into(),
            name: "default".to_owned(),
            auth_file: None,
            insecure: false,
            tls: None,
            allowed_hosts: Vec::new(),
            delegates: None,
            history: HistoryLevel::default(),
            retention: HistoryConfig::default(),
            strict: false,
            limits: Limits::default(),
        }
    }
}

/// For how long history is kept, and how what has had its time is removed.
#[derive(Clone, Debug)]
pub struct HistoryConfig {
    /// Days, for definitions that do not say it themselves (`camunda:historyTimeToLive`).
    pub time_to_live: Option<i32>,
    /// Refuse definitions of which it is not known, as Camunda does. If not, their history is kept for ever.
    pub enforce_time_to_live: bool,
    /// The time counts from the start of the instance at the top, not from its end.
    pub removal_time_at_start: bool,
    /// Remove it at all.
    pub cleanup: bool,
    /// Instances that are removed in one transaction.
    pub cleanup_batch: usize,
    /// How long to wait before it is looked again, where nothing more was due.
    pub cleanup_interval: Duration,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self {
            time_to_live: None,
            enforce_time_to_live: true,
            removal_time_at_start: false,
            cleanup: true,
            cleanup_batch: 50,
            cleanup_interval: Duration::from_secs(60),
        }
    }
}

/// The files of a TLS server, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Where and how delegates are called.
#[derive(Clone, Debug)]
pub struct DelegatesConfig {
    /// The base address of the host that has them, without `/delegates/{name}`.
    pub url: String,
    /// The file with the bearer token. It is read again for each call, so that a token can be replaced.
    pub token_file: Option<PathBuf>,
    /// How long one call may take.
    pub timeout: Duration,
    /// How many calls may be under way; more wait, within their time.
    pub concurrency: usize,
}

impl DelegatesConfig {
    /// Calls to `url`, 30 s and 64 at a time.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token_file: None,
            timeout: Duration::from_secs(30),
            concurrency: 64,
        }
    }
}

/// How much history is kept: Camunda's levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum HistoryLevel {
    /// Nothing. An ended instance leaves only its dedupe key.
    None,
    /// Instances, activities and user tasks.
    Activity,
    /// Also variables.
    Audit,
    /// Also incidents and the logs of jobs and external tasks.
    #[default]
    Full,
}

/// A history level of another name.
#[derive(Debug, thiserror::Error)]
#[error("unknown history level '{0}': use none, activity, audit or full")]
pub struct UnknownHistoryLevel(String);

impl FromStr for HistoryLevel {
    type Err = UnknownHistoryLevel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "none" => Ok(Self::None),
            "activity" => Ok(Self::Activity),
            "audit" => Ok(Self::Audit),
            "full" => Ok(Self::Full),
            other => Err(UnknownHistoryLevel(other.to_owned())),
        }
    }
}

/// Limits on all that can grow.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Commands that wait for the writer. From half of it on, new starts and fetches are refused; from three quarters
    /// on, everything but completions.
    pub queued_commands: usize,
    /// How long the first start or fetch in the queue may have waited. After that, new ones are refused, unless all that
    /// is queued fits into the next commit: a disk that hesitates is no overload.
    pub intake_patience: Duration,
    /// Commands in one commit.
    pub group_commands: usize,
    /// Long polls that wait. Beyond, Camunda's error 500.
    pub waiting_fetches: usize,
    /// Commands that wait for a delegate's answer.
    pub waiting_commands: usize,
    /// Commands that wait for an instance which another command has reserved.
    pub parked_commands: usize,
    /// How long they wait.
    pub park_timeout: Duration,
    /// Jobs that are run at a time (those that call no delegate never overlap).
    pub running_jobs: usize,
    /// Timers that are kept in memory; those that are due later stay in the database alone.
    pub near_jobs: usize,
    /// Connections that read.
    pub readers: usize,
    /// Reads that wait for a connection.
    pub queued_reads: usize,
    /// Compiled models that are kept in memory.
    pub cached_models: usize,
    /// What the rows of instances that started lately may take in memory, in bytes: commands find them there.
    pub resident_bytes: usize,
    /// Elements that one command may enter: an endless loop ends here, with an error.
    pub command_steps: u32,
    /// What a script may use.
    pub scripts: ScriptLimits,
    /// The retries of a new job.
    pub job_retries: i32,
    /// How long the engine waits for open connections when it stops.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queued_commands: 4096,
            intake_patience: Duration::from_millis(500),
            group_commands: 256,
            waiting_fetches: 10_000,
            waiting_commands: 1024,
            parked_commands: 4096,
            park_timeout: Duration::from_secs(30),
            running_jobs: 64,
            near_jobs: 4096,
            readers: 4,
            queued_reads: 1024,
            cached_models: 256,
            resident_bytes: 32 << 20,
            command_steps: 100_000,
            scripts: ScriptLimits::default(),
            job_retries: 3,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
