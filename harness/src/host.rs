//! A process of `handoff host`.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result};

use crate::{Answer, Process, Rest, free_port, wait_until};

/// The first start compiles every component.
const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How to start a host.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// The executable.
    pub program: PathBuf,
    /// A name for its files.
    pub name: String,
    /// Where its configuration and its log are kept.
    pub dir: PathBuf,
    /// URLs of the engines, by the names that manifests use.
    pub engines: Vec<(String, String)>,
    /// More of each engine's table, such as `lock-duration-ms = 1000`.
    pub engine_settings: String,
    /// The workers' folder.
    pub workers: PathBuf,
    /// Where compiled components are kept. Hosts of many tests share it.
    pub cache: PathBuf,
    /// The port of the delegates' endpoint, which engines must know before the host runs.
    pub delegates_port: u16,
    /// The file with the token that engines show.
    pub token_file: PathBuf,
    /// More of `handoff.toml`, such as grants.
    pub configuration: String,
}

/// A running host, or one that was killed and can be started again on its ports.
#[derive(Debug)]
pub struct Host {
    options: HostOptions,
    process: Process,
    admin: Rest,
    admin_port: u16,
}

impl Host {
    /// Writes the configuration, starts a host and waits until it is ready.
    ///
    /// # Errors
    /// It does not get ready.
    pub fn start(options: HostOptions) -> Result<Self> {
        let mut host = Self::spawn(options)?;
        host.wait_ready()?;
        Ok(host)
    }

    /// As [`Host::start`], for a host that cannot get ready because an engine is down: it is left to itself.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn spawn(options: HostOptions) -> Result<Self> {
        std::fs::create_dir_all(&options.dir)?;
        let admin_port = free_port()?;
        let configuration = configuration(&options, admin_port);
        std::fs::write(config_file(&options), configuration)?;
        let process = run(&options)?;
        let admin = Rest::new(&format!("http://127.0.0.1:{admin_port}"));
        Ok(Self {
            options,
            process,
            admin,
            admin_port,
        })
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// It ends, or says that it is not, with its reasons.
    pub fn wait_ready(&mut self) -> Result<()> {
        wait_until(&format!("{} to be ready", self.options.name), START_LIMIT, || {
            self.process.check_alive()?;
            self.readiness()?.success().map(|_| true)
        })
        .with_context(|| format!("see {}", log_file(&self.options).display()))
    }

    /// Leaves it to itself: it runs on after this process has ended.
    pub fn leave_running(self) {
        self.process.leave_running();
    }

    /// What `GET /readyz` answers.
    ///
    /// # Errors
    /// There is no answer.
    pub fn readiness(&self) -> Result<Answer> {
        self.admin.try_get("/readyz")
    }

    /// Its Prometheus metrics.
    ///
    /// # Errors
    /// There are none.
    pub fn metrics(&self) -> Result<String> {
        Ok(self.admin.try_get("/metrics")?.success()?.text)
    }

    /// Kills it with SIGKILL.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Stops it with SIGTERM.
    ///
    /// # Errors
    /// It does not stop.
    pub fn stop(&mut self) -> Result<std::process::ExitStatus> {
        self.process.terminate(STOP_LIMIT)
    }

    /// Waits until it has ended after [`Process::request_stop`].
    ///
    /// # Errors
    /// It has not within `limit`.
    pub fn wait_end(&mut self, limit: Duration) -> Result<std::process::ExitStatus> {
        self.process.wait_end(limit)
    }

    /// Starts it again, on its ports, and waits until it is ready.
    ///
    /// # Errors
    /// It does not get ready.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process = run(&self.options)?;
        self.wait_ready()
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// `host:port` of its admin listener.
    #[must_use]
    pub fn admin_address(&self) -> String {
        format!("127.0.0.1:{}", self.admin_port)
    }

    /// `host:port` of its delegates' endpoint.
    #[must_use]
    pub fn delegates_address(&self) -> String {
        format!("127.0.0.1:{}", self.options.delegates_port)
    }

    /// Its `handoff.toml`.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        config_file(&self.options)
    }
}

fn config_file(options: &HostOptions) -> PathBuf {
    options.dir.join(format!("{}.toml", options.name))
}

fn log_file(options: &HostOptions) -> PathBuf {
    options.dir.join(format!("{}.log", options.name))
}

fn configuration(options: &HostOptions, admin_port: u16) -> String {
    let mut text = String::new();
    for (name, url) in &options.engines {
        text += &format!("[engines.{name}]\nurl = {url:?}\n{}\n\n", options.engine_settings);
    }
    text += &format!(
        "[workers]\ndir = {:?}\ncache-dir = {:?}\n\n",
        options.workers, options.cache
    );
    text += &format!("[admin]\nlisten = \"127.0.0.1:{admin_port}\"\n\n");
    text += &format!(
        "[delegates]\nlisten = \"127.0.0.1:{}\"\ntoken-file = {:?}\n\n",
        options.delegates_port, options.token_file
    );
    text + &options.configuration
}

fn run(options: &HostOptions) -> Result<Process> {
    let mut command = Command::new(&options.program);
    command.arg("host").arg("--config").arg(config_file(options));
    Process::start(&options.name, command, &log_file(options))
}
