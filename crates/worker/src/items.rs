//! Consumers of topics that hold one kind of items: what the records mean, computed in parallel, and their effects.

use std::collections::HashSet;

use async_trait::async_trait;
use nuthatch_normalize::Refused;
use nuthatch_protocol::{
    IngestRecord, Outcome, Outcomes, Timestamp, Topic,
    record::{DeadLetter, RecordError},
};
use nuthatch_store::{
    StoreError,
    log::{ReadBatch, StoredRecord},
    settlements::{Counted, Settlement},
};
use rayon::prelude::*;

use crate::{
    Worker, compute,
    dead_letter::{self, Refusal},
    follow::Consumer,
    guard::guarded,
    ledger::Entry,
    replays::Replays,
    rules::{ProjectRules, RulesOf},
};

/// A kind of items with a topic of its own.
#[async_trait]
pub(crate) trait ItemConsumer: Send + Sync + 'static {
    /// What a record has for effect.
    type Effect: Send + Sync + 'static;
    /// Under which its positions are kept.
    const NAME: &'static str;
    /// What it reads.
    const TOPIC: Topic;

    /// What a record means. Pure, and called in parallel.
    fn prepare(
        &self,
        record: &IngestRecord,
        rules: &ProjectRules,
        now: Timestamp,
    ) -> Result<Meaning<Self::Effect>, Broken>;

    /// Applies the effects of a batch and settles it, in one transaction.
    async fn apply(&self, effects: Vec<Counted<Self::Effect>>, settlement: Settlement) -> Result<(), StoreError>;
}

/// What a record means.
pub(crate) struct Meaning<T> {
    /// Its effects, and the units that share their fate.
    pub(crate) effects: Vec<Counted<T>>,
    /// What became of units that have no effect: entries that are broken, or that the project does not want.
    pub(crate) outcomes: Outcomes,
}

impl<T> Meaning<T> {
    /// One effect for all that the record holds.
    pub(crate) fn one(record: &IngestRecord, what: T) -> Self {
        let effects = vec![Counted { what, units: record.units() }];
        Self { effects, outcomes: Outcomes::default() }
    }

    /// The replay of a dead letter that had its effect before.
    pub(crate) fn repetition(record: &IngestRecord) -> Self {
        Self { effects: Vec::new(), outcomes: record.units().became(Outcome::Invalid, "duplicate") }
    }
}

/// Why a record cannot be handled: it becomes a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Stable word for the cause.
    pub(crate) reason: &'static str,
    /// What was wrong, for people.
    pub(crate) message: String,
    /// Where in the payload: a JSON path or a byte offset.
    pub(crate) place: Option<String>,
}

impl From<Refused> for Broken {
    fn from(refused: Refused) -> Self {
        Self { reason: refused.reason.as_str(), message: refused.message, place: refused.place }
    }
}

/// Makes a consumer of an item consumer.
pub(crate) struct Items<T>(pub(crate) T);

#[async_trait]
impl<T: ItemConsumer> Consumer for Items<T> {
    const NAME: &'static str = T::NAME;
    const TOPIC: Topic = T::TOPIC;

    async fn take(&self, worker: &Worker, read: &ReadBatch, settlement: Settlement) -> Result<Settlement, StoreError> {
        let now = worker.clock.now();
        let decoded: Vec<_> = read.records.iter().map(|record| (record, IngestRecord::decode(&record.value))).collect();
        let projects: HashSet<_> =
            decoded.iter().filter_map(|(_, decoded)| Some(decoded.as_ref().ok()?.header.project_id)).collect();
        let rules = worker.rules.of_all(projects).await?;
        let replays = Replays::among(&decoded).known(&*worker.settlements).await?;
        let prepared: Vec<_> = compute(|| {
            let meaning = |record: &IngestRecord, rules: &ProjectRules| self.0.prepare(record, rules, now);
            let prepare = |(record, decoded)| prepare(meaning, record, decoded, &rules, &replays, now);
            decoded.into_par_iter().map(prepare).collect()
        });
        let mut settlement = settlement;
        settlement.replays = replays.taken(now);
        let effects = collect(read, prepared, &mut settlement, now);
        self.0.apply(effects, settlement.clone()).await?;
        Ok(settlement)
    }
}

/// What became of a record: what it means, or its dead letter and how it counts.
pub(crate) type Fate<T> = Result<Meaning<T>, Lost>;

/// What is left of a record that cannot be handled: its dead letter, and how it counts.
pub(crate) type Lost = Box<(DeadLetter, Outcomes)>;

/// The effects of a batch; everything else that became of its records is added to the settlement.
pub(crate) fn collect<T>(
    read: &ReadBatch,
    fates: Vec<Fate<T>>,
    settlement: &mut Settlement,
    now: Timestamp,
) -> Vec<Counted<T>> {
    let mut effects = Vec::new();
    for damaged in &read.damaged {
        dead_letter::settle_damaged(damaged, settlement, now);
    }
    for fate in fates {
        match fate {
            Ok(meaning) => {
                effects.extend(meaning.effects);
                settlement.outcomes.extend(meaning.outcomes);
            }
            Err(lost) => {
                let (letter, outcomes) = *lost;
                settlement.letters.push(letter);
                settlement.outcomes.extend(outcomes);
            }
        }
    }
    effects
}

/// What becomes of a record, given what its kind means.
pub(crate) fn prepare<T>(
    meaning: impl Fn(&IngestRecord, &ProjectRules) -> Result<Meaning<T>, Broken>,
    record: &StoredRecord,
    decoded: Result<IngestRecord, RecordError>,
    rules: &RulesOf,
    replays: &Replays,
    now: Timestamp,
) -> Fate<T> {
    let decoded = decoded.map_err(|error| unreadable(record, &error, now))?;
    if replays.repeats(&decoded.header, record.position) {
        return Ok(Meaning::repetition(&decoded));
    }
    // The rules of every project of the batch were looked up.
    let meaning = match rules.get(&decoded.header.project_id) {
        Some(rules) => guarded(|| meaning(&decoded, rules)).unwrap_or_else(|panicked| Err(panicked.into())),
        None => Err(Broken { reason: "project_id", message: "the project is not known".to_owned(), place: None }),
    };
    meaning.map_err(|broken| refused(record, &decoded, broken, now))
}

/// The fate of a record of which not even the header can be read.
pub(crate) fn unreadable(record: &StoredRecord, error: &RecordError, now: Timestamp) -> Lost {
    let mut outcomes = Outcomes::default();
    outcomes.add(Entry::unreadable(now).invalid("invalid_record"), 1);
    let refusal = Refusal {
        project_id: None,
        event_id: None,
        reason: "invalid_record".to_owned(),
        message: error.to_string(),
        place: None,
        entry: None,
    };
    Box::new((dead_letter::letter(record, refusal, now), outcomes))
}

/// The fate of a record that cannot be handled.
pub(crate) fn refused(
    record: &StoredRecord,
    decoded: &IngestRecord,
    Broken { reason, message, place }: Broken,
    now: Timestamp,
) -> Lost {
    let refusal = Refusal {
        project_id: Some(decoded.header.project_id),
        event_id: Some(decoded.header.event_id),
        reason: reason.to_owned(),
        message,
        place,
        entry: None,
    };
    Box::new((dead_letter::letter(record, refusal, now), decoded.units().became(Outcome::Invalid, reason)))
}
