//! The issue platform alone: batches of messages through `process_occurrence_batch` into the embedded store, each
//! committed with the consumer's position, beside what is left when nothing is read and decided, and beside the rate at
//! which the event store takes the rows of the same messages. No decoding.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use nuthatch_issues::{Changes, Options, Routed, Snapshot, needs, process_occurrence_batch};
use nuthatch_protocol::{
    EventId, EventPath, EventRow, Hash, Level, Message, Occurrence, OrganizationId, Position, ProjectId, StatusChange,
    Timestamp, Topic, TypeId, occurrence::EventFacts,
};
use nuthatch_store::{
    EventStore as _, IssueStore as _, Seed,
    issues::ConsumerPosition,
    projects::{Organization, Project},
};
use nuthatch_store_embedded::{
    events::{self, EmbeddedEvents},
    meta::{EmbeddedMeta, MetaOptions},
};
use serde_json::{Map, Value, json};

use crate::now;

/// Messages in a batch: what the worker reads at once under load.
const BATCH: usize = 1000;
const CONSUMER: &str = "bench";
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

/// Runs of each measurement; the figure is the one in the middle.
const RUNS: usize = 3;

/// Measures every load, each run on a database of its own.
pub(super) async fn measure(dir: &Path, messages: u64) -> anyhow::Result<Value> {
    let one_thread = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build()?);
    let mut figures = Map::new();
    for (load, name) in Load::ALL {
        let run = Run { dir, load, messages, at: now() };
        let (mut whole, mut rows_only) = (Vec::new(), Vec::new());
        let decided = run.decide().await?;
        // By turns, so that a disk that changes its mind changes both.
        for _ in 0..RUNS {
            whole.push(run.apply(None).await?);
            rows_only.push(run.write(&decided).await?);
        }
        drop(decided);
        let one_core = run.apply(Some(one_thread.clone())).await?;
        let (whole, rows_only) = (Rates::of(whole), Rates::of(rows_only));
        figures.insert(
            name.to_owned(),
            json!({
                "messages": messages, "per_second": whole.median, "slowest": whole.slowest, "fastest": whole.fastest,
                "per_second_one_core": one_core,
                "rows_only": {
                    "per_second": rows_only.median, "slowest": rows_only.slowest, "fastest": rows_only.fastest,
                    "ratio": whole.median / rows_only.median,
                },
                "search_rows_per_second": run.index().await?,
            }),
        );
    }
    Ok(Value::Object(figures))
}

/// Rates of some runs.
struct Rates {
    slowest: f64,
    median: f64,
    fastest: f64,
}

impl Rates {
    fn of(mut rates: Vec<f64>) -> Self {
        rates.sort_by(f64::total_cmp);
        let at = |index: usize| rates.get(index).copied().unwrap_or(f64::NAN);
        Self { slowest: at(0), median: at(rates.len() / 2), fastest: at(rates.len().saturating_sub(1)) }
    }
}

/// A load, and where to put it.
struct Run<'a> {
    dir: &'a Path,
    load: Load,
    messages: u64,
    at: Timestamp,
}

/// A batch as it was decided.
type Decided = (Arc<Snapshot>, Arc<Changes>, ConsumerPosition);

impl Run<'_> {
    /// An empty database with the issues that exist before.
    async fn store(&self) -> anyhow::Result<(tempfile::TempDir, EmbeddedMeta)> {
        let dir = tempfile::tempdir_in(self.dir)?;
        let store = EmbeddedMeta::open(&dir.path().join("meta.db"), MetaOptions::default())?;
        store.seed(seed()).await?;
        let message = |number| Message::Occurrence(Box::new(occurrence(u64::MAX - number, number, self.at)));
        for batch in batches((0..EXISTING).map(message), 0) {
            apply(&store, batch, None).await?;
        }
        Ok((dir, store))
    }

    fn batches(&self) -> Vec<Arc<[Routed]>> {
        batches((0..self.messages).map(|number| self.load.message(number, self.at)), EXISTING).collect()
    }

    /// Messages a second, decided and committed.
    async fn apply(&self, pool: Option<Arc<rayon::ThreadPool>>) -> anyhow::Result<f64> {
        let ((_dir, store), batches) = (self.store().await?, self.batches());
        let begun = Instant::now();
        for batch in batches {
            apply(&store, batch, pool.clone()).await?;
        }
        let secs = begun.elapsed().as_secs_f64();
        let start = Position { topic: Topic::IngestEvents, partition: 0, offset: 0 };
        let reached = store.position(CONSUMER, start).await?.offset;
        anyhow::ensure!(reached == EXISTING + self.messages, "messages were lost");
        Ok(self.messages as f64 / secs)
    }

    /// What is decided on each batch.
    async fn decide(&self) -> anyhow::Result<Vec<Decided>> {
        let (_dir, store) = self.store().await?;
        let mut decided = Vec::new();
        for batch in self.batches() {
            let (sender, receiver) = std::sync::mpsc::sync_channel(1);
            let (needs, position, at) = (needs(&batch, now()), behind(&batch)?, now());
            let decide = move |snapshot: &Snapshot| {
                let changes = process_occurrence_batch(&batch, snapshot, &Options::default(), at).changes;
                // The receiver waits below.
                let _ = sender.send((snapshot.clone(), changes.clone()));
                changes
            };
            store.transact(needs, Some(position.clone()), Box::new(decide)).await.context("a batch was not applied")?;
            let (snapshot, changes) = receiver.recv()?;
            decided.push((Arc::new(snapshot), Arc::new(changes), position));
        }
        Ok(decided)
    }

    /// Messages a second when nothing is read and decided: the same rows, written in the same transactions.
    async fn write(&self, decided: &[Decided]) -> anyhow::Result<f64> {
        let (_dir, store) = self.store().await?;
        let begun = Instant::now();
        for (snapshot, changes, position) in decided {
            store.write_decided(snapshot.clone(), changes.clone(), position.clone()).await?;
        }
        Ok(self.messages as f64 / begun.elapsed().as_secs_f64())
    }

    /// Rows of these messages' events a second that the event store takes, searchable and committed.
    async fn index(&self) -> anyhow::Result<f64> {
        let dir = tempfile::tempdir_in(self.dir)?;
        let store = EmbeddedEvents::open(dir.path(), events::Options::default())?;
        let batches: Vec<(Vec<EventRow>, Position)> = self
            .batches()
            .iter()
            .map(|batch| {
                Ok((batch.iter().filter_map(|routed| row(&routed.message)).collect(), behind(batch)?.position))
            })
            .collect::<anyhow::Result<_>>()?;
        let rows: usize = batches.iter().map(|(rows, _)| rows.len()).sum();
        let begun = Instant::now();
        let mut committed = Instant::now();
        for (rows, position) in batches {
            store.upsert(rows, position).await?;
            if committed.elapsed() >= COMMIT_INTERVAL {
                store.commit().await?;
                committed = Instant::now();
            }
        }
        store.commit().await?;
        let secs = begun.elapsed().as_secs_f64();
        Ok(rows as f64 / secs)
    }
}

