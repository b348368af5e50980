//! Workers in Rust: all that are not up to date in one run of cargo.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{
    component, install,
    source::Worker,
    stamp::{Inputs, Stamp},
};
use crate::{
    cargo,
    setup::{self, Debian, Toolchain, Way},
};

/// Builds what is not up to date, and says how many workers that were.
pub(crate) fn build(workers: &[&Worker], way: Option<Way>) -> Result<usize> {
    let toolchain = setup::toolchain(way)?;
    let mut stale = Vec::new();
    for worker in workers {
        let stamp = stamp(worker, &toolchain)?;
        if !stamp.is_current() {
            stale.push((*worker, stamp));
        }
    }
    if stale.is_empty() {
        return Ok(0);
    }
    let names: Vec<_> = stale.iter().map(|(worker, _)| worker.name.as_str()).collect();
    println!(
        "workers: building {} (the first time builds their dependencies too)",
        names.join(", ")
    );
    let modules = compile(&names, &toolchain)?;
    for (worker, stamp) in &stale {
        let file = modules
            .get(&worker.name)
            .with_context(|| format!("cargo built no {}", worker.name))?;
        let module = fs::read(file).with_context(|| format!("read {}", file.display()))?;
        let component = match toolchain {
            Toolchain::Wasip2 { .. } => module,
            Toolchain::Debian(_) => component::from_module(&module)?,
        };
        component::check(&component).with_context(|| format!("check the component of {}", worker.name))?;
        install(worker, &component)?;
        stamp.note()?;
        println!("workers: {} ({} KB)", worker.name, component.len().div_ceil(1024));
    }
    Ok(stale.len())
}

fn stamp(worker: &Worker, toolchain: &Toolchain) -> Result<Stamp> {
    let mut inputs = Inputs::new(worker, &toolchain.identity())?;
    for shared in [
        "guest-sdk/Cargo.toml",
        "guest-sdk/src",
        "guest-sdk/macros",
        "workers/Cargo.toml",
        "workers/Cargo.lock",
    ] {
        inputs.path(&cargo::root().join(shared))?;
    }
    if worker.is_variant() {
        // It is made of another worker's source, whichever that is; cargo knows it.
        inputs.path(&cargo::root().join("workers"))?;
    }
    Ok(inputs.stamp(worker))
}

/// Compiles packages, and says which file each of them became.
fn compile(packages: &[&str], toolchain: &Toolchain) -> Result<HashMap<String, PathBuf>> {
    let mut command = match toolchain {
        Toolchain::Wasip2 { .. } => {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--target", setup::TARGET]);
            cargo
        }
        Toolchain::Debian(debian) => {
            let mut cargo = debian.cargo();
            cargo.arg("build").args(Debian::build_arguments());
            cargo
        }
    };
    command
        .args(["--release", "--locked", "--message-format=json-render-diagnostics"])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .current_dir(cargo::root().join("workers"))
        // A folder of its own, so that it does not wait for the build that runs this.
        .env("CARGO_TARGET_DIR", cargo::target_dir().join("wasm"))
        // Flags for the machine's own target would take the place of those that workers are built with.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("run {command:?}"))?;
    let mut modules = HashMap::new();
    for line in BufReader::new(child.stdout.take().context("cargo's output")?).lines() {
        modules.extend(serde_json::from_str(&line?).ok().as_ref().and_then(artifact));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the workers do not build: cargo: {status}");
    }
    Ok(modules)
}

/// The package and the module that a message of cargo's tells of.
fn artifact(message: &Value) -> Option<(String, PathBuf)> {
    if message["reason"] != "compiler-artifact" || message["target"]["kind"][0] != "cdylib" {
        return None;
    }
    let file = message["filenames"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with(".wasm"))?;
    let package = Path::new(message["manifest_path"].as_str()?).parent()?.file_name()?;
    Some((package.to_str()?.to_owned(), PathBuf::from(file)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_package_is_found_by_its_folder() {
        let message = json!({
            "reason": "compiler-artifact",
            "manifest_path": "/repository/workers/tell-order/Cargo.toml",
            "target": {"kind": ["cdylib"], "name": "tell_order"},
            "filenames": ["/t/release/tell_order.d", "/t/release/tell_order.wasm"],
        });
        let expected = ("tell-order".to_owned(), PathBuf::from("/t/release/tell_order.wasm"));
        assert_eq!(artifact(&message), Some(expected));
        assert_eq!(artifact(&json!({"reason": "build-finished", "success": true})), None);
    }
}
