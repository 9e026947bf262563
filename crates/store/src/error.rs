//! What can go wrong in a store.

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or is out of room; the same call may succeed later.
    #[error("{store} is unavailable: {cause}")]
    Unavailable {
        /// Which store.
        store: &'static str,
        /// What it said.
        cause: String,
    },
    /// What is stored is not what was written.
    #[error("{store} is damaged: {cause}")]
    Corrupt {
        /// Which store.
        store: &'static str,
        /// What and where.
        cause: String,
    },
    /// Something with this name exists.
    #[error("{0} is already taken")]
    Conflict(&'static str),
    /// What is to be removed is still needed.
    #[error("{0} is in use")]
    InUse(&'static str),
    /// What the call refers to does not exist.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// The call is outside what the store takes (a bound, a cursor of another query).
    #[error("{0}")]
    Invalid(String),
}
