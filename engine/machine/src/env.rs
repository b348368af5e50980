//! What a command may know of the world: the time, the ids it may give, and whose database it is.

use crate::id::{Id, Millis, Node};

/// The surroundings of one command. A re-run of the command gets an equal one, so that it decides the same.
#[derive(Clone, Debug)]
pub struct Env {
    /// The time of the command. It does not move while the command runs.
    pub now: Millis,
    /// The first id that the command may give; it gives them in order, at most [`Env::IDS_MAX`].
    pub first_id: Id,
    /// The database's part of every id outside.
    pub node: Node,
    /// What stays the same in every attempt of this command: the job's id where a job runs it, else an id of its own.
    /// Invocation ids of delegates are derived from it.
    pub invocation: Id,
    /// 1 in a command's first attempt; a job's attempts so far plus one.
    pub attempt: u32,
    /// The retries that a new job has (Camunda: 3).
    pub default_job_retries: i32,
    /// How many days the history of a definition is kept that does not say so itself.
    pub history_time_to_live: Option<i32>,
    /// A definition that does not say it, where there is no default, is refused, as Camunda does unless it is told
    /// otherwise; else its history is kept for ever.
    pub enforce_history_time_to_live: bool,
    /// The removal time of a history counts from the instance's start, not from its end.
    pub removal_time_at_start: bool,
    /// Who sent the command; none where nobody had to say.
    pub user: Option<String>,
    /// The most elements that one command may enter: an endless loop without a wait state ends here, by an error.
    pub steps_max: u32,
}

impl Env {
    /// The most ids that one command gives.
    pub const IDS_MAX: u32 = 1 << 24;
}
