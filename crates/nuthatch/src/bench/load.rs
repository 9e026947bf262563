//! The load: envelopes rendered and compressed before the clock starts, sent over keep-alive connections.

use std::{
    io::Write as _,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use http::Method;
use nuthatch_protocol::{EventId, IngestRecord, ItemAttributes, KeyId, ProjectId, record::IngestHeader};

use super::{
    POLL,
    connection::{self, Connection},
    process::{Account, Child, metric},
};
use crate::{
    client::{Client, Dsn},
    now,
    sample::{Samples, Sequence, Size, envelope},
};

/// Longest wait for the server to catch up.
const PATIENCE: Duration = Duration::from_mins(5);

/// Issues that the events of a load belong to: this many variants of each fault.
const VARIANTS: u64 = 125;

/// Requests with envelopes, ready to be sent.
pub(super) struct Load {
    requests: Arc<Vec<Bytes>>,
    payloads: Vec<Bytes>,
    connections: usize,
}

/// What became of a load.
#[derive(Default)]
pub(super) struct Run {
    pub(super) accepted: u64,
    pub(super) refused: u64,
    secs: f64,
    latencies: Vec<Duration>,
}

impl Run {
    /// Adds another one, which came after it.
    pub(super) fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.secs += other.secs;
        self.latencies.extend(other.latencies);
    }

    pub(super) fn per_second(&self) -> f64 {
        self.accepted as f64 / self.secs
    }

    /// A quantile of the time from sending to the answer.
    pub(super) fn latency_ms(&self, quantile: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        quantile_ms(&sorted, quantile)
    }
}

