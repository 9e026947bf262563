//! One project floods the server with one fault, several times what is processed, while another sends a few events a
//! second: what is answered, what memory and backlog do, how long the other one's events take, and whether the counts are
//! exact when all is processed.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    POLL,
    connection::{self, Connection},
    load::{gzip, quantile_ms},
    process::{self, Account, Child, metric},
    progress,
};
use crate::{
    client::{Client, Dsn},
    now,
    sample::{Samples, Sequence, Size},
};

/// What to measure of an overload.
#[derive(clap::Args)]
pub(super) struct OverloadArgs {
    /// Seconds for which one project floods the server, in each of the two forms; 0: not at all.
    #[arg(long, default_value_t = 60)]
    pub(super) overload_seconds: u64,
}

/// Time between two events of the project that does not flood.
const PROBE_EVERY: Duration = Duration::from_millis(250);

/// How long that project is watched before the flood.
const CALM: Duration = Duration::from_secs(15);

/// Parts of the flood, at the end of each of which memory and backlog are looked at.
const PARTS: u32 = 10;

/// Different events of the flood: one fault, other users.
const BODIES: u64 = 64;

/// Longest wait for what the flood left to be processed, for each second of it, and at least.
const CATCH_UP: (u32, Duration) = (15, Duration::from_mins(5));

/// Longest wait for an event to be seen.
const PATIENCE: Duration = Duration::from_mins(2);

/// How fast the server processes what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worker {
    /// As fast as it can.
    Usual,
    /// A tenth of that, or less: it reads few records at once. So many times more comes than is processed, which a machine that
    /// also sends the flood does not manage otherwise. What waits at the end is processed by a server that was started anew.
    Slow,
}

impl Worker {
    fn settings(self) -> Vec<(&'static str, &'static str)> {
        let mut settings = vec![("NUTHATCH_WORKER__KEPT_PER_ISSUE_MINUTE", "1000")];
        if self == Self::Slow {
            settings.push(("NUTHATCH_WORKER__BATCH_MAX_RECORDS", "1"));
        }
        settings
    }
}

/// What the second project's command prints.
#[derive(Deserialize)]
struct Created {
    project: String,
    dsn: String,
}

/// What the clients of the flood were answered.
#[derive(Default)]
struct Answers {
    by_status: BTreeMap<u16, u64>,
    /// Requests without an answer.
    broken: u64,
}

/// A look at the server during the flood.
struct Look {
    memory_mib: f64,
    waiting: f64,
}

/// Floods a server and looks on.
pub(super) async fn measure(dir: &Path, worker: Worker, seconds: u64, connections: usize) -> anyhow::Result<Value> {
    let account = process::init(dir)?;
    let output = Command::new(std::env::current_exe()?)
        .args(["project", "create", "calm", "--json", "--data"])
        .arg(dir)
        .output()?;
    anyhow::ensure!(output.status.success(), "nuthatch project create failed");
    let calm: Created = serde_json::from_slice(&output.stdout)?;
    let mut server = Child::start_with(dir, &[], &worker.settings()).await?;
    let calm = Probe { dsn: Dsn::parse(&calm.dsn)?, project: calm.project, account: account.clone(), server: &server };
    let flood = Flood::new(&account)?;

    progress("accepted to visible before the flood");
    let before = calm.watch("before", CALM).await?;

    let slow = if worker == Worker::Slow { ", the worker is slow" } else { "" };
    progress(&format!("one project floods for {seconds} s{slow}"));
    let length = Duration::from_secs(seconds);
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for lane in 0..connections {
        let (address, requests) = (server.address, flood.requests.clone());
        clients.spawn(async move { send(address, &requests, lane, begun + length).await });
    }
    let (during, looks) = tokio::join!(calm.watch("during", length), look(&server, begun, length));
    let (during, looks) = (during?, looks?);
    let mut answers = Answers::default();
    while let Some(part) = clients.join_next().await {
        let part = part?;
        answers.broken += part.broken;
        for (status, count) in part.by_status {
            *answers.by_status.entry(status).or_default() += count;
        }
    }
    let secs = begun.elapsed().as_secs_f64();
    let accepted = answers.by_status.get(&200).copied().unwrap_or_default();
    let offered = answers.by_status.values().sum::<u64>() + answers.broken;
    let waiting = waiting(&server).await?;
    if worker == Worker::Slow {
        server.stop().await?;
        server = Child::start_with(dir, &[], &Worker::Usual.settings()).await?;
    }

    progress(&format!("{waiting:.0} events wait; until they are processed"));
    let caught_up = Instant::now();
    let patience = (length * CATCH_UP.0).max(CATCH_UP.1);
    while self::waiting(&server).await? > 0.0 {
        anyhow::ensure!(caught_up.elapsed() < patience, "the server did not catch up");
        tokio::time::sleep(POLL * 20).await;
    }
    let catch_up_secs = caught_up.elapsed().as_secs_f64();
    let after = server.memory()?;
    let counts = counts(&server, &account).await?;
    let refused = answers.by_status.get(&429).copied().unwrap_or_default();
    server.stop().await?;
    let verified = Command::new(std::env::current_exe()?).args(["verify", "--json", "--data"]).arg(dir).output()?;
    let verified: Value = serde_json::from_slice(&verified.stdout).context("nuthatch verify said nothing")?;

    let memory: Vec<f64> = looks.iter().map(|look| look.memory_mib).collect();
    let most = |part: &mut dyn Iterator<Item = &f64>| part.copied().fold(f64::NAN, f64::max);
    let third = memory.len() / 3;
    let not_ok: BTreeMap<String, u64> =
        answers.by_status.iter().filter(|(status, _)| **status != 200).map(|(s, n)| (s.to_string(), *n)).collect();
    Ok(json!({
        "seconds": seconds, "event_bytes": flood.event_bytes,
        "offered_per_second": offered as f64 / secs, "accepted_per_second": accepted as f64 / secs,
        "accepted": accepted, "not_200": not_ok, "without_answer": answers.broken,
        "processed_per_second": (accepted as f64 - waiting) / secs,
        "waiting": looks.iter().map(|look| look.waiting).collect::<Vec<_>>(), "waiting_at_end": waiting,
        "memory_mib": memory,
        "memory_first_third_mib": most(&mut memory.iter().take(third)),
        "memory_last_third_mib": most(&mut memory.iter().rev().take(third)),
        "memory_after_mib": after.own, "resident_after_mib": after.resident, "resident_peak_mib": after.peak,
        "visible_before": before, "visible_during": during,
        "catch_up_seconds": catch_up_secs,
        "issue_count": counts.issue, "ledger_accepted": counts.accepted, "ledger_refused": counts.refused,
        "exact": counts.issue == accepted && counts.accepted == accepted && counts.refused == refused,
        "balanced": verified["balanced"],
    }))
}

