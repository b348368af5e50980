//! Many workers in one folder: how soon a host is ready with them, and the memory that it needs while nothing happens.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use handoff_harness::{Process, Rest, free_port, wait_until};

use super::{
    Bench,
    contender::{compile, host_command},
};

/// How long a host is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(2);

pub(super) struct Start {
    /// From the start of the process until it says that it is ready with all workers.
    pub(super) ready: Duration,
    pub(super) resident_bytes: u64,
}

/// Starts a host with so many workers, which it has compiled before.
pub(super) fn start(bench: &Bench, component: &Path, count: usize) -> Result<Start> {
    let dir = bench.dir.join(format!("fleet-{count}"));
    let workers = dir.join("workers");
    fs::create_dir_all(&workers)?;
    let component = fs::read(component)?;
    for index in 0..count {
        let name = format!("worker-{index:03}");
        fs::write(workers.join(&name).with_extension("wasm"), distinct(&component, &name))?;
        let manifest = format!("engine = \"order\"\ntopics = [\"{name}\"]\n");
        fs::write(workers.join(&name).with_extension("toml"), manifest)?;
    }
    let load = bench.generator.start(&bench.dir, 1, 0, false)?;
    let port = free_port()?;
    let config = dir.join("handoff.toml");
    fs::write(
        &config,
        format!(
            "[engines.order]\nurl = \"{}\"\n[workers]\ndir = \"workers\"\ncache-dir = \"cache\"\n[admin]\nlisten = \"127.0.0.1:{port}\"\n",
            load.url()
        ),
    )?;
    compile(bench, &config)?;

    let admin = Rest::new(&format!("http://127.0.0.1:{port}"));
    let began = Instant::now();
    let mut host = Process::start("host", host_command(bench, &config), &dir.join("host.log"))?;
    wait_until("the host to be ready with all workers", Duration::from_secs(60), || {
        host.check_alive()?;
        let ready = admin.try_get("/readyz")?.success()?.json()?;
        Ok(ready["workers"] == count)
    })?;
    let ready = began.elapsed();
    thread::sleep(IDLE);
    Ok(Start {
        ready,
        resident_bytes: host.usage()?.resident_bytes,
    })
}

/// The same component with a section that nobody reads: another file with another digest, compiled for itself.
fn distinct(component: &[u8], name: &str) -> Vec<u8> {
    let content = [&[4], b"mark".as_slice(), name.as_bytes()].concat();
    let custom_section = [&[0, content.len() as u8], content.as_slice()].concat();
    [component, &custom_section].concat()
}
