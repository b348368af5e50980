//! The official clients, installed from their registries with a few lines around them that do what `workers/echo` does.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use super::Bench;
use crate::{cargo, setup::output};

/// Node.js with the official JavaScript client.
pub(super) fn javascript(bench: &Bench) -> Result<Vec<PathBuf>> {
    output(Command::new("node").arg("--version")).context("Node.js is not installed")?;
    let dir = copy(bench, "js-client", &["client.mjs", "package.json", "package-lock.json"])?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    if !dir.join("node_modules").is_dir() {
        cargo::run(
            Command::new(npm)
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&dir),
        )?;
    }
    Ok(vec!["node".into(), dir.join("client.mjs")])
}

/// Java with the official Java client.
pub(super) fn java(bench: &Bench) -> Result<Vec<PathBuf>> {
    output(Command::new("java").arg("-version")).context("Java is not installed")?;
    output(Command::new("mvn").arg("--version")).context("Maven is not installed")?;
    let dir = copy(bench, "java-client", &["pom.xml", "src/main/java/Client.java"])?;
    let jar = dir.join("target/client.jar");
    if !jar.is_file() {
        cargo::run(
            Command::new("mvn")
                .args(["--quiet", "--batch-mode", "package"])
                .current_dir(&dir),
        )?;
    }
    Ok(vec!["java".into(), "-jar".into(), jar])
}

/// Copies a client's sources to where it is built, so that nothing is written among them.
fn copy(bench: &Bench, name: &str, files: &[&str]) -> Result<PathBuf> {
    let (from, to) = (cargo::root().join("xtask/bench").join(name), bench.dir.join(name));
    for file in files {
        let target = to.join(file);
        fs::create_dir_all(target.parent().unwrap_or(&to))?;
        fs::copy(from.join(file), &target).with_context(|| format!("copy {file} of {name}"))?;
    }
    Ok(to)
}
