//! Files that come before the envelope that refers to them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Method, Request};
use nuthatch_intake::IntakeConfig;
use nuthatch_protocol::{BlobKey, DataCategory, IngestRecord, Timestamp, Topic};
use nuthatch_store::{
    BlobStore, StoreError,
    blobs::{Blob, BlobWriter},
    memory::MemoryBlobs,
    quotas::{QuotaRule, QuotaScope},
};
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, KEY, OTHER_KEY, RANDOM_ID},
    cases::Settings,
};

async fn request(app: &App, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("tus-resumable", "1.0.0");
    request = request.header("x-sentry-auth", format!("Sentry sentry_key={KEY}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(body.into()).unwrap()).await
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.headers["location"].to_str().unwrap().to_owned()
}

/// Uploads a file with the request that begins the upload.
async fn upload(app: &App, file: &'static str) -> Answer {
    let length = file.len().to_string();
    let headers = [("upload-length", length.as_str()), ("content-type", BYTES)];
    request(app, Method::POST, "/api/1/upload/", &headers, file).await
}

const BYTES: &str = "application/offset+octet-stream";

/// Sends an event with an attachment that refers to an upload.
async fn refer(app: &App, project: u8, location: &str, more: Value) -> Answer {
    refer_in(app, project, RANDOM_ID, &[(location, more)]).await
}

/// Sends an event with attachments that refer to uploads.
async fn refer_in(app: &App, project: u8, event_id: &str, references: &[(&str, Value)]) -> Answer {
    let mut body = format!("{{\"event_id\":\"{event_id}\"}}\n{{\"type\":\"event\"}}\n{{}}");
    for (location, more) in references {
        let payload = json!({"location": location, "content_type": "image/png"}).to_string();
        let mut header = json!({
            "type": "attachment", "content_type": "application/vnd.sentry.attachment-ref+json", "filename": "a.png",
            "length": payload.len(),
        });
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body += &format!("\n{header}\n{payload}");
    }
    let key = if project == 1 { KEY } else { OTHER_KEY };
    let request = Request::post(format!("/api/{project}/envelope/?sentry_key={key}")).body(Body::from(body)).unwrap();
    let answer = app.send(request).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer
}

async fn attached(app: &App) -> Vec<IngestRecord> {
    app.records_of(Topic::IngestAttachments).await
}

#[tokio::test]
async fn an_upload_becomes_the_file_of_the_attachment_that_refers_to_it_once() {
    let app = App::new().await;
    let location = location(&upload(&app, "bytes").await);
    assert!(attached(&app).await.is_empty());
    for address in [location.clone(), format!("https://errors.example.org{location}?x")] {
        refer(&app, 1, &address, json!({"attachment_length": 5, "attachment_type": "event.view_hierarchy"})).await;
    }
    let [record] = &attached(&app).await[..] else { panic!("one attachment") };
    let (blob, attributes) = (record.header.blob.unwrap(), &record.header.attributes);
    assert_eq!((blob.bytes, blob.sha1.to_string().as_str()), (5, "daf529a73101c2be626b99fc6938163e7a27620b"));
    assert_eq!(app.blobs.head(BlobKey::of(record).unwrap(), 99).await.unwrap().unwrap(), "bytes");
    assert_eq!(attributes.content_type.as_deref(), Some("image/png"));
    assert_eq!(attributes.filename.as_deref(), Some("a.png"));
    assert_eq!(attributes.attachment_type.as_deref(), Some("event.view_hierarchy"));
    assert_eq!((record.header.event_id.to_string().as_str(), record.payload.len()), (RANDOM_ID, 0));
    let (counted, _) = app.outcomes().await;
    assert!(counted.iter().any(|line| line == "1/1 attachment_item invalid missing_upload 1"), "{counted:?}");
    assert_eq!(counted.len(), 2, "what is kept is counted when it is handled: {counted:?}");
}

#[tokio::test]
async fn the_bytes_may_come_with_a_second_request_and_in_one_piece_only() {
    let app = App::new().await;
    let begun = request(&app, Method::POST, "/api/1/upload/", &[("upload-length", "5")], "").await;
    let location = location(&begun);
    refer(&app, 1, &location, json!({})).await;
    assert!(attached(&app).await.is_empty(), "there are no bytes yet");
    let piece = async |offset: &str, body: &'static str| {
        let headers = [("upload-offset", offset), ("content-type", BYTES)];
        request(&app, Method::PATCH, &location, &headers, body).await.status.as_u16()
    };
    assert_eq!(piece("0", "byte").await, 400);
    assert_eq!(piece("2", "tes").await, 409);
    assert_eq!(piece("0", "bytes!").await, 413);
    assert_eq!(piece("0", "bytes").await, 204);
    assert_eq!(piece("0", "other").await, 409, "what is complete does not change");
    refer(&app, 1, &location, json!({})).await;
    let [record] = &attached(&app).await[..] else { panic!("one attachment") };
    assert_eq!(app.blobs.head(BlobKey::of(record).unwrap(), 99).await.unwrap().unwrap(), "bytes");
}

#[tokio::test]
async fn nobody_attaches_what_was_uploaded_to_another_project_or_guesses_an_upload() {
    let app = App::new().await;
    let location = location(&upload(&app, "bytes").await);
    refer(&app, 2, &location, json!({})).await;
    refer(&app, 2, &location.replace("/api/1/", "/api/2/"), json!({})).await;
    refer(&app, 1, &location.replace("abab", "abac"), json!({})).await;
    refer(&app, 1, &location.replace(".5/", ".6/"), json!({})).await;
    refer(&app, 1, &location, json!({"attachment_length": 6})).await;
    assert!(attached(&app).await.is_empty());
    refer(&app, 1, &location, json!({})).await;
    assert_eq!(attached(&app).await.len(), 1, "it is still there for who knows it");
}

#[tokio::test]
async fn quotas_count_an_upload_when_it_comes_and_not_again() {
    let app = App::new().await;
    let rule = QuotaRule {
        scope: QuotaScope::Project,
        scope_id: None,
        categories: vec![DataCategory::Attachment],
        limit: Some(5),
        window_secs: 60,
        reason_code: "s".to_owned(),
    };
    app.set(&Settings { project_quotas: vec![rule], ..Settings::default() }).await;
    let location = location(&upload(&app, "bytes").await);
    let refused = upload(&app, "more").await;
    assert_eq!((refused.status.as_u16(), refused.headers.contains_key("x-sentry-rate-limits")), (429, true));
    let begun = request(&app, Method::POST, "/api/1/upload/", &[("upload-length", "3")], "").await;
    assert_eq!(begun.status, 429, "nobody sends in vain what is not let through");
    refer(&app, 1, &location, json!({})).await;
    assert_eq!(attached(&app).await.len(), 1);
    let (counted, _) = app.outcomes().await;
    assert_eq!(counted, ["1/1 attachment rate_limited s 7", "1/1 attachment_item rate_limited s 2"]);
}

/// A blob store that cannot delete, and lets others go on before it does anything.
struct KeepingBlobs(Arc<MemoryBlobs>);

#[async_trait]
impl BlobStore for KeepingBlobs {
    async fn put(&self, key: BlobKey, bytes: Bytes) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        self.0.put(key, bytes).await
    }

    async fn begin(&self, key: BlobKey) -> Result<Box<dyn BlobWriter>, StoreError> {
        self.0.begin(key).await
    }

    async fn open(&self, key: BlobKey) -> Result<Option<Blob>, StoreError> {
        self.0.open(key).await
    }

    async fn head(&self, key: BlobKey, limit: u64) -> Result<Option<Bytes>, StoreError> {
        tokio::task::yield_now().await;
        self.0.head(key, limit).await
    }

    async fn size(&self, key: BlobKey) -> Result<Option<u64>, StoreError> {
        tokio::task::yield_now().await;
        self.0.size(key).await
    }

    async fn delete(&self, _: BlobKey) -> Result<(), StoreError> {
        Err(StoreError::Unavailable { store: "blob store", cause: "away".to_owned() })
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        self.0.expire(before).await
    }
}

