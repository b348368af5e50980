//! Whoever does the tasks: the host with a worker, or a client that is a worker itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use handoff_harness::Process;

use super::{
    Bench, clients,
    stub::{Load, Run},
};
use crate::cargo::{run, workers_dir};

/// One of those that are compared.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    program: Program,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The host with a worker that was compiled to machine code.
    Compiled,
    /// The host with a worker in an interpreted language.
    Interpreted,
    Client,
    /// The load generator's own client, which does no work and ends when nothing is left.
    Go,
}

enum Program {
    /// The configuration's folder.
    Host(PathBuf),
    /// Takes the engine's URL as its last argument.
    Client(Vec<PathBuf>),
}

impl Contender {
    /// All that can be had on this machine; of the others it is said why not.
    pub(super) fn all(bench: &Bench) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for (name, kind, component) in [
            ("host, Rust worker", Kind::Compiled, "echo.wasm"),
            ("host, JavaScript worker", Kind::Interpreted, "variants/js-echo.wasm"),
            ("host, Python worker", Kind::Interpreted, "variants/py-echo.wasm"),
        ] {
            let component = workers_dir().join(component);
            if !component.is_file() {
                println!("{name} is left out: {} was not built", component.display());
                continue;
            }
            let dir = prepare_host(bench, &component)?;
            all.push(Self {
                name,
                kind,
                program: Program::Host(dir),
            });
        }
        for (name, program) in [
            ("official JavaScript client", clients::javascript(bench)),
            ("official Java client", clients::java(bench)),
        ] {
            match program {
                Ok(program) => all.push(Self {
                    name,
                    kind: Kind::Client,
                    program: Program::Client(program),
                }),
                Err(error) => println!("{name} is left out: {error:#}"),
            }
        }
        let drain = ["drain", "-batch", "64", "-c", "64", "-url"].map(PathBuf::from);
        let program = [vec![bench.generator.program.clone()], drain.to_vec()].concat();
        all.push(Self {
            name: "bare Go client (no work)",
            kind: Kind::Go,
            program: Program::Client(program),
        });
        Ok(all)
    }

    /// How many tasks it is given, of so many that a fast one gets.
    pub(super) fn tasks(&self, most: usize) -> usize {
        match self.kind {
            Kind::Interpreted => (most / 10).max(1),
            _ => most,
        }
    }

    /// Has it do tasks, all at once or `rate` a second.
    pub(super) fn run(&self, bench: &Bench, tasks: usize, rate: usize) -> Result<Run> {
        let load = bench.generator.start(&bench.dir, tasks, rate, self.kind != Kind::Go)?;
        let client = self.start(bench, &load)?;
        load.run(&client)
    }

    fn start(&self, bench: &Bench, load: &Load) -> Result<Process> {
        let log = bench.dir.join("contender.log");
        let _ = fs::remove_file(&log);
        let command = match &self.program {
            Program::Host(dir) => {
                let config = dir.join("handoff.toml");
                fs::write(&config, configuration(&load.url()))?;
                host_command(bench, &config)
            }
            Program::Client(program) => {
                let (program, arguments) = program.split_first().context("a client's program")?;
                let mut command = Command::new(program);
                command.args(arguments).arg(load.url());
                command
            }
        };
        Process::start(self.name, command, &log)
    }
}

pub(super) fn host_command(bench: &Bench, config: &Path) -> Command {
    let mut command = Command::new(&bench.handoff);
    command.arg("host").arg("--config").arg(config);
    command
}

fn configuration(url: &str) -> String {
    format!("[engines.order]\nurl = \"{url}\"\n[workers]\ndir = \"workers\"\ncache-dir = \"cache\"\n")
}

/// Puts a worker into a folder of its own and has it compiled.
fn prepare_host(bench: &Bench, component: &Path) -> Result<PathBuf> {
    let name = component.file_stem().context("a component's name")?;
    let dir = bench.dir.join(name);
    fs::create_dir_all(dir.join("workers"))?;
    fs::copy(component, dir.join("workers/c7bench.wasm"))?;
    fs::write(
        dir.join("workers/c7bench.toml"),
        "engine = \"order\"\ntopics = [\"c7bench\"]\n",
    )?;
    let config = dir.join("handoff.toml");
    fs::write(&config, configuration("http://127.0.0.1:9/engine-rest"))?;
    compile(bench, &config)?;
    Ok(dir)
}

/// Has a host compile its workers, so that it finds a warm cache later.
pub(super) fn compile(bench: &Bench, config: &Path) -> Result<()> {
    run(host_command(bench, config)
        .args(["--check", "--offline"])
        .stdout(std::process::Stdio::null()))
}
