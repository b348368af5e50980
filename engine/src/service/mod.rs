//! The engine at work: commands go in, one thread decides and writes them in groups, answers come out.
//!
//! ```text
//!  REST ──submit──► CommandQueue ──► writer thread: Processor over a StoreWriter ──COMMIT──► answers, wake-ups
//!   │                (bounded)            │  ▲                                                 (only now)
//!   └─read─► ReaderPool              request │ answer
//!                                         ▼  │
//!                                     delegates (tokio)
//! ```
//!
//! Invariant: nothing is answered, and nothing in memory (long polls, timers, reservations) changes, before the
//! commit that it follows from. Nothing slow runs on the writer: it does no network I/O and waits for no one.
//! Invariant: there is one clock, [`clock::Clock`], and the whole of it can be driven by hand on one thread
//! (`Processor`).

pub mod clock;
mod command;
mod delegates;
mod error;
pub mod fetch;
mod horizon;
mod metrics;
mod processor;
mod queue;
mod reservations;
mod scripts;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;

use handoff_machine::view::Definition;
use handoff_machine::{Command, Env, Id, Millis, Node, Question, Reply, Told, ask};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use self::clock::{Clock, SystemClock};
pub use self::command::Sender;
use self::command::{Source, Work};
pub use self::delegates::Delegates;
pub use self::error::CommandError;
pub use self::fetch::{CreateOrder, FetchRequest, FetchTopic, LockedTask};
use self::metrics::Counters;
pub use self::metrics::Stats;
use self::queue::CommandQueue;
pub use self::scripts::ScriptLimits;
use crate::config::Config;
use crate::store::{OpenError, ReaderPool, Store, StoreError};

/// A running engine. Clones are the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    name: String,
    node: Node,
    clock: Arc<dyn Clock>,
    queue: Arc<CommandQueue>,
    counters: Arc<Counters>,
    readers: ReaderPool,
    cleans_up: bool,
    next_cleanup: Arc<AtomicI64>,
    writer: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

