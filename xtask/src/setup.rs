//! `cargo xtask setup`: finds or installs what building workers in Rust needs, and says which of three ways it takes.
//!
//! 1. The target `wasm32-wasip2` is installed.
//! 2. `rustup target add wasm32-wasip2`.
//! 3. Where no toolchain can be downloaded: Debian's packages of rustc for the web, which build for `wasm32-wasip1`; the
//!    component is made of that here (see `workers::component`).
//!
//! Workers behave the same in all of them.

mod debian;

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};

pub(crate) use debian::Debian;

/// The target that users build workers for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// How long `rustup` may try: where nothing can be downloaded, the next way waits for it.
const RUSTUP_TIME: Duration = Duration::from_secs(180);

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Take this way, instead of the first that works
    #[arg(long, env = WAY_VARIABLE)]
    way: Option<Way>,
}

/// The environment variable that sets the way for every command that needs one: continuous integration downloads no
/// toolchain.
const WAY_VARIABLE: &str = "HANDOFF_WORKERS_BY";

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Way {
    /// The target wasm32-wasip2 is installed
    Installed,
    /// rustup installs the target wasm32-wasip2
    Rustup,
    /// Debian's packages of rustc for the web
    Debian,
}

impl Way {
    /// In the order in which they are tried.
    const ALL: [Self; 3] = [Self::Installed, Self::Rustup, Self::Debian];

    fn find_or_install(self) -> Result<Toolchain> {
        match self {
            Self::Installed => installed(),
            Self::Rustup => rustup(),
            Self::Debian => Debian::find_or_install().map(Toolchain::Debian),
        }
    }
}

/// What builds workers.
#[derive(Clone, Debug)]
pub(crate) enum Toolchain {
    /// The Rust toolchain in use, with the target [`TARGET`].
    Wasip2 {
        /// As `rustc --version` says it.
        version: String,
    },
    /// Debian's packages.
    Debian(Debian),
}

impl Toolchain {
    /// What tells two toolchains apart, and a person which one it is.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Wasip2 { version } => format!("{version} for {TARGET}"),
            Self::Debian(debian) => debian.identity(),
        }
    }
}

/// Finds or installs a toolchain, and says which.
///
/// # Errors
/// None of the ways works; the message says why not, one by one.
pub(crate) fn run(args: Args) -> Result<()> {
    toolchain(args.way).map(drop)
}

/// The toolchain of the given way, or of the first that works.
///
/// # Errors
/// As [`run`].
pub(crate) fn toolchain(way: Option<Way>) -> Result<Toolchain> {
    let way = match (way, std::env::var(WAY_VARIABLE)) {
        (None, Ok(name)) => {
            let way = <Way as clap::ValueEnum>::from_str(&name, true);
            Some(way.map_err(|_| anyhow!("{WAY_VARIABLE} is {name}: it can be installed, rustup or debian"))?)
        }
        (way, _) => way,
    };
    let mut reasons = Vec::new();
    for way in way.map_or_else(|| Way::ALL.to_vec(), |way| vec![way]) {
        match way.find_or_install() {
            Ok(toolchain) => {
                println!("setup: workers are built by {}", toolchain.identity());
                return Ok(toolchain);
            }
            Err(error) => reasons.push(format!("{way:?}: {error:#}")),
        }
    }
    bail!("there is no way to build workers in Rust\n  {}", reasons.join("\n  "))
}

/// The first way.
fn installed() -> Result<Toolchain> {
    let libraries = output(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    if !Path::new(&libraries).is_dir() {
        bail!("the target {TARGET} is not installed");
    }
    Ok(Toolchain::Wasip2 {
        version: output(Command::new("rustc").arg("--version"))?,
    })
}

/// The second way.
fn rustup() -> Result<Toolchain> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).stdin(Stdio::null());
    println!("setup: installing the Rust target {TARGET}: rustup target add {TARGET}");
    run_for(&mut rustup, RUSTUP_TIME)?;
    installed()
}

/// Runs a command, and kills it after this time.
///
/// # Errors
/// It cannot be run, fails or takes longer.
pub(crate) fn run_for(command: &mut Command, time: Duration) -> Result<()> {
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("run {command:?}"))?;
    while started.elapsed() < time {
        if let Some(status) = child.try_wait()? {
            return if status.success() {
                Ok(())
            } else {
                bail!("{command:?} failed: {status}")
            };
        }
        thread::sleep(Duration::from_millis(50));
    }
    child.kill()?;
    child.wait()?;
    bail!("{command:?} took longer than {} s", time.as_secs())
}

/// What a command prints, without the last line's end.
///
/// # Errors
/// It cannot be run or fails; the message has what it says on standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_is_ended() {
        let started = Instant::now();
        let error = run_for(Command::new("sleep").arg("60"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_command_that_fails_or_is_not_there_says_so() {
        assert!(run_for(&mut Command::new("false"), Duration::from_secs(30)).is_err());
        assert!(output(&mut Command::new("there-is-no-such-command")).is_err());
    }
}
