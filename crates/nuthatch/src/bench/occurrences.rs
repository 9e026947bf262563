//! The issue platform alone: batches of messages through `process_occurrence_batch` into the embedded store, each
//! committed with the consumer's position. No decoding, no rows for the event store.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::Context as _;
use nuthatch_issues::{Options, Routed, Snapshot, needs, process_occurrence_batch};
use nuthatch_protocol::{
    EventId, EventPath, Hash, Level, Message, Occurrence, OrganizationId, Position, ProjectId, StatusChange, Timestamp,
    Topic, TypeId, occurrence::EventFacts,
};
use nuthatch_store::{
    IssueStore as _, Seed,
    issues::ConsumerPosition,
    projects::{Organization, Project},
};
use nuthatch_store_embedded::meta::{EmbeddedMeta, MetaOptions};
use serde_json::{Map, Value, json};

use crate::now;

/// Messages in a batch: what the worker reads at once under load.
const BATCH: usize = 1000;
const PROJECT: ProjectId = ProjectId(1);
const ORGANIZATION: OrganizationId = OrganizationId(1);
/// Issues that exist in the first load and in the last one.
const EXISTING: u64 = 10_000;

/// What a load consists of.
#[derive(Clone, Copy)]
enum Load {
    /// Occurrences of [`EXISTING`] issues.
    Existing,
    /// Every occurrence makes an issue.
    New,
    /// All occurrences of one issue.
    Hot,
    /// Every other message resolves an issue or brings it back.
    HalfStatusChanges,
}

impl Load {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Existing, "existing_issues"),
        (Self::New, "new_issues"),
        (Self::Hot, "one_hot_issue"),
        (Self::HalfStatusChanges, "half_status_changes"),
    ];

    /// The fingerprint of a message.
    fn fingerprint(self, number: u64) -> u64 {
        match self {
            Self::Existing => number % EXISTING,
            Self::HalfStatusChanges => number / 2 % EXISTING,
            Self::New => EXISTING + number,
            Self::Hot => 0,
        }
    }

    fn message(self, number: u64, at: Timestamp) -> Message {
        let fingerprint = self.fingerprint(number);
        if matches!(self, Self::HalfStatusChanges) && number % 2 == 1 {
            // Every second one of the same issue brings it back.
            let resolves = (number / 2 / EXISTING).is_multiple_of(2);
            let (new_status, new_substatus) = if resolves { (1, None) } else { (0, Some(3)) };
            return Message::StatusChange(StatusChange {
                id: format!("change-{number}"),
                project_id: PROJECT,
                hashes: vec![hash(fingerprint)],
                new_status,
                new_substatus,
                detector_id: None,
                activity_data: None,
            });
        }
        Message::Occurrence(Box::new(occurrence(number, fingerprint, at)))
    }
}

fn hash(fingerprint: u64) -> Hash {
    Hash((u128::from(fingerprint).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_be_bytes())
}

/// An error: errors have no creation quota, so all of them may be new.
fn occurrence(number: u64, fingerprint: u64, at: Timestamp) -> Occurrence {
    let id = EventId((u128::from(number) + 1).wrapping_mul(0xd134_2543_de82_ef95_2545_f491_4f6c_dd1d).to_be_bytes());
    let text = |key: &str, value: String| (key.to_owned(), Value::from(value));
    Occurrence {
        id,
        project_id: PROJECT,
        event_id: id,
        hashes: vec![hash(fingerprint)],
        type_id: TypeId::ERROR,
        title: format!("ValueError: order {fingerprint} not found"),
        subtitle: format!("order {fingerprint} not found"),
        culprit: "shop.orders in load".to_owned(),
        level: Level::Error,
        detection_time: at,
        resource_id: None,
        evidence_data: None,
        evidence_display: Vec::new(),
        priority: None,
        assignee: None,
        path: EventPath::Error,
        event: EventFacts {
            timestamp: at,
            event_type: "error".to_owned(),
            platform: "python".to_owned(),
            logger: None,
            release: Some("shop@4.12.0".to_owned()),
            environment: Some("production".to_owned()),
            user: Some(format!("id:{}", number % 100_000)),
            metadata: Map::from_iter([
                text("type", "ValueError".to_owned()),
                text("value", format!("order {fingerprint} not found")),
            ]),
            search_text: format!("order {fingerprint} not found ValueError shop.orders in load"),
            unhandled: true,
        },
    }
}

/// Measures every load on a database of its own.
pub(super) async fn measure(dir: &Path, messages: u64) -> anyhow::Result<Value> {
    let mut figures = Map::new();
    for (load, name) in Load::ALL {
        let path = dir.join(format!("{name}.db"));
        let store = EmbeddedMeta::open(&path, MetaOptions::default())?;
        store.seed(seed()).await?;
        let at = now();
        let existing =
            (0..EXISTING).map(|number| Message::Occurrence(Box::new(occurrence(u64::MAX - number, number, at))));
        let mut offset = apply(&store, existing.collect(), 0).await?;
        let load: Vec<Message> = (0..messages).map(|number| load.message(number, at)).collect();
        let begun = Instant::now();
        offset = apply(&store, load, offset).await?;
        let secs = begun.elapsed().as_secs_f64();
        anyhow::ensure!(offset == EXISTING + messages, "messages were lost");
        figures.insert(name.to_owned(), json!({"messages": messages, "per_second": messages as f64 / secs}));
    }
    Ok(Value::Object(figures))
}

fn seed() -> Seed {
    let (slug, name, created) = ("bench".to_owned(), "Bench".to_owned(), now());
    let project = Project {
        id: PROJECT,
        organization_id: ORGANIZATION,
        slug: slug.clone(),
        name: name.clone(),
        platform: None,
        created,
        resolve_age_hours: None,
        options: nuthatch_store::projects::ProjectOptions::default(),
    };
    let features = std::collections::BTreeSet::new();
    Seed {
        organizations: vec![Organization { id: ORGANIZATION, slug, name, created, features }],
        projects: vec![project],
        ..Seed::default()
    }
}

/// Applies messages batch after batch, each in one transaction with the position. The position behind them.
async fn apply(store: &EmbeddedMeta, messages: Vec<Message>, mut offset: u64) -> anyhow::Result<u64> {
    let mut messages = messages.into_iter();
    loop {
        let first = offset;
        let position = |offset| Position { topic: Topic::IngestEvents, partition: 0, offset };
        let batch: Arc<[Routed]> = messages
            .by_ref()
            .take(BATCH)
            .zip(first..)
            .map(|(message, offset)| Routed { message, position: Some(position(offset)) })
            .collect();
        if batch.is_empty() {
            return Ok(offset);
        }
        offset += batch.len() as u64;
        let at = now();
        let needs = needs(&batch, at);
        let to = ConsumerPosition { consumer: "bench".to_owned(), position: position(offset) };
        let decide = Box::new(move |snapshot: &Snapshot| {
            process_occurrence_batch(&batch, snapshot, &Options::default(), at).changes
        });
        store.transact(needs, Some(to), decide).await.context("a batch was not applied")?;
    }
}
