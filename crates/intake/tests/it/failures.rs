//! What happens when clients are slow, the log is away, or the server goes down.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use metrics_exporter_prometheus::PrometheusBuilder;
use nuthatch_intake::IntakeConfig;
use nuthatch_protocol::{DataCategory, Partition, Position, Topic};
use nuthatch_store::{
    Log, ProjectStore as _, StoreError,
    log::{LogBounds, NewRecord, ReadBatch, ReadLimit, StoredRecord},
    memory::MemoryQuotaCounts,
    quotas::{QuotaRule, QuotaScope},
};

use crate::{
    app::{App, DISABLED_KEY, KEY, OTHER_KEY, add_key, envelope_request, good_envelope, switched},
    cases::Settings,
};

/// A log that is away for some appends.
struct AwayLog {
    log: Arc<dyn Log>,
    failures: Arc<AtomicUsize>,
    /// Only for records that hold this text.
    holding: &'static str,
    has_room: Arc<AtomicBool>,
}

#[async_trait]
impl Log for AwayLog {
    fn partitions(&self, topic: Topic) -> Partition {
        self.log.partitions(topic)
    }

    async fn append(&self, topic: Topic, at: Partition, records: Vec<NewRecord>) -> Result<Position, StoreError> {
        let holds = |record: &NewRecord| String::from_utf8_lossy(&record.value).contains(self.holding);
        if !records.iter().any(holds) {
            return self.log.append(topic, at, records).await;
        }
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

    fn has_room(&self) -> bool {
        self.has_room.load(Ordering::SeqCst)
    }

    fn health(&self) -> Result<(), String> {
        self.log.health()
    }
}

async fn app_with_failures(failures: usize) -> App {
    app_without(Arc::new(failures.into()), "", Arc::new(true.into())).await
}

/// An app whose log does not take records with a text for some appends, and has room or not.
async fn app_without(failures: Arc<AtomicUsize>, holding: &'static str, has_room: Arc<AtomicBool>) -> App {
    let wrap = |log| -> Arc<dyn Log> { Arc::new(AwayLog { log, failures, holding, has_room }) };
    App::with(IntakeConfig::default(), wrap).await
}

#[tokio::test]
async fn a_full_log_takes_nothing_says_so_by_category_and_counts_it() {
    let has_room = Arc::new(AtomicBool::new(false));
    let app = app_without(Arc::default(), "", has_room.clone()).await;
    let mixed = good_envelope() + "{\"type\":\"session\"}\n{}\n";
    for (body, categories) in [(good_envelope(), "error"), (mixed, "error;session")] {
        let answer = app.post(body).await;
        assert_eq!(answer.status, 429);
        let limits = format!("60:{categories}:organization:log_full");
        assert_eq!(answer.headers["x-sentry-rate-limits"], limits);
        assert_eq!(answer.headers["retry-after"], "60");
    }
    let report = "{}\n{\"type\":\"client_report\"}\n{\"discarded_events\":[[\"sample_rate\",\"error\",3]]}\n";
    assert_eq!(app.post(report).await.status, 200, "what clients did not send takes no room");
    assert!(app.topics().await.is_empty());
    let counted = [
        "1/1 error rate_limited log_full 2",
        "1/1 error client_discard sample_rate 3",
        "1/1 session rate_limited log_full 1",
    ];
    let mut outcomes = app.outcomes().await.0;
    outcomes.sort_unstable();
    let mut counted: Vec<_> = counted.map(str::to_owned).into();
    counted.sort_unstable();
    assert_eq!(outcomes, counted);
    // Who knows no rate limits is not told that all is well, and sends it again.
    let (octets, json) = ("application/octet-stream", "application/json");
    for (path, content_type, body) in [
        ("minidump", octets, "MDMP and so on"),
        ("cron/nightly", json, r#"{"status":"ok"}"#),
        ("nel", "application/reports+json", r#"[{"type":"network-error","url":"https://a.example/","body":{}}]"#),
    ] {
        let request = http::Request::post(format!("/api/1/{path}/?sentry_key={KEY}"));
        let answer = app.send(request.header("content-type", content_type).body(body.into()).unwrap()).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert!(app.topics().await.is_empty());
    has_room.store(true, Ordering::SeqCst);
    assert_eq!(app.post(good_envelope()).await.status, 200);
}

/// A project that floods has its own lane; the other project keeps to the regular one.
#[tokio::test]
async fn events_above_a_projects_share_go_to_the_backlog() {
    let config = IntakeConfig { lane_events_per_second: 10, lane_burst_events: 3, ..IntakeConfig::default() };
    let app = App::with(config, |log| log).await;
    for _ in 0..10 {
        assert_eq!(app.post(good_envelope()).await.status, 200);
    }
    let other = || {
        let request =
            http::Request::post("/api/2/envelope/").header("x-sentry-auth", format!("Sentry sentry_key={OTHER_KEY}"));
        request.body(Body::from(good_envelope())).unwrap()
    };
    assert_eq!(app.send(other()).await.status, 200);
    let session = "{}\n{\"type\":\"session\"}\n{}\n";
    assert_eq!(app.post(session).await.status, 200);
    let projects = |records: Vec<nuthatch_protocol::IngestRecord>| {
        records.into_iter().map(|record| record.header.project_id.0).collect::<Vec<_>>()
    };
    assert_eq!(projects(app.records().await), [1, 1, 1, 2]);
    assert_eq!(projects(app.records_of(Topic::IngestEventsBacklog).await), [1; 7]);
    assert_eq!(app.records_of(Topic::IngestSessions).await.len(), 1, "other items have no lanes");
}

#[tokio::test(start_paused = true)]
async fn a_request_of_which_a_part_is_not_durable_is_not_acknowledged() {
    let app = app_without(Arc::new(usize::MAX.into()), "unlucky", Arc::new(true.into())).await;
    let reports = r#"[{"type": "csp-violation", "body": {}}, {"type": "unlucky", "body": {}}]"#;
    let request = http::Request::post(format!("/api/1/security/?sentry_key={KEY}"));
    let request = request.header("content-type", "application/reports+json").body(Body::from(reports)).unwrap();
    assert_eq!(app.send(request).await.status, 503);
    assert_eq!(app.records().await.len(), 1, "the other part is there, and is the same when it is sent again");
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_503_is_not_counted_before_it_is_sent_again() {
    let span = |name: &str| {
        format!(r#"{{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":{name}}}"#)
    };
    let spans =
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{},{}]}}]}}]}}"#, span(r#""unlucky""#), span("[]"));
    let otlp = |spans: &str| {
        let request = http::Request::post(format!("/api/1/integration/otlp/v1/traces?sentry_key={KEY}"));
        request.header("content-type", "application/json").body(Body::from(spans.to_owned())).unwrap()
    };
    let items = "{}\n{\"type\":\"made-up\"}\n{}\n{\"type\":\"session\"}\n{\"did\":\"unlucky\"}\n";
    let failures = Arc::new(AtomicUsize::new(usize::MAX));
    let app = app_without(failures.clone(), "unlucky", Arc::new(true.into())).await;
    for status in [503, 200] {
        assert_eq!(app.send(otlp(&spans)).await.status, status);
        assert_eq!(app.post(items).await.status, status);
        let counted = ["1/1 span invalid invalid_entry 1", "1/1 unknown invalid unknown_item_type 1"];
        let counted: &[&str] = if status == 200 { &counted } else { &[] };
        assert_eq!(app.outcomes().await.0, counted);
        failures.store(0, Ordering::SeqCst);
    }
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
async fn what_is_not_durable_takes_no_place_below_a_limit() {
    let app = app_without(Arc::new(usize::MAX.into()), "lost-session", Arc::new(true.into())).await;
    let rule = |category| QuotaRule {
        scope: QuotaScope::Project,
        scope_id: None,
        categories: vec![category],
        limit: Some(5),
        window_secs: 60,
        reason_code: String::new(),
    };
    let project_quotas = vec![rule(DataCategory::Error), rule(DataCategory::Session)];
    app.set(&Settings { project_quotas, ..Settings::default() }).await;
    let session = "{\"type\":\"session\"}\n{\"did\":\"lost-session\"}\n";
    assert_eq!(app.post(good_envelope() + session).await.status, 503);
    let organization = app.meta.organizations().await.unwrap().remove(0).id;
    let quotas = app.meta.quotas(organization).await.unwrap();
    let used: Vec<u64> = quotas.iter().map(|quota| app.intake.quota_usage(quota).used).collect();
    assert_eq!((app.records().await.len(), used), (1, vec![1, 0]));
}

