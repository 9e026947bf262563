//! What a record of `ingest-occurrences` means: a producer's occurrence or status change
//! (`reference/issue-platform.md` §3–§6).

use std::collections::{HashMap, HashSet};

use md5::{Digest, Md5};
use nuthatch_issues::{DecodeError, Decoded, EmbeddedEvent, LookupOccurrence, Routed, decode, event_user as user};
use nuthatch_protocol::{
    DataCategory, Event, EventId, EventPath, EventRow, Message, Occurrence, Position, ProjectId, Timestamp, Topic,
    occurrence::EventFacts,
};
use nuthatch_store::{
    EventStore, Log, StoreError,
    events::StoredEvent,
    log::{ReadBatch, StoredRecord},
};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    compute,
    dead_letter::{self, Refusal},
    guard::guarded,
    items::Broken,
    ledger::Entry,
    prepare::{Batch, Dead, Item},
    retry,
    rules::{ProjectRules, Rules},
};

/// Where the events of occurrences are looked up that were sent before: stored, or accepted and not stored yet.
#[derive(Clone, Copy)]
pub struct EventLookup<'a> {
    /// What is stored.
    pub events: &'a dyn EventStore,
    /// What was accepted.
    pub log: &'a dyn Log,
    /// What projects do to their events.
    pub rules: &'a Rules,
}

