//! What a record means, computed without any store: the pure half of the worker.

use std::collections::HashSet;

use nuthatch_grouping as grouping;
use nuthatch_issues::Routed;
use nuthatch_normalize::{self as normalize, filter::FilterReason};
use nuthatch_protocol::{
    DataCategory, Event, EventRow, IngestRecord, Message, Position, ProjectId, Timestamp,
    record::{DeadLetter, IngestHeader},
};
use nuthatch_store::log::{DamagedRecord, ReadBatch, StoredRecord};
use rayon::prelude::*;

use crate::{
    dead_letter::{self, Refusal},
    guard::{Panicked, guarded},
    ledger::Entry,
    rules::{ProjectRules, RulesOf},
};

/// What becomes of a record.
#[derive(Debug)]
pub enum Meaning {
    /// An event.
    Event(Box<Prepared>),
    /// An event that its project does not want.
    Filtered(FilterReason),
}

/// A record's event.
#[derive(Debug)]
pub struct Prepared {
    /// What intake knew.
    pub header: IngestHeader,
    /// The canonical event, scrubbed.
    pub event: Event,
    /// Where it belongs and what it is called.
    pub grouping: grouping::Grouping,
}

/// How far a record had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has seen it.
    New,
    /// The issues include it, the events do not: what was decided about it stays.
    Decided,
}

/// Computes what an accepted event means: normal form, filters, scrubbing, grouping, in this order, so that nothing that
/// is stored, indexed or shown has seen what was taken out.
///
/// # Errors
///
/// Why it cannot be an event.
pub fn prepare(record: &IngestRecord, rules: &ProjectRules, stage: Stage) -> Result<Meaning, Box<Refusal>> {
    let header = &record.header;
    let mut event = normalize::normalize(record, rules.geo()).map_err(|refused| Refusal {
        project_id: Some(header.project_id),
        event_id: Some(header.event_id),
        reason: refused.reason.as_str().to_owned(),
        message: refused.message,
        place: refused.place,
        entry: Some(Entry::event(header)),
    })?;
    if stage == Stage::New
        && let Some(reason) = rules.filter(&event, header.client_ip)
    {
        return Ok(Meaning::Filtered(reason));
    }
    rules.scrub(&mut event);
    grouping::mark_frames(&mut event, &grouping::Config::default());
    let grouping = grouping::group(&event, &grouping::Config::default());
    Ok(Meaning::Event(Box::new(Prepared { header: header.clone(), event, grouping })))
}

impl Prepared {
    /// The row for the event store.
    pub fn row(&self) -> EventRow {
        grouping::row(&self.header, &self.event, &self.grouping)
    }
}

/// A batch, ready to be applied.
#[derive(Debug)]
pub struct Batch {
    /// What can be handled, in the order of the log.
    pub items: Vec<Item>,
    /// What its project does not want.
    pub filtered: Vec<Filtered>,
    /// What cannot be handled.
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

/// A record whose event is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// Where it is counted.
    pub entry: Entry,
    /// The filter.
    pub reason: FilterReason,
    /// The record.
    pub position: Position,
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
            let is_event = record.position.topic.is_events();
            let category = if is_event { DataCategory::Error } else { DataCategory::Occurrence };
            let entry = Entry::nameless(category, None, now);
            Dead { letter: dead_letter::unreadable(record.position, record.reason, now), entry }
        };
        let dead = damaged.into_iter().map(unreadable).collect();
        Self { items: Vec::new(), filtered: Vec::new(), dead, next }
    }
}

/// Records of error events whose headers were read.
pub(crate) struct ReadEvents {
    records: Vec<(StoredRecord, IngestRecord)>,
    batch: Batch,
}

impl ReadEvents {
    /// Reads the headers of a batch.
    pub(crate) fn new(read: ReadBatch, now: Timestamp) -> Self {
        let mut batch = Batch::new(read.damaged, read.next, now);
        let mut records = Vec::with_capacity(read.records.len());
        for record in read.records {
            match IngestRecord::decode(&record.value) {
                Ok(decoded) => records.push((record, decoded)),
                Err(error) => {
                    let refusal = Refusal {
                        project_id: None,
                        event_id: None,
                        reason: "invalid_record".to_owned(),
                        message: error.to_string(),
                        place: None,
                        entry: None,
                    };
                    batch.dead.push(dead(&record, refusal, now));
                }
            }
        }
        Self { records, batch }
    }

    /// Whose events these are.
    pub(crate) fn projects(&self) -> HashSet<ProjectId> {
        self.records.iter().map(|(_, record)| record.header.project_id).collect()
    }

    /// Computes the batch on all cores. Records before `decided` are those that the issues include.
    pub(crate) fn prepare(self, rules: &RulesOf, decided: Position, now: Timestamp) -> Batch {
        let Self { records, mut batch } = self;
        let prepared: Vec<Outcome> = records
            .into_par_iter()
            .filter_map(|(record, decoded)| {
                let stage = if record.position < decided { Stage::Decided } else { Stage::New };
                let rules = rules.get(&decoded.header.project_id)?;
                let handled = guarded(|| outcome(record.clone(), &decoded, prepare(&decoded, rules, stage), now));
                Some(handled.unwrap_or_else(|panicked| {
                    let refusal = Refusal {
                        project_id: Some(decoded.header.project_id),
                        event_id: Some(decoded.header.event_id),
                        reason: Panicked::REASON.to_owned(),
                        message: panicked.to_string(),
                        place: None,
                        entry: Some(Entry::event(&decoded.header)),
                    };
                    Outcome::Dead(Box::new(dead(&record, refusal, now)))
                }))
            })
            .collect();
        for outcome in prepared {
            match outcome {
                Outcome::Item(item) => batch.items.push(*item),
                Outcome::Filtered(filtered) => batch.filtered.push(filtered),
                Outcome::Dead(dead) => batch.dead.push(*dead),
            }
        }
        batch
    }
}

fn dead(record: &StoredRecord, refusal: Refusal, now: Timestamp) -> Dead {
    let entry = refusal.entry.unwrap_or_else(|| Entry::nameless(DataCategory::Error, None, now));
    Dead { letter: dead_letter::letter(record, refusal, now), entry }
}

enum Outcome {
    Item(Box<Item>),
    Filtered(Filtered),
    Dead(Box<Dead>),
}

fn outcome(
    record: StoredRecord,
    decoded: &IngestRecord,
    meaning: Result<Meaning, Box<Refusal>>,
    now: Timestamp,
) -> Outcome {
    match meaning {
        Ok(Meaning::Event(ready)) => {
            let occurrence = grouping::occurrence(&ready.header, &ready.event, &ready.grouping);
            let message = Message::Occurrence(Box::new(occurrence));
            Outcome::Item(Box::new(Item {
                routed: Routed { message, position: Some(record.position) },
                row: Some(ready.row()),
                is_legacy: false,
                entry: Entry::event(&ready.header),
                record,
            }))
        }
        Ok(Meaning::Filtered(reason)) => {
            Outcome::Filtered(Filtered { entry: Entry::event(&decoded.header), reason, position: record.position })
        }
        Err(refusal) => Outcome::Dead(Box::new(dead(&record, *refusal, now))),
    }
}
