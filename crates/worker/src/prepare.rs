//! What a record means, computed without any store: the pure half of the worker.

use nuthatch_grouping as grouping;
use nuthatch_issues::Routed;
use nuthatch_normalize as normalize;
use nuthatch_protocol::{
    DataCategory, Event, EventRow, IngestRecord, Message, Position, Timestamp, Topic,
    record::{DeadLetter, IngestHeader},
};
use nuthatch_store::{
    events::{EventSummary, StoredEvent},
    log::{DamagedRecord, ReadBatch, StoredRecord},
};
use rayon::prelude::*;

use crate::{
    dead_letter::{self, Refusal},
    ledger::Entry,
};

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
        entry: None,
    })?;
    let header = &record.header;
    let entry = Entry::event(header.received, header.project_id, header.key_id);
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
            entry: Some(entry),
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
    pub dead: Vec<Dead>,
    /// The position behind the batch.
    pub next: Position,
}

/// A record that cannot be handled.
#[derive(Debug)]
pub struct Dead {
    /// What is left of it.
    pub letter: DeadLetter,
    /// Where it is counted.
    pub entry: Entry,
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
    /// Where it is counted.
    pub entry: Entry,
    /// The record: what a dead letter needs.
    pub record: StoredRecord,
}

impl Item {
    pub(crate) fn without_event(record: StoredRecord, message: Message, now: Timestamp) -> Self {
        let entry = Entry::message(&message, now);
        let routed = Routed { message, position: Some(record.position) };
        Self { routed, row: None, is_legacy: false, entry, record }
    }
}

impl Batch {
    /// A batch of nothing but records that the log could not read.
    pub(crate) fn new(damaged: Vec<DamagedRecord>, next: Position, now: Timestamp) -> Self {
        let unreadable = |record: DamagedRecord| {
            let category = match record.position.topic {
                Topic::IngestEvents => DataCategory::Error,
                _ => DataCategory::Occurrence,
            };
            let entry = Entry::nameless(category, None, now);
            Dead { letter: dead_letter::unreadable(record.position, record.reason, now), entry }
        };
        Self { items: Vec::new(), dead: damaged.into_iter().map(unreadable).collect(), next }
    }
}

/// Computes a batch of error events on all cores.
pub(crate) fn prepare_events(read: ReadBatch, now: Timestamp) -> Batch {
    let mut batch = Batch::new(read.damaged, read.next, now);
    let prepared: Vec<Result<Item, Box<Dead>>> = read
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
                    entry: Entry::event(ready.header.received, ready.header.project_id, ready.header.key_id),
                    record,
                })
            }
            Err(refusal) => {
                let entry = refusal.entry.unwrap_or_else(|| Entry::nameless(DataCategory::Error, None, now));
                Err(Box::new(Dead { letter: dead_letter::letter(&record, *refusal, now), entry }))
            }
        })
        .collect();
    for result in prepared {
        match result {
            Ok(item) => batch.items.push(item),
            Err(dead) => batch.dead.push(*dead),
        }
    }
    batch
}
