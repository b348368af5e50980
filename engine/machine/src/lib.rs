//! The BPMN machine: what a process model means, and nothing else.
//!
//! One function decides everything: [`step`]. It takes a [`View`] of the stored rows, one [`Command`], an [`Env`]
//! that carries time and ids, and the [`Answer`]s that earlier runs of the same command asked for. It returns either
//! a [`Step::Need`], a request that must be answered outside (a delegate, a script, a decision), or a [`Step::Done`]
//! with the row-level changes of the whole command and its reply.
//!
//! One command runs to the next wait states: that is Camunda's transaction. An error anywhere leaves no trace,
//! because nothing was written: the caller applies the changes, or does not.
//!
//! Invariant: this crate does no I/O, reads no clock and draws no random numbers; its dependencies have none either.

pub mod command;
pub mod core;
pub mod decision;
pub mod delta;
pub mod env;
pub mod error;
pub mod expression;
pub mod feel;
#[cfg(test)]
mod fuzz;
pub mod id;
pub mod migration;
pub mod model;
pub mod question;
pub mod request;
pub mod row;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod value;
pub mod view;

pub use self::command::{Command, Reply};
pub use self::core::{ask, step, try_step};
pub use self::delta::{Change, Delta};
pub use self::env::Env;
pub use self::error::MachineError;
pub use self::id::{Id, Millis, Node};
pub use self::question::{Question, Told};
pub use self::request::{Answer, Request};
pub use self::value::Value;
pub use self::view::{View, ViewError};

/// A refused command. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// Why.
    #[source]
    pub error: MachineError,
    /// The activity in which it failed, where a token had moved.
    pub activity: Option<String>,
}

/// What one run of a command came to.
#[derive(Debug)]
pub enum Step {
    /// The command waits for an answer. Run it again with all answers so far and this one appended, over an
    /// unchanged view and with the same [`Env`].
    Need(Box<Request>),
    /// The command is decided. Nothing of it has happened until the delta is applied.
    Done(Box<Delta>),
}