impl EventLookup<'_> {
    /// An event that was accepted before the record at `before`: itself, or else as an occurrence shows it, for instance
    /// one in the same batch (`shown`).
    async fn find(
        &self,
        (project, id): (ProjectId, EventId),
        shown: Option<StoredEvent>,
        before: Position,
        now: Timestamp,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let is_itself = |event: &StoredEvent| event.summary.event_id == id;
        let is_of_project = |event: &StoredEvent| event.summary.project_id == project;
        let stored = self.events.get(project, id).await?.filter(is_itself);
        if stored.is_some() {
            return Ok(stored);
        }
        for lane in Topic::EVENTS {
            let accepted = self.accepted(lane, id, before, now).await?.filter(is_of_project);
            if accepted.is_some() {
                return Ok(accepted);
            }
        }
        // It may have gone from the log to the store in between, here and below.
        let stored = self.events.get(project, id).await?;
        if stored.as_ref().is_some_and(is_itself) {
            return Ok(stored);
        }
        if let Some(event) = shown.or(stored) {
            return Ok(Some(event));
        }
        let accepted = self.accepted(Topic::IngestOccurrences, id, before, now).await?.filter(is_of_project);
        if accepted.is_some() {
            return Ok(accepted);
        }
        self.events.get(project, id).await
    }

    /// The event in the last record about it that is not stored yet and lies in front of `before`, if that is in the
    /// same topic.
    async fn accepted(
        &self,
        topic: Topic,
        id: EventId,
        before: Position,
        now: Timestamp,
    ) -> Result<Option<StoredEvent>, StoreError> {
        for partition in 0..self.log.partitions(topic) {
            let from = self.events.position(Position { topic, partition, offset: 0 }).await?;
            let found = self.log.find(from, id.0).await?;
            let Some(record) = found.filter(|record| topic != before.topic || record.position < before) else {
                continue;
            };
            let event = match topic {
                Topic::IngestOccurrences => self.shown_event(&record, now).await?,
                _ => self.rules.stored_event(&record).await?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// The event in a message that is not applied yet.
    async fn shown_event(&self, record: &StoredRecord, now: Timestamp) -> Result<Option<StoredEvent>, StoreError> {
        let Ok(Decoded::Occurrence { mut occurrence, mut event }) = decoded(record, now) else { return Ok(None) };
        if occurrence.path != EventPath::Full {
            return Ok(None);
        }
        let rules = self.rules.of(occurrence.project_id).await?;
        // What panics becomes a dead letter when its turn comes.
        let row = guarded(|| {
            scrub(&rules, &mut occurrence, &mut event);
            row(&occurrence, event.body, now)
        });
        Ok(row.ok().map(StoredEvent::from))
    }
}

/// Computes a batch. Events are looked up one after the other: few producers leave them out. Each is looked up until the
/// stores answer, so that one fault does not undo the lookups before it. `None` when told to stop meanwhile.
pub async fn prepare_messages(
    read: ReadBatch,
    lookup: EventLookup<'_>,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<Option<Batch>, StoreError> {
    let ReadBatch { records, damaged, next } = read;
    let decoded: Vec<(StoredRecord, Result<Decoded, Broken>)> = compute(|| {
        records
            .into_par_iter()
            .map(|record| {
                let decoded = decoded(&record, now);
                (record, decoded)
            })
            .collect()
    });
    let projects = decoded.iter().filter_map(|(_, decoded)| match decoded {
        Ok(Decoded::Occurrence { occurrence, .. }) => Some(occurrence.project_id),
        _ => None,
    });
    let projects: HashSet<ProjectId> = projects.collect();
    let Some(rules) = retry(stop, || lookup.rules.of_all(projects.clone())).await? else { return Ok(None) };
    let mut batch = Batch::new(damaged, next, now);
    // Events that came earlier in the batch.
    let mut earlier: HashMap<(ProjectId, EventId), usize> = HashMap::new();
    for (record, decoded) in decoded {
        let item = match decoded {
            Ok(Decoded::Occurrence { mut occurrence, mut event }) => {
                let is_full = occurrence.path == EventPath::Full;
                let shown = (occurrence.project_id, occurrence.event_id);
                let item = guarded(|| {
                    if let Some(rules) = rules.get(&occurrence.project_id) {
                        scrub(rules, &mut occurrence, &mut event);
                    }
                    of_message(record.clone(), *occurrence, event, now)
                });
                if is_full && item.is_ok() {
                    earlier.insert(shown, batch.items.len());
                }
                item.map_err(Broken::from)
            }
            Ok(Decoded::Lookup(occurrence)) => {
                let earlier = earlier.get(&occurrence.event()).and_then(|number| batch.items[*number].row.as_ref());
                let shown = earlier.cloned().map(StoredEvent::from);
                let find = || lookup.find(occurrence.event(), shown.clone(), record.position, now);
                let Some(found) = retry(stop, find).await? else { return Ok(None) };
                guarded(|| found_or_missing(record.clone(), occurrence, found, now)).map_err(Broken::from)
            }
            Ok(Decoded::StatusChange(change)) => {
                Ok(Item::without_event(record.clone(), Message::StatusChange(change), now))
            }
            Ok(Decoded::Unknown(unknown)) => Ok(Item::without_event(record.clone(), Message::Unknown(unknown), now)),
            Err(broken) => Err(broken),
        };
        match item {
            Ok(item) => batch.items.push(item),
            Err(broken) => {
                let (refusal, entry) = refusal(&record, broken, now);
                batch.dead.push(Dead { letter: dead_letter::letter(&record, refusal, now), entry });
            }
        }
    }
    Ok(Some(batch))
}

/// What a record says.
fn decoded(record: &StoredRecord, now: Timestamp) -> Result<Decoded, Broken> {
    let decoded = guarded(|| decode(&record.value, now))?;
    decoded.map_err(|DecodeError { reason, path, message }| Broken {
        reason: reason.as_str(),
        message,
        place: Some(path),
    })
}

/// Why a message cannot be handled, with as much of its origin as can be read.
fn refusal(record: &StoredRecord, broken: Broken, now: Timestamp) -> (Refusal, Entry) {
    let value: Value = serde_json::from_slice(&record.value).unwrap_or_default();
    let project =
        value.get("project_id").and_then(Value::as_u64).filter(|id| i64::try_from(*id).is_ok_and(|id| id > 0));
    let is_status_change = value.get("payload_type").and_then(Value::as_str) == Some("status_change");
    let category = if is_status_change { DataCategory::StatusChange } else { DataCategory::Occurrence };
    let entry = Entry::nameless(category, project.map(ProjectId), now);
    let refusal = Refusal {
        project_id: project.map(ProjectId),
        event_id: value.get("event_id").and_then(Value::as_str).and_then(|id| id.parse().ok()),
        reason: broken.reason.to_owned(),
        message: broken.message,
        place: broken.place,
        entry: None,
    };
    (refusal, entry)
}

fn of_message(record: StoredRecord, occurrence: Occurrence, event: EmbeddedEvent, now: Timestamp) -> Item {
    let row = row(&occurrence, event.body, now);
    let message = Message::Occurrence(Box::new(occurrence));
    let entry = Entry::message(&message, now);
    Item {
        routed: Routed { message, position: Some(record.position) },
        row: Some(row),
        is_legacy: event.is_legacy,
        entry,
        record,
    }
}

fn found_or_missing(
    record: StoredRecord,
    occurrence: LookupOccurrence,
    found: Option<StoredEvent>,
    now: Timestamp,
) -> Item {
    let Some(found) = found else {
        return Item::without_event(record, Message::Occurrence(Box::new(occurrence.missing())), now);
    };
    let body: Map<String, Value> = serde_json::from_slice(&found.body).unwrap_or_default();
    let occurrence = occurrence.found(facts(&found, &body));
    of_message(record, occurrence, EmbeddedEvent { body, is_legacy: false }, now)
}

/// Takes out of the event of an occurrence what must not be stored, and out of what was read from it before.
fn scrub(rules: &ProjectRules, occurrence: &mut Occurrence, event: &mut EmbeddedEvent) {
    let mut scrubbed = Event(std::mem::take(&mut event.body));
    rules.scrub(&mut scrubbed);
    event.body = scrubbed.0;
    occurrence.event.user = user(&event.body);
}

/// What an issue takes over from an event that was stored before (§7.4).
fn facts(found: &StoredEvent, body: &Map<String, Value>) -> EventFacts {
    let summary = &found.summary;
    let tag = |name: &str| summary.tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    EventFacts {
        timestamp: summary.timestamp,
        event_type: summary.event_type.clone(),
        platform: summary.platform.clone(),
        logger: text("logger"),
        release: tag("release").or_else(|| text("release")),
        environment: tag("environment").or_else(|| text("environment")),
        user: summary.user.clone(),
        metadata: body.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default(),
        search_text: [&summary.message, &summary.culprit].map(String::as_str).join(" "),
        unhandled: false,
    }
}

/// Most tags of a producer that its row has. Events of SDKs have as many.
const TAGS_MAX: usize = 200;

/// The row of an occurrence. It is the occurrence's own, whatever the event it shows: an event may have several
/// occurrences, and a producer must not write over the events of others. So its id is made from the occurrence's.
fn row(occurrence: &Occurrence, body: Map<String, Value>, now: Timestamp) -> EventRow {
    let facts = &occurrence.event;
    let mut event = Event(body);
    event.0.insert("occurrence".to_owned(), evidence(occurrence));
    let text = |key: &str| event.text(&[key]).map(str::to_owned);
    let received = event.0.get("received").and_then(time).unwrap_or(now);
    let mut tags = vec![("level".to_owned(), occurrence.level.as_str().to_owned())];
    let own = [("release", &facts.release), ("environment", &facts.environment), ("user", &facts.user)];
    tags.extend(own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))));
    for (key, value) in sent_tags(event.0.get("tags")).into_iter().take(TAGS_MAX) {
        let key = key.strip_prefix("sentry:").unwrap_or(&key).to_owned();
        if tags.iter().all(|(taken, _)| *taken != key) {
            tags.push((key, value));
        }
    }
    EventRow {
        project_id: occurrence.project_id,
        event_id: row_id(occurrence.id),
        shows: Some(occurrence.event_id),
        timestamp: facts.timestamp,
        received,
        hashes: occurrence.hashes.clone(),
        event_type: facts.event_type.clone(),
        level: occurrence.level,
        platform: facts.platform.clone(),
        title: occurrence.title.clone(),
        culprit: occurrence.culprit.clone(),
        message: occurrence.subtitle.clone(),
        release: facts.release.clone(),
        environment: facts.environment.clone(),
        transaction: text("transaction"),
        trace: nuthatch_grouping::trace(&event),
        user: facts.user.clone(),
        tags,
        stack_text: String::new(),
        body: event.to_json().into(),
    }
}

