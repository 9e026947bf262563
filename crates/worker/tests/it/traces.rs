//! Transactions, spans, logs and metrics: rows of the trace store, and what became of each.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use nuthatch_protocol::{
    DataCategory, EventId, Outcome, Position, ProjectId, Timestamp, Topic, TraceId, TraceItem, TraceItemKind,
};
use nuthatch_query::FieldValue;
use nuthatch_store::{
    OutcomeStore, ReleaseStore as _, StoreError, TraceStore,
    memory::MemoryTraces,
    outcomes::{OutcomeGrouping, OutcomeQuery},
    traces::{Aggregate, Aggregation, AttributeKey, Groups, TracePage, TraceQuery, TraceStoreSize},
};
use serde_json::{Value, json};

use crate::{
    NOW, Stores,
    faults::{Fault, Faulty, away, dies_at},
};

/// A trace store whose operations fail with those of the other stores.
pub(crate) struct FaultyTraces {
    pub(crate) traces: Arc<MemoryTraces>,
    pub(crate) faulty: Arc<Faulty>,
}

#[async_trait]
impl TraceStore for FaultyTraces {
    async fn upsert(&self, items: Vec<TraceItem>, position: Position) -> Result<(), StoreError> {
        self.faulty.step(self.traces.upsert(items, position)).await
    }

    async fn commit(&self) -> Result<(), StoreError> {
        self.faulty.step(self.traces.commit()).await
    }

    async fn position(&self, start: Position) -> Result<Position, StoreError> {
        self.faulty.step(self.traces.position(start)).await
    }

    async fn get(&self, project: ProjectId, kind: TraceItemKind, id: EventId) -> Result<Option<TraceItem>, StoreError> {
        self.faulty.step(self.traces.get(project, kind, id)).await
    }

    async fn transaction(&self, project: ProjectId, event_id: EventId) -> Result<Option<TraceItem>, StoreError> {
        self.faulty.step(self.traces.transaction(project, event_id)).await
    }

    async fn trace(&self, projects: &[ProjectId], id: TraceId, limit: usize) -> Result<Vec<TraceItem>, StoreError> {
        self.faulty.step(self.traces.trace(projects, id, limit)).await
    }

    async fn search(&self, query: &TraceQuery, page: &TracePage) -> Result<Vec<TraceItem>, StoreError> {
        self.faulty.step(self.traces.search(query, page)).await
    }

    async fn aggregate(&self, query: &TraceQuery, aggregation: &Aggregation) -> Result<Groups, StoreError> {
        self.faulty.step(self.traces.aggregate(query, aggregation)).await
    }

    async fn histogram(
        &self,
        query: &TraceQuery,
        interval_secs: u32,
        aggregates: &[Aggregate],
    ) -> Result<Vec<(Timestamp, Vec<Option<f64>>)>, StoreError> {
        self.faulty.step(self.traces.histogram(query, interval_secs, aggregates)).await
    }

    async fn attribute_keys(&self, query: &TraceQuery) -> Result<Vec<AttributeKey>, StoreError> {
        self.faulty.step(self.traces.attribute_keys(query)).await
    }

    async fn attribute_values(
        &self,
        query: &TraceQuery,
        key: &str,
        limit: usize,
    ) -> Result<Vec<(FieldValue, u64)>, StoreError> {
        self.faulty.step(self.traces.attribute_values(query, key, limit)).await
    }

    async fn drop_before(&self, time: Timestamp) -> Result<(), StoreError> {
        self.faulty.step(self.traces.drop_before(time)).await
    }

    async fn size(&self) -> Result<TraceStoreSize, StoreError> {
        self.faulty.step(self.traces.size()).await
    }
}

const TRACE: TraceId = TraceId([0xaa; 16]);

fn seconds(ago: f64) -> f64 {
    NOW.as_secs_f64() - ago
}

/// A transaction with two spans; its name, and a number that makes the ids of its spans.
fn transaction(name: &str, number: u8) -> Value {
    let span = |id: u8, parent: u8, op: &str| {
        json!({"trace_id": TRACE, "span_id": format!("{number:08x}{id:08x}"), "parent_span_id": format!("{number:08x}{parent:08x}"),
            "op": op, "description": "SELECT 1", "start_timestamp": seconds(1.5), "timestamp": seconds(1.25),
            "data": {"password": "hunter2", "rows": 3}})
    };
    json!({
        "type": "transaction", "transaction": name, "transaction_info": {"source": "route"}, "release": "app@1",
        "start_timestamp": seconds(2.0), "timestamp": seconds(1.0), "user": {"id": 7}, "tags": {"shop": "berlin"},
        "contexts": {"trace": {"trace_id": TRACE, "span_id": format!("{number:08x}{:08x}", 1), "op": "http.server", "status": "ok"}},
        "measurements": {"lcp": {"value": 2500}},
        "spans": [span(2, 1, "db"), span(3, 2, "cache.get")],
    })
}

