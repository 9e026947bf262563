//! What goes wrong between the log and the disk.

use std::{
    io,
    path::{Path, PathBuf},
};

use nuthatch_store::StoreError;
use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHORT_READ};

/// What went wrong, and with which file.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogError {
    /// `SQLite` refused.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The segment.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// What is in the file is not what a segment holds.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
}

impl LogError {
    /// For `map_err`, with the file it happened to.
    pub(super) fn sqlite(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { path: path.to_owned(), source }
    }

    /// For `map_err`, with the file it happened to.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Whether what is in the file is wrong, which trying again does not mend.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => is_damage(source),
            Self::Damaged { .. } => true,
            Self::Io { .. } => false,
        }
    }
}

/// Whether what is in the file is wrong, which trying again does not mend.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        // The file ends in front of a page of a value.
        || error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHORT_READ)
        // Our statements are constants: what does not fit them is the schema, which every segment is made with.
        || matches!(error, rusqlite::Error::SqlInputError { .. })
        || matches!(error.sqlite_error_code(), Some(ErrorCode::Unknown))
}

/// The log as the name of a store in errors.
pub(super) const STORE: &str = "log";

impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        if error.is_damage() {
            return Self::Corrupt { store: STORE, cause: error.to_string() };
        }
        unavailable(error)
    }
}

/// The call may succeed later.
#[expect(clippy::needless_pass_by_value, reason = "goes into `map_err`")]
pub(super) fn unavailable(cause: impl ToString) -> StoreError {
    StoreError::Unavailable { store: STORE, cause: cause.to_string() }
}
