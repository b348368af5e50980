//! The child process that compiles one component: `PROGRAM compile-component IN OUT`.

use std::{
    env,
    io::Write,
    path::Path,
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

use crate::engine;

/// The subcommand that an embedder's program has to offer for [`CompileMode::Child`](crate::CompileMode::Child).
pub const SUBCOMMAND: &str = "compile-component";

const MEMORY: &str = "HANDOFF_COMPILE_MEMORY_BYTES";
const SECONDS: &str = "HANDOFF_COMPILE_CPU_SECONDS";
/// Threads of the compiler's pool.
const THREADS: &str = "RAYON_NUM_THREADS";

/// The longest reason that is read from the child.
const MAX_REASON: u64 = 16 << 10;

/// The child's side: compiles the component in the file `input` to the file `output`, within the limits that its parent
/// put into the environment. The error is for a person; print it on standard error and end with status 1.
pub fn child_main(input: &Path, output: &Path) -> Result<(), String> {
    limit(Resource::Data, MEMORY)?;
    limit(Resource::Cpu, SECONDS)?;
    // A crash of the compiler is reported by the parent; a dump of it would only fill a disk.
    set(Resource::Core, 0)?;
    let component = std::fs::read(input).map_err(|error| format!("cannot read {}: {error}", input.display()))?;
    let engine = engine::for_compiling().map_err(|error| format!("{error:#}"))?;
    super::to_file(&engine, &component, output)
}

fn limit(resource: Resource, variable: &str) -> Result<(), String> {
    match env::var(variable) {
        Ok(text) => set(
            resource,
            text.parse().map_err(|_| format!("{variable} is not a number"))?,
        ),
        Err(_) => Ok(()),
    }
}

fn set(resource: Resource, most: u64) -> Result<(), String> {
    setrlimit(
        resource,
        Rlimit {
            current: Some(most),
            maximum: Some(most),
        },
    )
    .map_err(|error| format!("cannot limit {resource:?} to {most}: {error}"))
}

/// The parent's side.
pub(super) async fn run(
    program: &Path,
    component: &[u8],
    output: &Path,
    patience: Duration,
    memory_bytes: u64,
) -> Result<(), String> {
    let mut input = tempfile::NamedTempFile::new_in(output.parent().unwrap_or(Path::new(".")))
        .map_err(|error| format!("cannot write the component for the compiler: {error}"))?;
    input
        .write_all(component)
        .map_err(|error| format!("cannot write the component for the compiler: {error}"))?;
    let threads = thread::available_parallelism().map_or(1, usize::from).div_ceil(2);
    let mut child = Command::new(program)
        .arg(SUBCOMMAND)
        .arg(input.path())
        .arg(output)
        // Nothing of the host's environment: there may be secrets in it.
        .env_clear()
        .env(MEMORY, memory_bytes.to_string())
        .env(SECONDS, (patience.as_secs().max(1) * threads as u64).to_string())
        .env(THREADS, threads.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot start the compiler {}: {error}", program.display()))?;

    let stderr = child.stderr.take();
    let finished = timeout(patience, async {
        let mut reason = Vec::new();
        if let Some(stderr) = stderr {
            // Reading no further than the bound, but to the end of what the child writes.
            let mut stderr = stderr;
            let mut bounded = (&mut stderr).take(MAX_REASON);
            let _ = bounded.read_to_end(&mut reason).await;
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
        }
        (child.wait().await, reason)
    })
    .await;
    match finished {
        Err(_) => Err(format!(
            "compiling took longer than {} s and was stopped",
            patience.as_secs()
        )),
        Ok((Err(error), _)) => Err(format!("the compiler was lost: {error}")),
        Ok((Ok(status), reason)) => judge(status, &reason, memory_bytes),
    }
}

fn judge(status: ExitStatus, reason: &[u8], memory_bytes: u64) -> Result<(), String> {
    use std::os::unix::process::ExitStatusExt;

    if status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(reason);
    let reason = reason.trim();
    match status.signal() {
        Some(_) if reason.contains("memory allocation") => Err(format!(
            "compiling needs more memory than the {} MiB that it may have",
            memory_bytes >> 20
        )),
        Some(signal) => Err(format!(
            "the compiler was ended by signal {signal}: it exceeded its processor time or its {} MiB of memory, or it crashed. {reason}",
            memory_bytes >> 20
        )),
        None if reason.is_empty() => Err(format!("the compiler failed with {status}")),
        None => Err(reason
            .strip_prefix("Error: ")
            .or(reason.strip_prefix("error: "))
            .unwrap_or(reason)
            .to_owned()),
    }
}
