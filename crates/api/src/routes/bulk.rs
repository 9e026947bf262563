//! Changes of many issues at once (`reference/web-api.md` §3.6).

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use nuthatch_issues::{Action, Issue as Model};
use nuthatch_protocol::IssueId;
use nuthatch_store::{
    issue_types::IssueTypes,
    issues::{IssueCondition, IssueCursor, IssueTest, PAGE_MAX},
    projects::Project,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    issue_change,
    issue_selection::{IssueSelection, Selected},
    issue_types::issue_types,
    organizations::people,
    paths::{OrganizationPath, ProjectPath},
};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within},
        scope::EventRight,
    },
    error::{ApiError, ErrorBody},
    period::Period,
    query::{Body, Query, single},
    shape::{
        issue::{IssueRequest, IssuesChanged, StatusDetails, status_word},
        people::People,
    },
};

/// Most issues that are changed at once.
const ISSUES_MAX: usize = 1000;

/// Which issues to change: those with these ids, else those a search finds, else those of a status, else all.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct BulkSelection {
    /// Ids of issues, at most 1000.
    id: Vec<String>,
    /// Status, as older clients say it.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    status: Option<String>,
}

/// Changes issues of an organization.
#[utoipa::path(
    put, path = "/api/0/organizations/{org}/issues/", operation_id = "updateIssues", tag = "issues",
    params(OrganizationPath, BulkSelection, IssueSelection), request_body = IssueRequest,
    responses((status = 200, body = IssuesChanged), (status = 204, description = "Nothing matched"), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InOrganization, EventRight>,
    Query(bulk): Query<BulkSelection>,
    Query(selection): Query<IssueSelection>,
    Body(request): Body<IssueRequest>,
) -> Result<Response, ApiError> {
    change(&api, &place, None, &bulk, selection, &request).await
}

/// Changes issues of a project.
#[utoipa::path(
    put, path = "/api/0/projects/{org}/{project}/issues/", operation_id = "updateProjectIssues", tag = "issues",
    params(ProjectPath, BulkSelection, IssueSelection), request_body = IssueRequest,
    responses((status = 200, body = IssuesChanged), (status = 204, description = "Nothing matched"), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update_in_project(
    State(api): State<Api>,
    place: Within<InProject, EventRight>,
    Query(bulk): Query<BulkSelection>,
    Query(selection): Query<IssueSelection>,
    Body(request): Body<IssueRequest>,
) -> Result<Response, ApiError> {
    change(&api, &place.organization, Some(&place.project), &bulk, selection, &request).await
}

async fn change(
    api: &Api,
    place: &InOrganization,
    only: Option<&Project>,
    bulk: &BulkSelection,
    selection: IssueSelection,
    request: &IssueRequest,
) -> Result<Response, ApiError> {
    let actions = issue_change::actions(api, place, request).await?;
    let of_status = |action: &Action| matches!(action, Action::Resolve | Action::Unresolve | Action::Archive(_));
    if bulk.id.is_empty() && !actions.iter().all(of_status) {
        return Err(ApiError::Invalid("only the status can be changed without naming the issues by id".to_owned()));
    }
    let projects = place.projects(api).await?;
    let types = issue_types(api, place).await?;
    let issues = if bulk.id.is_empty() {
        found(api, place, &projects, only, bulk, selection, &types).await?
    } else {
        named(api, &projects, only, &bulk.id).await?
    };
    issue_change::check_editable(&actions, &issues, &types)?;
    let ids: Vec<IssueId> = issues.into_iter().map(|issue| issue.id).collect();
    let Some(first) = ids.first().copied() else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let changed = issue_change::apply(api, place.caller.user.id, ids, actions.clone()).await?;
    let shown = match changed.into_iter().next() {
        Some(issue) => Some(issue),
        None => api.meta.issue(first).await?,
    };
    let shown = shown.ok_or(ApiError::NotFound("issue"))?;
    let people = people(api, place).await?;
    Ok(Json(changes(&actions, &shown, &people)).into_response())
}

/// The issues of these ids that belong to the projects.
async fn named(
    api: &Api,
    projects: &[Project],
    only: Option<&Project>,
    ids: &[String],
) -> Result<Vec<Model>, ApiError> {
    if ids.len() > ISSUES_MAX {
        return Err(ApiError::Invalid(format!("at most {ISSUES_MAX} issues are changed at once")));
    }
    let mut found = Vec::with_capacity(ids.len());
    for text in ids {
        let id: IssueId = text.parse().map_err(|_| ApiError::Invalid(format!("{text:?} is not the id of an issue")))?;
        let issue = api.meta.issue(id).await?.filter(|issue| {
            let theirs = projects.iter().any(|project| project.id == issue.project_id);
            theirs && only.is_none_or(|only| only.id == issue.project_id)
        });
        found.extend(issue);
    }
    Ok(found)
}

/// The issues that a search finds and people may change, at most [`ISSUES_MAX`].
async fn found(
    api: &Api,
    place: &InOrganization,
    projects: &[Project],
    only: Option<&Project>,
    bulk: &BulkSelection,
    mut selection: IssueSelection,
    types: &IssueTypes,
) -> Result<Vec<Model>, ApiError> {
    // Unlike a list, a change without a query is meant for all issues.
    selection.query.get_or_insert_default();
    let mut query = match selection.select(api, place, projects, only, &Period::default()).await? {
        Selected::Nothing => return Ok(Vec::new()),
        Selected::Query(query) => query,
    };
    if let Some(word) = bulk.status.as_deref().filter(|word| !word.is_empty()) {
        let status = status_word(word).ok_or_else(|| ApiError::Invalid(format!("there is no status {word:?}")))?;
        query.filter.push(IssueCondition { negated: false, test: IssueTest::Status(status) });
    }
    let fixed = types.all().filter(|issue_type| !issue_type.is_editable).map(|issue_type| issue_type.id);
    query.filter.push(IssueCondition { negated: true, test: IssueTest::Types(fixed.collect()) });
    query.limit = PAGE_MAX;
    let mut issues = Vec::new();
    loop {
        let page = api.meta.issues(&query).await?;
        issues.extend(page.issues);
        match issues.last().filter(|_| page.has_next && issues.len() < ISSUES_MAX) {
            Some(last) => {
                query.cursor = Some(IssueCursor { value: query.sort.value(last), id: last.id, backwards: false });
            }
            None => break,
        }
    }
    issues.truncate(ISSUES_MAX);
    Ok(issues)
}

/// What the actions changed, as one of the issues shows it.
fn changes(actions: &[Action], issue: &Model, people: &People) -> IssuesChanged {
    let mut changed = IssuesChanged::default();
    for action in actions {
        match action {
            Action::Resolve | Action::Unresolve | Action::Archive(_) => {
                changed.status = Some(issue.status.as_str().to_owned());
                changed.status_details = Some(StatusDetails::of(issue));
                changed.substatus = Some(issue.substatus.map(|substatus| substatus.as_str().to_owned()));
            }
            Action::Assign(_) | Action::Unassign => {
                changed.assigned_to = Some(issue.assignee.and_then(|assignee| people.actor(assignee)));
            }
            Action::SetPriority(priority) => changed.priority = Some(priority.as_str().to_owned()),
        }
    }
    changed
}
