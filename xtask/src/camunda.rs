//! `cargo xtask camunda`: builds the Camunda 7 that the host's tests run over (`host/tests/camunda7`), with Maven.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail};
use handoff_harness::{Camunda, camunda};

use crate::{cargo, setup};

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {}

/// Maven downloads a hundred jars the first time.
const MAVEN_TIME: Duration = Duration::from_secs(600);

/// Builds it if something changed that it is made of.
///
/// # Errors
/// It does not build. That there is no Java or no Maven is an error in CI only, where all that is promised is tested;
/// elsewhere the tests leave Camunda out and say so.
pub(crate) fn run(_: &Args) -> Result<()> {
    let start = Instant::now();
    let project = cargo::root().join(camunda::PROJECT);
    let jar = project.join(camunda::JAR);
    if let Err(error) = tools() {
        if std::env::var_os("CI").is_some() {
            return Err(error.context("build the Camunda 7 of the tests"));
        }
        println!("camunda: left out, and the tests over it with it; it wants Java 17 and Maven: {error:#}");
        return Ok(());
    }
    if is_current(&project, &jar)? {
        println!("camunda: {} is up to date", jar.display());
        return Ok(());
    }
    println!(
        "camunda: building {} with Maven (the first time downloads Camunda)",
        camunda::PROJECT
    );
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "package"]).current_dir(&project);
    setup::run_for(&mut maven, MAVEN_TIME)?;
    if !jar.is_file() {
        bail!("Maven has built no {}", jar.display());
    }
    println!("camunda: built in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn tools() -> Result<()> {
    Camunda::check_java()?;
    setup::output(Command::new("mvn").arg("--version")).map(drop)
}

/// Whether the jar is newer than everything that it is made of.
fn is_current(project: &Path, jar: &Path) -> Result<bool> {
    let Ok(built) = fs::metadata(jar) else { return Ok(false) };
    let newest = newest(&project.join("src"))?.max(fs::metadata(project.join("pom.xml"))?.modified()?);
    Ok(newest <= built.modified()?)
}

fn newest(path: &Path) -> Result<SystemTime> {
    let metadata = fs::metadata(path).with_context(|| format!("look at {}", path.display()))?;
    let mut newest = metadata.modified()?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            newest = newest.max(self::newest(&entry?.path())?);
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_built_again_when_its_source_is_newer() {
        let project = tempfile::tempdir().unwrap();
        let (source, jar) = (project.path().join("src/main"), project.path().join("camunda7.jar"));
        fs::create_dir_all(&source).unwrap();
        fs::write(project.path().join("pom.xml"), "").unwrap();
        assert!(!is_current(project.path(), &jar).unwrap(), "there is none yet");
        fs::write(&jar, "").unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        fs::File::options()
            .write(true)
            .open(&jar)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert!(is_current(project.path(), &jar).unwrap());
        let file = fs::File::create(source.join("A.java")).unwrap();
        file.set_modified(later + Duration::from_secs(60)).unwrap();
        assert!(!is_current(project.path(), &jar).unwrap());
    }
}
