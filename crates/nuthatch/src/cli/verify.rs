//! `nuthatch verify`
//!
//! Recomputes the books from what is stored. The metadata is read as it was at one moment, also while a server runs;
//! stored events and files are compared with it only while none does, because a running one is always a little ahead.

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use nuthatch_protocol::{Position, ProjectId, Timestamp, Topic};
use nuthatch_store::{
    BlobStore as _, EventStore as _, FileStore as _, IssueStore as _, Log as _, OutcomeStore as _, ProjectStore as _,
    StoreError, TraceStore as _,
    files::{FILE_PAGE_MAX, File, FileKind, FileQuery, FileScope, ListCursor},
    outcomes::{Books, Imbalance},
};
use nuthatch_store_embedded::{
    blobs::EmbeddedBlobs,
    events::{EmbeddedEvents, Options},
    log::EmbeddedLog,
    meta::EmbeddedMeta,
    traces::EmbeddedTraces,
};
use serde_json::{Value, json};

use super::{Context, output::table};
use crate::server::{log_options, open_meta};

/// What the command exits with when the books do not balance.
const UNBALANCED: u8 = 3;

/// Messages that are looked up together.
const CHUNK: usize = 1000;

/// Events are stored by their own time, which may be so much older than their arrival; retention goes by it.
const EVENT_AGE_MAX: Duration = Duration::from_hours(31 * 24);

/// Most missing events that are named.
const NAMED_MAX: usize = 20;

/// What became of looking for events.
enum Events {
    /// So many were looked up.
    Checked(u64),
    /// A server has the directory open.
    InUse,
}

pub(crate) async fn run(context: &Context) -> anyhow::Result<ExitCode> {
    let meta = open_meta(&context.config.data.dir)?;
    let books = meta.books().await?;
    let mut imbalances = books.imbalances();
    let events = check_events(context, &meta, &mut imbalances).await?;
    let is_balanced = imbalances.is_empty();
    context.output.result(&shown(&books, &imbalances, &events), || lines(&books, &imbalances, &events));
    Ok(if is_balanced { ExitCode::SUCCESS } else { ExitCode::from(UNBALANCED) })
}

/// Every event that the metadata counted is in the event store, as far as both had come and retention lets them.
async fn check_events(
    context: &Context,
    meta: &EmbeddedMeta,
    imbalances: &mut Vec<Imbalance>,
) -> anyhow::Result<Events> {
    let dir = &context.config.data.dir;
    let log = match EmbeddedLog::open(dir, log_options(&context.config)) {
        Ok(log) => log,
        Err(StoreError::Unavailable { .. }) => return Ok(Events::InUse),
        Err(error) => return Err(error).context("cannot open the log"),
    };
    let events = EmbeddedEvents::open(&dir.join("events"), Options::default()).context("cannot open the events")?;
    let kept = Duration::from_secs(u64::from(context.config.retention.events_days) * 86_400);
    let since = crate::now().minus(kept.saturating_sub(EVENT_AGE_MAX));
    let traces = EmbeddedTraces::open(&dir.join("traces"), Options::default()).context("cannot open the traces")?;
    check_positions(&log, &events, &traces, imbalances).await?;
    let checked = look_up(meta, &events, since, imbalances).await?;
    check_files(meta, &EmbeddedBlobs::open(&dir.join("blobs"))?, imbalances).await?;
    log.shutdown().await;
    Ok(Events::Checked(checked))
}

/// The stores of events and traces go on from where the log still has records.
async fn check_positions(
    log: &EmbeddedLog,
    events: &EmbeddedEvents,
    traces: &EmbeddedTraces,
    imbalances: &mut Vec<Imbalance>,
) -> anyhow::Result<()> {
    for topic in Topic::ALL {
        for partition in 0..log.partitions(topic) {
            let start = Position { topic, partition, offset: 0 };
            let (check, at) = match topic {
                Topic::IngestEvents | Topic::IngestEventsBacklog | Topic::IngestOccurrences => {
                    ("event-position", events.position(start).await?)
                }
                Topic::IngestTransactions | Topic::TraceItems => ("trace-position", traces.position(start).await?),
                _ => continue,
            };
            let first = log.bounds(topic, partition).await?.first;
            if at.offset < first {
                let (expected, found) = (first as i64, at.offset as i64);
                imbalances.push(Imbalance { check, place: format!("{topic}/{partition}"), expected, found });
            }
        }
    }
    Ok(())
}

