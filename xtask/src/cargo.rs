//! Running cargo, and where things are.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The example of the runtime that times a bare call.
pub(crate) const CALL_TIME: &str = "call_time";

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    // This crate is a folder of the root.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder of everything that is built.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Where `cargo xtask workers` puts components and manifests.
pub(crate) fn workers_dir() -> PathBuf {
    target_dir().join("workers")
}

/// The cargo that runs this, without what it tells of the package that runs: build scripts that look at that would be run
/// again, and everything over them built again, whenever cargo is called in another way.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(of_package) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be run, or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// Builds the `handoff` executable and says where it is.
///
/// # Errors
/// It cannot be built.
pub(crate) fn build_handoff(release: bool) -> Result<PathBuf> {
    let profile = if release { "release" } else { "debug" };
    println!("building handoff ({profile})");
    // The whole workspace, so that dependencies get the features that they have in tests and are built once.
    let mut command = cargo();
    command.args(["build", "--locked", "--workspace", "--bins"]);
    if release {
        // With what else is measured: built apart it would want dependencies with other features, and all of them anew.
        command.args(["--release", "--example", CALL_TIME]);
    }
    run(&mut command)?;
    Ok(target_dir().join(profile).join("handoff"))
}
