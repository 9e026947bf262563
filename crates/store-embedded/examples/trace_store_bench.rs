//! Measures the trace store: `cargo run --release -p nuthatch-store-embedded --example trace_store_bench -- --spans 1000000`.
//! The data is made from a fixed seed; the directory is a temporary one.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use nuthatch_protocol::{
    AttributeValue, EventId, Position, ProjectId, SpanId, Timestamp, Topic, TraceId, TraceItem, TraceItemKind,
};
use nuthatch_query::{Expr, Grammar, parse};
use nuthatch_store::{
    TraceStore,
    traces::{Aggregate, Aggregation, GroupColumn, GroupOrder, TracePage, TraceQuery},
};
use nuthatch_store_embedded::traces::{EmbeddedTraces, Options};

const BATCH: usize = 500;
const COMMIT_EVERY: u64 = 20_000;
const SPANS_OF_TRACE: u64 = 20;
const START: i64 = 1_760_000_000;
/// All spans happen within this many days.
const DAYS: u64 = 14;
const QUERIES: u64 = 20;

/// xorshift64*: the same spans every time, without a dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }
}

fn span(n: u64, count: u64, random: &mut Random) -> TraceItem {
    let trace = n / SPANS_OF_TRACE;
    let is_segment = n.is_multiple_of(SPANS_OF_TRACE);
    let mut of_trace = Random(trace + 1);
    let trace_id = TraceId((u128::from(of_trace.next()) << 64 | u128::from(of_trace.next())).to_be_bytes());
    let root = SpanId(of_trace.next().to_be_bytes());
    let transaction = format!("/api/{}/{{id}}", of_trace.below(200));
    let span_id = if is_segment { root } else { SpanId(random.next().to_be_bytes()) };
    let op = if is_segment { "http.server" } else { ["db", "db.redis", "http.client", "template"][n as usize % 4] };
    let name = if is_segment {
        format!("GET {transaction}")
    } else {
        format!("SELECT * FROM table_{} WHERE id = %s", random.below(300))
    };
    let us = START as u64 * 1_000_000 + n * DAYS * 86_400_000_000 / count;
    let duration = 200 + random.below(1000) * random.below(1000);
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    let attributes = BTreeMap::from([
        ("span.op".to_owned(), text(op)),
        ("span.status".to_owned(), text(if random.below(50) == 0 { "internal_error" } else { "ok" })),
        ("span.description".to_owned(), text(&name)),
        ("transaction".to_owned(), text(&transaction)),
        ("release".to_owned(), text(&format!("shop@1.{}", n * 20 / count))),
        ("environment".to_owned(), text("production")),
        ("platform".to_owned(), text("python")),
        ("sdk.name".to_owned(), text("sentry.python")),
        ("span.self_time".to_owned(), AttributeValue::Double((duration / 2) as f64 / 1000.0)),
        ("http.status_code".to_owned(), AttributeValue::Integer(200)),
    ]);
    let body = format!(
        r#"{{"data":{{"db.system":"postgresql"}},"description":"{name}","op":"{op}","parent_span_id":"{root}","span_id":"{span_id}","start_timestamp":{us},"status":"ok","trace_id":"{trace_id}"}}"#
    );
    let mut id = trace_id.0;
    id.iter_mut().zip(span_id.0.iter().cycle()).for_each(|(byte, other)| *byte ^= other);
    TraceItem {
        project_id: ProjectId(1 + trace % 3),
        kind: TraceItemKind::Span,
        id: EventId(id),
        trace_id,
        span_id: Some(span_id),
        parent_span_id: (!is_segment).then_some(root),
        is_segment,
        event_id: None,
        timestamp: Timestamp(us as i64),
        duration_us: Some(duration),
        received: Timestamp(us as i64 + 1_000_000),
        name,
        attributes,
        body: Bytes::from(body),
    }
}

/// Resident memory and the part of it that is not mapped files, in MB.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mb = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
    };
    format!("RSS {} MB, of which anonymous {} MB", mb("VmRSS:"), mb("RssAnon:"))
}

fn percentiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p95 {:.2} ms", at(50), at(95))
}

