//! Workers in JavaScript, by componentize-js.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context, Result};

use super::{component, install, source::Worker, stamp::Inputs};
use crate::{cargo, setup::output};

/// Builds a worker if it is not up to date, and says whether it was built.
///
/// # Errors
/// Node.js or npm is missing, the packages cannot be installed, or the worker does not build.
pub(crate) fn build(worker: &Worker) -> Result<bool> {
    let stamp = Inputs::new(worker, "")?.stamp(worker);
    if stamp.is_current() {
        return Ok(false);
    }
    let start = Instant::now();
    let node = output(Command::new("node").arg("--version"))?;
    println!(
        "workers: building {} by componentize-js with Node.js {node}",
        worker.name
    );
    let folder = cargo::target_dir().join("tools/js").join(&worker.name);
    install_packages(worker, &folder)?;

    let output = folder.join("component.wasm");
    cargo::run(
        Command::new("node")
            .arg("build.mjs")
            .arg(cargo::root().join("wit"))
            .arg(&output)
            .current_dir(&folder),
    )?;
    let component = fs::read(&output)?;
    component::check(&component)?;
    install(worker, &component)?;
    stamp.note()?;
    let megabytes = component.len().div_ceil(1 << 20);
    println!(
        "workers: {} ({megabytes} MB) in {:.1} s",
        worker.name,
        start.elapsed().as_secs_f64()
    );
    Ok(true)
}

/// Copies the worker to where its packages are installed, so that nothing is written among the sources. Packages that
/// fit the lock file stay.
fn install_packages(worker: &Worker, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let lock = fs::read(worker.folder.join("package-lock.json")).context("read package-lock.json")?;
    let installed = folder.join("installed.json");
    for entry in fs::read_dir(&worker.folder)? {
        let file = entry?.path();
        if let (true, Some(name)) = (file.is_file(), file.file_name()) {
            fs::copy(&file, folder.join(name))?;
        }
    }
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!(
        "workers: installing the packages of {} from npm into {}",
        worker.name,
        folder.display()
    );
    cargo::run(
        Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder),
    )?;
    fs::write(installed, lock)?;
    Ok(())
}
