//! The API over in-memory stores with two organizations: `acme` of Ann (project `web`) and `other` of Eve (`api`).

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use nuthatch_api::{Api, ApiDeps, hash_password, last_characters, router, secret_hash, token_text};
use nuthatch_issues::{Changes, HourlyCount, Issue, Needs, Status, Substatus};
use nuthatch_protocol::{
    BlobId, EventId, EventRow, Fact, Hash, IngestRecord, IssueId, Level, OrganizationId, Origin, Partition, Position,
    Priority, ProjectId, PublicKey, Sha1, SpanId, Timestamp, Topic, TypeId, Units, UserId, record::DeadLetter,
};
use nuthatch_store::{
    AccountStore as _, BlobStore as _, EventStore as _, FileStore as _, IssueStore as _, ProjectStore as _,
    accounts::{NewToken, NewUser},
    events::{EventSummary, StoredEvent},
    files::{FileEffect, FileHead, FileKind, InTrace, NewFile, UserReport},
    issues::ConsumerPosition,
    log::{LogLayout, StoredRecord},
    memory::{MemoryBlobs, MemoryEvents, MemoryLog, MemoryMeta, MemoryTraces},
    projects::{NewProject, Organization, Project, Role},
    quotas::{Quota, QuotaUsage},
    settlements::{Counted, Settlement},
};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

/// What all accounts sign in with.
pub const PASSWORD: &str = "correct horse battery";

/// 2026-01-31 12:00 UTC.
pub const NOON: i64 = 1_769_860_800;

static PASSWORD_HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD, [9; 16]).unwrap());

pub struct App {
    pub meta: Arc<MemoryMeta>,
    pub events: Arc<MemoryEvents>,
    pub traces: Arc<MemoryTraces>,
    pub blobs: Arc<MemoryBlobs>,
    pub log: Arc<MemoryLog>,
    router: Router,
    now: Arc<AtomicI64>,
    applied: AtomicU64,
    pub acme: Side,
    pub other: Side,
}

/// An organization with its owner and project.
pub struct Side {
    pub user: UserId,
    pub organization: Organization,
    pub project: Project,
    pub token: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    /// The cursor of a direction of the `Link` header, when there is something there.
    pub fn cursor(&self, relation: &str) -> Option<String> {
        let link = self.headers[header::LINK].to_str().unwrap();
        let part = link.split(", ").find(|part| part.contains(&format!("rel=\"{relation}\""))).unwrap();
        let cursor = part.split("cursor=\"").nth(1).unwrap().trim_end_matches('"').to_owned();
        part.contains("results=\"true\"").then_some(cursor)
    }
}

impl App {
    pub async fn new() -> Self {
        Self::with_partitions(1).await
    }

    /// With so many partitions of the log.
    pub async fn with_partitions(partitions: Partition) -> Self {
        let meta = Arc::new(MemoryMeta::new());
        let events = Arc::new(MemoryEvents::new());
        let traces = Arc::new(MemoryTraces::new());
        let blobs = Arc::new(MemoryBlobs::new());
        let log = Arc::new(MemoryLog::with_layout(LogLayout { partitions, ..LogLayout::default() }));
        let now = Arc::new(AtomicI64::new(NOON));
        let clock = {
            let now = now.clone();
            move || Timestamp::from_secs(now.load(Ordering::Relaxed))
        };
        let counter = AtomicU64::new(0);
        let deps = ApiDeps {
            meta: meta.clone(),
            events: events.clone(),
            traces: traces.clone(),
            blobs: blobs.clone(),
            log: log.clone(),
            clock: Arc::new(clock),
            random: Arc::new(move |bytes: &mut [u8]| {
                let seed = counter.fetch_add(1, Ordering::Relaxed) as u8;
                bytes.iter_mut().enumerate().for_each(|(n, byte)| *byte = seed.wrapping_mul(31).wrapping_add(n as u8));
            }),
            canonicalise: Arc::new(|record| Box::pin(async move { Ok(canonicalise(&record)) })),
            quota_usage: Some(Arc::new(|quota: &Quota| {
                let ends_secs = NOON + i64::from(quota.rule.window_secs);
                QuotaUsage { used: quota.id.0 * 10, ends_secs }
            })),
            public_url: "https://nuthatch.example/".parse().unwrap(),
        };
        let acme = side(&meta, "acme", "ann@example.com", "web").await;
        let other = side(&meta, "other", "eve@example.com", "api").await;
        let router = router(Api::new(deps));
        Self { meta, events, traces, blobs, log, router, now, applied: AtomicU64::new(0), acme, other }
    }