async fn measure<T>(name: &str, mut run: impl AsyncFnMut(u64) -> T) {
    let mut times = Vec::new();
    for n in 0..QUERIES {
        let start = Instant::now();
        run(n).await;
        times.push(start.elapsed());
    }
    println!("{name}: {}", percentiles(&mut times));
}

fn query(text: &str) -> TraceQuery {
    let filter: Expr = parse(text, Grammar::Items, Timestamp::from_secs(START)).unwrap();
    let projects = (1..=3).map(ProjectId).collect();
    TraceQuery { projects, kind: TraceItemKind::Span, from: None, until: None, filter }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--spans").skip(1);
    let count: u64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().unwrap();
    let before = memory();
    let store = EmbeddedTraces::open(dir.path(), Options::default()).unwrap();
    println!("{count} spans; before: {before}; opened: {}", memory());
    let mut random = Random(42);
    let (mut indexing, mut commits) = (Duration::ZERO, Vec::new());
    let mut done = 0;
    while done < count {
        let items: Vec<_> = (done..count.min(done + BATCH as u64)).map(|n| span(n, count, &mut random)).collect();
        done += items.len() as u64;
        let start = Instant::now();
        let position = Position { topic: Topic::TraceItems, partition: 0, offset: done };
        store.upsert(items, position).await.unwrap();
        if done.is_multiple_of(COMMIT_EVERY) || done == count {
            let start = Instant::now();
            store.commit().await.unwrap();
            commits.push(start.elapsed());
        }
        indexing += start.elapsed();
    }
    println!("index: {:.0} spans/s, commits included", count as f64 / indexing.as_secs_f64());
    println!("commit after {COMMIT_EVERY}: {}", percentiles(&mut commits));
    println!("loaded: {}", memory());
    store.close(Duration::from_mins(10)).await.unwrap();
    drop(store);
    let start = Instant::now();
    let store = EmbeddedTraces::open(dir.path(), Options::default()).unwrap();
    println!("start: {:.1} ms; {}", start.elapsed().as_secs_f64() * 1e3, memory());
    let size = store.size().await.unwrap();
    println!("disk: {} bytes a span ({} spans)", size.bytes / size.items, size.items);

    let duration = || "span.duration".to_owned();
    let by_transaction = Aggregation {
        group_by: vec!["transaction".to_owned()],
        aggregates: vec![
            Aggregate::Count,
            Aggregate::Percentile(duration(), 0.5),
            Aggregate::Percentile(duration(), 0.95),
        ],
        order: Some(GroupOrder { by: GroupColumn::Aggregate(0), descending: true }),
        limit: 50,
    };
    let all = query("");
    measure("p50 and p95 by transaction", async |_| store.aggregate(&all, &by_transaction).await.unwrap()).await;
    let segments = query("is_transaction:true");
    measure("the same of root spans", async |_| store.aggregate(&segments, &by_transaction).await.unwrap()).await;
    let count = [Aggregate::Count];
    measure("one-hour histogram", async |_| store.histogram(&all, 3600, &count).await.unwrap()).await;
    let slowest = TracePage { by: Some(duration()), ascending: false, after: None, limit: 50 };
    measure("slowest 50", async |_| store.search(&all, &slowest).await.unwrap()).await;
    let newest = TracePage { by: None, ..slowest.clone() };
    let filtered = |n: u64| query(&format!("span.op:db span.duration:>500ms transaction:/api/{n}/*"));
    measure("newest 50 of three conditions", async |n| store.search(&filtered(n), &newest).await.unwrap()).await;
    let words = |n: u64| query(&format!("from table_{n}"));
    measure("word search, newest 50", async |n| store.search(&words(n), &newest).await.unwrap()).await;
    let trace = |n: u64| {
        let mut of_trace = Random(n * 97 + 1);
        TraceId((u128::from(of_trace.next()) << 64 | u128::from(of_trace.next())).to_be_bytes())
    };
    let projects = [ProjectId(1), ProjectId(2), ProjectId(3)];
    measure("one trace", async |n| store.trace(&projects, trace(n), 10_000).await.unwrap()).await;
    measure("names of attributes", async |_| store.attribute_keys(&all).await.unwrap()).await;
    println!("after queries: {}", memory());
}
