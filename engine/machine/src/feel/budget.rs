//! What an evaluation sees and may use.

use indexmap::IndexMap;

use super::value::Feel;
use crate::id::Millis;

/// Why an evaluation ended without a value. Everything else that goes wrong is null.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeelError {
    /// A limit was reached.
    #[error("{0}")]
    Limit(String),
    /// `assert(…)` did not hold.
    #[error("{0}")]
    Assertion(String),
}

/// What an expression can see.
pub trait Scope {
    /// A variable; none where there is no such name.
    fn resolve(&self, name: &str) -> Option<Feel>;
}

impl Scope for IndexMap<String, Feel> {
    fn resolve(&self, name: &str) -> Option<Feel> {
        self.get(name).cloned()
    }
}

/// What evaluations may use, and the time they see. One budget is for a whole decision, with all that it requires.
#[derive(Clone, Debug)]
pub struct Budget {
    steps: u32,
    /// Bytes of a text, items of a list.
    length: usize,
    pub(super) now: Millis,
    /// Where random numbers begin: the machine has no source of its own.
    pub(super) seed: u64,
}

impl Budget {
    /// At most so many steps; `now()` and `today()` are of `now`, and random numbers come from `seed`.
    #[must_use]
    pub fn new(steps: u32, now: Millis, seed: u64) -> Self {
        Self {
            steps,
            length: 1 << 20,
            now,
            seed,
        }
    }

    /// Takes so many steps.
    ///
    /// # Errors
    /// They are used up.
    pub fn spend(&mut self, steps: usize) -> Result<(), FeelError> {
        let left = u32::try_from(steps)
            .ok()
            .and_then(|steps| self.steps.checked_sub(steps));
        self.steps = left.unwrap_or(0);
        left.map(drop)
            .ok_or_else(|| FeelError::Limit("the decision takes too many steps".to_owned()))
    }

    /// Takes the length of a text or a list; it costs steps too.
    pub(super) fn check_length(&mut self, length: usize) -> Result<(), FeelError> {
        if length > self.length {
            return Err(FeelError::Limit(format!("a value is longer than {}", self.length)));
        }
        self.spend(length / 16)
    }
}
