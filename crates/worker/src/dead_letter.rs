//! Where records go that cannot be handled.

use bytes::Bytes;
use nuthatch_protocol::{
    EventId, IngestRecord, Position, ProjectId, Timestamp,
    record::{DeadLetter, DeadLetterHeader},
};
use nuthatch_store::{
    StoreError,
    dead_letters::{Letter, LetterBounds},
    log::{DamagedRecord, NewRecord, StoredRecord},
    settlements::Settlement,
};
use tokio_util::sync::CancellationToken;

use crate::{Worker, ledger::Entry, retry, telemetry};

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

/// Notes in a settlement that the log could not read a record.
pub(crate) fn settle_damaged(damaged: &DamagedRecord, settlement: &mut Settlement, now: Timestamp) {
    let letter = unreadable(damaged.position, damaged.reason.clone(), now);
    settlement.outcomes.add(Entry::unreadable(now).invalid(&letter.header.reason), 1);
    settlement.letters.push(letter);
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

/// Says what went to the dead letters, and keeps their list within its bounds.
pub(crate) async fn report(
    worker: &Worker,
    letters: &[DeadLetter],
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    for DeadLetter { header, .. } in letters {
        tracing::warn!(source = %header.source, reason = header.reason, message = header.message, "record refused");
        telemetry::dead_letter(&header.reason);
    }
    if letters.is_empty() {
        return Ok(());
    }
    let dropped = retry(stop, || worker.letters.cut_letters(LetterBounds::default())).await?;
    if let Some(dropped) = dropped.filter(|dropped| *dropped > 0) {
        tracing::warn!(dropped, "the dead-letter list is full, the oldest letters were dropped");
        telemetry::letters_dropped(dropped);
    }
    Ok(())
}

/// The record that replays a letter. It says so where it can, so that it is known when it comes twice.
pub(crate) fn replayed(letter: &Letter, value: Bytes) -> NewRecord {
    let key = letter.header.event_id.map_or([0; 16], |id| id.0);
    let marked = IngestRecord::decode(&value).ok().map(|IngestRecord { mut header, payload }| {
        header.letter_id = Some(letter.id);
        NewRecord { key, value: IngestRecord { header, payload }.encode() }
    });
    // One that has just the size that a log takes has no room for it.
    marked.filter(|record| record.check().is_ok()).unwrap_or(NewRecord { key, value })
}
