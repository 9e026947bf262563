use std::path::Path;

use nuthatch_protocol::{
    AttributeValue, EventId, Position, ProjectId, SpanId, Timestamp, Topic, TraceId, TraceItem, TraceItemKind,
};
use nuthatch_query::{Expr, Op, Term, Value};
use nuthatch_store::{
    StoreError, TraceStore,
    conformance::traces::{BASE, run, span},
    memory::MemoryTraces,
    traces::{Aggregate, Aggregation, GROUPS_MAX, Group, GroupColumn, GroupOrder, PAGE_MAX, TracePage, TraceQuery},
};
use nuthatch_store_embedded::traces::{EmbeddedTraces, Options};
use proptest::prelude::*;

const WEEK: i64 = 7 * 86_400;

fn open(dir: &Path) -> EmbeddedTraces {
    EmbeddedTraces::open(dir, Options { writer_bytes: 15_000_000, writers_max: 2 }).unwrap()
}

fn at(offset: u64) -> Position {
    Position { topic: Topic::TraceItems, partition: 0, offset }
}

#[tokio::test]
async fn conforms() {
    let dirs = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    run(async || {
        count.set(count.get() + 1);
        open(&dirs.path().join(count.get().to_string()))
    })
    .await;
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert((0..4).map(|n| span(n, i64::from(n) * WEEK)).collect(), at(4)).await.unwrap();
    store.commit().await.unwrap();
    store.upsert(vec![span(4, 0), TraceItem { name: "replaced".to_owned(), ..span(0, 0) }], at(6)).await.unwrap();
    drop(store);

    let store = open(dir.path());
    assert_eq!(store.damages(), []);
    assert_eq!(store.position(at(0)).await.unwrap(), at(4));
    let query = everything();
    let page = TracePage { by: None, ascending: true, after: None, limit: PAGE_MAX };
    let expected: Vec<_> = (0..4).map(|n| span(n, i64::from(n) * WEEK)).collect();
    assert_eq!(store.search(&query, &page).await.unwrap(), expected);
}

#[tokio::test]
async fn another_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("state.json"), r#"{"version":2,"positions":[]}"#).unwrap();
    let error = EmbeddedTraces::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(&error, StoreError::Invalid(message) if message.contains("trace store")), "{error}");
}

fn everything() -> TraceQuery {
    let kind = TraceItemKind::Span;
    TraceQuery { projects: vec![ProjectId(1)], kind, from: None, until: None, filter: Expr::all() }
}

const WORDS: [&str; 8] = ["select", "SELECT from", "re-order", "2026-01-31T12:00:00Z", "x_y", "", "12", "true"];
const KEYS: [&str; 7] = ["a", "a.b", "span.status", "message", "back\\slash", "span.duration", "\u{e9}\u{1}"];
const FIELDS: [&str; 20] = [
    "",
    "message",
    "timestamp",
    "id",
    "trace",
    "span_id",
    "parent_span",
    "span.duration",
    "is_transaction",
    "project.id",
    "a",
    "a.b",
    "span.status",
    "back\\slash",
    "none",
    "tags[a]",
    "tags[a,number]",
    "tags[a,string]",
    "tags[span.duration]",
    "tags[a.b,boolean]",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(&WORDS[..]).prop_map(str::to_owned), "[a-cA-C1-3 .]{0,6}"]
}

fn attribute() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        word().prop_map(AttributeValue::Text),
        (-3..4_i64).prop_map(AttributeValue::Integer),
        Just(AttributeValue::Integer(i64::MAX)),
        (-8..8_i32).prop_map(|n| AttributeValue::Double(f64::from(n) / 2.0)),
        any::<bool>().prop_map(AttributeValue::Boolean),
    ]
}

/// The order of pages tells projects apart only by the ids of their items.
fn item_id(n: u8, project: u8) -> EventId {
    let mut id = [n; 16];
    id[15] = project;
    EventId(id)
}

fn kinds() -> impl Strategy<Value = TraceItemKind> {
    prop_oneof![3 => Just(TraceItemKind::Span), 1 => Just(TraceItemKind::Log)]
}

fn items() -> impl Strategy<Value = Vec<TraceItem>> {
    let fields = (0..12_u8, -3..3_i64, word(), 1..3_u64, kinds(), prop::option::of(0..6_u64), any::<bool>());
    let attributes =
        prop::collection::btree_map(prop::sample::select(&KEYS[..]).prop_map(str::to_owned), attribute(), 0..5);
    let one = (fields, attributes).prop_map(|((n, weeks, name, project, kind, duration, is_segment), attributes)| {
        TraceItem {
            project_id: ProjectId(project),
            kind,
            id: item_id(n, project as u8),
            trace_id: TraceId([n % 3 + 1; 16]),
            span_id: (n % 4 > 0).then_some(SpanId([n; 8])),
            parent_span_id: (n % 5 == 0).then_some(SpanId([7; 8])),
            is_segment,
            duration_us: duration.map(|duration| duration * 500),
            name,
            attributes,
            ..span(n, weeks * WEEK / 2)
        }
    });
    prop::collection::vec(one, 0..30)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-3..3_i64).prop_map(|weeks| Timestamp(BASE.0 + weeks * WEEK / 2 * 1_000_000))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => word().prop_map(Value::Text),
        3 => (-4..5_i32).prop_map(|n| Value::Number(f64::from(n) / 2.0)),
        1 => time().prop_map(Value::Time),
        1 => (0..12_u8).prop_map(|n| Value::Text(SpanId([n; 8]).to_string())),
        1 => (0..12_u8).prop_map(|n| Value::Text(EventId([n; 16]).to_string())),
        1 => (0..12_u8).prop_map(|n| Value::Text(item_id(n, 1).to_string())),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    let op = prop_oneof![
        prop::collection::vec(value(), 0..3).prop_map(Op::In),
        word().prop_map(Op::Contains),
        (word(), word()).prop_map(|(a, b)| Op::Like(format!("{a}*{b}"))),
        value().prop_map(Op::Lt),
        value().prop_map(Op::Le),
        value().prop_map(Op::Gt),
        value().prop_map(Op::Ge),
        Just(Op::Exists),
    ];
    let term =
        (prop::sample::select(&FIELDS[..]), op).prop_map(|(key, op)| Expr::Term(Term { key: key.to_owned(), op }));
    term.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::Or),
            inner.prop_map(|expr| Expr::Not(Box::new(expr))),
        ]
    })
}

