//! Ports for processes that must know each other's address before they run, and keep it over a restart.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Result, bail};

/// Below the range from which the kernel takes the ports of outgoing connections, so that none of those can take one
/// while its process is down.
const FIRST: u16 = 15_000;
const COUNT: u16 = 17_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback port that nothing listens on, and that this process has not been given before.
///
/// # Errors
/// All of them are taken.
pub fn free_port() -> Result<u16> {
    // Test binaries that run side by side begin at different places.
    let start = (std::process::id().wrapping_mul(131) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + offset) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST} and {}", FIRST + COUNT)
}
