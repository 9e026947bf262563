//! Measures the event store: `cargo run --release -p nuthatch-store-embedded --example event_store_bench -- --events 1000000`.
//! The data is made from a fixed seed; the directory is a temporary one.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use nuthatch_protocol::{EventId, EventRow, Hash, Level, Position, ProjectId, Timestamp, Topic};
use nuthatch_query::{Expr, Op, Term, Value};
use nuthatch_store::{
    EventStore,
    events::{EventPage, EventQuery},
};
use nuthatch_store_embedded::events::{EmbeddedEvents, Options};

const HASHES: u64 = 10_000;
const BATCH: usize = 500;
const COMMIT_EVERY: usize = 20_000;
const START: i64 = 1_760_000_000;
/// All events happen within this many days.
const DAYS: u64 = 30;
const QUERIES: u64 = 100;

/// xorshift64*: the same events every time, without a dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Small numbers are far more frequent than large ones.
    fn skewed(&mut self, n: u64) -> u64 {
        let unit = self.next() as f64 / (1_u64 << 53) as f64;
        ((n as f64).powf(unit) - 1.0) as u64
    }
}

const NOUNS: [&str; 24] = [
    "order", "invoice", "cart", "user", "session", "payment", "report", "export", "search", "index", "queue", "worker",
    "mail", "image", "upload", "token", "schema", "cache", "socket", "thread", "record", "field", "page", "widget",
];
const VERBS: [&str; 8] = ["load", "save", "render", "send", "parse", "validate", "connect", "retry"];

fn hash(n: u64) -> Hash {
    Hash(u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xdead_beef_cafe_f00d).to_be_bytes())
}

