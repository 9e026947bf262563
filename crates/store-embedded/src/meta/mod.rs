//! The metadata ports on one SQLite database in WAL mode: one thread writes, a bounded pool of connections reads.
//!
//! `synchronous=FULL`: what a consumer of the log did could be done again after a crash, but what a user did could
//! not. Writes that wait together are committed together, which pays for the flush. Reads see what was committed
//! before they began.

mod accounts;
mod apply;
mod column;
mod dead_letters;
mod due;
mod error;
mod files;
mod issue_row;
mod issue_types;
mod issues;
mod listing;
mod message_queue;
mod migrations;
mod monitors;
mod outcomes;
mod project_facts;
mod project_tokens;
mod projects;
mod readers;
mod releases;
mod seed;
mod sessions;
mod settlements;
mod snapshot;
mod teams;
mod writer;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use nuthatch_issues::{Changes, Snapshot};
use nuthatch_store::{StoreError, issues::ConsumerPosition};
use rusqlite::{Connection, OpenFlags};

use self::{error::Failure, readers::Readers, writer::Writer};

/// How long a statement waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 128;
/// Pages of 4 KiB the write-ahead log holds before it is copied into the database: 64 MiB. Pages that change often
/// are then copied once.
const WAL_PAGES: i64 = 16 * 1024;

/// What may be chosen about the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetaOptions {
    /// Most connections that read at once; at least one.
    pub readers_max: usize,
    /// Page cache of the writer, in KiB.
    pub writer_cache_kib: u32,
}

impl Default for MetaOptions {
    fn default() -> Self {
        Self { readers_max: 4, writer_cache_kib: 64 * 1024 }
    }
}

/// Accounts, projects, issues, dead letters and the ledger of outcomes in one SQLite database.
///
/// [`config_version`](nuthatch_store::ProjectStore::config_version) is one atomic read. It moves before a write of
/// this process returns, and at most half a second (or one commit, if that takes longer) after one of another
/// process. Dropping it waits for the writes that are queued.
pub struct EmbeddedMeta {
    writer: Writer,
    readers: Readers,
}

impl EmbeddedMeta {
    /// Opens the database file, making it or bringing it up to this version's format if need be. Blocks.
    ///
    /// [`StoreError::Invalid`] when a newer version wrote it, [`StoreError::Corrupt`] when it is no database.
    pub fn open(path: &Path, options: MetaOptions) -> Result<Self, StoreError> {
        let connection = open_for_writing(path, options)?;
        Ok(Self { writer: Writer::start(connection)?, readers: Readers::new(path, options.readers_max) })
    }

    /// Writes what was decided on a snapshot, with the position, in one transaction: what is left of
    /// [`transact`](nuthatch_store::IssueStore::transact) without reading and deciding, for benchmarks to compare with.
    pub async fn write_decided(
        &self,
        snapshot: Arc<Snapshot>,
        changes: Arc<Changes>,
        position: ConsumerPosition,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                apply::apply(connection, &snapshot, &changes)?;
                apply::move_to(connection, &position)
            })
            .await
    }

    /// Writes a compact copy of the database as it is now to a file that must not exist. Others go on meanwhile.
    pub async fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        let path = path.to_str().map(str::to_owned);
        let path = path.ok_or_else(|| StoreError::Invalid("the path of a backup must be valid UTF-8".to_owned()))?;
        self.readers.copy_to(path).await
    }
}

impl fmt::Debug for EmbeddedMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedMeta").finish_non_exhaustive()
    }
}

fn open_for_writing(path: &Path, options: MetaOptions) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -i64::from(options.writer_cache_kib))?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_PAGES * 4096)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    migrations::migrate(&mut connection)?;
    Ok(connection)
}
