//! Starting once (F2 of the design): `dedupeKey` and `ifRunning` in the bodies of starts, and
//! `"handoff": {"status": …}` in their answers.

use handoff_machine::command::{IfRunning, Once, StartStatus};
use serde::Serialize;

use super::error::{RestError, Result};

/// The longest dedupe key, in bytes.
const KEY_MAX: usize = 1024;

/// Reads the two fields.
///
/// # Errors
/// 400: a key that is empty or too long, or a word that is none of the three.
pub(crate) fn read(dedupe_key: Option<String>, if_running: Option<&str>) -> Result<Once> {
    if dedupe_key
        .as_ref()
        .is_some_and(|key| key.is_empty() || key.len() > KEY_MAX)
    {
        return Err(RestError::invalid(format!(
            "dedupeKey must have between 1 and {KEY_MAX} bytes"
        )));
    }
    let if_running = match if_running {
        None | Some("another") => IfRunning::Another,
        Some("join") => IfRunning::Join,
        Some("reject") => IfRunning::Reject,
        Some(other) => {
            return Err(RestError::invalid(format!(
                "ifRunning must be 'join', 'reject' or 'another', not '{other}'"
            )));
        }
    };
    Ok(Once { dedupe_key, if_running })
}

/// The object `handoff` of an answer.
#[derive(Debug, Serialize)]
pub(crate) struct StatusDto {
    status: &'static str,
}

/// How a start came out.
pub(crate) fn status(status: StartStatus) -> StatusDto {
    StatusDto {
        status: match status {
            StartStatus::Created => "created",
            StartStatus::AlreadyRunning => "already-running",
            StartStatus::AlreadyEnded => "already-ended",
        },
    }
}
