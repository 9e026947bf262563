//! What a record means, computed without any store: the pure half of the worker.

use nuthatch_grouping as grouping;
use nuthatch_issues::Routed;
use nuthatch_normalize as normalize;
use nuthatch_protocol::{
    Event, EventRow, IngestRecord, Message, Position, Timestamp,
    record::{DeadLetter, IngestHeader},
};
use nuthatch_store::{
    events::{EventSummary, StoredEvent},
    log::{ReadBatch, StoredRecord},
};
use rayon::prelude::*;

use crate::dead_letter::{self, Refusal};

/// A record's meaning.
#[derive(Debug)]
pub struct Prepared {
    /// What intake knew.
    pub header: IngestHeader,
    /// The canonical event.
    pub event: Event,
    /// Where it belongs and what it is called.
    pub grouping: grouping::Grouping,
}

/// Reads a record of [`nuthatch_protocol::Topic::IngestEvents`] and computes what it means.
///
/// # Errors
///
/// Why it cannot be an event, with the header when at least that is readable.
pub fn prepare(record: &StoredRecord) -> Result<Prepared, Box<Refusal>> {
    let record = IngestRecord::decode(&record.value).map_err(|error| Refusal {
        header: None,
        reason: "invalid_record".to_owned(),
        message: error.to_string(),
        place: None,
    })?;
    match normalize::normalize(&record) {
        Ok(mut event) => {
            grouping::mark_frames(&mut event, &grouping::Config::default());
            let grouping = grouping::group(&event, &grouping::Config::default());
            Ok(Prepared { header: record.header, event, grouping })
        }
        Err(refused) => {
            let (header, reason) = (Some(record.header), refused.reason.as_str().to_owned());
            Err(Box::new(Refusal { header, reason, message: refused.message, place: refused.place }))
        }
    }
}

impl Prepared {
    /// The row for the event store.
    pub fn row(&self) -> EventRow {
        grouping::row(&self.header, &self.event, &self.grouping)
    }
}

/// The event of a record that was accepted and is not applied yet, as the event store will have it.
pub fn stored_event(record: &StoredRecord) -> Option<StoredEvent> {
    let row = prepare(record).ok()?.row();
    Some(StoredEvent { summary: EventSummary::of(&row), body: row.body })
}

/// A batch, ready to be applied.
pub(crate) struct Batch {
    /// The messages for the issue platform, each with the row of its event, in the order of the log.
    pub(crate) messages: Vec<Routed>,
    /// Rows of the events, parallel to `messages`.
    pub(crate) rows: Vec<EventRow>,
    /// The records, parallel to `messages`: what a dead letter needs.
    pub(crate) records: Vec<(StoredRecord, IngestHeader)>,
    /// What cannot be handled.
    pub(crate) dead: Vec<DeadLetter>,
    /// The position behind the batch.
    pub(crate) next: Position,
}

/// Computes a batch on all cores.
pub(crate) fn prepare_batch(read: ReadBatch, now: Timestamp) -> Batch {
    type Ready = (Routed, EventRow, (StoredRecord, IngestHeader));
    let prepared: Vec<Result<Ready, Box<DeadLetter>>> = read
        .records
        .into_par_iter()
        .map(|record| match prepare(&record) {
            Ok(ready) => {
                let occurrence = grouping::occurrence(&ready.header, &ready.event, &ready.grouping);
                let routed =
                    Routed { message: Message::Occurrence(Box::new(occurrence)), position: Some(record.position) };
                let row = ready.row();
                Ok((routed, row, (record, ready.header)))
            }
            Err(refusal) => Err(Box::new(dead_letter::letter(&record, *refusal, now))),
        })
        .collect();
    let mut batch = Batch {
        messages: Vec::with_capacity(prepared.len()),
        rows: Vec::with_capacity(prepared.len()),
        records: Vec::with_capacity(prepared.len()),
        dead: read.damaged.into_iter().map(|d| dead_letter::unreadable(d.position, d.reason, now)).collect(),
        next: read.next,
    };
    for result in prepared {
        match result {
            Ok((message, row, record)) => {
                batch.messages.push(message);
                batch.rows.push(row);
                batch.records.push(record);
            }
            Err(letter) => batch.dead.push(*letter),
        }
    }
    batch
}
