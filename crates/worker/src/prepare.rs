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
    log::{DamagedRecord, ReadBatch, StoredRecord},
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
        project_id: None,
        event_id: None,
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
        Err(refused) => Err(Box::new(Refusal {
            project_id: Some(record.header.project_id),
            event_id: Some(record.header.event_id),
            reason: refused.reason.as_str().to_owned(),
            message: refused.message,
            place: refused.place,
        })),
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
#[derive(Debug)]
pub struct Batch {
    /// What can be handled, in the order of the log.
    pub items: Vec<Item>,
    /// What cannot.
    pub dead: Vec<DeadLetter>,
    /// The position behind the batch.
    pub next: Position,
}

/// A record that can be handled.
#[derive(Debug)]
pub struct Item {
    /// The message for the issue platform.
    pub routed: Routed,
    /// The row of its event, if it has one.
    pub row: Option<EventRow>,
    /// Whether only the older schema understands its event.
    pub is_legacy: bool,
    /// What intake knew, when intake brought it.
    pub origin: Option<IngestHeader>,
    /// The record: what a dead letter needs.
    pub record: StoredRecord,
}

impl Item {
    pub(crate) fn without_event(record: StoredRecord, message: Message) -> Self {
        let routed = Routed { message, position: Some(record.position) };
        Self { routed, row: None, is_legacy: false, origin: None, record }
    }
}

impl Batch {
    /// A batch of nothing but records that the log could not read.
    pub(crate) fn new(damaged: Vec<DamagedRecord>, next: Position, now: Timestamp) -> Self {
        let unreadable = |record: DamagedRecord| dead_letter::unreadable(record.position, record.reason, now);
        Self { items: Vec::new(), dead: damaged.into_iter().map(unreadable).collect(), next }
    }
}

/// Computes a batch of error events on all cores.
pub(crate) fn prepare_events(read: ReadBatch, now: Timestamp) -> Batch {
    let mut batch = Batch::new(read.damaged, read.next, now);
    let prepared: Vec<Result<Item, Box<DeadLetter>>> = read
        .records
        .into_par_iter()
        .map(|record| match prepare(&record) {
            Ok(ready) => {
                let occurrence = grouping::occurrence(&ready.header, &ready.event, &ready.grouping);
                let message = Message::Occurrence(Box::new(occurrence));
                Ok(Item {
                    routed: Routed { message, position: Some(record.position) },
                    row: Some(ready.row()),
                    is_legacy: false,
                    origin: Some(ready.header),
                    record,
                })
            }
            Err(refusal) => Err(Box::new(dead_letter::letter(&record, *refusal, now))),
        })
        .collect();
    for result in prepared {
        match result {
            Ok(item) => batch.items.push(item),
            Err(letter) => batch.dead.push(*letter),
        }
    }
    batch
}