/// Time between two commits of the event store, as the worker has it.
const COMMIT_INTERVAL: Duration = Duration::from_millis(500);

/// The row of an occurrence's event, with a body of about a kilobyte.
fn row(message: &Message) -> Option<EventRow> {
    let Message::Occurrence(occurrence) = message else { return None };
    let event = &occurrence.event;
    let tag = |key: &str, value: &Option<String>| Some((key.to_owned(), value.clone()?));
    let tags = [tag("release", &event.release), tag("environment", &event.environment), tag("user", &event.user)];
    Some(EventRow {
        project_id: occurrence.project_id,
        event_id: occurrence.event_id,
        shows: None,
        timestamp: event.timestamp,
        received: event.timestamp,
        hashes: occurrence.hashes.clone(),
        event_type: event.event_type.clone(),
        level: occurrence.level,
        platform: event.platform.clone(),
        title: occurrence.title.clone(),
        culprit: occurrence.culprit.clone(),
        message: occurrence.subtitle.clone(),
        release: event.release.clone(),
        environment: event.environment.clone(),
        transaction: None,
        trace: None,
        user: event.user.clone(),
        tags: tags.into_iter().flatten().collect(),
        stack_text: "load shop.orders get_order shop.db execute sqlalchemy.engine".to_owned(),
        body: json!({ "title": occurrence.title, "extra": { "order": "0123456789".repeat(90) } }).to_string().into(),
    })
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
    let organization = Organization {
        id: ORGANIZATION,
        slug,
        name,
        created,
        features: std::collections::BTreeSet::new(),
        options: nuthatch_store::projects::OrganizationOptions::default(),
    };
    Seed { organizations: vec![organization], projects: vec![project], ..Seed::default() }
}

/// Messages in batches, at the positions from `first` on.
fn batches(messages: impl Iterator<Item = Message>, first: u64) -> impl Iterator<Item = Arc<[Routed]>> {
    let position = |offset| Position { topic: Topic::IngestEvents, partition: 0, offset };
    let mut routed =
        messages.zip(first..).map(move |(message, offset)| Routed { message, position: Some(position(offset)) });
    std::iter::from_fn(move || {
        let batch: Arc<[Routed]> = routed.by_ref().take(BATCH).collect();
        (!batch.is_empty()).then_some(batch)
    })
}

/// The position behind a batch.
fn behind(batch: &[Routed]) -> anyhow::Result<ConsumerPosition> {
    let last = batch.last().and_then(|routed| routed.position).context("a batch is empty")?;
    Ok(ConsumerPosition { consumer: CONSUMER.to_owned(), position: Position { offset: last.offset + 1, ..last } })
}

/// Applies a batch in one transaction with the position. The engine runs on `pool`, or else on all cores.
async fn apply(store: &EmbeddedMeta, batch: Arc<[Routed]>, pool: Option<Arc<rayon::ThreadPool>>) -> anyhow::Result<()> {
    let (needs, position, at) = (needs(&batch, now()), behind(&batch)?, now());
    let decide = move |snapshot: &Snapshot| {
        let decide = || process_occurrence_batch(&batch, snapshot, &Options::default(), at).changes;
        pool.as_ref().map_or_else(decide, |pool| pool.install(decide))
    };
    store.transact(needs, Some(position), Box::new(decide)).await.context("a batch was not applied")?;
    Ok(())
}