fn log_line(body: &str) -> Value {
    json!({"timestamp": seconds(1.0), "trace_id": TRACE, "level": "warn", "body": body,
        "attributes": {"sentry.release": {"value": "app@1", "type": "string"}, "secret": {"value": "x", "type": "string"}}})
}

/// Four transactions, one of them twice; one that is not wanted, one that is broken, one that is not JSON. Containers
/// with good and broken entries.
async fn history() -> Stores {
    let stores = Stores::new().await;
    for number in 1..=4 {
        let payload = transaction("GET /", number).to_string();
        stores.accept_item(Topic::IngestTransactions, "transaction", number, &payload).await;
        if number == 2 {
            // Another body with the same id: the first one stays.
            let payload = transaction("GET /again", 99).to_string();
            stores.accept_item(Topic::IngestTransactions, "transaction", number, &payload).await;
        }
    }
    let unwanted = transaction("GET /health", 5).to_string();
    stores.accept_item(Topic::IngestTransactions, "transaction", 5, &unwanted).await;
    let mut broken = transaction("GET /", 6);
    broken["spans"][1]["trace_id"] = Value::Null;
    stores.accept_item(Topic::IngestTransactions, "transaction", 6, &broken.to_string()).await;
    stores.accept_item(Topic::IngestTransactions, "transaction", 7, "not json").await;

    let span = |id: u8| {
        json!({"trace_id": TRACE, "span_id": format!("{:08x}{id:08x}", 50), "name": "work", "status": "ok",
            "start_timestamp": seconds(2.0), "end_timestamp": seconds(1.0)})
    };
    let spans = json!({"items": [span(1), {"trace_id": TRACE}, span(2)]}).to_string();
    stores.accept_item(Topic::TraceItems, "span", 11, &spans).await;
    // The same spans once more: the last ones win.
    stores.accept_item(Topic::TraceItems, "span", 12, &spans).await;
    let logs = json!({"items": [log_line("one"), log_line("two"), 7]}).to_string();
    stores.accept_item(Topic::TraceItems, "log", 13, &logs).await;
    stores.accept_item(Topic::TraceItems, "log", 14, "[]").await;
    let metric = json!({"timestamp": seconds(1.0), "trace_id": TRACE, "name": "orders", "type": "counter", "value": 2});
    let metrics = json!({"items": [metric]}).to_string();
    stores.accept_item(Topic::TraceItems, "trace_metric", 15, &metrics).await;
    stores
}

impl Stores {
    async fn rows(&self) -> Vec<TraceItem> {
        let mut rows = Vec::new();
        for shown in self.traces.trace(&[self.project], TRACE, 1000).await.unwrap() {
            rows.extend(self.traces.get(shown.project_id, shown.kind, shown.id).await.unwrap());
        }
        rows
    }

    /// What became of everything but the bytes of logs.
    async fn units(&self) -> BTreeMap<(DataCategory, Outcome, String), u64> {
        let query = OutcomeQuery {
            projects: vec![self.project],
            keys: Vec::new(),
            categories: Vec::new(),
            outcomes: Vec::new(),
            reasons: Vec::new(),
            from_minute: NOW.secs() / 60,
            until_minute: NOW.secs() / 60 + 1,
            interval_minutes: 1,
            by: OutcomeGrouping { category: true, outcome: true, reason: true, ..OutcomeGrouping::default() },
        };
        let sums = self.meta.outcome_sums(&query).await.unwrap().into_iter();
        let sums = sums.filter(|sum| sum.group.category != Some(DataCategory::LogByte));
        sums.map(|sum| {
            let group = sum.group;
            ((group.category.unwrap(), group.outcome.unwrap(), group.reason.unwrap()), sum.quantity)
        })
        .collect()
    }
}

