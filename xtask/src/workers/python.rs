//! Workers in Python, by componentize-py.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};

use super::{component, install, source::Worker, stamp::Inputs};
use crate::{cargo, setup::output};

/// Builds a worker if it is not up to date, and says whether it was built.
///
/// # Errors
/// Python is missing, the packages cannot be installed, or the worker does not build.
pub(crate) fn build(worker: &Worker) -> Result<bool> {
    let stamp = Inputs::new(worker, "")?.stamp(worker);
    if stamp.is_current() {
        return Ok(false);
    }
    let start = Instant::now();
    let python = output(Command::new("python3").arg("--version"))?;
    println!("workers: building {} by componentize-py with {python}", worker.name);
    let environment = cargo::target_dir().join("tools/py").join(&worker.name);
    let programs = install_packages(worker, &environment)?;

    // A copy, so that no byte code is written among the sources.
    let sources = environment.join("app");
    copy_sources(&worker.folder, &sources)?;
    let output = environment.join("component.wasm");
    cargo::run(
        Command::new(programs.join("componentize-py"))
            .arg("--quiet")
            .arg("--wit-path")
            .arg(cargo::root().join("wit"))
            .args(["--world", "worker", "componentize", "app", "--output"])
            .arg(&output)
            .current_dir(&sources),
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

/// Makes a virtual environment with the worker's packages, and says where its programs are.
fn install_packages(worker: &Worker, environment: &Path) -> Result<PathBuf> {
    let requirements = worker.folder.join("requirements.txt");
    let wanted = fs::read(&requirements).context("read requirements.txt")?;
    let programs = environment.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let installed = environment.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    println!(
        "workers: installing the packages of {} from PyPI into {}",
        worker.name,
        environment.display()
    );
    cargo::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    cargo::run(
        Command::new(programs.join("python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&requirements),
    )?;
    fs::write(installed, wanted)?;
    Ok(programs)
}

fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let file = entry?.path();
        if let (Some("py"), Some(name)) = (file.extension().and_then(|e| e.to_str()), file.file_name()) {
            fs::copy(&file, to.join(name))?;
        }
    }
    Ok(())
}
