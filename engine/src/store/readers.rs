//! Connections that read committed rows beside the writer, each on a thread that may block.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use handoff_machine::View;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{OpenError, StoreError};
use super::models::{ModelCache, Uncommitted};
use super::open;
use super::view::{Findings, StoreView, Unguarded};
use crate::config::Limits;

/// Why a read did not take place.
#[derive(Debug, thiserror::Error)]
pub enum ReadRefused {
    /// Too many wait.
    #[error("too many reads wait")]
    Overloaded,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A bounded pool of readers. Clones are the same pool.
#[derive(Clone)]
pub struct ReaderPool(Arc<Pool>);

struct Pool {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    models: Arc<ModelCache>,
}

/// A connection on loan. It goes back even if the read panics or nobody waits for it any more, and its permit after it.
struct Loan {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle.lock().push(connection);
        }
    }
}

impl ReaderPool {
    pub(super) fn open(path: &Path, limits: &Limits, models: Arc<ModelCache>) -> Result<Self, OpenError> {
        let readers = limits.readers.max(1);
        let idle = (0..readers)
            .map(|_| open::reader(path))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(Pool {
            idle: Mutex::new(idle),
            permits: Arc::new(Semaphore::new(readers)),
            waiting: AtomicUsize::new(0),
            waiting_max: limits.queued_reads,
            models,
        })))
    }

    /// The compiled models.
    #[must_use]
    pub fn models(&self) -> &Arc<ModelCache> {
        &self.0.models
    }

    /// Runs `read` over one snapshot of the committed rows.
    ///
    /// # Errors
    /// Too many reads wait, or the store failed.
    pub async fn read<T, F>(&self, read: F) -> Result<T, ReadRefused>
    where
        F: FnOnce(&Connection) -> T + Send + 'static,
        T: Send + 'static,
    {
        let pool = &self.0;
        let waiting = Waiting::enter(&pool.waiting);
        if waiting.others >= pool.waiting_max.saturating_add(pool.permits.available_permits()) {
            return Err(ReadRefused::Overloaded);
        }
        let permit = Arc::clone(&pool.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::WriterDied)?;
        drop(waiting);
        let mut loan = Loan {
            pool: Arc::clone(pool),
            connection: pool.idle.lock().pop(),
            _permit: permit,
        };
        let task = tokio::task::spawn_blocking(move || {
            let Some(connection) = loan.connection.as_mut() else {
                return Err(StoreError::WriterDied);
            };
            // One snapshot for all that is read.
            let snapshot = connection.transaction().map_err(StoreError::from)?;
            Ok(read(&snapshot))
        });
        // A read that panics is a bug of the read; the pool goes on.
        Ok(task.await.map_err(|_| StoreError::WriterDied)??)
    }

    /// Lets the machine look at one snapshot of the committed rows.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn look<T, F>(&self, look: F) -> Result<T, ReadRefused>
    where
        F: FnOnce(&dyn View) -> T + Send + 'static,
        T: Send + 'static,
    {
        let models = Arc::clone(self.models());
        self.read(move |connection| {
            look(&StoreView {
                connection,
                models: &models,
                uncommitted: &Uncommitted::default(),
                residents: None,
                guard: &Unguarded,
                findings: &Findings::default(),
            })
        })
        .await
    }
}

/// Counts who waits for a connection, also when a read is dropped while it waits.
struct Waiting<'c> {
    count: &'c AtomicUsize,
    others: usize,
}

impl<'c> Waiting<'c> {
    fn enter(count: &'c AtomicUsize) -> Self {
        Self {
            count,
            others: count.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
