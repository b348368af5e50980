//! A process of `handoff engine`.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{Process, Rest, free_port, wait_until};

/// A cold start on a busy machine takes about a second.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// The pause between two looks at whether it listens: what is measured of a start is as exact as this.
const LISTEN_PAUSE: Duration = Duration::from_millis(1);

/// How to start an engine.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// The executable.
    pub program: PathBuf,
    /// The engine's name, for its log, its folder and the delegates' host.
    pub name: String,
    /// Where its data and its log are kept.
    pub dir: PathBuf,
    /// URL and token file of the delegates' host.
    pub delegates: Option<(String, PathBuf)>,
    /// More arguments.
    pub arguments: Vec<String>,
}

/// A running engine, or one that was killed and can be started again on its data and its port.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    port: u16,
    process: Process,
    rest: Rest,
    ready_after: Duration,
}

impl Engine {
    /// Starts an engine on a free port and waits until it answers.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(options: EngineOptions) -> Result<Self> {
        let port = free_port()?;
        Self::start_on(port, options)
    }

    fn start_on(port: u16, options: EngineOptions) -> Result<Self> {
        std::fs::create_dir_all(&options.dir)?;
        let began = Instant::now();
        let process = spawn(port, &options)?;
        let rest = Rest::new(&format!("http://127.0.0.1:{port}/engine-rest"));
        let mut engine = Self {
            options,
            port,
            process,
            rest,
            ready_after: Duration::ZERO,
        };
        engine.wait_ready(began)?;
        Ok(engine)
    }

    fn wait_ready(&mut self, began: Instant) -> Result<()> {
        while TcpStream::connect(self.address()).is_err() {
            self.process.check_alive()?;
            ensure!(
                began.elapsed() < START_LIMIT,
                "engine {} does not listen after {START_LIMIT:?}; see {}",
                self.options.name,
                self.log_file().display()
            );
            thread::sleep(LISTEN_PAUSE);
        }
        let what = format!("engine {} to answer", self.options.name);
        wait_until(&what, START_LIMIT, || {
            self.process.check_alive()?;
            Ok(self.rest.try_get("/version")?.status == 200)
        })
        .with_context(|| format!("see {}", self.log_file().display()))?;
        self.ready_after = began.elapsed();
        Ok(())
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

    /// Starts it again, with its data and on its port.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        let began = Instant::now();
        self.process = spawn(self.port, &self.options)?;
        self.wait_ready(began)
    }

    /// How long its last start took, from its process's until its first answer.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Leaves it to itself: it runs on after this process has ended.
    pub fn leave_running(self) {
        self.process.leave_running();
    }

    /// A client of its REST.
    #[must_use]
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// `host:port` of its listener.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.options.dir.join(format!("{}-data", self.options.name))
    }

    fn log_file(&self) -> PathBuf {
        log_file(&self.options)
    }
}

fn log_file(options: &EngineOptions) -> PathBuf {
    options.dir.join(format!("{}.log", options.name))
}

fn spawn(port: u16, options: &EngineOptions) -> Result<Process> {
    let mut command = Command::new(&options.program);
    command
        .arg("engine")
        .args(["--listen", &format!("127.0.0.1:{port}"), "--engine-name", &options.name]);
    command
        .arg("--data-dir")
        .arg(options.dir.join(format!("{}-data", options.name)));
    if let Some((url, token_file)) = &options.delegates {
        command
            .args(["--delegates", url])
            .arg("--delegates-token-file")
            .arg(token_file as &Path);
    }
    command.args(&options.arguments);
    Process::start(&options.name, command, &log_file(options))
}