async fn assert_exact(stores: &Stores, what: &str) {
    let rows = stores.rows().await;
    let count = |kind| rows.iter().filter(|row| row.kind == kind).count();
    assert_eq!(count(TraceItemKind::Span), 4 * 3 + 2, "{what}: spans");
    assert_eq!((count(TraceItemKind::Log), count(TraceItemKind::Metric)), (2, 1), "{what}: logs and metrics");
    assert!(rows.iter().all(|row| row.name != "GET /again"), "{what}: the first of an id stays");
    let units = [
        ((DataCategory::Transaction, Outcome::Accepted, ""), 4),
        ((DataCategory::Transaction, Outcome::Filtered, "filtered-transaction"), 1),
        ((DataCategory::Transaction, Outcome::Invalid, "duplicate"), 1),
        ((DataCategory::Transaction, Outcome::Invalid, "invalid_transaction"), 1),
        ((DataCategory::Transaction, Outcome::Invalid, "invalid_json"), 1),
        ((DataCategory::Span, Outcome::Accepted, ""), 4 * 2 + 2 * 2),
        ((DataCategory::Span, Outcome::Filtered, "filtered-transaction"), 2),
        ((DataCategory::Span, Outcome::Invalid, "duplicate"), 2),
        ((DataCategory::Span, Outcome::Invalid, "invalid_span"), 2),
        ((DataCategory::LogItem, Outcome::Accepted, ""), 2),
        // One entry of a container, and a container that is none.
        ((DataCategory::LogItem, Outcome::Invalid, "invalid_log"), 2),
        ((DataCategory::TraceMetric, Outcome::Accepted, ""), 1),
    ];
    let units = units.map(|((category, outcome, reason), count)| ((category, outcome, reason.to_owned()), count));
    assert_eq!(stores.units().await, BTreeMap::from(units), "{what}: what became of everything");
    let mut dead: Vec<String> = stores.dead().await.into_iter().map(|letter| letter.header.reason).collect();
    dead.sort();
    assert_eq!(dead, ["invalid_json", "invalid_log", "invalid_transaction"], "{what}: dead letters");
    assert_eq!(stores.meta.books().await.unwrap().imbalances(), [], "{what}: the books");
    let releases = stores.meta.releases(&[stores.project], None).await.unwrap();
    let versions: Vec<&str> = releases.iter().map(|release| release.version.as_str()).collect();
    assert_eq!(versions, ["app@1"], "{what}: what a transaction names is a release");
}

#[tokio::test]
async fn everything_sent_is_a_row_or_has_a_reason() {
    let stores = history().await;
    stores.drain(None).await.unwrap();
    assert_exact(&stores, "undisturbed").await;
}

#[tokio::test]
async fn rows_say_what_people_search_by_and_nothing_that_is_secret() {
    let stores = history().await;
    stores.drain(None).await.unwrap();
    let root = stores.traces.transaction(stores.project, EventId([1; 16])).await.unwrap().unwrap();
    assert!(root.is_segment);
    assert_eq!((root.name.as_str(), root.duration_us), ("GET /", Some(1_000_000)));
    let text = |row: &TraceItem, name: &str| {
        row.attributes.get(name).and_then(nuthatch_protocol::AttributeValue::as_text).map(str::to_owned)
    };
    for (name, value) in [
        ("transaction", "GET /"),
        ("span.op", "http.server"),
        ("span.status", "ok"),
        ("release", "app@1"),
        ("user", "id:7"),
        ("shop", "berlin"),
        ("platform", "other"),
    ] {
        assert_eq!(text(&root, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(root.attributes["measurements.lcp"], nuthatch_protocol::AttributeValue::Double(2500.0));
    let event: Value = serde_json::from_slice(&root.body).unwrap();
    assert_eq!(event["spans"].as_array().unwrap().len(), 2);

    let rows = stores.rows().await;
    let child = rows.iter().find(|row| row.parent_span_id == root.span_id).unwrap();
    assert_eq!((child.is_segment, child.event_id, child.name.as_str()), (false, None, "SELECT 1"));
    for (name, value) in [
        ("transaction", "GET /"),
        ("release", "app@1"),
        ("user", "id:7"),
        ("span.op", "db"),
        ("span.normalized_description", "SELECT %s"),
        ("transaction.event_id", &"01".repeat(16)),
        ("password", "[Filtered]"),
    ] {
        assert_eq!(text(child, name).as_deref(), Some(value), "{name}");
    }
    let log = rows.iter().find(|row| row.name == "one").unwrap();
    assert_eq!(text(log, "severity").as_deref(), Some("warn"));
    assert_eq!(text(log, "secret").as_deref(), Some("[Filtered]"));
    assert_eq!(text(log, "release").as_deref(), Some("app@1"));
    for row in rows {
        assert!(!String::from_utf8_lossy(&row.body).contains("hunter2"), "{row:?}");
    }
}

#[tokio::test]
async fn a_death_between_metadata_and_rows_leaves_everything_once() {
    let mut deaths = 0;
    for operation in 0.. {
        let stores = history().await;
        if stores.drain(Some(dies_at(operation))).await.is_ok() {
            break;
        }
        deaths += 1;
        stores.traces.crash();
        stores.drain(None).await.unwrap();
        assert_exact(&stores, &format!("died at operation {operation}")).await;
    }
    assert!(deaths > 20, "only {deaths} deaths were tried");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_or_a_store_that_is_away_counts_nothing_twice() {
    for operation in 0..60 {
        let stores = history().await;
        stores.drain(Some(away(operation, 3))).await.unwrap();
        assert_exact(&stores, &format!("away at operation {operation}")).await;
        let stores = history().await;
        let lost = move |at| if at == operation { Fault::AnswerLost } else { Fault::None };
        stores.drain(Some(Box::new(lost))).await.unwrap();
        assert_exact(&stores, &format!("answer of operation {operation} lost")).await;
    }
}