/// An app whose requests take turns whenever they use the blob store, where receipts stay: as when the process dies, or a
/// client hangs up, before they are deleted.
async fn app_that_forgets_nothing() -> App {
    App::on(IntakeConfig::default(), |log| log, |blobs| Arc::new(KeepingBlobs(blobs))).await
}

const OTHER_EVENT: &str = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";

#[tokio::test]
async fn one_envelope_attaches_an_upload_once() {
    let app = App::new().await;
    let location = location(&upload(&app, "bytes").await);
    let elsewhere = format!("https://errors.example.org{location}");
    let names = ["a.png", "a.png", "b.png"].map(|name| json!({"filename": name, "attachment_length": 5}));
    let [first, second, third] = names;
    refer_in(&app, 1, RANDOM_ID, &[(&location, first), (&elsewhere, second), (&location, third)]).await;
    let [record] = &attached(&app).await[..] else { panic!("one attachment") };
    assert_eq!(record.header.attributes.filename.as_deref(), Some("a.png"));
    let (counted, _) = app.outcomes().await;
    assert_eq!(counted, ["1/1 attachment invalid missing_upload 10", "1/1 attachment_item invalid missing_upload 2"]);
}

#[tokio::test]
async fn requests_at_the_same_time_attach_an_upload_once() {
    let app = app_that_forgets_nothing().await;
    let location = location(&upload(&app, "bytes").await);
    let ids: Vec<String> = (0..8).map(|n| format!("{n:032x}")).collect();
    let reference = [(location.as_str(), json!({}))];
    futures_util::future::join_all(ids.iter().map(|id| refer_in(&app, 1, id, &reference))).await;
    assert_eq!((app.records().await.len(), attached(&app).await.len()), (8, 1));
}

