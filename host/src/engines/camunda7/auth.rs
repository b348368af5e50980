//! Who the host says it is to an engine.

use std::{path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{config::Auth, engines::Fault};

/// A token file is read again after this long, so that a rotated token takes effect before the old one is refused.
const REREAD_AFTER: Duration = Duration::from_secs(10);

/// Makes the `Authorization` header.
#[derive(Debug)]
pub(super) enum Authenticator {
    None,
    /// Known from the start.
    Fixed(String),
    /// Read from a file, again and again.
    Bearer {
        file: PathBuf,
        last: Mutex<Option<(Instant, String)>>,
    },
}

impl Authenticator {
    /// Reads what the configuration points at. Fails with what is wrong, in the words of an operator.
    pub(super) fn new(auth: &Auth) -> Result<Self, String> {
        Ok(match auth {
            Auth::None => Self::None,
            Auth::Basic(basic) => {
                let password = basic.password()?;
                Self::Fixed(format!("Basic {}", BASE64.encode(format!("{}:{password}", basic.user))))
            }
            Auth::BearerFile(file) => Self::Bearer {
                file: file.clone(),
                last: Mutex::new(None),
            },
        })
    }

    /// The header's value, if there is to be one.
    pub(super) async fn header(&self) -> Result<Option<String>, Fault> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(value) => Ok(Some(value.clone())),
            Self::Bearer { file, last } => {
                if let Some((at, value)) = &*last.lock()
                    && at.elapsed() < REREAD_AFTER
                {
                    return Ok(Some(value.clone()));
                }
                let token = tokio::fs::read_to_string(file).await.map_err(|error| {
                    Fault::Unauthorized(format!("cannot read the token in {}: {error}", file.display()))
                })?;
                let value = format!("Bearer {}", token.trim());
                *last.lock() = Some((Instant::now(), value.clone()));
                Ok(Some(value))
            }
        }
    }

    /// Whether there may be another answer now that `refused` was refused: the token is read anew.
    pub(super) async fn renewed(&self, refused: Option<&str>) -> bool {
        let Self::Bearer { last, .. } = self else { return false };
        *last.lock() = None;
        matches!(self.header().await, Ok(value) if value.as_deref() != refused)
    }
}
