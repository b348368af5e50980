//! From two files to a version that can be called: everything that can be wrong with a candidate is found out here,
//! before it replaces anything.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use wasmtime::{Engine, component::Component};

use super::{entry::Source, files::WorkerFiles, kept::Kept, world};
use crate::{
    cache::Cache,
    call,
    capabilities::{grants::WorkerGrants, secrets::Secrets},
    config::OperatorPolicy,
    engine::bounds,
    manifest::Manifest,
    meter::WorkerMeter,
    runtime::Runtime,
    version::{Digest, WorkerVersion},
};

/// The largest component, in bytes.
const MAX_COMPONENT: u64 = 256 << 20;
/// The largest manifest, in bytes.
const MAX_MANIFEST: u64 = 256 << 10;

/// What loading needs, shared by all workers of a folder.
pub(super) struct Loader {
    pub(super) runtime: Arc<Runtime>,
    pub(super) cache: Cache,
    pub(super) policy: OperatorPolicy,
    pub(super) secrets: Arc<Secrets>,
}

/// Why a candidate was not loaded.
#[derive(Debug)]
pub(super) struct LoadError {
    pub(super) message: String,
    /// The host is to blame rather than the candidate: the same files may load later.
    pub(super) passing: bool,
}

impl From<String> for LoadError {
    fn from(message: String) -> Self {
        Self {
            message,
            passing: false,
        }
    }
}

/// The two files of a worker as they were read.
pub(super) struct Candidate {
    pub(super) digest: Digest,
    component_digest: Digest,
    component: Arc<[u8]>,
    manifest: String,
}

impl Candidate {
    /// Reads both files. Blocking.
    pub(super) fn read(files: &WorkerFiles) -> Result<Self, String> {
        let component = read_bounded(&files.component, MAX_COMPONENT)?;
        let manifest = match read_bounded(&files.manifest, MAX_MANIFEST) {
            Ok(manifest) => manifest,
            Err(_) if !files.manifest.exists() => {
                return Err(format!(
                    "the manifest {} is missing; create it with `engine = \"…\"` and `topics = [\"…\"]`",
                    files.manifest.display()
                ));
            }
            Err(error) => return Err(error),
        };
        let component_digest = Digest::of(&component);
        let digest = Digest::of_version(&component_digest, &manifest);
        let manifest =
            String::from_utf8(manifest).map_err(|_| format!("{}: it is not UTF-8 text", files.manifest.display()))?;
        Ok(Self {
            digest,
            component_digest,
            component: component.into(),
            manifest,
        })
    }

    /// A version that was kept; its component was checked against its digest.
    pub(super) fn kept(kept: &Kept, component: Vec<u8>) -> Self {
        Self {
            digest: kept.version,
            component_digest: kept.component,
            component: component.into(),
            manifest: kept.manifest.clone(),
        }
    }

    /// What it is made from.
    pub(super) fn source(&self) -> Source {
        Source {
            component: self.component.clone(),
            manifest: self.manifest.clone(),
        }
    }
}

fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let file = fs::File::open(path)?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, most + 1), &mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if bytes.len() as u64 > most {
        return Err(format!("{} has more than {} KiB", path.display(), most >> 10));
    }
    Ok(bytes)
}

impl Loader {
    /// Checks, compiles and tries a candidate.
    pub(super) async fn load(
        &self,
        files: &WorkerFiles,
        candidate: Candidate,
    ) -> Result<Arc<WorkerVersion>, LoadError> {
        let Candidate {
            digest,
            component_digest,
            component,
            manifest,
        } = candidate;
        let manifest = Manifest::parse(&manifest, &files.manifest).map_err(|error| error.to_string())?;
        self.check_manifest(&manifest, &component_digest, files)?;
        let config = &self.runtime.config;
        let limits = manifest
            .limits
            .resolve(&config.default_limits, &config.max_limits)
            .map_err(|error| format!("{}: {error}", files.manifest.display()))?;

        let (component, compiled_in) = self.component(component, component_digest).await?;
        check_resources(&component, limits.memory_bytes)?;
        let exports = world::check(&self.runtime.linker, &component)?;
        exports.fit(&manifest)?;

        let version = Arc::new(WorkerVersion {
            runtime: self.runtime.clone(),
            name: files.name.clone(),
            shared_name: files.name.as_str().into(),
            digest,
            shared_digest: digest.to_string().into(),
            component_digest,
            compiled_in,
            slots: Arc::new(Semaphore::new(limits.concurrency as usize)),
            limits,
            grants: Arc::new(WorkerGrants::new(
                &files.name,
                manifest.grants.clone(),
                &files.manifest,
                &self.policy,
            )),
            config: Arc::new(self.settings(&files.name, &manifest)),
            secrets: self.secrets.clone(),
            pre: exports.pre,
            handler: exports.handler,
            delegate: exports.delegate,
            metrics: WorkerMeter::new(&files.name),
            manifest,
        });
        call::try_out(&version).await.map_err(|error| {
            let details = error
                .details()
                .map(|details| format!("\n{details}"))
                .unwrap_or_default();
            format!("it cannot be instantiated: {error}{details}")
        })?;
        Ok(version)
    }