impl Engine {
    /// Opens the database in `config.data_dir`, or makes it, and starts the writer. Must be called within a tokio
    /// runtime; it blocks for as long as the database needs to recover.
    ///
    /// # Errors
    /// The directory belongs to another process, or the database is damaged, foreign or of a newer version: the error
    /// says what to do.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let delegates = delegates::HttpDelegates::new(config)?;
        Self::open_with(config, Arc::new(SystemClock), Arc::new(delegates))
    }

    /// As [`Engine::open`], with a clock and delegates of one's own.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_with(config: &Config, clock: Arc<dyn Clock>, delegates: Arc<dyn Delegates>) -> Result<Self, OpenError> {
        let mut store = Store::open(config, clock.now())?;
        store.fold_beside(None)?;
        let readers = store.readers();
        let node = store.node();
        let queue = Arc::new(CommandQueue::new(&config.limits));
        let counters = Arc::new(Counters::default());
        let shared = (Arc::clone(&clock), Arc::clone(&queue), Arc::clone(&counters));
        let (writer, next_cleanup) = writer::spawn(config, store, shared.0, shared.1, delegates, shared.2)?;
        Ok(Self(Arc::new(Shared {
            name: config.name.clone(),
            node,
            clock,
            queue,
            counters,
            readers,
            cleans_up: config.retention.cleanup,
            next_cleanup,
            writer: Mutex::new(Some(writer)),
        })))
    }

    /// Runs a command. The answer comes after its commit is on disk. Dropping the future does not undo a command that
    /// has been queued.
    ///
    /// # Errors
    /// See [`CommandError`]; nothing has happened then.
    pub async fn submit(&self, command: Command) -> Result<Reply, CommandError> {
        self.submit_from(command, Sender::default()).await
    }

    /// As [`Engine::submit`], for a call of which more is known. If it needs an instance that waits for the very delegate
    /// that makes it, it fails at once.
    ///
    /// # Errors
    /// As [`Engine::submit`], and [`CommandError::Cycle`].
    pub async fn submit_from(&self, command: Command, sender: Sender) -> Result<Reply, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.0
            .queue
            .push(Work::command(command, Source::Caller { reply, sender }))?;
        answer.await.unwrap_or(Err(CommandError::ShuttingDown))
    }

    /// Fetches external tasks and locks them. Without a task it waits until there is one, or `request.timeout` is
    /// over (then the answer is empty). Dropping the future withdraws it: a fetch whose client has gone locks nothing.
    ///
    /// # Errors
    /// See [`CommandError`]; nothing is locked then.
    pub async fn fetch_and_lock(&self, request: FetchRequest) -> Result<Vec<LockedTask>, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.0.queue.push(Work::fetch(request, reply))?;
        answer.await.unwrap_or(Err(CommandError::ShuttingDown))
    }

    /// Reads committed rows on a connection that cannot write, on a thread that may block.
    ///
    /// # Errors
    /// What `read` returns; [`CommandError::Overloaded`] if too many reads wait.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: FnOnce(&rusqlite::Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<CommandError> + Send + 'static,
    {
        match self.0.readers.read(read).await {
            Ok(result) => result,
            Err(refused) => Err(CommandError::from(refused).into()),
        }
    }

    /// Answers a question over what is committed.
    ///
    /// # Errors
    /// [`CommandError::Machine`] where it cannot be evaluated; [`CommandError::Overloaded`] if too many reads wait.
    pub async fn ask(&self, question: Question, user: Option<String>) -> Result<Told, CommandError> {
        let env = Env {
            now: self.now(),
            first_id: Id(0),
            node: self.0.node,
            invocation: Id(0),
            attempt: 1,
            default_job_retries: 0,
            history_time_to_live: None,
            enforce_history_time_to_live: false,
            removal_time_at_start: false,
            user,
            steps_max: 0,
        };
        let told = self.0.readers.look(move |view| ask(view, &question, &env));
        Ok(told.await.map_err(CommandError::from)??)
    }

    /// A definition with its compiled model: names, extension properties, types of activities.
    ///
    /// # Errors
    /// The store failed.
    pub async fn definition(&self, id: Id) -> Result<Option<Arc<Definition>>, CommandError> {
        let models = Arc::clone(self.0.readers.models());
        if let Some(definition) = models.cached(id) {
            return Ok(Some(definition));
        }
        self.read(move |connection| models.definition(connection, id).map_err(CommandError::from))
            .await
    }

    /// The database's part of every id outside.
    #[must_use]
    pub fn node(&self) -> Node {
        self.0.node
    }

    /// The engine's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The time by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.0.clock.now()
    }

    /// Whether history that has had its time is removed.
    #[must_use]
    pub fn cleans_up(&self) -> bool {
        self.0.cleans_up
    }

    /// When it is looked for the next time.
    #[must_use]
    pub fn next_cleanup(&self) -> Millis {
        self.0.next_cleanup.load(Ordering::Relaxed)
    }

    /// Looks for it at once.
    pub fn clean_up_now(&self) {
        self.0.next_cleanup.store(self.now(), Ordering::Relaxed);
        self.0.queue.wake();
    }

    /// Counters of the engine since it was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.counters.read()
    }

    /// Refuses new commands from now on, and answers waiting long polls; what is queued is finished.
    pub fn refuse(&self) {
        self.0.queue.close();
    }

    /// Ends when the writer has: because it was told to, or because the database could not be written.
    pub async fn stopped(&self) {
        self.0.queue.abandoned().await;
    }

    /// Stops: new commands and waiting long polls get [`CommandError::ShuttingDown`], what is queued is finished, and
    /// the log is folded into the database.
    ///
    /// # Errors
    /// The store failed at the end; all that was answered is safe.
    pub async fn shutdown(&self) -> Result<(), StoreError> {
        self.0.queue.close();
        let Some(writer) = self.0.writer.lock().take() else {
            return Ok(());
        };
        let joined = tokio::task::spawn_blocking(move || writer.join()).await;
        match joined {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(StoreError::WriterDied),
        }
    }
}
