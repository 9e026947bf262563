//! Files go to the blob store; what is answered with 200 is in both, blob and record.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_intake::IntakeConfig;
use nuthatch_protocol::{BlobKey, DataCategory, IngestRecord, Timestamp, Topic};
use nuthatch_store::{
    BlobStore, ProjectStore as _, StoreError,
    blobs::{Blob, BlobWriter},
    memory::MemoryBlobs,
    quotas::{QuotaRule, QuotaScope},
};

use crate::{
    app::{App, RANDOM_ID},
    cases::Settings,
};

/// A blob store that is away for some puts.
struct AwayBlobs {
    blobs: Arc<MemoryBlobs>,
    failures: AtomicUsize,
}

#[async_trait]
impl BlobStore for AwayBlobs {
    async fn put(&self, key: BlobKey, bytes: Bytes) -> Result<(), StoreError> {
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            return Err(StoreError::Unavailable { store: "blob store", cause: "disk full".to_owned() });
        }
        self.blobs.put(key, bytes).await
    }

    async fn begin(&self, key: BlobKey) -> Result<Box<dyn BlobWriter>, StoreError> {
        self.blobs.begin(key).await
    }

    async fn open(&self, key: BlobKey) -> Result<Option<Blob>, StoreError> {
        self.blobs.open(key).await
    }

    async fn head(&self, key: BlobKey, limit: u64) -> Result<Option<Bytes>, StoreError> {
        self.blobs.head(key, limit).await
    }

    async fn size(&self, key: BlobKey) -> Result<Option<u64>, StoreError> {
        self.blobs.size(key).await
    }

    async fn delete(&self, key: BlobKey) -> Result<(), StoreError> {
        self.blobs.delete(key).await
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        self.blobs.expire(before).await
    }
}

async fn app_with_failures(failures: usize) -> App {
    let wrap = |blobs| -> Arc<dyn BlobStore> { Arc::new(AwayBlobs { blobs, failures: failures.into() }) };
    App::on(IntakeConfig::default(), |log| log, wrap).await
}

fn envelope(items: &[(&str, &str)]) -> String {
    let mut text = format!("{{\"event_id\":\"{RANDOM_ID}\"}}\n");
    for (item_type, payload) in items {
        text += &format!("{{\"type\":\"{item_type}\",\"length\":{}}}\n{payload}\n", payload.len());
    }
    text
}

/// The payload of a record, wherever it is, and whether it lies beside.
async fn payload(app: &App, record: &IngestRecord) -> (Bytes, bool) {
    let Some(key) = BlobKey::of(record) else { return (record.payload.clone(), false) };
    assert_eq!(record.payload, "");
    let bytes = app.blobs.head(key, u64::MAX).await.unwrap().unwrap();
    assert_eq!(record.header.blob.unwrap().bytes, bytes.len() as u64);
    (bytes, true)
}

#[tokio::test]
async fn files_lie_beside_their_records_and_small_things_in_them() {
    for (item_type, beside) in [
        ("attachment", true),
        ("unreal_report", true),
        ("profile", true),
        ("profile_chunk", true),
        ("replay_recording", true),
        ("replay_video", true),
        ("replay_event", false),
        ("user_report", false),
        ("form_data", false),
    ] {
        let app = App::new().await;
        // Without one, no profile is taken.
        let beside_it = if item_type == "profile" { "transaction" } else { "session" };
        assert_eq!(app.post(envelope(&[(item_type, "a\nb"), (beside_it, "{}")])).await.status, 200);
        let [record] = &app.records_of(Topic::IngestAttachments).await[..] else { panic!("{item_type}") };
        assert_eq!(
            (record.header.item_type.as_str(), payload(&app, record).await),
            (item_type, ("a\nb".into(), beside))
        );
    }
}

