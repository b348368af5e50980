//! The execution: what a command does to the rows, as Camunda 7 would have it.
//!
//! A [`work::Work`] collects what one command changes. Commands (`command/`) find the place where something happens;
//! the behaviours of BPMN's elements (`behaviour/`) say what a token does there; `activity` and `scope` have what is
//! the same for all of them. Tokens wait in an agenda, so that a model of any length needs no stack.

mod activity;
mod agenda;
mod behaviour;
mod calendar;
mod cancel;
mod command;
mod compensation;
mod condition;
mod context;
mod decision;
mod declaration;
mod escalation;
mod event;
mod form;
mod halt;
mod identity_log;
mod incident;
mod io_mapping;
mod job;
mod listener;
mod migrate;
mod operation;
mod outside;
mod place;
mod propagate;
mod question;
mod scope;
mod script;
mod task_property;
mod timer;
mod variable;
mod work;

use self::halt::Halt;
use self::work::Work;
use crate::command::Command;
use crate::env::Env;
use crate::error::MachineError;
use crate::question::{Question, Told};
use crate::request::Answer;
use crate::view::View;
use crate::{Refusal, Step};

/// Decides a command.
///
/// # Errors
/// The command is refused, and nothing of it has happened.
pub fn step(view: &dyn View, command: &Command, env: &Env, answers: &[Answer]) -> Result<Step, MachineError> {
    try_step(view, command, env, answers).map_err(|refusal| refusal.error)
}

/// Decides a command, and says of a refused one also where it failed.
///
/// # Errors
/// The command is refused, and nothing of it has happened.
pub fn try_step(view: &dyn View, command: &Command, env: &Env, answers: &[Answer]) -> Result<Step, Box<Refusal>> {
    let mut work = Work::new(view, env, answers);
    let error = match command::decide(&mut work, command) {
        Ok(reply) => return Ok(Step::Done(Box::new(work.finish(reply)))),
        Err(Halt::Need(request)) => return Ok(Step::Need(request)),
        Err(Halt::Error(error)) => error,
        Err(Halt::Thrown(thrown)) => thrown.into_error(),
    };
    Err(Box::new(Refusal {
        error,
        activity: work.activity().map(str::to_owned),
    }))
}

/// Answers a question over what `view` shows.
///
/// # Errors
/// What is asked for cannot be evaluated, or the view fails.
pub fn ask(view: &dyn View, question: &Question, env: &Env) -> Result<Told, MachineError> {
    Work::new(view, env, &[]).answer(question).map_err(|halt| match halt {
        Halt::Error(error) => error,
        Halt::Thrown(thrown) => thrown.into_error(),
        Halt::Need(_) => MachineError::Execution("a question cannot wait for an answer".to_owned()),
    })
}

#[cfg(test)]
mod tests;