    pub fn pass(&self, secs: i64) {
        self.now.fetch_add(secs, Ordering::Relaxed);
    }

    /// Sends a request with headers and, unless it is null, a JSON body.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.answer(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
    }

    /// Ann's client with a body that comes bit by bit.
    pub async fn stream(&self, method: &str, path: &str, body: Body) -> Answer {
        let bearer = format!("Bearer {}", self.acme.token);
        let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, bearer);
        self.answer(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Ann's client with a token that may everything.
    pub async fn get(&self, path: &str) -> Answer {
        self.ann("GET", path, &Value::Null).await
    }

    pub async fn ann(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.with_token(&self.acme.token, method, path, body).await
    }

    pub async fn with_token(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// Signs in; the session's cookies as a header, and the CSRF token.
    pub async fn sign_in(&self, email: &str) -> (String, String) {
        let login = json!({ "email": email, "password": PASSWORD });
        let answer = self.send("POST", "/api/0/auth/login/", &[], &login).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        cookies(&answer)
    }

    /// Stores an issue of a project with one hash, last seen some minutes after ten in the morning.
    pub async fn issue(&self, project: &Project, number: u64, hash: u8) -> IssueId {
        let id = IssueId(project.id.0 * 1000 + number);
        let issue = issue(id, project.id, number);
        let changes = Changes {
            hashes: vec![(project.id, Hash([hash; 16]), id)],
            counts: vec![HourlyCount { issue_id: id, hour: issue.last_seen.hours(), count: number }],
            created: vec![issue],
            ..Changes::default()
        };
        self.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
        id
    }

    /// Counts events of an issue in the hour of a time.
    pub async fn count(&self, issue_id: IssueId, secs: i64, count: u64) {
        let counts = vec![HourlyCount { issue_id, hour: secs.div_euclid(3600), count }];
        let changes = Changes { counts, ..Changes::default() };
        self.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
    }

    /// Keeps dead letters; ids are given from 1 on.
    pub async fn letters(&self, letters: &[DeadLetter]) {
        let changes = Changes { letters: letters.to_vec(), ..Changes::default() };
        self.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
    }

    /// Keeps an attachment of event `id`.
    pub async fn attachment(&self, project: &Project, id: u8, name: &str, content_type: &str, bytes: &'static [u8]) {
        self.file(project, FileKind::Attachment, id, (name, content_type), bytes).await;
    }

    /// Keeps an attachment of trace `id`, in its span 0101010101010101.
    pub async fn trace_attachment(&self, project: &Project, id: u8, name: &str, bytes: &'static [u8]) {
        self.file(project, FileKind::TraceAttachment, id, (name, "text/plain"), bytes).await;
    }

    async fn file(
        &self,
        project: &Project,
        kind: FileKind,
        owner: u8,
        (name, content_type): (&str, &str),
        bytes: &'static [u8],
    ) {
        let offset = self.applied.fetch_add(1, Ordering::Relaxed) + 1;
        let in_trace = InTrace {
            span_id: Some(SpanId([1; 8])),
            timestamp: Timestamp::from_secs(NOON - 1),
            attributes: Map::from_iter([("n".to_owned(), 1.into())]),
        };
        let blob = BlobId(u128::from(offset).to_be_bytes());
        let head = FileHead {
            project_id: project.id,
            kind,
            owner: EventId([owner; 16]),
            part: blob.to_string(),
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            attachment_type: (kind == FileKind::Attachment).then(|| "event.attachment".to_owned()),
            in_trace: (kind == FileKind::TraceAttachment).then_some(in_trace),
            bytes: bytes.len() as u64,
            sha1: Sha1([1; 20]),
            blob: Some(blob),
            received: Timestamp::from_secs(NOON),
        };
        self.blobs.put(head.blob_key().unwrap(), Bytes::from_static(bytes)).await.unwrap();
        self.keep(FileEffect::File(NewFile { head, content: None }), offset).await;
    }

    /// Keeps a file of a kind.
    pub async fn file_of_kind(&self, project: &Project, kind: FileKind) {
        let offset = self.applied.fetch_add(1, Ordering::Relaxed) + 1;
        let head = FileHead {
            project_id: project.id,
            kind,
            owner: EventId([9; 16]),
            part: String::new(),
            name: kind.to_string(),
            content_type: "application/json".to_owned(),
            attachment_type: None,
            in_trace: None,
            bytes: 2,
            sha1: Sha1([1; 20]),
            blob: None,
            received: Timestamp::from_secs(NOON),
        };
        let content = Some(Bytes::from_static(b"{}"));
        self.keep(FileEffect::File(NewFile { head, content }), offset).await;
    }

    /// Keeps what a user said about event `id`.
    pub async fn report(&self, project: &Project, id: u8, comments: &str) {
        let offset = self.applied.fetch_add(1, Ordering::Relaxed) + 1;
        let report = UserReport {
            project_id: project.id,
            event_id: EventId([id; 16]),
            name: "Ada".to_owned(),
            email: "ada@example.org".to_owned(),
            comments: comments.to_owned(),
            received: Timestamp::from_secs(NOON),
        };
        self.keep(FileEffect::Report(report), offset).await;
    }

    async fn keep(&self, what: FileEffect, offset: u64) {
        let origin = Origin { received: Timestamp::from_secs(NOON), project_id: None, key_id: None };
        let position = Position { topic: Topic::IngestAttachments, partition: 0, offset };
        let consumer = ConsumerPosition { consumer: "files".to_owned(), position };
        let settlement = Settlement::of(consumer, 1);
        let effect = Counted { what, units: Units { origin, counts: Vec::new() } };
        self.meta.keep_files(vec![effect], settlement).await.unwrap();
    }

    /// Stores an event, searchable.
    pub async fn event(&self, project: &Project, id: u8, hash: u8, secs: i64, body: &Value) -> EventId {
        let stored = stored(project.id, EventId([id; 16]), hash, secs, Bytes::from(body.to_string()));
        let id = stored.summary.event_id;
        self.rows(vec![row(stored)]).await;
        id
    }

    /// Stores an event with tags of its own, searchable.
    pub async fn event_with_tags(&self, project: &Project, id: u8, tags: &[(&str, &str)], body: &Value) {
        let stored = stored(project.id, EventId([id; 16]), id, NOON - 60, Bytes::from(body.to_string()));
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.rows(vec![EventRow { tags, ..row(stored) }]).await;
    }

    /// Stores so many events of a project that have nothing in common.
    pub async fn kinds(&self, project: &Project, count: u16) {
        let distinct = |n: u16| {
            let mut bytes = [7; 16];
            bytes[..2].copy_from_slice(&n.to_be_bytes());
            let stored = stored(project.id, EventId(bytes), 0, NOON - 60, Bytes::from_static(b"{}"));
            EventRow { hashes: vec![Hash(bytes)], ..row(stored) }
        };
        self.rows((0..count).map(distinct).collect()).await;
    }

    /// Stores rows, and the environments that their tags name as those of their projects.
    async fn rows(&self, rows: Vec<EventRow>) {
        let mut changes = Changes::default();
        for row in &rows {
            for (_, name) in row.tags.iter().filter(|(key, _)| key == "environment") {
                changes.facts.saw(row.project_id, Fact::Environment(name.clone()), row.timestamp);
            }
        }
        self.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
        let offset = self.applied.fetch_add(1, Ordering::Relaxed) + 1;
        let position = Position { topic: Topic::IngestEvents, partition: 0, offset };
        self.events.upsert(rows, position).await.unwrap();
        self.events.commit().await.unwrap();
    }
}

fn row(stored: StoredEvent) -> EventRow {
    let summary = stored.summary;
    let body: Value = serde_json::from_slice(&stored.body).unwrap();
    EventRow {
        project_id: summary.project_id,
        event_id: summary.event_id,
        shows: None,
        timestamp: summary.timestamp,
        received: summary.received,
        hashes: summary.hashes,
        event_type: summary.event_type,
        level: summary.level,
        platform: summary.platform,
        title: summary.title,
        culprit: summary.culprit,
        message: summary.message,
        release: Some("web@1.0".to_owned()),
        environment: Some("production".to_owned()),
        transaction: None,
        trace: body["contexts"]["trace"]["trace_id"].as_str().map(str::to_owned),
        user: summary.user,
        tags: summary.tags,
        stack_text: String::new(),
        body: stored.body,
    }
}

/// The cookies an answer sets, as a header of the next request, and the CSRF token among them.
pub fn cookies(answer: &Answer) -> (String, String) {
    let set = answer.headers.get_all(header::SET_COOKIE).iter();
    let pairs: Vec<&str> = set.map(|value| value.to_str().unwrap().split(';').next().unwrap()).collect();
    let csrf = pairs.iter().find_map(|pair| pair.strip_prefix("nuthatch_csrf=")).unwrap().to_owned();
    (pairs.join("; "), csrf)
}

async fn side(meta: &MemoryMeta, slug: &str, email: &str, project: &str) -> Side {
    let created = Timestamp::from_secs(NOON - 86_400);
    let organization = meta.create_organization(slug, slug, created).await.unwrap();
    let user = NewUser { email: email.to_owned(), name: String::new(), password_hash: PASSWORD_HASH.clone(), created };
    let user = meta.create_user(user).await.unwrap().id;
    meta.add_member(organization.id, user, Role::Owner).await.unwrap();
    let project = NewProject {
        organization_id: organization.id,
        slug: project.to_owned(),
        name: project.to_owned(),
        platform: Some("python".to_owned()),
        first_key: PublicKey([organization.id.0 as u8; 16]),
        created,
    };
    let (project, _) = meta.create_project(project).await.unwrap();
    let scopes = ["org:admin", "project:admin", "project:releases", "team:admin", "member:admin", "event:admin"];
    let token = token(meta, user, organization.id, &scopes).await;
    Side { user, organization, project, token }
}

/// A token with some scopes.
pub async fn token(meta: &MemoryMeta, user: UserId, salt: OrganizationId, scopes: &[&str]) -> String {
    let seed = secret_hash(&format!("{user} {salt} {scopes:?}"));
    let text = token_text(seed);
    let token = NewToken {
        secret: secret_hash(&text),
        last_characters: last_characters(&text),
        user_id: user,
        name: "test".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        created: Timestamp::from_secs(NOON),
    };
    meta.create_token(token).await.unwrap();
    text
}

fn issue(id: IssueId, project_id: ProjectId, number: u64) -> Issue {
    let seen = Timestamp::from_secs(NOON - 7200 + 60 * number as i64);
    Issue {
        id,
        project_id,
        short_id: number,
        type_id: TypeId::ERROR,
        status: Status::Unresolved,
        substatus: Some(Substatus::New),
        state_since: seen,
        priority: Priority::Medium,
        priority_locked_at: None,
        initial_priority: Priority::Medium,
        level: Level::Error,
        platform: "python".to_owned(),
        logger: None,
        title: format!("ValueError: number {number}"),
        culprit: "app.views in index".to_owned(),
        event_type: "error".to_owned(),
        metadata: Map::from_iter([("type".to_owned(), json!("ValueError")), ("value".to_owned(), json!("number"))]),
        search_text: String::new(),
        first_seen: seen,
        last_seen: seen,
        active_at: seen,
        resolved_at: None,
        times_seen: number,
        user_count: 0,
        first_release: Some("web@1.0".to_owned()),
        last_release: None,
        assignee: None,
        unhandled: true,
        inbox: None,
        resolution: None,
        snooze: None,
        open_period: None,
        detector_id: None,
        flood: nuthatch_issues::Flood::default(),
    }
}

fn stored(project_id: ProjectId, event_id: EventId, hash: u8, secs: i64, body: Bytes) -> StoredEvent {
    let timestamp = Timestamp::from_secs(secs);
    let summary = EventSummary {
        project_id,
        event_id,
        timestamp,
        received: timestamp,
        hashes: vec![Hash([hash; 16])],
        event_type: "error".to_owned(),
        level: Level::Error,
        platform: "python".to_owned(),
        title: "ValueError: number".to_owned(),
        culprit: "app.views in index".to_owned(),
        message: "number".to_owned(),
        user: Some("id:42".to_owned()),
        tags: vec![("release".to_owned(), "web@1.0".to_owned()), ("browser".to_owned(), format!("Firefox {hash}"))],
    };
    StoredEvent { summary, body }
}

/// The payload is the canonical event already.
fn canonicalise(record: &StoredRecord) -> Option<StoredEvent> {
    let record = IngestRecord::decode(&record.value).ok()?;
    Some(stored(record.header.project_id, record.header.event_id, 1, record.header.received.secs(), record.payload))
}
