//! What every adapter of the port must do.
#![expect(clippy::unwrap_used, reason = "a suite of assertions")]

use std::{collections::BTreeMap, slice};

use bytes::Bytes;
use nuthatch_protocol::{
    AttributeValue, EventId, Position, ProjectId, SpanId, Timestamp, Topic, TraceId, TraceItem, TraceItemKind,
};
use nuthatch_query::{AttributeType, FieldValue, Grammar, parse};

use crate::{
    StoreError, TraceStore,
    traces::{
        Aggregate, Aggregation, AttributeKey, GROUPS_MAX, Group, GroupColumn, GroupOrder, PAGE_MAX, TRACE_BYTES_MAX,
        TracePage, TraceQuery,
    },
};

/// Runs the suite. `make` gives a new, empty store each time.
pub async fn run<S: TraceStore, F: AsyncFn() -> S>(make: F) {
    items_are_found_at_once_and_counted_after_a_commit(&make().await).await;
    the_position_is_that_of_the_last_commit(&make().await).await;
    an_item_replaces_the_one_of_the_same_identity(&make().await).await;
    a_trace_is_shown_in_the_order_of_time(&make().await).await;
    a_trace_is_shown_in_bounded_bytes(&make().await).await;
    pages_follow_one_another(&make().await).await;
    conditions_are_those_of_the_search_syntax(&make().await).await;
    groups_are_measured(&make().await).await;
    estimates_are_close(&make().await).await;
    attributes_are_listed_with_their_types(&make().await).await;
    only_so_much_of_an_item_is_searched(&make().await).await;
    old_items_are_dropped(&make().await).await;
    what_is_out_of_bounds_is_refused(&make().await).await;
}

/// The time that [`span`] counts from.
pub const BASE: Timestamp = Timestamp(1_760_000_000_000_000);

/// A span for tests: `n` tells it apart, its time is so many seconds after [`BASE`].
pub fn span(n: u8, secs: i64) -> TraceItem {
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    let attributes = [
        ("span.op", text(if n.is_multiple_of(2) { "db" } else { "http.server" })),
        ("span.status", text(if n % 4 == 3 { "internal_error" } else { "ok" })),
        ("transaction", text(&format!("/orders/{}", n % 3))),
        ("rows", AttributeValue::Integer(i64::from(n) * 10)),
        ("ratio", AttributeValue::Double(f64::from(n) / 4.0)),
        ("cached", AttributeValue::Boolean(n % 2 == 1)),
    ];
    TraceItem {
        project_id: ProjectId(1),
        kind: TraceItemKind::Span,
        id: EventId([n; 16]),
        trace_id: TraceId([n / 4; 16]),
        span_id: Some(SpanId([n; 8])),
        parent_span_id: (!n.is_multiple_of(4)).then_some(SpanId([n - n % 4; 8])),
        is_segment: n.is_multiple_of(4),
        event_id: n.is_multiple_of(4).then_some(EventId([n + 100; 16])),
        timestamp: Timestamp(BASE.0 + secs * 1_000_000),
        duration_us: Some(u64::from(n) * 1500),
        received: Timestamp(BASE.0 + secs * 1_000_000 + 1),
        name: format!("SELECT * FROM orders WHERE id = {n}"),
        attributes: attributes.map(|(key, value)| (key.to_owned(), value)).into(),
        body: Bytes::from(format!("{{\"n\":{n}}}")),
    }
}

fn at(offset: u64) -> Position {
    Position { topic: Topic::IngestEvents, partition: 0, offset }
}

fn query(text: &str) -> TraceQuery {
    let filter = parse(text, Grammar::Items, BASE).unwrap();
    TraceQuery { projects: vec![ProjectId(1)], kind: TraceItemKind::Span, from: None, until: None, filter }
}

const FIRST_PAGE: TracePage = TracePage { by: None, ascending: false, after: None, limit: PAGE_MAX };

/// First bytes of the ids of the items found, newest first.
async fn found<S: TraceStore>(store: &S, query: &TraceQuery) -> Vec<u8> {
    let items = store.search(query, &FIRST_PAGE).await.unwrap();
    let count = aggregated(store, query, &[], &[Aggregate::Count]).await;
    assert_eq!(count[0].measured, [Some(items.len() as f64)], "count and search agree on {query:?}");
    items.iter().map(|item| item.id.0[0]).collect()
}

