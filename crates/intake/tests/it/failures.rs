//! What happens when clients are slow, the log is away, or the server goes down.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use metrics_exporter_prometheus::PrometheusBuilder;
use nuthatch_intake::IntakeConfig;
use nuthatch_protocol::{Partition, Position, Topic};
use nuthatch_store::{
    Log, ProjectStore as _, StoreError,
    log::{LogBounds, NewRecord, ReadBatch, ReadLimit, StoredRecord},
};

use crate::app::{App, DISABLED_KEY, add_key, envelope_request, good_envelope, switched};

/// A log that is away for some appends.
struct AwayLog {
    log: Arc<dyn Log>,
    failures: AtomicUsize,
}

#[async_trait]
impl Log for AwayLog {
    fn partitions(&self, topic: Topic) -> Partition {
        self.log.partitions(topic)
    }

    async fn append(&self, topic: Topic, at: Partition, records: Vec<NewRecord>) -> Result<Position, StoreError> {
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            return Err(StoreError::Unavailable { store: "log", cause: "disk full".to_owned() });
        }
        self.log.append(topic, at, records).await
    }

    async fn read(&self, from: Position, limit: ReadLimit) -> Result<ReadBatch, StoreError> {
        self.log.read(from, limit).await
    }

    async fn wait(&self, at: Position) {
        self.log.wait(at).await;
    }

    async fn find(&self, from: Position, key: [u8; 16]) -> Result<Option<StoredRecord>, StoreError> {
        self.log.find(from, key).await
    }

    async fn bounds(&self, topic: Topic, partition: Partition) -> Result<LogBounds, StoreError> {
        self.log.bounds(topic, partition).await
    }

    async fn release(&self, consumer: &str, position: Position) -> Result<(), StoreError> {
        self.log.release(consumer, position).await
    }

    async fn consumers(&self) -> Result<Vec<(String, Position)>, StoreError> {
        self.log.consumers().await
    }

    fn health(&self) -> Result<(), String> {
        self.log.health()
    }
}

async fn app_with_failures(failures: usize) -> App {
    let wrap = |log| -> Arc<dyn Log> { Arc::new(AwayLog { log, failures: failures.into() }) };
    App::with(IntakeConfig::default(), wrap).await
}

#[tokio::test(start_paused = true)]
async fn a_log_that_comes_back_loses_nothing() {
    let app = app_with_failures(5).await;
    assert_eq!(app.post(good_envelope()).await.status, 200);
    assert_eq!(app.records().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_stays_away_is_not_acknowledged() {
    let app = app_with_failures(usize::MAX).await;
    let answer = app.post(good_envelope()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "10");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(!String::from_utf8_lossy(&answer.body).contains("disk"), "causes inside the server are not shown");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_counted_is_not_refused_for_good() {
    let app = app_with_failures(5).await;
    assert_eq!(app.post("nonsense").await.status, 400);
    assert_eq!(app.outcomes().await.0.len(), 1);
    let app = app_with_failures(usize::MAX).await;
    assert_eq!(app.post("nonsense").await.status, 503);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let app = App::new().await;
    let started = tokio::time::Instant::now();
    let drip = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"{")) }).chain(stream::pending());
    assert_eq!(app.post(Body::from_stream(drip)).await.status, 408);
    assert!(started.elapsed() <= IntakeConfig::default().body_timeout + Duration::from_secs(1));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let app = App::new().await;
    let pieces = [Ok(Bytes::from_static(b"{}")), Err(std::io::Error::other("connection reset"))];
    assert_eq!(app.post(Body::from_stream(stream::iter(pieces))).await.status, 400);
    assert!(app.records().await.is_empty());
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let app = App::new().await;
    let pieces: Vec<_> =
        good_envelope().into_bytes().chunks(7).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    assert_eq!(app.post(Body::from_stream(stream::iter(pieces))).await.status, 200);
    assert_eq!(app.records().await[0].payload, "{\"message\":\"good\"}");
}

#[tokio::test(start_paused = true)]
async fn slow_clients_together_hold_bounded_memory() {
    let config = IntakeConfig { inflight_max_bytes: 100 << 10, ..IntakeConfig::default() };
    let app = Arc::new(App::with(config, |log| log).await);
    let slow = (0..50).map(|_| {
        let app = Arc::clone(&app);
        let part = stream::once(async { Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 10 << 10])) });
        tokio::spawn(async move { app.post(Body::from_stream(part.chain(stream::pending()))).await.status })
    });
    let statuses = futures_util::future::join_all(slow.collect::<Vec<_>>()).await;
    let count = |status: u16| statuses.iter().filter(|found| found.as_ref().unwrap().as_u16() == status).count();
    assert_eq!((count(408), count(503)), (10, 40), "ten parts fit, the others are turned away in time");
    assert_eq!(app.post(good_envelope()).await.status, 200);
}

#[tokio::test]
async fn a_closed_intake_refuses() {
    let app = App::new().await;
    app.intake.close();
    let answer = app.post(good_envelope()).await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains_key("retry-after"));
    assert!(app.records().await.is_empty());
}

#[tokio::test]
async fn changes_to_keys_count_at_once() {
    let app = App::new().await;
    let with_key = |key: &str| {
        let mut request = envelope_request(good_envelope());
        request.headers_mut().insert("x-sentry-auth", format!("Sentry sentry_key={key}").parse().unwrap());
        request
    };
    let unknown = "44444444444444444444444444444444";
    assert_eq!(app.send(with_key(DISABLED_KEY)).await.status, 403);
    assert_eq!(app.send(with_key(unknown)).await.status, 403);
    app.meta.change_key(app.disabled_key.id, switched(true)).await.unwrap();
    let added = add_key(&app.meta, unknown.parse().unwrap()).await;
    assert_eq!(app.send(with_key(DISABLED_KEY)).await.status, 200);
    assert_eq!(app.send(with_key(unknown)).await.status, 200);
    app.meta.delete_key(added.id).await.unwrap();
    assert_eq!(app.send(with_key(unknown)).await.status, 403);
}

#[test]
fn what_was_taken_and_skipped_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let app = App::new().await;
            let skipped = "{\"type\":\"nel\"}\n{}\n{\"type\":\"made-up\"}\n{}\n{\"type\":\"also-made-up\"}\n{}\n";
            assert_eq!(app.post(good_envelope() + skipped).await.status, 200);
            assert_eq!(app.post(format!("{{}}\n{skipped}")).await.status, 200);
            assert_eq!(app.post("nonsense").await.status, 400);
        });
    });
    let text = handle.render();
    for line in [
        "nuthatch_intake_requests_total{status=\"200\"} 2",
        "nuthatch_intake_requests_total{status=\"400\"} 1",
        "nuthatch_intake_events_accepted_total 1",
        "nuthatch_intake_event_bytes_total 18",
        "nuthatch_intake_items_skipped_total{type=\"nel\"} 2",
        "nuthatch_intake_items_skipped_total{type=\"other\"} 4",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} not in\n{text}");
    }
}
