//! The storage ports. Services know these and never an adapter. Each port has an in-memory reference, which is
//! the oracle of the conformance suite that every adapter runs.
//!
//! Methods are asynchronous because some adapters are; an adapter that blocks does so on threads of its own.

pub mod accounts;
pub mod blobs;
pub mod conformance;
pub mod dead_letters;
pub mod error;
pub mod event_groups;
pub mod events;
pub mod files;
pub mod issue_types;
pub mod issues;
pub mod log;
pub mod memory;
pub mod message_queue;
pub mod monitors;
pub mod outcomes;
pub mod project_facts;
pub mod project_tokens;
pub mod projects;
pub mod quotas;
pub mod releases;
pub mod seed;
pub mod sessions;
pub mod settlements;
pub mod teams;
pub mod traces;

pub use accounts::AccountStore;
pub use blobs::BlobStore;
pub use dead_letters::DeadLetterStore;
pub use error::StoreError;
pub use events::EventStore;
pub use files::FileStore;
pub use issue_types::IssueTypeStore;
pub use issues::IssueStore;
pub use log::Log;
pub use message_queue::MessageQueueStore;
pub use monitors::MonitorStore;
pub use outcomes::OutcomeStore;
pub use project_facts::ProjectFactStore;
pub use project_tokens::ProjectTokenStore;
pub use projects::ProjectStore;
pub use quotas::QuotaCountStore;
pub use releases::ReleaseStore;
pub use seed::Seed;
pub use sessions::SessionStore;
pub use settlements::SettlementStore;
pub use teams::TeamStore;
pub use traces::TraceStore;

/// Changes a row inside the transaction that writes it, so that changes at the same time do not undo each other. When it
/// refuses, the call answers what it says and nothing is written. Must not block on I/O.
pub type Change<T> = Box<dyn FnOnce(&mut T) -> Result<(), StoreError> + Send>;

/// Everything but events and blobs: organizations, projects, keys, accounts, tokens, issue types, teams, issues, dead letters,
/// which files there are, messages that wait, outcomes, releases and their sessions, positions.
pub trait MetaStore:
    AccountStore
    + ProjectStore
    + ProjectFactStore
    + ProjectTokenStore
    + IssueTypeStore
    + IssueStore
    + DeadLetterStore
    + FileStore
    + MessageQueueStore
    + MonitorStore
    + OutcomeStore
    + ReleaseStore
    + SessionStore
    + SettlementStore
    + TeamStore
{
}

impl<T> MetaStore for T where
    T: AccountStore
        + ProjectStore
        + ProjectFactStore
        + ProjectTokenStore
        + IssueTypeStore
        + IssueStore
        + DeadLetterStore
        + FileStore
        + MessageQueueStore
        + MonitorStore
        + OutcomeStore
        + ReleaseStore
        + SessionStore
        + SettlementStore
        + TeamStore
{
}