/// Requests of the flood. The server gives their events ids.
struct Flood {
    requests: Arc<Vec<Bytes>>,
    /// Mean size of an event, uncompressed.
    event_bytes: usize,
}

impl Flood {
    fn new(account: &Account) -> anyhow::Result<Self> {
        let dsn = Dsn::parse(&account.dsn)?;
        let (samples, mut random) = (Samples::new(1)?, Sequence::new(11));
        let (mut requests, mut bytes) = (Vec::new(), 0);
        for _ in 0..BODIES {
            let mut event = samples.event(&mut random, now(), Size::Usual).body;
            if let Some(event) = event.as_object_mut() {
                event.remove("event_id");
                event.insert("fingerprint".to_owned(), json!(["flood"]));
            }
            let event = event.to_string();
            bytes += event.len();
            let header = json!({"dsn": account.dsn, "sent_at": now()});
            let item = json!({"type": "event", "length": event.len()});
            let body = gzip(format!("{header}\n{item}\n{event}\n").as_bytes())?;
            requests.push(connection::request(&dsn, &body));
        }
        Ok(Self { requests: requests.into(), event_bytes: bytes / BODIES as usize })
    }
}

/// Sends as fast as the answers come.
async fn send(address: SocketAddr, requests: &[Bytes], lane: usize, until: Instant) -> Answers {
    let mut answers = Answers::default();
    let mut kept = None;
    for request in requests.iter().cycle().skip(lane) {
        if Instant::now() >= until {
            break;
        }
        match exchange(address, kept.take(), request).await {
            Ok((connection, status)) => {
                *answers.by_status.entry(status).or_default() += 1;
                kept = Some(connection);
            }
            Err(_) => answers.broken += 1,
        }
    }
    answers
}

async fn exchange(address: SocketAddr, kept: Option<Connection>, request: &[u8]) -> anyhow::Result<(Connection, u16)> {
    let mut connection = match kept {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let status = connection.exchange(request).await?;
    Ok((connection, status))
}

async fn look(server: &Child, begun: Instant, length: Duration) -> anyhow::Result<Vec<Look>> {
    let mut looks = Vec::new();
    for part in 1..=PARTS {
        tokio::time::sleep_until((begun + length * part / PARTS).into()).await;
        looks.push(Look { memory_mib: server.memory()?.own, waiting: waiting(server).await? });
    }
    Ok(looks)
}

/// Records that are not applied yet, of the topic and consumer that has most.
async fn waiting(server: &Child) -> anyhow::Result<f64> {
    let metrics = Client::new(server.address).api(Method::GET, "/metrics", "", None).await?;
    Ok(metric(&String::from_utf8_lossy(&metrics.body), "nuthatch_log_lag_records").unwrap_or(0.0))
}

/// How often the flooded issue was seen, and what the ledger has of its project.
struct Counts {
    issue: u64,
    accepted: u64,
    refused: u64,
}

async fn counts(server: &Child, account: &Account) -> anyhow::Result<Counts> {
    let mut client = Client::new(server.address);
    let Account { organization, project, token, .. } = account;
    let path = format!("/api/0/projects/{organization}/{project}/issues/?query=");
    let issues = client.api(Method::GET, &path, token, None).await?.json()?;
    let count = issues.pointer("/0/count").and_then(Value::as_str).context("the flood has no issue")?;
    let mut ledger = Vec::new();
    for stat in ["generated", "rejected"] {
        let path = format!("/api/0/projects/{organization}/{project}/stats/?stat={stat}");
        let stats = client.api(Method::GET, &path, token, None).await?.json()?;
        let intervals = stats.as_array().context("no stats")?.iter();
        ledger.push(intervals.filter_map(|interval| interval.get(1)?.as_u64()).sum());
    }
    Ok(Counts { issue: count.parse()?, accepted: ledger[0], refused: ledger[1] })
}

/// The project that does not flood.
struct Probe<'a> {
    dsn: Dsn,
    project: String,
    account: Account,
    server: &'a Child,
}

