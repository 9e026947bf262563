//! The thread that moves full segments' records from their write-ahead logs into them, beside the writer.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::Receiver,
};

use rusqlite::config::DbConfig;

use super::{
    error::LogError,
    segment::{self, Access},
};

/// Segments that may wait; then the writer waits too.
pub(super) const QUEUE: usize = 64;

/// Runs until nobody can ask any more. A failed attempt loses nothing: the write-ahead log stays.
pub(super) fn run(queue: &Receiver<PathBuf>) {
    while let Ok(path) = queue.recv() {
        match seal(&path) {
            // Trimmed in the meantime.
            Err(_) if !path.exists() => {}
            Err(error) => tracing::warn!(%error, "log.seal_failed"),
            Ok(()) => {}
        }
    }
}

fn seal(path: &Path) -> Result<(), LogError> {
    let conn = segment::open(path, Access::Write)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(LogError::sqlite(path))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(LogError::sqlite(path))?;
    conn.close().map_err(|(_, error)| LogError::sqlite(path)(error))
}
