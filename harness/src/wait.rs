//! Waiting for a state of another process. Such a state has no event that can be awaited: it is asked for, often, up to
//! a deadline that names what was waited for.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer. An error of `probe` is one more reason to ask again, and is told in the end.
///
/// # Errors
/// `limit` passes without an answer: the error says what was waited for and what the last question got.
pub fn eventually<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        let last = match probe() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => String::from("not yet"),
            Err(error) => format!("{error:#}"),
        };
        if Instant::now() >= deadline {
            bail!("waited {limit:?} for {what}, in vain: {last}");
        }
        std::thread::sleep(PAUSE);
    }
}

/// As [`eventually`], for what is only true or not yet.
///
/// # Errors
/// See [`eventually`].
pub fn wait_until(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<bool>) -> Result<()> {
    eventually(what, limit, || Ok(probe()?.then_some(())))
}
