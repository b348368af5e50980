//! A process of the project's own Camunda 7 (`host/tests/camunda7`), built by Maven.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{Process, Rest, free_port, wait_until};

/// A cold start takes ten seconds of an idle machine; test machines are not idle.
const START_LIMIT: Duration = Duration::from_secs(300);

/// Where its Maven project is, from the repository's root …
pub const PROJECT: &str = "host/tests/camunda7";
/// … and what Maven makes of it, from there.
pub const JAR: &str = "target/camunda7.jar";

/// How to start a Camunda 7.
#[derive(Debug, Clone)]
pub struct CamundaOptions {
    /// The jar that Maven has built.
    pub jar: PathBuf,
    /// A name for its files; also what delegates are told, and so its name in the host's configuration.
    pub name: String,
    /// Where its data and its log are kept.
    pub dir: PathBuf,
    /// Port of the delegates' host on this machine, and the file with its token.
    pub delegates: (u16, PathBuf),
}

/// A running Camunda 7, or one that was killed and can be started again on its data and its port.
#[derive(Debug)]
pub struct Camunda {
    options: CamundaOptions,
    port: u16,
    process: Process,
    rest: Rest,
}

impl Camunda {
    /// Whether there is a Java to run it with; if not, why not.
    ///
    /// # Errors
    /// There is none.
    pub fn check_java() -> Result<()> {
        let found = Command::new("java").arg("-version").output();
        match found.context("run `java -version`")? {
            output if output.status.success() => Ok(()),
            output => bail!("`java -version` ends with {}", output.status),
        }
    }

    /// Starts it on a free port. It takes long: nothing is awaited here, [`Camunda::wait_ready`] does that.
    ///
    /// # Errors
    /// Java cannot be run.
    pub fn spawn(options: CamundaOptions) -> Result<Self> {
        std::fs::create_dir_all(&options.dir)?;
        let port = free_port()?;
        let process = run(&options, port)?;
        Ok(Self {
            options,
            port,
            process,
            rest: Rest::new(&format!("http://127.0.0.1:{port}/engine-rest")),
        })
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// It ends, or does not answer in time.
    pub fn wait_ready(&mut self) -> Result<()> {
        wait_until(&format!("Camunda {} to answer", self.options.name), START_LIMIT, || {
            self.process.check_alive()?;
            Ok(self.rest.try_get("/version")?.status == 200)
        })
        .with_context(|| format!("see {}", log_file(&self.options).display()))
    }

    /// Starts it again, with its data and on its port.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process = run(&self.options, self.port)?;
        self.wait_ready()
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

    /// The port at which it calls delegates.
    #[must_use]
    pub fn delegates_port(&self) -> u16 {
        self.options.delegates.0
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn log_file(options: &CamundaOptions) -> PathBuf {
    options.dir.join(format!("{}.log", options.name))
}

fn run(options: &CamundaOptions, port: u16) -> Result<Process> {
    let (delegates_port, token_file) = &options.delegates;
    let database = options.dir.join(format!("{}-database", options.name));
    let mut command = Command::new("java");
    // Little memory and a quick start; nothing here runs long enough for the optimising compiler.
    command.args(["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    command.arg(format!("-Dhandoff.parent={}", std::process::id()));
    command.arg("-jar").arg(&options.jar);
    command.args([
        format!("--server.port={port}"),
        "--server.address=127.0.0.1".to_owned(),
        // Each commit is written before it is answered, so that a killed process has lost none.
        format!(
            "--spring.datasource.url=jdbc:h2:file:{};DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0",
            database.display()
        ),
        // What a killed process was doing is taken over after this long.
        "--camunda.bpm.job-execution.lock-time-in-millis=10000".to_owned(),
        format!("--handoff.delegates.engine={}", options.name),
        format!("--handoff.delegates.url=http://127.0.0.1:{delegates_port}"),
        format!("--handoff.delegates.token-file={}", (token_file as &Path).display()),
    ]);
    Process::start(&options.name, command, &log_file(options))
}