    fn check_manifest(&self, manifest: &Manifest, component: &Digest, files: &WorkerFiles) -> Result<(), String> {
        if let Some(pin) = &manifest.sha256
            && !pin.eq_ignore_ascii_case(&component.to_string())
        {
            return Err(format!(
                "{} pins another component: sha256 is {pin}, that of {} is {component}",
                files.manifest.display(),
                files.component.display()
            ));
        }
        let Some(engines) = &self.policy.engines else {
            return Ok(());
        };
        for topic in &manifest.topics {
            if let Some(engine) = manifest.engine_of(topic)
                && !engines.contains(engine)
            {
                let known = engines.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                return Err(format!(
                    "{}: topic `{}` is of the engine `{engine}`, which {} does not have (it has: {known}); add [engines.{engine}] \
                     there or correct the name",
                    files.manifest.display(),
                    topic.name,
                    self.policy.file.display()
                ));
            }
        }
        Ok(())
    }

    /// The compiled component, from the cache or the compiler, with the time that this took.
    async fn component(&self, bytes: Arc<[u8]>, digest: Digest) -> Result<(Component, Option<Duration>), LoadError> {
        let engine = &self.runtime.engine;
        check_format(&bytes)?;
        if let Some(component) = self.cache.load(engine, &digest) {
            metrics::counter!("handoff_worker_compile_cache_total", "result" => "hit").increment(1);
            return Ok((component, None));
        }
        metrics::counter!("handoff_worker_compile_cache_total", "result" => "miss").increment(1);
        let unwritable = |error: io::Error| LoadError {
            message: format!("cannot write to the cache directory: {error}"),
            passing: true,
        };
        let output = self.cache.temporary().map_err(unwritable)?;
        let started = Instant::now();
        self.runtime
            .compiler
            .compile(bytes, output.path())
            .await
            .map_err(|reason| format!("it does not compile: {reason}"))?;
        let compiled_in = started.elapsed();
        self.cache.keep(output, &digest).map_err(unwritable)?;
        let component = self.cache.load(engine, &digest).ok_or_else(|| LoadError {
            message: "the compiler's output cannot be loaded; the log says why".to_owned(),
            passing: true,
        })?;
        Ok((component, Some(compiled_in)))
    }

    /// The manifest's settings with the operator's on top.
    fn settings(&self, name: &str, manifest: &Manifest) -> BTreeMap<String, String> {
        let mut settings = manifest.config.clone();
        settings.extend(self.policy.config.get(name).cloned().unwrap_or_default());
        settings
    }
}

/// Refuses what is no component, before a compiler sees it.
fn check_format(bytes: &[u8]) -> Result<(), String> {
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(
            "it is compiled machine code, which is not taken from the workers' folder; put the .wasm component there"
                .to_owned(),
        );
    }
    match bytes {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(
            "it is a core WebAssembly module, not a component; build it with `cargo build --target wasm32-wasip2`"
                .to_owned(),
        ),
        [0, b'a', b's', b'm', ..] => {
            Err("it is of a version of the component format that this host does not know".to_owned())
        }
        [] => Err("the file is empty".to_owned()),
        _ => Err("it is not WebAssembly: the file does not start with `\\0asm`".to_owned()),
    }
}

/// Refuses what no slot of the pool can hold, and what its own limit can never hold.
fn check_resources(component: &Component, memory_bytes: usize) -> Result<(), String> {
    let Some(needs) = component.resources_required() else {
        return Err("it instantiates modules that it imports, which workers cannot".to_owned());
    };
    if needs.num_memories > bounds::MEMORIES || needs.num_tables > bounds::TABLES {
        return Err(format!(
            "it has {} memories and {} tables; a worker may have {} and {}",
            needs.num_memories,
            needs.num_tables,
            bounds::MEMORIES,
            bounds::TABLES
        ));
    }
    if needs
        .max_initial_table_size
        .is_some_and(|size| size > bounds::TABLE_ELEMENTS as u64)
    {
        return Err(format!(
            "it has a table of more than {} elements",
            bounds::TABLE_ELEMENTS
        ));
    }
    let initial = needs.max_initial_memory_size.unwrap_or(0).saturating_mul(64 << 10);
    if initial > memory_bytes as u64 {
        return Err(format!(
            "it needs {} MiB of memory to start with, more than its limit of {} MiB; raise memory-mb under [limits] in its manifest",
            initial.div_ceil(1 << 20),
            memory_bytes >> 20
        ));
    }
    component
        .initialize_copy_on_write_image()
        .map_err(|error| format!("its initial memory cannot be set up: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_apart() {
        assert!(check_format(b"").unwrap_err().contains("empty"));
        assert!(check_format(b"<html>").unwrap_err().contains("not WebAssembly"));
        assert!(check_format(b"\0asm\x01\0\0\0").unwrap_err().contains("wasm32-wasip2"));
        assert!(check_format(b"\0asm\x0d\0\x01\0").is_ok());
        let code = crate::engine::for_compiling()
            .unwrap()
            .precompile_component(b"\0asm\x0d\0\x01\0")
            .unwrap();
        assert!(check_format(&code).unwrap_err().contains("machine code"));
    }
}
