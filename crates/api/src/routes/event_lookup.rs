//! Finding an event by its id, applied or not: what was acknowledged is there to be read.

use std::collections::HashMap;

use nuthatch_issues::Issue;
use nuthatch_protocol::{Event, EventId, Hash, IssueId, Level, Position, ProjectId, Topic, TraceItem};
use nuthatch_store::{
    events::{EventSummary, StoredEvent},
    projects::Project,
};

use crate::{
    Api,
    error::ApiError,
    event_body::{Beside, event_body},
    shape::event::{Event as EventBody, EventRelease, Neighbours},
};

/// The event of an id in a project.
pub(super) async fn in_project(api: &Api, project: &Project, id: EventId) -> Result<Option<StoredEvent>, ApiError> {
    Ok(among(api, std::slice::from_ref(project), id).await?.map(|(_, event)| event))
}

/// The event of an id in one of some projects, with its project.
pub(super) async fn among<'a>(
    api: &Api,
    projects: &'a [Project],
    id: EventId,
) -> Result<Option<(&'a Project, StoredEvent)>, ApiError> {
    // Where the event store is comes first: an event that is applied while this looks is then found in one or the other.
    let mut positions = Vec::new();
    for topic in Topic::EVENTS {
        for partition in 0..api.log.partitions(topic) {
            positions.push(api.events.position(Position { topic, partition, offset: 0 }).await?);
        }
    }
    for project in projects {
        if let Some(event) = api.events.get(project.id, id).await? {
            return Ok(Some((project, event)));
        }
    }
    for project in projects {
        if let Some(span) = api.traces.transaction(project.id, id).await? {
            return Ok(Some((project, transaction(span))));
        }
    }
    for position in positions {
        let Some(record) = api.log.find(position, id.0).await? else { continue };
        let Some(event) = (api.canonicalise)(record).await? else { continue };
        if let Some(project) = projects.iter().find(|project| project.id == event.summary.project_id) {
            return Ok(Some((project, event)));
        }
    }
    Ok(None)
}

/// A transaction, which is kept with its root span, as an event.
fn transaction(span: TraceItem) -> StoredEvent {
    let event: Event = serde_json::from_slice(&span.body).unwrap_or_default();
    let text = |path: &[&str]| event.text(path).unwrap_or_default().to_owned();
    let user = ["id", "email", "username", "ip_address"].into_iter().find_map(|member| {
        let prefix = if member == "ip_address" { "ip" } else { member };
        Some(format!("{prefix}:{}", event.text(&["user", member])?))
    });
    let summary = EventSummary {
        project_id: span.project_id,
        event_id: span.event_id.unwrap_or(span.id),
        timestamp: span.timestamp,
        received: span.received,
        hashes: Vec::new(),
        event_type: "transaction".to_owned(),
        level: event.text(&["level"]).and_then(|level| level.parse().ok()).unwrap_or(Level::Info),
        platform: text(&["platform"]),
        title: text(&["transaction"]),
        culprit: text(&["transaction"]),
        message: String::new(),
        user,
        tags: event.tags().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    };
    StoredEvent { summary, body: span.body }
}

/// The issue that shows an event with these hashes: the one that owns the first hash that is owned.
pub(super) async fn issue_of(api: &Api, project: ProjectId, hashes: &[Hash]) -> Result<Option<IssueId>, ApiError> {
    for hash in hashes {
        if let Some(issue) = api.meta.issue_of_hash(project, *hash).await? {
            return Ok(Some(issue));
        }
    }
    Ok(None)
}

/// The hashes that an issue owns, with their project: what its events are found by.
pub(super) async fn hashes_of(
    api: &Api,
    project: ProjectId,
    issue: IssueId,
) -> Result<Vec<(ProjectId, Hash)>, ApiError> {
    let hashes = api.meta.hashes(issue).await?;
    Ok(hashes.into_iter().map(|hash| (project, hash)).collect())
}

/// Issues of hashes, each looked up once.
#[derive(Default)]
pub(super) struct Issues(HashMap<(ProjectId, Vec<Hash>), Option<Issue>>);

impl Issues {
    /// The issue that shows an event with these hashes.
    pub(super) async fn of(
        &mut self,
        api: &Api,
        project: ProjectId,
        hashes: &[Hash],
    ) -> Result<Option<Issue>, ApiError> {
        let key = (project, hashes.to_vec());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let issue = match issue_of(api, project, hashes).await? {
            Some(id) => api.meta.issue(id).await?,
            None => None,
        };
        self.0.insert(key, issue.clone());
        Ok(issue)
    }
}

/// Whether an event belongs to an issue.
pub(super) async fn belongs(api: &Api, issue: &Issue, event: &StoredEvent) -> Result<bool, ApiError> {
    Ok(issue_of(api, issue.project_id, &event.summary.hashes).await? == Some(issue.id))
}

/// The body of an event, with what its user said about it.
pub(super) async fn body(
    api: &Api,
    event: &StoredEvent,
    issue: Option<IssueId>,
    neighbours: Neighbours,
) -> Result<EventBody, ApiError> {
    let summary = &event.summary;
    let corrupt = |error| ApiError::Internal(format!("event {}: {error}", summary.event_id));
    let canonical: Event = serde_json::from_slice(&event.body).map_err(corrupt)?;
    let beside = Beside {
        neighbours,
        report: api.meta.user_report(summary.project_id, summary.event_id).await?,
        release: release(api, summary.project_id, canonical.text(&["release"])).await?,
    };
    Ok(event_body(event, &canonical, issue, beside))
}

/// What is known of a version of a project.
pub(super) async fn release(
    api: &Api,
    project: ProjectId,
    version: Option<&str>,
) -> Result<Option<EventRelease>, ApiError> {
    let Some(version) = version else { return Ok(None) };
    let known = api.meta.releases(&[project], Some(version)).await?;
    Ok(Some(EventRelease::new(version, known.first())))
}

/// The id that a path names.
pub(super) fn read_id(text: Option<&str>) -> Result<EventId, ApiError> {
    text.and_then(|text| text.parse().ok()).ok_or(ApiError::NotFound("event"))
}
