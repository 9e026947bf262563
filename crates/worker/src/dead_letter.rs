//! Where records go that cannot be handled.

use bytes::Bytes;
use nuthatch_protocol::{
    EventId, Position, ProjectId, Timestamp,
    record::{DeadLetter, DeadLetterHeader},
};
use nuthatch_store::log::{NewRecord, StoredRecord};

use crate::ledger::Entry;

/// Why a record cannot be handled.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The project, when it is known.
    pub project_id: Option<ProjectId>,
    /// The event, when it is known.
    pub event_id: Option<EventId>,
    /// Stable word for the cause.
    pub reason: String,
    /// What was wrong, for people.
    pub message: String,
    /// Where in the payload: a JSON path or a byte offset.
    pub place: Option<String>,
    /// Where the record is counted, when its header says so.
    pub entry: Option<Entry>,
}

/// The dead letter of a refused record.
pub(crate) fn letter(record: &StoredRecord, refusal: Refusal, at: Timestamp) -> DeadLetter {
    DeadLetter {
        header: DeadLetterHeader {
            source: record.position,
            project_id: refusal.project_id,
            event_id: refusal.event_id,
            reason: refusal.reason,
            message: refusal.message,
            place: refusal.place,
            at,
        },
        original: record.value.clone(),
    }
}

/// The dead letter of a record that the log could not read: what is left of it is its place.
pub(crate) fn unreadable(position: Position, message: String, at: Timestamp) -> DeadLetter {
    DeadLetter {
        header: DeadLetterHeader {
            source: position,
            project_id: None,
            event_id: None,
            reason: "damaged_record".to_owned(),
            message,
            place: None,
            at,
        },
        original: Bytes::new(),
    }
}

/// A record of the event that a letter is about.
pub(crate) fn keyed(header: &DeadLetterHeader, value: Bytes) -> NewRecord {
    NewRecord { key: header.event_id.map_or([0; 16], |id| id.0), value }
}
