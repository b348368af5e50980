//! What waits for the writer: bounded, and what brings new work is refused first.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use handoff_machine::Answer;
use parking_lot::{Condvar, Mutex};
use tokio_util::sync::CancellationToken;

use super::command::{Class, Work};
use super::error::CommandError;
use super::reservations::Ticket;
use crate::config::Limits;

/// When to try again after a refusal. The queue empties in a fraction of it.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The queue between callers and the writer.
pub(super) struct CommandQueue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    group: usize,
    intake_patience: Duration,
    abandoned: CancellationToken,
}

#[derive(Default)]
struct State {
    completions: VecDeque<Work>,
    others: VecDeque<Work>,
    /// With the time since when it waits.
    intake: VecDeque<(Instant, Work)>,
    /// Answers to requests of commands that wait: as many as those at most.
    answers: Vec<(Ticket, Answer)>,
    woken: bool,
    closed: bool,
}

/// What the writer has taken.
pub(super) struct Batch {
    pub(super) work: Vec<Work>,
    pub(super) answers: Vec<(Ticket, Answer)>,
    /// Nothing new will come, but answers.
    pub(super) closed: bool,
}

impl State {
    fn len(&self) -> usize {
        self.completions.len() + self.others.len() + self.intake.len()
    }

    fn len_of(&self, class: Class) -> usize {
        match class {
            Class::Completion => self.completions.len(),
            Class::Other => self.others.len(),
            Class::Intake => self.intake.len(),
        }
    }

    fn push(&mut self, class: Class, work: Work) {
        match class {
            Class::Completion => self.completions.push_back(work),
            Class::Other => self.others.push_back(work),
            Class::Intake => self.intake.push_back((Instant::now(), work)),
        }
    }

    /// Moves the first of a class to a batch.
    fn take(&mut self, class: Class, count: usize, batch: &mut Vec<Work>) {
        let count = count.min(self.len_of(class));
        match class {
            Class::Completion => batch.extend(self.completions.drain(..count)),
            Class::Other => batch.extend(self.others.drain(..count)),
            Class::Intake => batch.extend(self.intake.drain(..count).map(|(_, work)| work)),
        }
    }

    /// Whether the first start or fetch has waited for longer than `patience`.
    fn intake_is_late(&self, patience: Duration) -> bool {
        self.intake
            .front()
            .is_some_and(|(since, _)| since.elapsed() >= patience)
    }
}