#[tokio::test]
async fn an_upload_whose_receipt_stays_belongs_to_the_first_attachment_that_refers_to_it() {
    let app = app_that_forgets_nothing().await;
    let location = location(&upload(&app, "bytes").await);
    refer_in(&app, 1, RANDOM_ID, &[(&location, json!({}))]).await;
    refer_in(&app, 1, OTHER_EVENT, &[(&location, json!({}))]).await;
    refer_in(&app, 1, RANDOM_ID, &[(&location, json!({"filename": "b.png"}))]).await;
    assert_eq!(attached(&app).await.len(), 1, "others do not get it");
    refer_in(&app, 1, RANDOM_ID, &[(&location, json!({}))]).await;
    let records = attached(&app).await;
    assert_eq!(records.len(), 2, "sent again, it is the same");
    let identity =
        |record: &IngestRecord| (record.header.event_id, record.header.blob, record.header.attributes.filename.clone());
    assert_eq!(identity(&records[0]), identity(&records[1]), "which makes the second one a duplicate");
}

#[tokio::test]
async fn a_crash_piece_that_was_uploaded_is_kept_as_an_attachment() {
    let app = App::new().await;
    let location = location(&upload(&app, "bytes").await);
    refer(&app, 1, &location, json!({"attachment_type": "event.breadcrumbs"})).await;
    let [record] = &attached(&app).await[..] else { panic!("one attachment") };
    assert_eq!((record.header.blob.unwrap().bytes, &app.records().await[0].payload[..]), (5, &b"{}"[..]));
}

#[tokio::test]
async fn bytes_that_come_twice_at_the_same_time_are_one_upload() {
    let app = app_that_forgets_nothing().await;
    let begun = request(&app, Method::POST, "/api/1/upload/", &[("upload-length", "5")], "").await;
    let location = location(&begun);
    let headers = [("upload-offset", "0"), ("content-type", BYTES)];
    let send = || request(&app, Method::PATCH, &location, &headers, "bytes");
    let (one, other) = tokio::join!(send(), send());
    assert_eq!([one.status.as_u16(), other.status.as_u16()], [204, 409]);
}

