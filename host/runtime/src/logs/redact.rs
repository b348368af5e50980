//! Taking secrets out of what people read: logs, and the errors that engines keep.
//!
//! What a worker may know it may also misuse: it can hand a secret on as a variable, or in another form. This is for
//! mistakes, which are many: a request that is logged whole, an error that quotes what it was given.

use super::cut;
use crate::wit::{
    delegate::DelegateError,
    types::{BpmnError, Failure, Outcome},
};

/// Shorter secrets, and shorter lines of longer ones, are not looked for: replacing them would tear ordinary text apart.
const MIN_SECRET: usize = 4;
const MIN_LINE: usize = 8;

/// The secrets that a call was given.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that one that contains another goes as a whole.
    secrets: Vec<String>,
}

/// What is told to people and may repeat a secret.
pub(crate) trait Redact {
    fn redact(&mut self, secrets: &Redactor);
}

impl Redactor {
    pub(super) fn add(&mut self, secret: &str) {
        // A key of several lines is logged line by line.
        let lines = secret.lines().map(str::trim).filter(|line| line.len() >= MIN_LINE);
        for text in std::iter::once(secret).chain(lines) {
            if text.len() >= MIN_SECRET && !self.secrets.iter().any(|known| known == text) {
                self.secrets.push(text.to_owned());
            }
        }
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The bytes of the longest secret.
    pub(super) fn longest(&self) -> usize {
        self.secrets.first().map_or(0, String::len)
    }

    pub(super) fn redacted(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) {
                text.replace(secret.as_str(), "***")
            } else {
                text
            }
        })
    }

    /// The first `max` bytes without secrets, also without the beginning of one that would be cut.
    pub(super) fn cut_and_redacted(&self, text: &str, max: usize) -> String {
        let mut redacted = self.redacted(cut(text, max + self.longest()));
        redacted.truncate(redacted.floor_char_boundary(max));
        redacted
    }
}

impl Redact for String {
    fn redact(&mut self, secrets: &Redactor) {
        *self = secrets.redacted(self);
    }
}

impl Redact for Option<String> {
    fn redact(&mut self, secrets: &Redactor) {
        if let Some(text) = self {
            text.redact(secrets);
        }
    }
}

impl Redact for Failure {
    fn redact(&mut self, secrets: &Redactor) {
        self.message.redact(secrets);
        self.details.redact(secrets);
    }
}

impl Redact for BpmnError {
    fn redact(&mut self, secrets: &Redactor) {
        self.code.redact(secrets);
        self.message.redact(secrets);
    }
}

impl Redact for Outcome {
    fn redact(&mut self, secrets: &Redactor) {
        match self {
            Self::Complete(_) => {}
            Self::BpmnError(error) => error.redact(secrets),
            Self::Failure(failure) => failure.redact(secrets),
            Self::Deferred(deferral) => deferral.reason.redact(secrets),
        }
    }
}

impl<T> Redact for Result<T, DelegateError> {
    fn redact(&mut self, secrets: &Redactor) {
        match self {
            Ok(_) => {}
            Err(DelegateError::BpmnError(error)) => error.redact(secrets),
            Err(DelegateError::Failure(message) | DelegateError::Other(message)) => message.redact(secrets),
        }
    }
}

impl Redact for () {
    fn redact(&mut self, _: &Redactor) {}
}