fn event(n: u64, count: u64, random: &mut Random) -> EventRow {
    let issue = random.skewed(HASHES);
    let mut of_issue = Random(issue + 1);
    let mut noun = || NOUNS[of_issue.below(24) as usize];
    let (a, b) = (noun(), noun());
    let message = format!("could not {} {a} {} of {b}", VERBS[issue as usize % 8], random.below(100_000));
    let mut frames = String::new();
    let mut stack_text = String::new();
    for frame in 0..20 {
        let (module, function) = (noun(), noun());
        let line = (issue * 31 + frame * 7) % 900;
        _ = write!(
            frames,
            r#"{{"filename":"app/{module}/{function}_{frame}.py","function":"{function}_{module}","lineno":{line},"in_app":{},"context_line":"    return self.{function}({module})"}},"#,
            frame % 3 == 0
        );
        _ = write!(stack_text, "{function}_{module} app/{module}/{function}_{frame}.py ");
    }
    frames.pop();
    let id = EventId((u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes());
    let millis = START * 1000 + (n * DAYS * 86_400_000 / count) as i64;
    let (release, user) = (format!("shop@1.{}", n * 40 / count), random.skewed(50_000));
    let browser = ["Chrome 120", "Firefox 121", "Safari 17", "Edge 119"][random.skewed(4) as usize];
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let title = format!("ValueError: {message}");
    let body = format!(
        r#"{{"event_id":"{id}","timestamp":{millis},"platform":"python","level":"error","release":"{release}","environment":"production","user":{{"id":"{user}"}},"exception":{{"values":[{{"type":"ValueError","value":"{message}","stacktrace":{{"frames":[{frames}]}}}}]}},"contexts":{{"trace":{{"trace_id":"{:032x}"}}}}}}"#,
        u128::from(random.next()) * 77
    );
    EventRow {
        project_id: ProjectId(1 + issue % 3),
        event_id: id,
        shows: None,
        timestamp: Timestamp::from_millis(millis),
        received: Timestamp::from_millis(millis + 20),
        hashes: vec![hash(issue), hash(issue + HASHES)],
        event_type: "error".to_owned(),
        level: if issue.is_multiple_of(7) { Level::Warning } else { Level::Error },
        platform: "python".to_owned(),
        title,
        culprit: format!("app.{a} in {b}"),
        message,
        release: Some(release.clone()),
        environment: Some("production".to_owned()),
        transaction: Some(format!("/{a}/{{id}}")),
        trace: None,
        user: Some(format!("id:{user}")),
        tags: vec![
            tag("release", &release),
            tag("environment", "production"),
            tag("browser", browser),
            tag("user", &format!("id:{user}")),
            tag("server_name", &format!("web-{}", random.below(20))),
            tag("runtime", "CPython 3.12.1"),
        ],
        stack_text,
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

fn query(filter: Expr) -> EventQuery {
    EventQuery { projects: (1..=3).map(ProjectId).collect(), hashes: None, from: None, until: None, filter }
}

fn term(key: &str, op: Op) -> Expr {
    Expr::Term(Term { key: key.to_owned(), op })
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--events").skip(1);
    let count: u64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedEvents::open(dir.path(), Options::default()).unwrap();
    println!("{count} events; opened: {}", memory());

    let mut random = Random(42);
    let (mut indexing, mut commits, mut body_bytes) = (Duration::ZERO, Vec::new(), 0);
    let mut sample = Vec::new();
    let mut done = 0;
    while done < count {
        let rows: Vec<_> = (done..count.min(done + BATCH as u64)).map(|n| event(n, count, &mut random)).collect();
        body_bytes += rows.iter().map(|row| row.body.len()).sum::<usize>();
        sample.push((rows[0].project_id, rows[0].event_id));
        done += rows.len() as u64;
        let start = Instant::now();
        let position = Position { topic: Topic::IngestEvents, partition: 0, offset: done };
        store.upsert(rows, position).await.unwrap();
        if done % COMMIT_EVERY as u64 == 0 || done == count {
            let start = Instant::now();
            store.commit().await.unwrap();
            commits.push(start.elapsed());
        }
        indexing += start.elapsed();
    }
    println!("body: {} bytes on average", body_bytes as u64 / count);
    println!("index: {:.0} events/s, commits included", count as f64 / indexing.as_secs_f64());
    println!("commit after {COMMIT_EVERY}: {}", percentiles(&mut commits));
    println!("loaded: {}", memory());
    store.close(Duration::from_mins(10)).await.unwrap();
    drop(store);
    let start = Instant::now();
    let store = EmbeddedEvents::open(dir.path(), Options::default()).unwrap();
    println!("start: {:.1} ms; {}", start.elapsed().as_secs_f64() * 1e3, memory());
    let size = store.size().await.unwrap();
    println!("disk: {} bytes an event ({} events)", size.bytes / size.rows, size.rows);

    let page = EventPage { ascending: false, after: None, limit: 25 };
    let everything = query(Expr::all());
    let of_issue = |n: u64| {
        let hashes = (1..=3).map(|project| (ProjectId(project), hash(n * 3))).collect();
        EventQuery { hashes: Some(hashes), ..everything.clone() }
    };
    let release = |n: u64| term("release", Op::In(vec![Value::Text(format!("shop@1.{}", n % 40))]));
    measure("term search, top 25", async |n| store.search(&query(release(n)), &page).await.unwrap()).await;
    measure("newest 25 of all", async |_| store.search(&everything, &page).await.unwrap()).await;
    measure("histogram of one issue", async |n| store.histogram(&of_issue(n), 3600).await.unwrap()).await;
    measure("tag values of one issue", async |n| store.tag_values(&of_issue(n), "browser", 10).await.unwrap()).await;
    let word = |n: u64| term("", Op::Contains(NOUNS[n as usize % 24].to_owned()));
    measure("word search, top 25", async |n| store.search(&query(word(n)), &page).await.unwrap()).await;
    let phrase = |n: u64| term("", Op::Contains(format!("could not {}", VERBS[n as usize % 8])));
    measure("phrase search, top 25", async |n| store.search(&query(phrase(n)), &page).await.unwrap()).await;
    measure("one-hour histogram of all", async |_| store.histogram(&everything, 3600).await.unwrap()).await;
    measure("hashes of a release", async |n| store.hashes(&query(release(n)), 100).await.unwrap()).await;
    measure("get by id", async |n| {
        let (project, id) = sample[n as usize * 7919 % sample.len()];
        store.get(project, id).await.unwrap().unwrap()
    })
    .await;
    println!("after queries: {}", memory());
}
