//! What came beside the events of an issue: attachments, and what users said (`reference/web-api.md` §3.9). Both are kept by
//! event, and which events are an issue's is known by their hashes alone; so the project's are gone through, so many at
//! once, and the events of each page are looked up together.

use std::collections::HashSet;

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use nuthatch_protocol::{EventId, Hash, ProjectId};
use nuthatch_store::files::{
    FILE_PAGE_MAX, File, FileQuery, FileScope, ListCursor, NumberedReport, Page, UserReportQuery,
};

use super::{files::read_cursor, paths::IssuePath};
use crate::{
    Api,
    auth::{
        access::{InIssue, Within},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    page::{Cursor, Links},
    query::{Paging, Query},
    shape::file::{Attachment, UserReport},
};

/// Rows of the project that are looked at for one page, at most. A page may hold fewer rows than asked for, or none, and
/// still have another behind it.
const LOOKED_AT_MAX: usize = 1000;

/// The attachments of the events of an issue, newest first. A page may be short and have another behind it.
#[utoipa::path(
    get, path = "/issues/{issue}/attachments/", operation_id = "listIssueAttachments", tag = "files",
    params(IssuePath, Paging),
    responses((status = 200, body = [Attachment]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn attachments(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let (files, links) = of_issue::<File>(&api, &place, &paging).await?;
    let rows: Vec<Attachment> = files.iter().map(Attachment::from).collect();
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// What users said about the events of an issue, newest first. A page may be short and have another behind it.
#[utoipa::path(
    get, path = "/issues/{issue}/user-reports/", operation_id = "listIssueUserReports", tag = "files",
    params(IssuePath, Paging),
    responses((status = 200, body = [UserReport]), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn user_reports(
    State(api): State<Api>,
    place: Within<InIssue, EventRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let (reports, links) = of_issue::<NumberedReport>(&api, &place, &paging).await?;
    let rows: Vec<UserReport> = reports.iter().map(|row| UserReport::from(&row.report)).collect();
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// How many users said something about the events of an issue, among the [`LOOKED_AT_MAX`] newest reports of its project.
pub(super) async fn count_reports(api: &Api, place: &InIssue) -> Result<u64, ApiError> {
    let owned = owned(api, place).await?;
    let (mut cursor, mut count) = (None, 0);
    for _ in 0..LOOKED_AT_MAX / FILE_PAGE_MAX {
        let page = NumberedReport::page(api, place.project.id, cursor).await?;
        let theirs = theirs(api, place, &owned, &page.rows).await?;
        count += page.rows.iter().filter(|row| theirs.contains(&row.event())).count() as u64;
        cursor = page.rows.last().map(|row| ListCursor { number: row.number(), backwards: false });
        if !page.has_next {
            break;
        }
    }
    Ok(count)
}

/// A row of a project that belongs to an event.
trait OfEvent: Sized + Send + Sync {
    /// The rows of a project, newest first.
    fn page(
        api: &Api,
        project: ProjectId,
        cursor: Option<ListCursor>,
    ) -> impl Future<Output = Result<Page<Self>, ApiError>> + Send;

    /// Its place in the list.
    fn number(&self) -> u64;

    /// The event.
    fn event(&self) -> EventId;
}

impl OfEvent for File {
    async fn page(api: &Api, project_id: ProjectId, cursor: Option<ListCursor>) -> Result<Page<Self>, ApiError> {
        let query = FileQuery { project_id, scope: FileScope::Attachments, cursor, limit: FILE_PAGE_MAX };
        Ok(api.meta.files(&query).await?)
    }

    fn number(&self) -> u64 {
        self.id.0
    }

    fn event(&self) -> EventId {
        self.head.owner
    }
}

impl OfEvent for NumberedReport {
    async fn page(api: &Api, project_id: ProjectId, cursor: Option<ListCursor>) -> Result<Page<Self>, ApiError> {
        Ok(api.meta.user_reports(&UserReportQuery { project_id, cursor, limit: FILE_PAGE_MAX }).await?)
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn event(&self) -> EventId {
        self.report.event_id
    }
}

/// A page of the rows that belong to events of an issue.
async fn of_issue<T: OfEvent>(api: &Api, place: &InIssue, paging: &Paging) -> Result<(Vec<T>, Links), ApiError> {
    let project = place.project.id;
    let (mut cursor, limit) = (read_cursor(paging)?, paging.rows()?);
    let is_first = cursor.is_none();
    let backwards = cursor.is_some_and(|cursor| cursor.backwards);
    let owned = owned(api, place).await?;
    let (mut rows, mut first_looked_at, mut looked_at) = (Vec::new(), None, 0);
    let goes_on = 'pages: loop {
        let Page { rows: mut found, has_previous, has_next } = T::page(api, project, cursor).await?;
        let theirs = theirs(api, place, &owned, &found).await?;
        if backwards {
            found.reverse();
        }
        let mut found = found.into_iter().peekable();
        while let Some(row) = found.next() {
            looked_at += 1;
            first_looked_at.get_or_insert(row.number());
            cursor = Some(ListCursor { number: row.number(), backwards });
            rows.extend(theirs.contains(&row.event()).then_some(row));
            if rows.len() == limit || looked_at == LOOKED_AT_MAX {
                break 'pages found.peek().is_some() || if backwards { has_previous } else { has_next };
            }
        }
        let goes_on = if backwards { has_previous } else { has_next };
        if !goes_on {
            break false;
        }
    };
    let last_looked_at = cursor.map_or(1, |cursor| cursor.number);
    let first_looked_at = first_looked_at.unwrap_or(last_looked_at);
    let at = |key: u64, backwards: bool| Cursor { value: 0, key, backwards }.to_string();
    // In the direction one came from there is the row of the cursor.
    let links = if backwards {
        rows.reverse();
        Links {
            previous: at(last_looked_at, true),
            has_previous: goes_on,
            next: at(first_looked_at, false),
            has_next: true,
        }
    } else {
        Links {
            previous: at(first_looked_at, true),
            has_previous: !is_first,
            next: at(last_looked_at, false),
            has_next: goes_on,
        }
    };
    Ok((rows, links))
}

/// The hashes that the issue owns.
async fn owned(api: &Api, place: &InIssue) -> Result<HashSet<Hash>, ApiError> {
    Ok(api.meta.hashes(place.issue.id).await?.into_iter().collect())
}

/// Which events of a page of rows are there and belong to the issue that owns these hashes: looked up all at once.
async fn theirs<T: OfEvent>(
    api: &Api,
    place: &InIssue,
    owned: &HashSet<Hash>,
    rows: &[T],
) -> Result<HashSet<EventId>, ApiError> {
    let ids: HashSet<EventId> = rows.iter().map(T::event).collect();
    let hashes = api.events.primary_hashes(place.project.id, &Vec::from_iter(ids)).await?;
    Ok(hashes.into_iter().filter(|(_, hash)| owned.contains(hash)).map(|(id, _)| id).collect())
}