#[tokio::test]
async fn what_a_user_says_is_about_the_event_that_the_envelope_names_or_else_the_report() {
    let other = "cd".repeat(16);
    let report = format!("{{\"event_id\":\"{other}\",\"comments\":\"x\"}}");
    for (header, wanted) in
        [(format!("{{\"event_id\":\"{RANDOM_ID}\"}}"), RANDOM_ID), ("{}".to_owned(), other.as_str())]
    {
        let app = App::new().await;
        let answer = app.post(format!("{header}\n{{\"type\":\"user_report\"}}\n{report}\n")).await;
        assert_eq!(answer.body, format!("{{\"id\":\"{wanted}\"}}"));
        let records = app.records_of(Topic::IngestAttachments).await;
        assert_eq!(records[0].header.event_id.to_string(), wanted);
    }
}

#[tokio::test]
async fn a_file_is_told_by_its_checksum_and_an_empty_one_is_a_file_too() {
    let app = App::new().await;
    let large = "x".repeat(1 << 20);
    assert_eq!(app.post(envelope(&[("attachment", ""), ("attachment", &large)])).await.status, 200);
    let records = app.records_of(Topic::IngestAttachments).await;
    let sums: Vec<String> = records.iter().map(|record| record.header.blob.unwrap().sha1.to_string()).collect();
    assert_eq!(sums, ["da39a3ee5e6b4b0d3255bfef95601890afd80709", "e37f4d5be56713044d62525e406d250a722647d6"]);
}

#[tokio::test]
async fn what_is_refused_with_its_envelope_is_counted_in_bytes_and_kept_nowhere() {
    let app = App::new().await;
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
    let items = [("attachment", "12345"), ("replay_event", &long), ("replay_recording", "r"), ("attachment", "")];
    assert_eq!(app.post(envelope(&items)).await.status, 413);
    let (mut counted, _) = app.outcomes().await;
    counted.sort();
    let wanted = ["attachment invalid too_large:replay_event 6", "attachment_item invalid too_large:replay_event 2"];
    let wanted = [wanted[0], wanted[1], "replay invalid too_large:replay_event 1"].map(|line| format!("1/1 {line}"));
    assert_eq!(counted, wanted);
    assert!(app.records_of(Topic::IngestAttachments).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_blob_store_that_comes_back_loses_nothing() {
    let app = app_with_failures(5).await;
    assert_eq!(app.post(envelope(&[("attachment", "kept")])).await.status, 200);
    let record = &app.records_of(Topic::IngestAttachments).await[0];
    assert_eq!(payload(&app, record).await, ("kept".into(), true));
}

#[tokio::test(start_paused = true)]
async fn a_blob_store_that_stays_away_is_not_acknowledged() {
    let app = app_with_failures(usize::MAX).await;
    let answer = app.post(envelope(&[("event", "{}"), ("attachment", "lost")])).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (503, &http::HeaderValue::from_static("10")));
    assert!(!String::from_utf8_lossy(&answer.body).contains("disk"), "causes inside the server are not shown");
    assert!(app.records().await.is_empty() && app.records_of(Topic::IngestAttachments).await.is_empty(), "all or none");
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_for_a_file_that_cannot_be_kept_is_given_back() {
    let app = app_with_failures(usize::MAX).await;
    let rule = QuotaRule {
        scope: QuotaScope::Project,
        scope_id: None,
        categories: vec![DataCategory::Error],
        limit: Some(1),
        window_secs: 60,
        reason_code: "s".to_owned(),
    };
    app.set(&Settings { project_quotas: vec![rule], ..Settings::default() }).await;
    let organization = app.meta.organizations().await.unwrap().remove(0).id;
    let quota = app.meta.quotas(organization).await.unwrap().remove(0);
    assert_eq!(app.post(envelope(&[("event", "{}"), ("attachment", "lost")])).await.status, 503);
    assert_eq!(app.intake.quota_usage(&quota).used, 0);
    assert_eq!(app.post(envelope(&[("event", "{}")])).await.status, 200, "the SDK may send again");
}
