//! Where ids come from: they grow with the clock, and never go back, neither with the clock nor over a restart.

use handoff_machine::{Env, Id, Millis};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// How far ahead of the last id the database is told that ids may have been given: 10 s of them. So it is told once in
/// ten seconds, and not in each commit.
const AHEAD: i64 = 10_000 << handoff_machine::id::SEQUENCE_BITS;

/// The ids of a command that has to wait for an answer must stay free while others go on.
pub(crate) const WAITING_IDS: u32 = 1 << 20;

/// Gives ids in order.
#[derive(Debug)]
pub(crate) struct IdSource {
    /// Given next, but for the clock.
    next: i64,
    /// All ids below are covered by what the database was told.
    ceiling: i64,
    /// What the database was told in the transaction that is open.
    pending: Option<i64>,
}

impl IdSource {
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        let ceiling = connection
            .query_row("SELECT value FROM meta WHERE key = 'ids'", [], |row| {
                row.get::<_, i64>(0)
            })
            .optional()?
            .unwrap_or(0);
        Ok(Self {
            next: ceiling,
            ceiling,
            pending: None,
        })
    }

    /// The first id that a command may give.
    pub(crate) fn first(&self, now: Millis) -> Id {
        Id(self.next.max(Id::first_at(now).0))
    }

    /// Notes that a command has given `count` ids from `first` on. Ids that were given in a transaction which came to
    /// nothing are not given again.
    pub(crate) fn take(&mut self, first: Id, count: u32) {
        self.next = self
            .next
            .max(first.0.saturating_add(i64::from(count.min(Env::IDS_MAX))));
    }

    /// Tells the database before a commit, if need be.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<()> {
        if self.next > self.ceiling {
            let ceiling = self.next.saturating_add(AHEAD);
            store(connection, ceiling)?;
            self.pending = Some(ceiling);
        }
        Ok(())
    }

    /// The transaction was committed, or not.
    pub(super) fn finished(&mut self, committed: bool) {
        if let Some(ceiling) = self.pending.take()
            && committed
        {
            self.ceiling = ceiling;
        }
    }

    /// At the end: a restart need not skip what was never given.
    pub(super) fn close(&self, connection: &Connection) -> Result<()> {
        store(connection, self.next)
    }
}

fn store(connection: &Connection, ceiling: i64) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO meta (key, value) VALUES ('ids', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1")?
        .execute(params![ceiling])
        .map(drop)
}