impl Probe<'_> {
    /// Sends an event now and then, whatever became of those before, each of an issue of its own: median and 99th percentile
    /// of the time from the answer until the issue is in the list.
    async fn watch(&self, name: &str, length: Duration) -> anyhow::Result<Value> {
        let mut probes = JoinSet::new();
        let mut tick = tokio::time::interval(PROBE_EVERY);
        let begun = Instant::now();
        for number in 0.. {
            tick.tick().await;
            if begun.elapsed() >= length {
                break;
            }
            let marker = format!("{name}{number}");
            let Account { organization, token, .. } = self.account.clone();
            let path = format!("/api/0/projects/{organization}/{}/issues/?query={marker}&limit=1", self.project);
            probes.spawn(visible(Client::new(self.server.address), self.dsn.clone(), token, path, marker));
        }
        let mut times = Vec::new();
        while let Some(time) = probes.join_next().await {
            times.push(time??);
        }
        times.sort_unstable();
        Ok(json!({
            "events": times.len(), "p50_ms": quantile_ms(&times, 0.5), "p99_ms": quantile_ms(&times, 0.99),
            "most_ms": quantile_ms(&times, 1.0),
        }))
    }
}

/// The time from an event's answer until its issue is in the list.
async fn visible(
    mut client: Client,
    dsn: Dsn,
    token: String,
    path: String,
    marker: String,
) -> anyhow::Result<Duration> {
    let event = json!({
        "fingerprint": [marker], "exception": {"values": [{"type": marker, "value": "probe"}]}, "timestamp": now(),
    });
    let body = gzip(format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n").as_bytes())?;
    client.envelope(&dsn, body, true).await?.json()?;
    let accepted = Instant::now();
    loop {
        let found = client.api(Method::GET, &path, &token, None).await?.json()?;
        if found.as_array().is_some_and(|issues| !issues.is_empty()) {
            return Ok(accepted.elapsed());
        }
        anyhow::ensure!(accepted.elapsed() < PATIENCE, "{marker} did not become visible");
        tokio::time::sleep(POLL).await;
    }
}

/// For people.
pub(super) fn describe(figure: &Value) -> String {
    let number = |path: &str| figure.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let list = |key: &str| {
        let numbers = figure[key].as_array().into_iter().flatten().filter_map(Value::as_f64);
        numbers.map(|number| format!("{number:.0}")).collect::<Vec<_>>().join(" ")
    };
    let others: Vec<String> = figure["not_200"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(status, count)| format!("{count} with {status}"))
        .collect();
    let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    format!(
        "overload             {:>8.0}/s of {:.1} KB offered by one project for {:.0} s, {:.0}/s accepted; \
         {:.0}/s processed meanwhile\n\
         other answers        {}; without an answer: {:.0}\n\
         memory of its own    {:>8.0} MiB at most in the first third, {:.0} in the last; at each tenth: {}\n\
         waiting              {:>8.0} events at the end, processed in {:.0} s; at each tenth: {}\n\
         accepted to visible  p50 {:.0} ms, p99 {:.0} ms of another project before the flood\n\
         accepted to visible  p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms during the flood\n\
         counts               {:>8.0} accepted, {:.0} in the ledger, {:.0} in the issue; {:.0} refused in the ledger; \
         the books balance: {}\n",
        number("/offered_per_second"),
        number("/event_bytes") / 1000.0,
        number("/seconds"),
        number("/accepted_per_second"),
        number("/processed_per_second"),
        others,
        number("/without_answer"),
        number("/memory_first_third_mib"),
        number("/memory_last_third_mib"),
        list("memory_mib"),
        number("/waiting_at_end"),
        number("/catch_up_seconds"),
        list("waiting"),
        number("/visible_before/p50_ms"),
        number("/visible_before/p99_ms"),
        number("/visible_during/p50_ms"),
        number("/visible_during/p99_ms"),
        number("/visible_during/most_ms"),
        number("/accepted"),
        number("/ledger_accepted"),
        number("/issue_count"),
        number("/ledger_refused"),
        figure["balanced"],
    )
}
