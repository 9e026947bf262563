//! Finding an event by its id, applied or not: what was acknowledged is there to be read.

use nuthatch_issues::Issue;
use nuthatch_protocol::{EventId, Hash, IssueId, Position, ProjectId, Topic};
use nuthatch_store::{events::StoredEvent, projects::Project};

use crate::{
    Api,
    error::ApiError,
    event_body::event_body,
    shape::event::{Event, Neighbours},
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
    for partition in 0..api.log.partitions(Topic::IngestEvents) {
        let start = Position { topic: Topic::IngestEvents, partition, offset: 0 };
        positions.push(api.events.position(start).await?);
    }
    for project in projects {
        if let Some(event) = api.events.get(project.id, id).await? {
            return Ok(Some((project, event)));
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

/// The issue that shows an event with these hashes: the one that owns the first hash that is owned.
pub(super) async fn issue_of(api: &Api, project: ProjectId, hashes: &[Hash]) -> Result<Option<IssueId>, ApiError> {
    for hash in hashes {
        if let Some(issue) = api.meta.issue_of_hash(project, *hash).await? {
            return Ok(Some(issue));
        }
    }
    Ok(None)
}

/// Whether an event belongs to an issue.
pub(super) async fn belongs(api: &Api, issue: &Issue, event: &StoredEvent) -> Result<bool, ApiError> {
    Ok(issue_of(api, issue.project_id, &event.summary.hashes).await? == Some(issue.id))
}

/// The body of an event.
pub(super) fn body(event: &StoredEvent, issue: Option<IssueId>, neighbours: Neighbours) -> Result<Event, ApiError> {
    event_body(event, issue, neighbours)
        .map_err(|error| ApiError::Internal(format!("event {}: {error}", event.summary.event_id)))
}

/// The id that a path names.
pub(super) fn read_id(text: Option<&str>) -> Result<EventId, ApiError> {
    text.and_then(|text| text.parse().ok()).ok_or(ApiError::NotFound("event"))
}
