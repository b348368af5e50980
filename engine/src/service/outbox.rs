//! What follows from a turn for those outside: answers, and requests to be sent. It is collected while the turn goes on, and
//! goes out when the commits that it follows from are on disk.

use handoff_machine::command::Reply;
use handoff_machine::request::Request;
use handoff_machine::row::ExternalTask;

use super::command::ReplyTo;
use super::error::CommandError;
use super::fetch::LockedTask;
use super::reservations::Ticket;
use crate::store::StoreError;

/// A request that goes out. Its answer must come back, whatever it is.
pub(super) struct Outgoing {
    pub(super) ticket: Ticket,
    pub(super) request: Box<Request>,
}

/// An answer and who waits for it.
enum Answered {
    Command(ReplyTo<Reply>, Result<Reply, CommandError>),
    Fetch(ReplyTo<Vec<LockedTask>>, Result<Vec<LockedTask>, CommandError>),
}

/// What is to be told.
#[derive(Default)]
pub(super) struct Outbox {
    answers: Vec<Answered>,
    outgoing: Vec<Outgoing>,
    /// Whether anything was committed of which nobody is told.
    committed: bool,
}

impl Outbox {
    pub(super) fn answer(&mut self, reply: ReplyTo<Reply>, answer: Result<Reply, CommandError>) {
        self.answers.push(Answered::Command(reply, answer));
    }

    pub(super) fn answer_fetch(
        &mut self,
        reply: ReplyTo<Vec<LockedTask>>,
        answer: Result<Vec<LockedTask>, CommandError>,
    ) {
        self.answers.push(Answered::Fetch(reply, answer));
    }

    pub(super) fn send(&mut self, outgoing: Outgoing) {
        self.outgoing.push(outgoing);
    }

    /// Notes a commit: it has to be on disk soon, whoever is told.
    pub(super) fn committed(&mut self) {
        self.committed = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.outgoing.is_empty() && !self.committed
    }

    /// Gives everybody their answer. Returns the tasks that were locked for clients that have gone in the meantime (nobody
    /// knows of them), and what is to be sent.
    pub(super) fn tell(self) -> (Vec<ExternalTask>, Vec<Outgoing>) {
        let mut unknown = Vec::new();
        for answered in self.answers {
            match answered {
                // Whose client has gone needs no answer.
                Answered::Command(reply, answer) => drop(reply.send(answer)),
                Answered::Fetch(reply, answer) => {
                    if let Err(Ok(tasks)) = reply.send(answer) {
                        unknown.extend(tasks.into_iter().map(|locked| locked.task));
                    }
                }
            }
        }
        (unknown, self.outgoing)
    }

    /// Tells everybody that nothing is known of what they asked for, and sends nothing out.
    pub(super) fn fail(self, error: &StoreError) {
        for answered in self.answers {
            match answered {
                Answered::Command(reply, _) => drop(reply.send(Err(error.repeat().into()))),
                Answered::Fetch(reply, _) => drop(reply.send(Err(error.repeat().into()))),
            }
        }
    }
}