fn query() -> impl Strategy<Value = TraceQuery> {
    let projects = prop::sample::subsequence(vec![ProjectId(1), ProjectId(2)], 1..=2);
    (projects, kinds(), prop::option::of(time()), prop::option::of(time()), expr())
        .prop_map(|(projects, kind, from, until, filter)| TraceQuery { projects, kind, from, until, filter })
}

fn aggregation() -> impl Strategy<Value = Aggregation> {
    let field =
        || prop::sample::select(&FIELDS[..]).prop_filter("not grouped", |key| *key != "id").prop_map(str::to_owned);
    let aggregate = prop_oneof![
        Just(Aggregate::Count),
        Just(Aggregate::FailureRate),
        Just(Aggregate::FailureCount),
        Just(Aggregate::LastSeen),
        field().prop_map(Aggregate::CountUnique),
        field().prop_map(Aggregate::Sum),
        field().prop_map(Aggregate::Average),
        field().prop_map(Aggregate::Min),
        field().prop_map(Aggregate::Max),
        (field(), 0.0..=1.0).prop_map(|(field, part)| Aggregate::Percentile(field, part)),
    ];
    let order = prop::option::of((any::<bool>(), any::<bool>()).prop_map(|(is_field, descending)| GroupOrder {
        by: if is_field { GroupColumn::Field(0) } else { GroupColumn::Aggregate(0) },
        descending,
    }));
    let limit = prop_oneof![Just(GROUPS_MAX), 0..4_usize];
    (prop::collection::vec(field(), 0..3), prop::collection::vec(aggregate, 0..4), order, limit)
        .prop_map(|(group_by, aggregates, order, limit)| Aggregation { group_by, aggregates, order, limit })
}

/// Sums of the same numbers in another order differ in their last digits.
fn assert_close(found: &[Group], expected: &[Group], context: &str) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.values, expected.values, "{context}");
        for pair in found.measured.iter().zip(&expected.measured) {
            let is_close = match pair {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
                (a, b) => a == b,
            };
            assert!(is_close, "{pair:?} {context}");
        }
    }
}

/// Whatever was put in, in however many commits, every question has the same answer as from the reference.
async fn same_answers(batches: &[Vec<TraceItem>], queries: &[(TraceQuery, Aggregation)]) {
    let dir = tempfile::tempdir().unwrap();
    let (store, oracle) = (open(dir.path()), MemoryTraces::new());
    for (n, batch) in batches.iter().enumerate() {
        for adapter in [&store as &dyn TraceStore, &oracle] {
            adapter.upsert(batch.clone(), at(n as u64 + 1)).await.unwrap();
            // What came last is still waiting.
            if n + 1 < batches.len() {
                adapter.commit().await.unwrap();
            }
        }
    }
    let projects = [ProjectId(1), ProjectId(2)];
    for n in 1..4 {
        let trace = TraceId([n; 16]);
        let found = store.trace(&projects, trace, 5).await.unwrap();
        assert_eq!(found, oracle.trace(&projects, trace, 5).await.unwrap());
    }
    for (query, aggregation) in queries {
        for (by, ascending) in [(None, true), (None, false), (Some("a"), true), (Some("span.duration"), false)] {
            let mut page = TracePage { by: by.map(str::to_owned), ascending, after: None, limit: 7 };
            for _ in 0..3 {
                let found = store.search(query, &page).await.unwrap();
                assert_eq!(found, oracle.search(query, &page).await.unwrap(), "{query:?} {page:?}");
                page.after = found.last().map(|item| page.place(item));
            }
        }
        let context = format!("{query:?} {aggregation:?}");
        let found = store.aggregate(query, aggregation).await.unwrap();
        let expected = oracle.aggregate(query, aggregation).await.unwrap();
        assert_close(&found.rows, &expected.rows, &context);
        let aggregates = [Aggregate::Count, Aggregate::Max("span.duration".to_owned())];
        let histogram = store.histogram(query, 100_000, &aggregates).await.unwrap();
        assert_eq!(histogram, oracle.histogram(query, 100_000, &aggregates).await.unwrap(), "{context}");
        assert_eq!(
            store.attribute_keys(query).await.unwrap(),
            oracle.attribute_keys(query).await.unwrap(),
            "{context}"
        );
        let values = store.attribute_values(query, "a", 3).await.unwrap();
        assert_eq!(values, oracle.attribute_values(query, "a", 3).await.unwrap(), "{context}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_reference(
        batches in prop::collection::vec(items(), 1..4),
        queries in prop::collection::vec((query(), aggregation()), 60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(same_answers(&batches, &queries));
    }
}