async fn aggregated<S: TraceStore>(
    store: &S,
    query: &TraceQuery,
    group_by: &[&str],
    aggregates: &[Aggregate],
) -> Vec<Group> {
    let group_by = group_by.iter().map(|key| (*key).to_owned()).collect();
    let aggregation = Aggregation { group_by, aggregates: aggregates.to_vec(), order: None, limit: GROUPS_MAX };
    let groups = store.aggregate(query, &aggregation).await.unwrap();
    assert!(groups.is_complete);
    groups.rows
}

async fn fill<S: TraceStore>(store: &S, items: Vec<TraceItem>) {
    store.upsert(items, at(1)).await.unwrap();
    store.commit().await.unwrap();
}

async fn items_are_found_at_once_and_counted_after_a_commit<S: TraceStore>(store: &S) {
    let item = span(4, 0);
    store.upsert(vec![item.clone()], at(1)).await.unwrap();
    for committed in [false, true] {
        let get = async |project, kind, id| store.get(project, kind, id).await.unwrap();
        assert_eq!(get(ProjectId(1), TraceItemKind::Span, item.id).await.as_ref(), Some(&item));
        assert_eq!(get(ProjectId(2), TraceItemKind::Span, item.id).await, None, "not in another project");
        assert_eq!(get(ProjectId(1), TraceItemKind::Log, item.id).await, None, "not as something else");
        assert_eq!(get(ProjectId(1), TraceItemKind::Span, EventId([9; 16])).await, None);
        let transaction = store.transaction(ProjectId(1), EventId([104; 16])).await.unwrap();
        assert_eq!(transaction.as_ref(), Some(&item));
        assert_eq!(store.transaction(ProjectId(2), EventId([104; 16])).await.unwrap(), None);
        assert_eq!(store.transaction(ProjectId(1), item.id).await.unwrap(), None);
        assert_eq!(store.trace(&[ProjectId(1)], item.trace_id, 10).await.unwrap(), [without_body(&item)]);
        assert_eq!(store.trace(&[ProjectId(2)], item.trace_id, 10).await.unwrap(), []);
        assert_eq!(store.search(&query(""), &FIRST_PAGE).await.unwrap(), slice::from_ref(&item));
        let count = aggregated(store, &query(""), &[], &[Aggregate::Count]).await;
        assert_eq!(count[0].measured, [Some(f64::from(u8::from(committed)))]);
        store.commit().await.unwrap();
    }
    let changed = TraceItem { name: "changed".to_owned(), ..item.clone() };
    store.upsert(vec![changed.clone()], at(2)).await.unwrap();
    assert_eq!(store.search(&query(""), &FIRST_PAGE).await.unwrap(), slice::from_ref(&changed));
    assert_eq!(store.trace(&[ProjectId(1)], item.trace_id, 10).await.unwrap(), [without_body(&changed)]);
    assert_eq!(store.transaction(ProjectId(1), EventId([104; 16])).await.unwrap(), Some(changed));
    store.commit().await.unwrap();
    assert_eq!(store.size().await.unwrap().items, 1);
}

