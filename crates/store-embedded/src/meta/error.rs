//! From what SQLite says to what the ports say.

use nuthatch_store::StoreError;
use rusqlite::ffi::{
    SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE,
};

const STORE: &str = "the metadata database";

/// Why a statement or a check inside a transaction failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite refused.
    Sql(rusqlite::Error),
    /// We refused.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        use rusqlite::{Error, ErrorCode};
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(
                error @ (Error::FromSqlConversionFailure(..)
                | Error::InvalidColumnType(..)
                | Error::IntegralValueOutOfRange(..)),
            ) => corrupt(&error),
            Failure::Sql(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => corrupt(&error),
                _ => unavailable(&error),
            },
        }
    }
}

/// The database cannot do it now.
pub(super) fn unavailable(cause: &impl ToString) -> StoreError {
    StoreError::Unavailable { store: STORE, cause: cause.to_string() }
}

/// The database holds what was never written.
pub(super) fn corrupt(cause: &impl ToString) -> StoreError {
    StoreError::Corrupt { store: STORE, cause: cause.to_string() }
}

/// Names what a violated constraint means here: `taken` exists already, `missing` does not exist.
pub(super) fn constraint(taken: &'static str, missing: &'static str) -> impl Fn(rusqlite::Error) -> Failure {
    move |error| match error.sqlite_error().map(|e| e.extended_code) {
        Some(SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID) => {
            StoreError::Conflict(taken).into()
        }
        Some(SQLITE_CONSTRAINT_FOREIGNKEY) => StoreError::NotFound(missing).into(),
        _ => error.into(),
    }
}

/// An update or delete by id that must have met a row.
pub(super) fn met(rows: usize, missing: &'static str) -> Result<(), Failure> {
    if rows == 0 { Err(StoreError::NotFound(missing).into()) } else { Ok(()) }
}