async fn look_up(
    meta: &EmbeddedMeta,
    events: &EmbeddedEvents,
    since: Timestamp,
    imbalances: &mut Vec<Imbalance>,
) -> anyhow::Result<u64> {
    let (mut after, mut checked, mut missing) = (None, 0, 0);
    loop {
        let kept = meta.kept_events(after, since, CHUNK).await?;
        let Some(last) = kept.last() else { break };
        after = Some((last.key.project_id, last.key.id));
        for handled in kept {
            let Some(at) = handled.position else { continue };
            // What the event store has not come to yet it will read from the log.
            if events.position(Position { offset: 0, ..at }).await? <= at {
                continue;
            }
            checked += 1;
            if events.get(handled.key.project_id, handled.key.id).await?.is_none() {
                missing += 1;
                if missing <= NAMED_MAX {
                    let place = format!("project {}, event {}", handled.key.project_id, handled.key.id);
                    imbalances.push(Imbalance { check: "stored-events", place, expected: 1, found: 0 });
                }
            }
        }
    }
    if missing > NAMED_MAX {
        let place = "all missing events".to_owned();
        imbalances.push(Imbalance {
            check: "stored-events",
            place,
            expected: checked,
            found: checked - missing as i64,
        });
    }
    Ok(checked as u64)
}

/// The bytes of every file that the metadata knows are there, as many as it says.
async fn check_files(
    meta: &EmbeddedMeta,
    blobs: &EmbeddedBlobs,
    imbalances: &mut Vec<Imbalance>,
) -> anyhow::Result<()> {
    for organization in meta.organizations().await? {
        for project in meta.projects(organization.id).await? {
            for kind in FileKind::ALL {
                check_files_of(meta, blobs, project.id, *kind, imbalances).await?;
            }
        }
    }
    Ok(())
}

async fn check_files_of(
    meta: &EmbeddedMeta,
    blobs: &EmbeddedBlobs,
    project_id: ProjectId,
    kind: FileKind,
    imbalances: &mut Vec<Imbalance>,
) -> anyhow::Result<()> {
    let mut cursor = None;
    loop {
        let query = FileQuery { project_id, scope: FileScope::Kind(kind), cursor, limit: FILE_PAGE_MAX };
        let page = meta.files(&query).await?;
        for File { id, head } in &page.rows {
            let Some(key) = head.blob_key() else { continue };
            let found = blobs.size(key).await?.unwrap_or_default();
            if found != head.bytes {
                let place = format!("project {project_id}, file {id}");
                let (expected, found) = (head.bytes as i64, found as i64);
                imbalances.push(Imbalance { check: "stored-files", place, expected, found });
            }
        }
        let last = page.rows.last().filter(|_| page.has_next);
        let Some(last) = last else { return Ok(()) };
        cursor = Some(ListCursor { number: last.id.0, backwards: false });
    }
}

fn shown(books: &Books, imbalances: &[Imbalance], events: &Events) -> Value {
    let accounts = books.accounts.iter().map(|account| {
        json!({
            "consumer": account.consumer, "topic": account.topic, "partition": account.partition,
            "opening": account.opening, "records": account.records, "quantity": account.quantity,
            "applied": account.applied,
        })
    });
    let totals = books.totals.iter().map(|total| {
        json!({
            "project": total.project.to_string(), "category": total.category, "outcome": total.outcome,
            "opening": total.opening, "quantity": total.quantity, "expired": total.expired,
        })
    });
    let imbalances = imbalances.iter().map(
        |found| json!({"check": found.check, "place": found.place, "expected": found.expected, "found": found.found}),
    );
    let checked = match events {
        Events::Checked(count) => json!(count),
        Events::InUse => Value::Null,
    };
    json!({
        "balanced": imbalances.len() == 0, "imbalances": imbalances.collect::<Vec<_>>(), "events_checked": checked,
        "accounts": accounts.collect::<Vec<_>>(), "totals": totals.collect::<Vec<_>>(),
    })
}

fn lines(books: &Books, imbalances: &[Imbalance], events: &Events) -> String {
    let totals: Vec<Vec<String>> = books
        .totals
        .iter()
        .map(|total| {
            let project = if total.project.0 == 0 { "none".to_owned() } else { total.project.to_string() };
            let all = total.opening + total.quantity;
            vec![project, total.category.to_string(), total.outcome.to_string(), all.to_string()]
        })
        .collect();
    let mut text = table(&["project", "category", "outcome", "units"], &totals);
    text += "\n";
    text += &match events {
        Events::Checked(count) => format!("stored events: {count} looked up\n"),
        Events::InUse => "stored events: not looked up, because a server runs on this data directory\n".to_owned(),
    };
    if imbalances.is_empty() {
        return text + "The books balance.\n";
    }
    let rows: Vec<Vec<String>> = imbalances
        .iter()
        .map(|found| {
            vec![found.check.to_owned(), found.place.clone(), found.expected.to_string(), found.found.to_string()]
        })
        .collect();
    text += &format!("The books do not balance: {} differences.\n\n", imbalances.len());
    text + &table(&["check", "where", "expected", "found"], &rows)
}