impl CommandQueue {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            capacity: limits.queued_commands.max(4),
            group: limits.group_commands,
            intake_patience: limits.intake_patience,
            abandoned: CancellationToken::new(),
        }
    }

    /// Queues work, or refuses it at once.
    pub(super) fn push(&self, work: Work) -> Result<(), CommandError> {
        let class = work.class();
        let room = match class {
            Class::Completion => self.capacity,
            Class::Other => self.capacity / 4 * 3,
            Class::Intake => self.capacity / 2,
        };
        let mut state = self.state.lock();
        if state.closed {
            return Err(CommandError::ShuttingDown);
        }
        let late = class == Class::Intake && state.len() > self.group && state.intake_is_late(self.intake_patience);
        if late || state.len() >= room {
            metrics::counter!("handoff_engine_commands_shed_total", "kind" => work.kind()).increment(1);
            return Err(CommandError::Overloaded {
                retry_after: RETRY_AFTER,
            });
        }
        state.push(class, work);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Brings the answer to a request of a command that waits for it.
    pub(super) fn answer(&self, ticket: Ticket, answer: Answer) {
        self.state.lock().answers.push((ticket, answer));
        self.changed.notify_one();
    }

    /// Makes the writer look at the clock.
    pub(super) fn wake(&self) {
        self.state.lock().woken = true;
        self.changed.notify_one();
    }

    /// Refuses new work from now on.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_one();
    }

    /// Refuses new work and drops what waits: who waits for an answer is told that the engine stops.
    pub(super) fn abandon(&self) {
        let dropped = {
            let mut state = self.state.lock();
            state.closed = true;
            let mut dropped = Vec::new();
            for class in [Class::Completion, Class::Other, Class::Intake] {
                state.take(class, usize::MAX, &mut dropped);
            }
            dropped
        };
        drop(dropped);
        self.abandoned.cancel();
    }

    /// Ends when nobody takes work any more.
    pub(super) async fn abandoned(&self) {
        self.abandoned.cancelled().await;
    }

    /// Takes at most `max` pieces of work. Waits for `patience` at most if there is nothing.
    pub(super) fn take(&self, max: usize, patience: Duration) -> Batch {
        let mut state = self.state.lock();
        if state.len() == 0 && state.answers.is_empty() && !state.woken && !state.closed && !patience.is_zero() {
            self.changed.wait_for(&mut state, patience);
        }
        state.woken = false;
        metrics::gauge!("handoff_engine_queued_commands").set(state.len() as f64);
        let mut work = Vec::with_capacity(state.len().min(max));
        // A share for each class, so that none starves, and the rest by rank.
        for (class, share) in [
            (Class::Completion, max / 2),
            (Class::Other, max / 4),
            (Class::Intake, max / 4),
        ] {
            let room = max - work.len();
            state.take(class, share.max(1).min(room), &mut work);
        }
        for class in [Class::Completion, Class::Other, Class::Intake] {
            let room = max - work.len();
            state.take(class, room, &mut work);
        }
        Batch {
            work,
            answers: std::mem::take(&mut state.answers),
            closed: state.closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use handoff_machine::command::{ExternalTaskAction, Once, Start, StartTarget};
    use handoff_machine::{Command, Id};
    use tokio::sync::oneshot;

    use super::*;
    use crate::service::command::{Sender, Source};

    fn work(command: Command) -> Work {
        let (reply, _) = oneshot::channel();
        Work::command(
            command,
            Source::Caller {
                reply,
                sender: Sender::default(),
            },
        )
    }

    fn start() -> Work {
        work(Command::Start(Start {
            target: StartTarget::Definition(Id(1)),
            business_key: None,
            variables: Vec::new(),
            once: Once::default(),
            at: Vec::new(),
            skip_custom_listeners: false,
            skip_io_mappings: false,
            with_variables: false,
        }))
    }

    fn other() -> Work {
        work(Command::SuspendInstance {
            id: Id(1),
            suspended: true,
        })
    }

    fn completion() -> Work {
        work(Command::ExternalTask {
            id: Id(1),
            action: ExternalTaskAction::Unlock,
        })
    }

    fn fill(queue: &CommandQueue, make: fn() -> Work) -> usize {
        std::iter::from_fn(|| queue.push(make()).ok()).count()
    }

    #[test]
    fn new_work_is_shed_first_and_completions_last() {
        let queue = CommandQueue::new(&Limits {
            queued_commands: 100,
            ..Limits::default()
        });
        assert_eq!(fill(&queue, start), 50);
        assert!(matches!(queue.push(start()), Err(CommandError::Overloaded { .. })));
        assert_eq!(fill(&queue, other), 25);
        assert_eq!(fill(&queue, completion), 25);
        // Completions are taken first, but nobody starves.
        let batch = queue.take(40, Duration::ZERO);
        let kinds = |kind: &str| batch.work.iter().filter(|work| work.kind() == kind).count();
        assert_eq!(
            (kinds("task-unlock"), kinds("suspend-instance"), kinds("start")),
            (20, 10, 10)
        );
        assert_eq!(fill(&queue, start), 0, "there is still more than half");
        assert_eq!(fill(&queue, completion), 40);
    }

    #[test]
    fn new_work_is_shed_when_it_waits_for_too_long_behind_more_than_a_commit() {
        let queue = CommandQueue::new(&Limits {
            group_commands: 3,
            intake_patience: Duration::ZERO,
            ..Limits::default()
        });
        assert_eq!(fill(&queue, start), 4, "what fits into a commit, and the first beyond");
        queue.push(completion()).unwrap();
        queue.push(other()).unwrap();
        queue.take(3, Duration::ZERO);
        assert_eq!(fill(&queue, start), 1);
    }

    #[test]
    fn a_closed_queue_takes_nothing_and_gives_what_it_has() {
        let queue = CommandQueue::new(&Limits::default());
        queue.push(start()).unwrap();
        queue.close();
        assert!(matches!(queue.push(start()), Err(CommandError::ShuttingDown)));
        let batch = queue.take(10, Duration::from_secs(60));
        assert_eq!((batch.work.len(), batch.closed), (1, true));
    }
}