pub(super) fn quantile_ms(sorted: &[Duration], quantile: f64) -> f64 {
    let index = ((sorted.len() as f64 * quantile).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
}

impl Load {
    /// Renders a load.
    pub(super) fn new(
        account: &Account,
        connections: usize,
        events: u64,
        size: Size,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let dsn = Dsn::parse(&account.dsn)?;
        let samples = Samples::new(VARIANTS)?;
        let mut random = Sequence::new(seed);
        let at = now();
        let mut requests = Vec::with_capacity(events as usize);
        let mut payloads = Vec::with_capacity(events as usize);
        for _ in 0..events {
            let sample = samples.event(&mut random, at, size);
            requests.push(connection::request(&dsn, &gzip(&envelope(&sample, &dsn.text, at))?));
            payloads.push(Bytes::from(sample.body.to_string()));
        }
        Ok(Self { requests: Arc::new(requests), payloads, connections })
    }

    /// Mean size of an event in bytes, uncompressed.
    pub(super) fn event_bytes(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum::<usize>() / self.payloads.len().max(1)
    }

    /// The records that the log stores for this load.
    pub(super) fn records(&self) -> Vec<Bytes> {
        let header = IngestHeader {
            project_id: ProjectId(1),
            key_id: KeyId(1),
            event_id: EventId([7; 16]),
            item_type: "event".to_owned(),
            attributes: ItemAttributes::default(),
            blob: None,
            user_agent: None,
            client_hints: nuthatch_protocol::record::ClientHints::default(),
            letter_id: None,
            received: now(),
            sent_at: Some(now()),
            client_ip: Some([127, 0, 0, 1].into()),
            client: Some("nuthatch/0.1".to_owned()),
            version: "7".to_owned(),
        };
        let encode = |payload: &Bytes| IngestRecord { header: header.clone(), payload: payload.clone() }.encode();
        self.payloads.iter().map(encode).collect()
    }

    /// Sends everything as fast as the answers come.
    pub(super) async fn send(&self, server: &Child) -> anyhow::Result<Run> {
        self.send_some(server, 0..self.requests.len()).await
    }

    /// Sends some of it as fast as the answers come.
    pub(super) async fn send_some(&self, server: &Child, part: Range<usize>) -> anyhow::Result<Run> {
        let next = Arc::new(AtomicUsize::new(part.start));
        let end = part.end.min(self.requests.len());
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.connections {
            let (next, requests, address) = (next.clone(), self.requests.clone(), server.address);
            tasks.spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut run = Run::default();
                while let Some(request) = requests[..end].get(next.fetch_add(1, Ordering::Relaxed)) {
                    let sent = Instant::now();
                    match connection.exchange(request).await? {
                        200 => run.accepted += 1,
                        _ => run.refused += 1,
                    }
                    run.latencies.push(sent.elapsed());
                }
                anyhow::Ok(run)
            });
        }
        let mut total = Run::default();
        while let Some(run) = tasks.join_next().await {
            total.add(run??);
        }
        total.secs = begun.elapsed().as_secs_f64();
        Ok(total)
    }

    /// Waits until issues and search index are past everything accepted.
    pub(super) async fn wait_until_processed(&self, server: &Child) -> anyhow::Result<()> {
        let mut client = Client::new(server.address);
        let begun = Instant::now();
        loop {
            let answer = client.api(Method::GET, "/metrics", "", None).await?;
            let lag = metric(&String::from_utf8_lossy(&answer.body), "nuthatch_log_lag_records");
            if lag == Some(0.0) {
                return Ok(());
            }
            anyhow::ensure!(begun.elapsed() < PATIENCE, "the server did not catch up; lag {lag:?}");
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Median and 99th percentile, in milliseconds, of the time from the answer to an event until its new issue is in the
/// issue list, while a steady load is offered.
pub(super) async fn visible_latency(
    account: &Account,
    server: &Child,
    rate: f64,
    samples: usize,
) -> anyhow::Result<(f64, f64)> {
    let dsn = Dsn::parse(&account.dsn)?;
    let background = tokio::spawn(offer(server.address, dsn.clone(), rate));
    let mut client = Client::new(server.address);
    let mut latencies = Vec::with_capacity(samples);
    let mut random = Sequence::new(99);
    for i in 0..samples {
        let marker = format!("visible{i}");
        let sample = Samples::new(1)?.event(&mut random, now(), Size::Usual);
        let mut body = sample.body.clone();
        body["fingerprint"] = vec![marker.clone()].into();
        body["exception"] = serde_json::json!({"values": [{"type": marker, "value": "probe"}]});
        let sample = crate::sample::Sample { event_id: sample.event_id, body };
        client.envelope(&dsn, gzip(&envelope(&sample, &dsn.text, now()))?, true).await?.json()?;
        let accepted = Instant::now();
        let path =
            format!("/api/0/projects/{}/{}/issues/?query={marker}&limit=1", account.organization, account.project);
        loop {
            let found = client.api(Method::GET, &path, &account.token, None).await?.json()?;
            if found.as_array().is_some_and(|issues| !issues.is_empty()) {
                break;
            }
            anyhow::ensure!(accepted.elapsed() < PATIENCE, "an event did not become visible");
        }
        latencies.push(accepted.elapsed());
    }
    background.abort();
    latencies.sort_unstable();
    Ok((quantile_ms(&latencies, 0.5), quantile_ms(&latencies, 0.99)))
}

/// Offers events at a rate until aborted.
async fn offer(address: std::net::SocketAddr, dsn: Dsn, rate: f64) -> anyhow::Result<()> {
    let samples = Samples::new(VARIANTS)?;
    let mut random = Sequence::new(3);
    let mut clients: Vec<Client> = (0..8).map(|_| Client::new(address)).collect();
    let lanes = clients.len() as f64;
    let mut tick = tokio::time::interval(Duration::from_secs_f64(lanes / rate.max(1.0)));
    loop {
        tick.tick().await;
        let mut sends = Vec::new();
        for client in &mut clients {
            let sample = samples.event(&mut random, now(), Size::Usual);
            let body = gzip(&envelope(&sample, &dsn.text, now()))?;
            sends.push(client.envelope(&dsn, body, true));
        }
        futures_util::future::join_all(sends).await;
    }
}

pub(super) fn gzip(raw: &[u8]) -> anyhow::Result<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(raw.len() / 2), flate2::Compression::new(6));
    encoder.write_all(raw)?;
    Ok(encoder.finish().context("cannot compress")?.into())
}
