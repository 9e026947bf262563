//! A router on in-memory stores with a known project, and what can be asked of it.

use std::sync::Arc;

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use nuthatch_intake::{Intake, IntakeConfig, collapse_slashes, router};
use nuthatch_protocol::{
    EventId, IngestRecord, OutcomeKey, Outcomes, Position, ProjectId, PublicKey, Timestamp, Topic,
};
use nuthatch_store::{
    BlobStore, Change, Log, ProjectStore as _,
    log::{NewRecord, ReadLimit},
    memory::{MemoryBlobs, MemoryLog, MemoryMeta, MemoryQuotaCounts},
    projects::{AllowedDomains, NewKey, NewProject, Project, ProjectKey},
    quotas::KeyRateLimit,
};
use tower::ServiceExt as _;

use crate::cases::Settings;

/// The key of project 1.
pub(crate) const KEY: &str = "11111111111111111111111111111111";
/// The key of project 2.
pub(crate) const OTHER_KEY: &str = "22222222222222222222222222222222";
/// A key of project 1 that was switched off.
pub(crate) const DISABLED_KEY: &str = "33333333333333333333333333333333";
/// The id intake gives to events without one.
pub(crate) const RANDOM_ID: &str = "abababababababababababababababab";
/// The time it always is.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

pub(crate) struct App {
    pub(crate) intake: Intake,
    pub(crate) meta: Arc<MemoryMeta>,
    pub(crate) blobs: Arc<MemoryBlobs>,
    pub(crate) disabled_key: ProjectKey,
    log: Arc<MemoryLog>,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl App {
    pub(crate) async fn new() -> Self {
        Self::with(IntakeConfig::default(), |log| log).await
    }

    /// With bounds of its own, and something between intake and the log.
    pub(crate) async fn with(config: IntakeConfig, wrap: impl FnOnce(Arc<dyn Log>) -> Arc<dyn Log>) -> Self {
        Self::on(config, wrap, |blobs| blobs).await
    }

    /// With something between intake and its stores.
    pub(crate) async fn on(
        config: IntakeConfig,
        wrap_log: impl FnOnce(Arc<dyn Log>) -> Arc<dyn Log>,
        wrap_blobs: impl FnOnce(Arc<MemoryBlobs>) -> Arc<dyn BlobStore>,
    ) -> Self {
        let (log, meta) = (Arc::new(MemoryLog::new()), Arc::new(MemoryMeta::new()));
        let blobs = Arc::new(MemoryBlobs::new());
        let organization = meta.create_organization("org", "Org", NOW).await.unwrap().id;
        for (slug, key) in [("one", KEY), ("two", OTHER_KEY)] {
            let project = NewProject {
                organization_id: organization,
                slug: slug.to_owned(),
                name: slug.to_owned(),
                platform: None,
                first_key: key.parse().unwrap(),
                created: NOW,
            };
            meta.create_project(project).await.unwrap();
        }
        let disabled_key = add_key(&meta, DISABLED_KEY.parse().unwrap()).await;
        meta.change_key(disabled_key.id, switched(false)).await.unwrap();
        let intake = intake(wrap_log(log.clone()), wrap_blobs(blobs.clone()), meta.clone(), config);
        Self { router: router(intake.clone()), intake, meta, blobs, disabled_key, log }
    }

    /// The next process on the same stores, after this one was killed.
    pub(crate) async fn restarted(&self, counts: &MemoryQuotaCounts) -> Self {
        let (log, meta, blobs) = (self.log.clone(), self.meta.clone(), self.blobs.clone());
        let intake = intake(log.clone(), blobs.clone(), meta.clone(), IntakeConfig::default());
        intake.resume_quotas(counts).await.unwrap();
        let disabled_key = self.disabled_key.clone();
        Self { router: router(intake.clone()), intake, meta, blobs, disabled_key, log }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(collapse_slashes(request)).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    /// Posts an envelope to project 1.
    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        self.send(envelope_request(body)).await
    }

    /// The events in the log.
    pub(crate) async fn records(&self) -> Vec<IngestRecord> {
        self.records_of(Topic::IngestEvents).await
    }

    /// What is in the topics of items, one after the other.
    pub(crate) async fn topics(&self) -> Vec<(Topic, IngestRecord)> {
        let mut all = Vec::new();
        let topics =
            Topic::ALL.into_iter().filter(|topic| !matches!(topic, Topic::IngestOccurrences | Topic::Outcomes));
        for topic in topics {
            all.extend(self.records_of(topic).await.into_iter().map(|record| (topic, record)));
        }
        all
    }

    /// Appends a record beside intake.
    pub(crate) async fn append(&self, topic: Topic, record: &IngestRecord) {
        let record = NewRecord { key: record.header.event_id.0, value: record.encode() };
        self.log.append(topic, 0, vec![record]).await.unwrap();
    }

    /// What is in a topic of items.
    pub(crate) async fn records_of(&self, topic: Topic) -> Vec<IngestRecord> {
        let start = Position { topic, partition: 0, offset: 0 };
        let batch = self.log.read(start, ReadLimit { records: usize::MAX, bytes: usize::MAX }).await.unwrap();
        batch.records.iter().map(|record| IngestRecord::decode(&record.value).unwrap()).collect()
    }

    /// Sets what a case wants of project 1 and its key.
    pub(crate) async fn set(&self, settings: &Settings) {
        let project = self.meta.project(ProjectId(1)).await.unwrap().unwrap();
        if let Some(domains) = settings.allowed_domains.clone() {
            let change: Change<Project> = Box::new(|project| {
                project.options.allowed_domains = AllowedDomains(domains);
                Ok(())
            });
            self.meta.change_project(project.id, change).await.unwrap();
        }
        if let Some((window_secs, count)) = settings.rate_limit {
            let key = self.meta.keys(project.id).await.unwrap().remove(0);
            let change: Change<ProjectKey> = Box::new(move |key| {
                key.rate_limit = Some(KeyRateLimit { window_secs, count });
                Ok(())
            });
            self.meta.change_key(key.id, change).await.unwrap();
        }
        let of_project = settings.project_quotas.iter().map(|rule| (Some(project.id), rule));
        for (owner, rule) in settings.quotas.iter().map(|rule| (None, rule)).chain(of_project) {
            self.meta.create_quota(project.organization_id, owner, rule.clone()).await.unwrap();
        }
    }
}

fn intake(log: Arc<dyn Log>, blobs: Arc<dyn BlobStore>, meta: Arc<MemoryMeta>, config: IntakeConfig) -> Intake {
    let random: EventId = RANDOM_ID.parse().unwrap();
    Intake::new(log, blobs, meta, Arc::new(|| NOW), Arc::new(move || random), config)
}

impl App {
    /// What intake counted: project, key, category, outcome, reason, quantity; and how many records say so.
    pub(crate) async fn outcomes(&self) -> (Vec<String>, usize) {
        let start = Position { topic: Topic::Outcomes, partition: 0, offset: 0 };
        let batch = self.log.read(start, ReadLimit { records: usize::MAX, bytes: usize::MAX }).await.unwrap();
        let mut all = Outcomes::default();
        for record in &batch.records {
            all.extend(Outcomes::decode(&record.value).unwrap());
        }
        let line = |(key, quantity): (&OutcomeKey, u64)| {
            let OutcomeKey { minute, project_id, key_id, category, outcome, reason } = key;
            assert_eq!(*minute, NOW.secs() / 60);
            let (project, key) = (project_id.unwrap(), key_id.unwrap());
            format!("{project}/{key} {category} {outcome} {reason} {quantity}")
        };
        (all.iter().map(line).collect(), batch.records.len())
    }
}

/// Switches a key on or off.
pub(crate) fn switched(is_active: bool) -> Change<ProjectKey> {
    Box::new(move |key| {
        key.is_active = is_active;
        Ok(())
    })
}

pub(crate) async fn add_key(meta: &MemoryMeta, public: PublicKey) -> ProjectKey {
    let key = NewKey {
        project_id: ProjectId(1),
        name: "another".to_owned(),
        public,
        is_active: true,
        rate_limit: None,
        created: NOW,
    };
    meta.create_key(key).await.unwrap()
}

pub(crate) fn envelope_request(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/api/1/envelope/").header("x-sentry-auth", format!("Sentry sentry_key={KEY}"));
    request.body(body.into()).unwrap()
}

/// An envelope with one good event.
pub(crate) fn good_envelope() -> String {
    format!("{{\"event_id\":\"{RANDOM_ID}\"}}\n{{\"type\":\"event\"}}\n{{\"message\":\"good\"}}\n")
}