/// A note of what quotas have counted may be taken between the count of a unit and its append: it is in the note then, and in
/// the log behind it.
#[tokio::test(start_paused = true)]
async fn what_is_noted_down_before_it_is_in_the_log_is_counted_once() {
    let app = app_without(Arc::new(1.into()), "late-session", Arc::new(true.into())).await;
    let rule = QuotaRule {
        scope: QuotaScope::Project,
        scope_id: None,
        categories: vec![DataCategory::Session],
        limit: Some(5),
        window_secs: 60,
        reason_code: String::new(),
    };
    app.set(&Settings { project_quotas: vec![rule], ..Settings::default() }).await;
    let counts = Arc::new(MemoryQuotaCounts::new());
    let note = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(app.topics().await.is_empty());
        app.intake.clone().keep_quotas(counts.clone(), std::future::ready(())).await;
    };
    let session = "{}\n{\"type\":\"session\"}\n{\"did\":\"late-session\"}\n";
    let (answer, ()) = tokio::join!(app.post(session), note);
    assert_eq!((answer.status.as_u16(), app.topics().await.len()), (200, 1));
    let organization = app.meta.organizations().await.unwrap().remove(0).id;
    let quota = app.meta.quotas(organization).await.unwrap().remove(0);
    assert_eq!(app.restarted(&counts).await.intake.quota_usage(&quota).used, 1);
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
            let skipped = "{\"type\":\"statsd\"}\n{}\n{\"type\":\"made-up\"}\n{}\n{\"type\":\"also-made-up\"}\n{}\n";
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
        "nuthatch_intake_items_skipped_total{type=\"statsd\"} 2",
        "nuthatch_intake_items_skipped_total{type=\"other\"} 4",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} not in\n{text}");
    }
}
