//! `cargo xtask workers`: builds the workers into `target/workers`, each a component with its manifest beside it.
//!
//! A folder of `workers/` is a worker, in the language that its files say; `controls/`, `probes/` and `variants/` have
//! more of them, which come to be in folders of the same names, where no host takes them for workers by itself. A
//! worker is built again when something changed that it is made of.

mod component;
mod javascript;
mod python;
#[cfg(test)]
mod readme;
mod rust;
mod source;
mod stamp;

use std::{fs, path::Path, time::Instant};

use anyhow::{Context, Result, bail};

use crate::{cargo, setup};
use source::{Language, Worker};

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Only these workers
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Build workers in Rust this way, instead of by the first that works
    #[arg(long)]
    way: Option<setup::Way>,
}

impl Args {
    /// Only these workers.
    pub(crate) fn only(names: &[&str]) -> Self {
        Self {
            only: names.iter().map(ToString::to_string).collect(),
            way: None,
        }
    }
}

/// Builds what is not up to date.
///
/// # Errors
/// A worker does not build. That the tools of JavaScript or Python are missing is an error in CI only, where all that
/// is promised is tested; elsewhere their workers are left out, and it is said.
pub(crate) fn run(args: Args) -> Result<()> {
    let start = Instant::now();
    let all = source::find(&cargo::root().join("workers"))?;
    if let Some(unknown) = args
        .only
        .iter()
        .find(|name| !all.iter().any(|worker| worker.name == **name))
    {
        let names: Vec<_> = all.iter().map(|worker| worker.name.as_str()).collect();
        bail!("there is no worker `{unknown}`; there are {}", names.join(", "));
    }
    let wanted = |worker: &&Worker| args.only.is_empty() || args.only.contains(&worker.name);
    let of = |language| {
        all.iter()
            .filter(wanted)
            .filter(|worker| worker.language == language)
            .collect::<Vec<_>>()
    };

    let mut built = 0;
    let rust_workers = of(Language::Rust);
    if !rust_workers.is_empty() {
        built += rust::build(&rust_workers, args.way)?;
    }
    built += optional("Node.js and npm", of(Language::JavaScript), javascript::build)?;
    built += optional("Python 3.10 with venv and pip", of(Language::Python), python::build)?;
    println!(
        "workers: {built} built in {:.1} s; they are in {}",
        start.elapsed().as_secs_f64(),
        cargo::workers_dir().display()
    );
    Ok(())
}

/// Builds workers whose tools a machine may not have.
fn optional(tools: &str, workers: Vec<&Worker>, build: fn(&Worker) -> Result<bool>) -> Result<usize> {
    let mut built = 0;
    for worker in workers {
        match build(worker) {
            Ok(done) => built += usize::from(done),
            Err(error) if std::env::var_os("CI").is_some() => {
                return Err(error.context(format!("build the worker {} with {tools}", worker.name)));
            }
            Err(error) => println!("workers: {} is left out; it wants {tools}: {error:#}", worker.name),
        }
    }
    Ok(built)
}

/// Puts a component and the worker's manifest to where hosts find them. Each file is there whole or not at all.
fn install(worker: &Worker, component: &[u8]) -> Result<()> {
    let output = worker.component();
    if let Some(manifest) = worker.manifest() {
        write(&output.with_extension("toml"), &fs::read(&manifest)?)?;
    }
    write(&output, component)
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, content)?;
    // A temporary file is its owner's only; what is built may be read by everyone.
    let file = file
        .persist(path)
        .with_context(|| format!("write {}", path.display()))?;
    set_readable(&file)
}

#[cfg(unix)]
fn set_readable(file: &fs::File) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.set_permissions(fs::Permissions::from_mode(0o644))?)
}

#[cfg(not(unix))]
fn set_readable(_file: &fs::File) -> Result<()> {
    Ok(())
}