/// The id of an occurrence's row.
pub fn row_id(occurrence: EventId) -> EventId {
    EventId(Md5::digest(format!("occurrence:{occurrence}")).into())
}

fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(seconds) => Timestamp::from_secs_f64(seconds.as_f64()?),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Tags as an object or as pairs; what is not text is written as JSON.
fn sent_tags(tags: Option<&Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let tag = |key: &str, value: &Value| (!value.is_null()).then(|| (key.to_owned(), text(value)));
    match tags {
        Some(Value::Object(tags)) => tags.iter().filter_map(|(key, value)| tag(key, value)).collect(),
        Some(Value::Array(pairs)) => {
            pairs.iter().filter_map(|pair| tag(pair.get(0)?.as_str()?, pair.get(1)?)).collect()
        }
        _ => Vec::new(),
    }
}

/// The record of the occurrence (§7.2), kept with its event.
fn evidence(occurrence: &Occurrence) -> Value {
    json!({
        "id": occurrence.id,
        "project_id": occurrence.project_id,
        "event_id": occurrence.event_id,
        "fingerprint": occurrence.hashes,
        "issue_title": occurrence.title,
        "subtitle": occurrence.subtitle,
        "resource_id": occurrence.resource_id,
        "evidence_data": occurrence.evidence_data,
        "evidence_display": occurrence.evidence_display,
        "type": occurrence.type_id,
        "detection_time": occurrence.detection_time.as_secs_f64(),
        "level": occurrence.level,
        "culprit": occurrence.culprit,
        "priority": occurrence.priority.map(nuthatch_protocol::Priority::number),
        "assignee": occurrence.assignee,
    })
}
