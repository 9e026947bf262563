//! What goes wrong between the log and the disk.

use std::{
    io,
    path::{Path, PathBuf},
};

use nuthatch_store::StoreError;

/// What went wrong, and with which file.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogError {
    /// The file system refused.
    #[error("{}: {source}", shown(path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// `SQLite` refused a segment of an earlier release.
    #[error("{}: {source}", shown(path))]
    Sqlite {
        /// The segment.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
}

impl LogError {
    /// For `map_err`, with the file it happened to.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// For `map_err`, with the file it happened to.
    pub(super) fn sqlite(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { path: path.to_owned(), source }
    }

    /// Whether there is no such file.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// A path for messages, which also those see who are not to know the marker that is in the name of a segment. A shell finds
/// the file by it.
fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_suffix(".log").and_then(|name| name.split_once('-')) {
        Some((first, _)) => path.with_file_name(format!("{first}-*.log")).display().to_string(),
        None => path.display().to_string(),
    }
}

/// The log as the name of a store in errors.
pub(super) const STORE: &str = "log";

impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        unavailable(error)
    }
}

/// The call may succeed later.
#[expect(clippy::needless_pass_by_value, reason = "goes into `map_err`")]
pub(super) fn unavailable(cause: impl ToString) -> StoreError {
    StoreError::Unavailable { store: STORE, cause: cause.to_string() }
}
