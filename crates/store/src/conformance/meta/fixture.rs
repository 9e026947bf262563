//! What the checks begin with.

use std::time::Duration;

use bytes::Bytes;
use nuthatch_issues::{Changes, Issue, Needs, Status, Substatus, issue::InboxReason};
use nuthatch_protocol::{
    EventId, IngestRecord, IssueId, ItemAttributes, KeyId, Level, OrganizationId, Position, Priority, ProjectId,
    PublicKey, Timestamp, Topic, TypeId, UserId,
    record::{DeadLetter, DeadLetterHeader, IngestHeader},
};
use serde_json::json;

use crate::{
    Change, MetaStore, StoreError,
    accounts::NewUser,
    issues::ConsumerPosition,
    projects::{NewProject, Organization, Project},
};

/// The time of everything that need not differ.
pub(super) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// An organization with two projects, for issues to live in.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The organization.
    pub organization: OrganizationId,
    /// A project.
    pub web: ProjectId,
    /// Another one.
    pub api: ProjectId,
}

impl Place {
    /// Makes it, called `slug`.
    pub async fn make(store: &impl MetaStore, slug: &str) -> Self {
        let organization = organization(store, slug).await.id;
        let seed = organization.0 as u8;
        let web = project(store, organization, "web", [seed; 16]).await.id;
        let api = project(store, organization, "api", [seed + 100; 16]).await.id;
        Self { organization, web, api }
    }
}

/// A row becomes another one, whatever it was.
pub(super) fn becomes<T: Send + 'static>(row: T) -> Change<T> {
    Box::new(move |changed| {
        *changed = row;
        Ok(())
    })
}

pub(super) async fn organization(store: &impl MetaStore, slug: &str) -> Organization {
    store.create_organization(slug, "Name", NOW).await.expect("the slug is free")
}

pub(super) async fn project(
    store: &impl MetaStore,
    organization: OrganizationId,
    slug: &str,
    key: [u8; 16],
) -> Project {
    store.create_project(new_project(organization, slug, key)).await.expect("slug and key are free").0
}

pub(super) fn new_project(organization_id: OrganizationId, slug: &str, key: [u8; 16]) -> NewProject {
    NewProject {
        organization_id,
        slug: slug.to_owned(),
        name: "A project".to_owned(),
        platform: Some("python".to_owned()),
        first_key: PublicKey(key),
        created: NOW,
    }
}

pub(super) async fn user(store: &impl MetaStore, email: &str) -> UserId {
    store.create_user(new_user(email)).await.expect("the address is free").id
}

pub(super) fn new_user(email: &str) -> NewUser {
    NewUser { email: email.to_owned(), name: "Ada".to_owned(), password_hash: "$argon2id$…".to_owned(), created: NOW }
}

/// An unresolved issue seen once.
pub fn issue(id: u64, project_id: ProjectId, short_id: u64) -> Issue {
    let metadata = json!({"type": "ValueError", "value": format!("wrong {id} – \u{0}"), "nested": {"deep": [1, null]}});
    Issue {
        id: IssueId(id),
        project_id,
        short_id,
        type_id: TypeId::ERROR,
        status: Status::Unresolved,
        substatus: Some(Substatus::New),
        state_since: NOW,
        priority: Priority::High,
        priority_locked_at: None,
        initial_priority: Priority::High,
        level: Level::Error,
        platform: "python".to_owned(),
        logger: None,
        title: format!("ValueError: wrong {id}"),
        culprit: "app.views in index".to_owned(),
        event_type: "error".to_owned(),
        metadata: metadata.as_object().cloned().unwrap_or_default(),
        search_text: format!("wrong {id} in index"),
        first_seen: NOW,
        last_seen: NOW,
        active_at: NOW,
        resolved_at: None,
        times_seen: 1,
        user_count: 0,
        first_release: None,
        last_release: None,
        assignee: None,
        unhandled: false,
        inbox: Some(InboxReason::New),
        resolution: None,
        snooze: None,
        open_period: None,
        detector_id: None,
        flood: nuthatch_issues::Flood::default(),
    }
}

/// A letter of a record of `ingest-events` whose payload is `{n}`; refused `n` seconds after the time of everything.
pub fn letter(n: u64, project_id: Option<ProjectId>, reason: &str) -> DeadLetter {
    let event_id = EventId([n as u8; 16]);
    let header = DeadLetterHeader {
        source: Position { topic: Topic::IngestEvents, partition: 0, offset: n },
        project_id,
        event_id: project_id.map(|_| event_id),
        reason: reason.to_owned(),
        message: format!("expected a value \u{0} <b>{n}</b>"),
        place: (n % 2 == 1).then(|| format!("byte {n}")),
        at: NOW.plus(Duration::from_secs(n)),
    };
    let ingest = IngestHeader {
        project_id: project_id.unwrap_or(ProjectId(1)),
        key_id: KeyId(1),
        event_id,
        item_type: "event".to_owned(),
        attributes: ItemAttributes::default(),
        blob: None,
        user_agent: None,
        client_hints: nuthatch_protocol::record::ClientHints::default(),
        letter_id: None,
        received: NOW,
        sent_at: None,
        client_ip: None,
        client: None,
        version: "7".to_owned(),
    };
    let payload = Bytes::from(format!("{{{n}}}"));
    DeadLetter { header, original: IngestRecord { header: ingest, payload }.encode() }
}

/// Applies changes that need no snapshot.
pub(super) async fn apply(store: &impl MetaStore, changes: Changes) {
    try_apply(store, None, changes).await.expect("the changes fit");
}

pub(super) async fn try_apply(
    store: &impl MetaStore,
    position: Option<ConsumerPosition>,
    changes: Changes,
) -> Result<Changes, StoreError> {
    store.transact(Needs::default(), position, Box::new(|_| changes)).await
}