async fn the_position_is_that_of_the_last_commit<S: TraceStore>(store: &S) {
    assert_eq!(store.position(at(7)).await.unwrap(), at(7), "the start, as long as nothing was applied");
    store.upsert(vec![span(1, 0)], at(10)).await.unwrap();
    assert_eq!(store.position(at(7)).await.unwrap(), at(7));
    store.commit().await.unwrap();
    store.upsert(Vec::new(), at(20)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(store.position(at(0)).await.unwrap(), at(20), "records without items count too");
    let other = Position { partition: 1, ..at(3) };
    assert_eq!(store.position(other).await.unwrap(), other, "every partition of the log on its own");
    store.upsert(vec![span(1, 0)], at(10)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(store.position(at(0)).await.unwrap(), at(20), "a replay does not move it back");
}

async fn an_item_replaces_the_one_of_the_same_identity<S: TraceStore>(store: &S) {
    let day = 86_400;
    fill(store, vec![span(1, 0), span(2, 1)]).await;
    // Same batch, same commit, and a time so far off that it is another partition.
    for (name, secs) in [("second", 0), ("third", 40 * day), ("fourth", 40 * day), ("fifth", 0)] {
        let twice = TraceItem { name: "never seen".to_owned(), ..span(1, -40 * day) };
        let last = TraceItem { name: name.to_owned(), ..span(1, secs) };
        fill(store, vec![twice, last.clone()]).await;
        let stored = store.get(ProjectId(1), TraceItemKind::Span, last.id).await.unwrap();
        assert_eq!(stored, Some(last), "{name}");
        assert_eq!(store.size().await.unwrap().items, 2, "{name}");
    }
    let log = TraceItem { kind: TraceItemKind::Log, ..span(1, 0) };
    fill(store, vec![log, TraceItem { project_id: ProjectId(2), ..span(1, 5) }]).await;
    assert_eq!(store.size().await.unwrap().items, 4, "another project and another kind may use the same id");
    assert_eq!(found(store, &query("")).await, [2, 1]);
}

fn without_body(item: &TraceItem) -> TraceItem {
    TraceItem { body: Bytes::new(), ..item.clone() }
}

async fn a_trace_is_shown_in_bounded_bytes<S: TraceStore>(store: &S) {
    let large = |id: u8| {
        let text = AttributeValue::Text("x".repeat(TRACE_BYTES_MAX / 4));
        TraceItem { attributes: BTreeMap::from([("a".to_owned(), text)]), ..span(id, i64::from(id)) }
    };
    let trace = span(1, 0).trace_id;
    store.upsert(vec![large(1), large(2)], at(1)).await.unwrap();
    store.commit().await.unwrap();
    store.upsert(vec![large(3), large(4)], at(2)).await.unwrap();
    for _ in 0..2 {
        let shown = store.trace(&[ProjectId(1)], trace, 10).await.unwrap();
        assert_eq!(shown.iter().map(|item| item.id.0[0]).collect::<Vec<_>>(), [1, 2, 3]);
        store.commit().await.unwrap();
    }
}

async fn a_trace_is_shown_in_the_order_of_time<S: TraceStore>(store: &S) {
    let week = 7 * 86_400;
    let log = TraceItem { kind: TraceItemKind::Log, ..span(6, 1) };
    let elsewhere = TraceItem { project_id: ProjectId(2), ..span(7, 2) };
    let items = [span(5, 0), log, elsewhere, span(4, week)];
    let shown = items.each_ref().map(without_body);
    fill(store, items[..3].to_vec()).await;
    store.upsert(vec![items[3].clone(), span(8, 0)], at(2)).await.unwrap();
    let projects = [ProjectId(1), ProjectId(2)];
    for _ in 0..2 {
        assert_eq!(store.trace(&projects, TraceId([1; 16]), 10).await.unwrap(), shown);
        assert_eq!(store.trace(&projects, TraceId([1; 16]), 2).await.unwrap(), shown[..2]);
        assert_eq!(store.trace(&projects, TraceId([9; 16]), 10).await.unwrap(), []);
        store.commit().await.unwrap();
    }
}

async fn pages_follow_one_another<S: TraceStore>(store: &S) {
    // Pairs with equal times, spread over several partitions; every third without the number they are ordered by.
    let mut items: Vec<_> = (0..20).map(|n| span(n, i64::from(n / 2) * 5 * 86_400)).collect();
    for item in items.iter_mut().step_by(3) {
        item.attributes.remove("rows");
    }
    let (committed, pending) = items.split_at(15);
    fill(store, committed.to_vec()).await;
    store.upsert(pending.to_vec(), at(2)).await.unwrap();
    for by in [None, Some("rows"), Some("span.duration"), Some("transaction")] {
        for ascending in [false, true] {
            let mut page = TracePage { by: by.map(str::to_owned), ascending, after: None, limit: 3 };
            let mut seen = Vec::new();
            loop {
                let found = store.search(&query(""), &page).await.unwrap();
                let Some(last) = found.last() else { break };
                page.after = Some(page.place(last));
                seen.extend(found.iter().map(|item| item.id));
            }
            let mut expected = items.clone();
            expected.sort_by_key(|item| page.place(item));
            if !ascending {
                expected.reverse();
            }
            assert_eq!(seen, expected.iter().map(|item| item.id).collect::<Vec<_>>(), "{by:?} {ascending}");
        }
    }
}

/// Search text and the items of [`conditions_are_those_of_the_search_syntax`] that meet it.
const SEARCHES: &[(&str, &[u8])] = &[
    ("", &[7, 6, 5, 4, 3, 2, 1, 0]),
    ("span.op:db", &[6, 4, 2, 0]),
    ("!span.op:db", &[7, 5, 3, 1]),
    ("span.op:http.*", &[7, 5, 3, 1]),
    ("span.op:[db, nothing]", &[6, 4, 2, 0]),
    ("span.duration:>6ms", &[7, 6, 5]),
    ("span.duration:<=1.5ms", &[1, 0]),
    ("span.duration:0.0045s", &[3]),
    ("transaction.duration:>9ms", &[7]),
    ("rows:30", &[3]),
    ("rows:[30, 40.0]", &[4, 3]),
    ("rows:>=60", &[7, 6]),
    ("rows:*0", &[7, 6, 5, 4, 3, 2, 1, 0]),
    ("rows:5*", &[5]),
    ("ratio:0.5", &[2]),
    ("ratio:<0.5", &[1, 0]),
    ("cached:true", &[7, 5, 3, 1]),
    ("cached:0", &[6, 4, 2, 0]),
    ("is_transaction:true", &[4, 0]),
    ("!is_transaction:1", &[7, 6, 5, 3, 2, 1]),
    ("has:span.op", &[7, 6, 5, 4, 3, 2, 1, 0]),
    ("has:note", &[5]),
    ("!has:note", &[7, 6, 4, 3, 2, 1, 0]),
    ("note:\"\"", &[7, 6, 4, 3, 2, 1, 0]),
    ("note:12", &[5]),
    ("note:>11", &[5]),
    ("tags[note,number]:>11", &[]),
    ("tags[note,string]:12", &[5]),
    ("tags[rows,number]:>50", &[7, 6]),
    ("tags[span.duration]:a", &[]),
    ("has:parent_span", &[7, 6, 5, 3, 2, 1]),
    ("parent_span:0404040404040404", &[7, 6, 5]),
    ("span_id:0505050505050505", &[5]),
    ("id:0505050505050505", &[5]),
    ("id:05050505050505050505050505050505", &[5]),
    ("id:nothing", &[]),
    ("trace:01010101-0101-0101-0101-010101010101", &[7, 6, 5, 4]),
    ("trace:[01010101010101010101010101010101, x]", &[7, 6, 5, 4]),
    ("orders where", &[7, 6, 5, 4, 3, 2, 1, 0]),
    ("SELECT id", &[]),
    ("\"id = 5\"", &[5]),
    ("message:orders*7", &[7]),
    ("project.id:1 rows:70", &[7]),
    ("project.id:2", &[]),
    ("timestamp:>=2025-10-09T08:53:26Z", &[7, 6]),
    ("span.op:db OR rows:>=60", &[7, 6, 4, 2, 0]),
    ("(span.op:db OR rows:>=60) !cached:true", &[6, 4, 2, 0]),
    ("with.dots.\u{e9}:a", &[5]),
];

async fn conditions_are_those_of_the_search_syntax<S: TraceStore>(store: &S) {
    let mut items: Vec<_> = (0..8).map(|n| span(n, i64::from(n))).collect();
    items[5].attributes.extend([
        ("note".to_owned(), AttributeValue::Text("12".to_owned())),
        ("with.dots.\u{e9}".to_owned(), AttributeValue::Text("a".to_owned())),
    ]);
    items.push(TraceItem { project_id: ProjectId(2), ..span(8, 8) });
    items.push(TraceItem { kind: TraceItemKind::Log, ..span(9, 9) });
    fill(store, items.clone()).await;
    for (text, expected) in SEARCHES {
        assert_eq!(found(store, &query(text)).await, *expected, "{text}");
    }
    let both = TraceQuery { projects: vec![ProjectId(1), ProjectId(2)], ..query("rows:>=70") };
    assert_eq!(found(store, &both).await, [8, 7]);
    assert_eq!(found(store, &TraceQuery { kind: TraceItemKind::Log, ..query("") }).await, [9]);
    let from = TraceQuery { from: Some(items[2].timestamp), until: Some(items[4].timestamp), ..query("") };
    assert_eq!(found(store, &from).await, [3, 2]);
}

fn field(key: &str) -> String {
    key.to_owned()
}

async fn groups_are_measured<S: TraceStore>(store: &S) {
    let nothing = aggregated(store, &query(""), &[], &[Aggregate::Count, Aggregate::Max(field("rows"))]).await;
    assert_eq!(nothing, [Group { values: Vec::new(), measured: vec![Some(0.0), None] }]);
    let mut items: Vec<_> = (0..8).map(|n| span(n, i64::from(n) * 1800)).collect();
    items[7].attributes.remove("transaction");
    fill(store, items).await;
    let text = |text: &str| Some(FieldValue::Text(text.to_owned()));
    let group = |values: &[Option<FieldValue>], measured: &[Option<f64>]| Group {
        values: values.to_vec(),
        measured: measured.to_vec(),
    };
    let aggregates = [
        Aggregate::Count,
        Aggregate::Sum(field("rows")),
        Aggregate::Average(field("ratio")),
        Aggregate::Percentile(field("span.duration"), 0.5),
        Aggregate::FailureRate,
        Aggregate::CountUnique(field("trace")),
    ];
    let groups = aggregated(store, &query(""), &["transaction"], &aggregates).await;
    let measured = |numbers: [f64; 6]| numbers.map(Some);
    assert_eq!(
        groups,
        [
            group(&[None], &measured([1.0, 70.0, 1.75, 10.5, 1.0, 1.0])),
            group(&[text("/orders/0")], &measured([3.0, 90.0, 0.75, 4.5, 1.0 / 3.0, 2.0])),
            group(&[text("/orders/1")], &measured([2.0, 50.0, 0.625, 1.5, 0.0, 2.0])),
            group(&[text("/orders/2")], &measured([2.0, 70.0, 0.875, 3.0, 0.0, 2.0])),
        ]
    );
    let aggregation = Aggregation {
        group_by: vec![field("cached"), field("transaction")],
        aggregates: vec![Aggregate::Max(field("rows")), Aggregate::Min(field("rows")), Aggregate::LastSeen],
        order: Some(GroupOrder { by: GroupColumn::Aggregate(0), descending: true }),
        limit: 2,
    };
    let cached = |value| Some(FieldValue::Boolean(value));
    let seen = |n: i64| Some((BASE.secs() + n * 1800) as f64);
    assert_eq!(
        store.aggregate(&query(""), &aggregation).await.unwrap().rows,
        [
            group(&[cached(true), None], &[Some(70.0), Some(70.0), seen(7)]),
            group(&[cached(false), text("/orders/0")], &[Some(60.0), Some(0.0), seen(6)]),
        ]
    );
    let by_field = GroupOrder { by: GroupColumn::Field(1), descending: true };
    let first = store.aggregate(&query(""), &Aggregation { order: Some(by_field), ..aggregation }).await.unwrap();
    assert_eq!(first.rows[0].values, [cached(false), text("/orders/2")]);
    let hours = store.histogram(&query("rows:>0"), 3600, &[Aggregate::Count, Aggregate::FailureCount]).await.unwrap();
    // The time that all count from is 53 minutes and 20 seconds past the hour.
    let hour = |n: i64| Timestamp::from_secs(BASE.secs().div_euclid(3600) * 3600 + n * 3600);
    let counts = |count: f64, failed: f64| vec![Some(count), Some(failed)];
    let expected = [
        (hour(1), counts(2.0, 0.0)),
        (hour(2), counts(2.0, 1.0)),
        (hour(3), counts(2.0, 0.0)),
        (hour(4), counts(1.0, 1.0)),
    ];
    assert_eq!(hours, expected);
    let values = store.attribute_values(&query(""), "transaction", 2).await.unwrap();
    let value = |text: &str, count| (FieldValue::Text(text.to_owned()), count);
    assert_eq!(values, [value("/orders/0", 3), value("/orders/1", 2)]);
}

async fn estimates_are_close<S: TraceStore>(store: &S) {
    for part in 0..40_u16 {
        let items = (0..250_u16).map(|n| {
            let number = u32::from(part) * 250 + u32::from(n);
            let id = u128::from(number) << 64;
            TraceItem { id: EventId(id.to_be_bytes()), duration_us: Some(u64::from(number) * 1000), ..span(1, 0) }
        });
        let with_number = items.map(|mut item| {
            let number = item.duration_us.unwrap_or_default() as i64;
            item.attributes = BTreeMap::from([("number".to_owned(), AttributeValue::Integer(number))]);
            item
        });
        store.upsert(with_number.collect(), at(1)).await.unwrap();
    }
    store.commit().await.unwrap();
    let mut aggregates: Vec<_> =
        [0.5, 0.95, 1.0].map(|part| Aggregate::Percentile(field("span.duration"), part)).to_vec();
    aggregates.push(Aggregate::CountUnique(field("number")));
    let measured = aggregated(store, &query(""), &[], &aggregates).await.remove(0).measured;
    for (measured, exact) in measured.into_iter().zip([4999.0, 9499.0, 9999.0, 10_000.0]) {
        let off = (measured.unwrap() - exact).abs() / exact;
        assert!(off < if exact < 10_000.0 { 0.01 } else { 0.1 }, "{measured:?} for {exact}");
    }
}

async fn attributes_are_listed_with_their_types<S: TraceStore>(store: &S) {
    let mut items: Vec<_> = (0..4).map(|n| span(n, 0)).collect();
    for (n, item) in items.iter_mut().enumerate() {
        let value = if n == 0 { AttributeValue::Text("a".to_owned()) } else { AttributeValue::Integer(n as i64) };
        item.attributes = BTreeMap::from([("mixed".to_owned(), value)]);
    }
    items[1].attributes.insert("a.b".to_owned(), AttributeValue::Boolean(false));
    fill(store, items).await;
    let key = |name: &str, of_type, count| AttributeKey { name: name.to_owned(), of_type, count };
    assert_eq!(
        store.attribute_keys(&query("")).await.unwrap(),
        [
            key("mixed", AttributeType::Number, 3),
            key("a.b", AttributeType::Boolean, 1),
            key("mixed", AttributeType::Text, 1),
        ]
    );
    assert_eq!(store.attribute_keys(&query("mixed:a")).await.unwrap(), [key("mixed", AttributeType::Text, 1)]);
    let values = store.attribute_values(&query(""), "mixed", 10).await.unwrap();
    let number = |number| (FieldValue::Number(number), 1);
    assert_eq!(values, [number(1.0), number(2.0), number(3.0), (FieldValue::Text("a".to_owned()), 1)]);
}

async fn only_so_much_of_an_item_is_searched<S: TraceStore>(store: &S) {
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    let mut item = span(1, 0);
    item.attributes = (0..200).map(|n| (format!("key{n:03}"), AttributeValue::Integer(n))).collect();
    item.attributes.extend([
        ("a".repeat(300), text("long key")),
        ("a\u{1}b".to_owned(), text("control")),
        ("a".to_owned(), AttributeValue::Double(f64::NAN)),
        ("aa".to_owned(), text(&"\u{e9}".repeat(2000))),
    ]);
    fill(store, vec![item.clone()]).await;
    // All of it is stored.
    let stored = store.get(item.project_id, item.kind, item.id).await.unwrap().unwrap();
    assert_eq!(stored.attributes.get("key199"), item.attributes.get("key199"));
    assert_eq!(stored.attributes.get("aa"), item.attributes.get("aa"));
    for (text, is_found) in [
        ("has:key126", true),
        ("has:key127", false),
        ("has:a", false),
        (&format!("has:{}", "a".repeat(300)), false),
        (&format!("aa:{}", "\u{e9}".repeat(512)), true),
        ("aa:\u{e9}*", true),
    ] {
        assert_eq!(found(store, &query(text)).await.len(), usize::from(is_found), "{text}");
    }
}

async fn old_items_are_dropped<S: TraceStore>(store: &S) {
    let week = 7 * 86_400;
    fill(store, (0..5).map(|n| span(n, i64::from(n) * 2 * week)).collect()).await;
    store.upsert(vec![span(9, 0)], at(2)).await.unwrap();
    store.drop_before(Timestamp(BASE.0 + 5 * week * 1_000_000)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(found(store, &query("")).await, [4, 3]);
    assert_eq!(store.get(ProjectId(1), TraceItemKind::Span, EventId([0; 16])).await.unwrap(), None);
}

async fn what_is_out_of_bounds_is_refused<S: TraceStore>(store: &S) {
    let page = TracePage { limit: PAGE_MAX + 1, ..FIRST_PAGE };
    assert!(matches!(store.search(&query(""), &page).await, Err(StoreError::Invalid(_))));
    assert!(matches!(store.histogram(&query(""), 0, &[Aggregate::Count]).await, Err(StoreError::Invalid(_))));
    assert!(matches!(store.attribute_values(&query(""), "id", 1).await, Err(StoreError::Invalid(_))));
    let good = Aggregation { group_by: Vec::new(), aggregates: vec![Aggregate::Count], order: None, limit: 1 };
    for wrong in [
        Aggregation { limit: GROUPS_MAX + 1, ..good.clone() },
        Aggregation { group_by: vec![field("id")], ..good.clone() },
        Aggregation { group_by: vec![field("a"); 21], ..good.clone() },
        Aggregation { aggregates: vec![Aggregate::Count; 21], ..good.clone() },
        Aggregation { aggregates: vec![Aggregate::Percentile(field("a"), 1.5)], ..good.clone() },
        Aggregation { aggregates: vec![Aggregate::CountUnique(field("id"))], ..good },
    ] {
        assert!(matches!(store.aggregate(&query(""), &wrong).await, Err(StoreError::Invalid(_))), "{wrong:?}");
    }
}