#[tokio::test]
async fn an_upload_is_found_under_the_public_address() {
    for (public_url, root) in [
        ("https://errors.example.org", "https://errors.example.org"),
        ("https://example.org:8443/errors/", "https://example.org:8443/errors"),
    ] {
        let public_url = Some(public_url.parse().unwrap());
        let app = App::with(IntakeConfig { public_url, ..IntakeConfig::default() }, |log| log).await;
        let location = location(&upload(&app, "bytes").await);
        assert!(location.starts_with(&format!("{root}/api/1/upload/")), "{location}");
        refer(&app, 1, &location, json!({})).await;
        assert_eq!(attached(&app).await.len(), 1);
    }
}

/// Uploads so many bytes that come in pieces of so many, each after a pause.
async fn upload_slowly(app: &App, bytes: usize, piece: usize, pause: Duration) -> Answer {
    let pieces = stream::iter((0..bytes).step_by(piece)).then(move |at| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; piece.min(bytes - at)]))
    });
    let length = bytes.to_string();
    let headers = [("upload-length", length.as_str()), ("content-type", BYTES)];
    request(app, Method::POST, "/api/1/upload/", &headers, Body::from_stream(pieces)).await
}

#[tokio::test(start_paused = true)]
async fn an_upload_may_take_as_long_as_an_ordinary_line_does() {
    let app = App::new().await;
    let answer = upload_slowly(&app, 10 << 20, 300_001, Duration::from_secs(5)).await;
    refer(&app, 1, &location(&answer), json!({})).await;
    let [record] = &attached(&app).await[..] else { panic!("one attachment") };
    let bytes = app.blobs.head(BlobKey::of(record).unwrap(), u64::MAX).await.unwrap().unwrap();
    assert!(bytes.len() == 10 << 20 && bytes.iter().all(|byte| *byte == b'x'));
    assert_eq!(record.header.blob.unwrap().sha1.to_string(), "83cc369e6d2bd16117e3b13db9e971e72f5bcf59");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stalls_or_crawls_is_given_up_and_counted() {
    for (piece, pause) in [(1 << 20, 31), (1 << 10, 10)] {
        let app = App::new().await;
        let answer = upload_slowly(&app, 10 << 20, piece, Duration::from_secs(pause)).await;
        assert_eq!(answer.status, 408);
        let (counted, _) = app.outcomes().await;
        let wanted = ["1/1 attachment invalid body_timeout 10485760", "1/1 attachment_item invalid body_timeout 1"];
        assert_eq!(counted, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn uploads_take_neither_the_room_nor_the_time_of_other_requests() {
    let config = IntakeConfig { inflight_max_bytes: 100 << 10, uploads_max: 4, ..IntakeConfig::default() };
    let app = Arc::new(App::with(config, |log| log).await);
    let uploads: Vec<_> = (1..=4)
        .map(|n| {
            let app = Arc::clone(&app);
            tokio::spawn(
                async move { upload_slowly(&app, (1 << 20) + n, 64 << 10, Duration::from_secs(1)).await.status },
            )
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(app.post("{}\n{\"type\":\"event\"}\n{}").await.status, 200);
    let one_too_many = upload_slowly(&app, 1 << 20, 64 << 10, Duration::ZERO).await;
    assert_eq!((one_too_many.status.as_u16(), app.outcomes().await.0), (503, Vec::new()), "it may come again");
    for upload in uploads {
        assert_eq!(upload.await.unwrap(), 201);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_breaks_off_takes_nothing_of_a_quota() {
    let app = App::new().await;
    let rule = QuotaRule {
        scope: QuotaScope::Project,
        scope_id: None,
        categories: vec![DataCategory::Attachment],
        limit: Some(1 << 20),
        window_secs: 3600,
        reason_code: "s".to_owned(),
    };
    app.set(&Settings { project_quotas: vec![rule], ..Settings::default() }).await;
    let (bytes, half) = (1 << 20, 512 << 10);
    assert_eq!(upload_slowly(&app, bytes, half, Duration::from_secs(31)).await.status, 408);
    let hung_up = upload_slowly(&app, bytes, half, Duration::from_secs(1));
    assert!(tokio::time::timeout(Duration::from_millis(1500), hung_up).await.is_err());
    assert_eq!(upload_slowly(&app, bytes, bytes, Duration::ZERO).await.status, 201);
}
