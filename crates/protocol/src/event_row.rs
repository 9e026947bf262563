//! The row that the event store keeps of an event: what is searched and counted, and the body.

use bytes::Bytes;

use crate::{EventId, Hash, Level, ProjectId, Timestamp};

/// One event as the event store keeps it. It carries hashes, never an issue id: issues own hashes, so merging
/// and splitting issues rewrites no event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// With `event_id` the identity of the row.
    pub project_id: ProjectId,
    /// With `project_id` the identity of the row.
    pub event_id: EventId,
    /// The event it shows, when the row has an id of its own (an occurrence's row): it is found by that id, too, unless
    /// the event has a row itself.
    pub shows: Option<EventId>,
    /// When it happened, corrected for clock drift; decides the time partition.
    pub timestamp: Timestamp,
    /// When the server received it.
    pub received: Timestamp,
    /// Grouping hashes in the order of look-up. The first is the primary one: it decides which issue shows the event.
    pub hashes: Vec<Hash>,
    /// `error`, `default`, `csp`, … (`reference/web-api.md` §3.4).
    pub event_type: String,
    /// Severity.
    pub level: Level,
    /// Platform, for instance `python`.
    pub platform: String,
    /// Title, for instance `ValueError: no such order`.
    pub title: String,
    /// Where it happened, in words.
    pub culprit: String,
    /// Log message or exception value: what free text search looks at besides title and culprit.
    pub message: String,
    /// Release, if any.
    pub release: Option<String>,
    /// Environment, if any.
    pub environment: Option<String>,
    /// Transaction name, if any.
    pub transaction: Option<String>,
    /// The trace it is part of, if any: 32 hex digits.
    pub trace: Option<String>,
    /// The user as one text: `id:42`, `email:…`, `username:…` or `ip:…` (`reference/ingest-protocol.md` §11.8).
    pub user: Option<String>,
    /// All tags including derived ones (`release`, `environment`, `level`, `browser`, `os`, `user`, …), one value a key.
    pub tags: Vec<(String, String)>,
    /// Names and files of the stack frames, for word search.
    pub stack_text: String,
    /// Canonical JSON of the event, returned byte for byte.
    pub body: Bytes,
}
