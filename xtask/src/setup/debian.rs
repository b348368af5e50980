//! The third way: Debian's packages of Rust for the web.
//!
//! They have a compiler and the sources of the standard library, but no library for WASI 0.2. So workers are built for
//! `wasm32-wasip1`, standard library included, against Debian's `wasi-libc`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::output;

const PACKAGES: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "libstd-rust-web-dev",
    "wasi-libc",
];

/// The target that these packages build for.
pub(crate) const TARGET: &str = "wasm32-wasip1";

/// Where `wasi-libc` has its libraries.
const LIBC: &str = "/usr/lib/wasm32-wasi";

/// Debian's toolchain.
#[derive(Clone, Debug)]
pub(crate) struct Debian {
    /// As its `rustc --version` says it.
    version: String,
    /// Links WebAssembly. Debian's packages have none, the toolchain that built this has.
    linker: PathBuf,
}

impl Debian {
    /// The toolchain; its packages are installed where they are missing.
    ///
    /// # Errors
    /// This is no Debian, the packages are not to be had or may not be installed, or there is no linker.
    pub(crate) fn find_or_install() -> Result<Self> {
        // Before the packages: without a linker they are of no use.
        let linker = linker()?;
        let missing = missing_packages()?;
        if !missing.is_empty() {
            install(&missing)?;
        }
        let version = output(Command::new("/usr/bin/rustc").arg("--version"))?;
        Ok(Self { version, linker })
    }

    pub(crate) fn identity(&self) -> String {
        format!("Debian's {} for {TARGET}, made into components", self.version)
    }

    /// Debian's cargo, ready for `build`.
    pub(crate) fn cargo(&self) -> Command {
        let mut path = std::ffi::OsString::from("/usr/bin:");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let flags = [
            // rustc would link the C library that comes with rustup's target; Debian's is elsewhere.
            "-C link-self-contained=no".to_owned(),
            format!("-L native={LIBC}"),
            // The start file of a module that is called, not run: it initialises and returns.
            format!("-C link-arg={LIBC}/crt1-reactor.o"),
        ];
        let mut cargo = Command::new("/usr/bin/cargo");
        cargo
            .env("PATH", path)
            .env("RUSTC", "/usr/bin/rustc")
            // `-Z build-std` in a stable compiler: there is no built standard library that fits these flags.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_WASIP1_LINKER", &self.linker)
            .env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", flags.join(" "))
            // Another toolchain's compiler libraries.
            .env_remove("LD_LIBRARY_PATH");
        cargo
    }

    /// What `cargo build` is to be told beside what to build.
    pub(crate) fn build_arguments() -> [&'static str; 6] {
        [
            "--target",
            TARGET,
            "-Z",
            "build-std=std,panic_abort",
            // Without `backtrace`, which takes a third of the build: backtraces of guests are the host's.
            "-Z",
            "build-std-features=panic-unwind",
        ]
    }
}

/// The linker of the toolchain in use.
fn linker() -> Result<PathBuf> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let host = output(Command::new("rustc").arg("-vV"))?;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc says no host")?;
    let linker = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
    if !linker.is_file() {
        bail!(
            "there is no linker {}: a toolchain of rustup's has one",
            linker.display()
        );
    }
    Ok(linker)
}

fn missing_packages() -> Result<Vec<&'static str>> {
    let query = ["--show", "--showformat=${Package} ${db:Status-Status}\\n"];
    let answer = Command::new("dpkg-query")
        .args(query)
        .args(PACKAGES)
        .stderr(Stdio::null())
        .output()
        .context("this is no Debian: run dpkg-query")?;
    Ok(not_installed(&String::from_utf8_lossy(&answer.stdout)))
}

/// Which packages are missing, by dpkg's list of names and states.
fn not_installed(list: &str) -> Vec<&'static str> {
    let installed = |package: &str| {
        list.lines()
            .any(|line| line.split_once(' ') == Some((package, "installed")))
    };
    PACKAGES.iter().copied().filter(|package| !installed(package)).collect()
}

fn install(packages: &[&str]) -> Result<()> {
    println!("setup: installing Debian's packages {}", packages.join(" "));
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// Runs apt-get as root.
fn apt_get(arguments: &[&str]) -> Result<()> {
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    let mut command = if is_root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        // Fails where it would have to ask for a password.
        sudo.args(["--non-interactive", "apt-get"]);
        sudo
    };
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    let result = crate::cargo::run(&mut command);
    result.with_context(|| format!("as root, run: apt-get install {}", PACKAGES.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dpkg_does_not_list_as_installed_is_missing() {
        let list = "rustc-web installed\ncargo-web installed\nrust-web-src config-files\nwasi-libc installed\n";
        assert_eq!(not_installed(list), ["rust-web-src", "libstd-rust-web-dev"]);
        assert_eq!(not_installed(""), PACKAGES);
    }
}
