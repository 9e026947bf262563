//! The thread that moves pages from the write-ahead log into the segment, beside the writer.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::Receiver,
};

use rusqlite::config::DbConfig;

use super::{
    error::LogError,
    segment::{self, Access},
};

/// Checkpoints that may wait.
pub(super) const QUEUE: usize = 64;

/// What to do with a segment.
pub(super) enum Checkpoint {
    /// Move what can be moved without holding anybody up.
    Passive(PathBuf),
    /// Nothing more is appended: move everything and remove the write-ahead log.
    Seal(PathBuf),
}

/// Runs until nobody can ask any more. A failed checkpoint loses nothing: the write-ahead log stays.
pub(super) fn run(queue: &Receiver<Checkpoint>) {
    while let Ok(checkpoint) = queue.recv() {
        let (path, done) = match &checkpoint {
            Checkpoint::Passive(path) => (path, passive(path)),
            Checkpoint::Seal(path) => (path, seal(path)),
        };
        match done {
            // Trimmed in the meantime.
            Err(_) if !path.exists() => {}
            Err(error) => tracing::warn!(%error, "log.checkpoint_failed"),
            Ok(()) => {}
        }
    }
}

fn passive(path: &Path) -> Result<(), LogError> {
    let conn = segment::open(path, Access::Write)?;
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())).map_err(LogError::sqlite(path))
}

fn seal(path: &Path) -> Result<(), LogError> {
    let conn = segment::open(path, Access::Write)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(LogError::sqlite(path))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(LogError::sqlite(path))?;
    conn.close().map_err(|(_, error)| LogError::sqlite(path)(error))
}
