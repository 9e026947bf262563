//! Teams, their members and projects (`reference/web-api.md` §3.2, §4.8).

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use http::StatusCode;
use nuthatch_issues::Action;
use nuthatch_protocol::{IssueId, TeamId};
use nuthatch_store::{
    issues::{IssueCondition, IssueQuery, IssueSort, IssueTest, PAGE_MAX},
    teams,
};

use super::{
    issue_change,
    organizations::{check_name, users},
    paths::{MembershipPath, OrganizationPath, ProjectTeamPath, TeamPath},
    projects,
    slug::{check_slug, made_up},
};
use crate::{
    Api,
    auth::{
        access::{InMembership, InOrganization, InProjectTeam, InTeam, Within},
        scope::{MembershipRight, TeamRight},
    },
    error::{ApiError, ErrorBody},
    page::cut,
    query::{Body, Paging, Query},
    shape::{
        account::Member,
        project::{NewProjectRequest, Project},
        team::{NewTeamRequest, Team, TeamRequest},
    },
};

/// Most teams of an organization.
const TEAMS_MAX: usize = 200;

/// The teams of an organization.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/teams/", operation_id = "listTeams", tag = "teams",
    params(OrganizationPath, Paging),
    responses((status = 200, body = [Team]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InOrganization, TeamRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let all = api.meta.teams(place.organization.id).await?;
    let (page, links) = cut(all, paging.cursor.as_deref(), paging.rows()?)?;
    Ok((links.header(&api.public_url, &uri), Json(shapes(&api, &place, &page).await?)))
}

/// Creates a team. Whoever creates it is in it.
#[utoipa::path(
    post, path = "/api/0/organizations/{org}/teams/", operation_id = "createTeam", tag = "teams",
    params(OrganizationPath), request_body = NewTeamRequest,
    responses((status = 201, body = Team), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InOrganization, TeamRight>,
    Body(request): Body<NewTeamRequest>,
) -> Result<(StatusCode, Json<Team>), ApiError> {
    let slug = request.slug.filter(|slug| !slug.is_empty());
    let name = request.name.or_else(|| slug.clone());
    let name = check_name(name.as_deref().unwrap_or_default())?;
    let slug = slug.map_or_else(|| Ok(made_up(&api, "team", &name)), |slug| check_slug(&slug))?;
    if api.meta.teams(place.organization.id).await?.len() >= TEAMS_MAX {
        return Err(ApiError::Invalid(format!("an organization has at most {TEAMS_MAX} teams; delete one first")));
    }
    let team = api.meta.create_team(place.organization.id, &slug, &name, api.now()).await?;
    api.meta.join_team(team.id, place.caller.user.id).await?;
    Ok((StatusCode::CREATED, Json(shape(&api, &place, &team).await?)))
}

/// A team.
#[utoipa::path(
    get, path = "/api/0/teams/{org}/{team}/", operation_id = "getTeam", tag = "teams", params(TeamPath),
    responses((status = 200, body = Team), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(State(api): State<Api>, place: Within<InTeam, TeamRight>) -> Result<Json<Team>, ApiError> {
    Ok(Json(shape(&api, &place.organization, &place.team).await?))
}

/// Renames a team.
#[utoipa::path(
    put, path = "/api/0/teams/{org}/{team}/", operation_id = "updateTeam", tag = "teams", params(TeamPath),
    request_body = TeamRequest,
    responses((status = 200, body = Team), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InTeam, TeamRight>,
    Body(request): Body<TeamRequest>,
) -> Result<Json<Team>, ApiError> {
    let name = request.name.map(|name| check_name(&name)).transpose()?;
    let slug = request.slug.map(|slug| check_slug(&slug)).transpose()?;
    let change = Box::new(move |team: &mut nuthatch_store::teams::Team| {
        team.name = name.unwrap_or_else(|| team.name.clone());
        team.slug = slug.unwrap_or_else(|| team.slug.clone());
        Ok(())
    });
    let team = api.meta.change_team(place.team.id, change).await?;
    Ok(Json(shape(&api, &place.organization, &team).await?))
}

/// Removes a team. Its members and projects stay; nobody is assigned to its issues any more.
#[utoipa::path(
    delete, path = "/api/0/teams/{org}/{team}/", operation_id = "deleteTeam", tag = "teams", params(TeamPath),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(State(api): State<Api>, place: Within<InTeam, TeamRight>) -> Result<StatusCode, ApiError> {
    unassign(&api, &place.organization, place.team.id).await?;
    api.meta.delete_team(place.team.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a team's issues from it, page by page.
async fn unassign(api: &Api, place: &InOrganization, team: TeamId) -> Result<(), ApiError> {
    let query = IssueQuery {
        organization: place.organization.id,
        projects: Vec::new(),
        filter: vec![IssueCondition {
            negated: false,
            test: IssueTest::AssignedToAny { users: Vec::new(), teams: vec![team], nobody: false },
        }],
        seen_since: None,
        sort: IssueSort::LastSeen,
        cursor: None,
        limit: PAGE_MAX,
    };
    loop {
        let page = api.meta.issues(&query).await?;
        if page.issues.is_empty() {
            return Ok(());
        }
        let ids: Vec<IssueId> = page.issues.iter().map(|issue| issue.id).collect();
        issue_change::apply(api, place.caller.user.id, ids, vec![Action::Unassign]).await?;
    }
}

/// The members of a team.
#[utoipa::path(
    get, path = "/api/0/teams/{org}/{team}/members/", operation_id = "listTeamMembers", tag = "teams",
    params(TeamPath, Paging),
    responses((status = 200, body = [Member]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn members(
    State(api): State<Api>,
    place: Within<InTeam, TeamRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let organization = place.organization.organization.id;
    let in_team = api.meta.team_members(organization).await?;
    let users = users(&api, &place.organization).await?;
    let members = api.meta.members(organization).await?.into_iter();
    let members = members.filter(|(user, _)| in_team.contains(&(place.team.id, *user)));
    let rows = members.filter_map(|(id, role)| users.get(&id).map(|user| Member::new(user, role)));
    let (page, links) = cut(rows.collect(), paging.cursor.as_deref(), paging.rows()?)?;
    Ok((links.header(&api.public_url, &uri), Json(page)))
}

/// The projects of a team.
#[utoipa::path(
    get, path = "/api/0/teams/{org}/{team}/projects/", operation_id = "listTeamProjects", tag = "teams",
    params(TeamPath, Paging),
    responses((status = 200, body = [Project]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn team_projects(
    State(api): State<Api>,
    place: Within<InTeam, TeamRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let has = api.meta.team_projects(place.organization.organization.id).await?;
    let mut projects = place.organization.projects(&api).await?;
    projects.retain(|project| has.contains(&(place.team.id, project.id)));
    let (page, links) = cut(projects, paging.cursor.as_deref(), paging.rows()?)?;
    let rows = projects::shapes(&api, &place.organization, &page).await?;
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// Creates a project of a team, with a first key.
#[utoipa::path(
    post, path = "/api/0/teams/{org}/{team}/projects/", operation_id = "createTeamProject", tag = "teams",
    params(TeamPath), request_body = NewProjectRequest,
    responses((status = 201, body = Project), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)),
)]
pub(super) async fn create_project(
    State(api): State<Api>,
    place: Within<InTeam, TeamRight>,
    Body(request): Body<NewProjectRequest>,
) -> Result<(StatusCode, Json<Project>), ApiError> {
    if !place.organization.scopes.contain("project:write") {
        return Err(ApiError::Forbidden("this needs the scope project:write".to_owned()));
    }
    let project = projects::make(&api, &place.organization, request).await?;
    api.meta.give_project(place.team.id, project.id).await?;
    Ok((StatusCode::CREATED, Json(projects::shape(&api, &place.organization, &project).await?)))
}

/// Puts a member of the organization into a team.
#[utoipa::path(
    post, path = "/api/0/organizations/{org}/members/{member}/teams/{team}/", operation_id = "joinTeam", tag = "teams",
    params(MembershipPath),
    responses((status = 201, body = Team), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn join(
    State(api): State<Api>,
    place: Within<InMembership, MembershipRight>,
) -> Result<(StatusCode, Json<Team>), ApiError> {
    api.meta.join_team(place.team.team.id, place.user).await?;
    Ok((StatusCode::CREATED, Json(shape(&api, &place.team.organization, &place.team.team).await?)))
}

/// Takes a member out of a team.
#[utoipa::path(
    delete, path = "/api/0/organizations/{org}/members/{member}/teams/{team}/", operation_id = "leaveTeam",
    tag = "teams", params(MembershipPath),
    responses((status = 200, body = Team), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn leave(
    State(api): State<Api>,
    place: Within<InMembership, MembershipRight>,
) -> Result<Json<Team>, ApiError> {
    api.meta.leave_team(place.team.team.id, place.user).await?;
    Ok(Json(shape(&api, &place.team.organization, &place.team.team).await?))
}

/// Gives a project to a team.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/teams/{team}/", operation_id = "addProjectTeam", tag = "teams",
    params(ProjectTeamPath),
    responses((status = 201, body = Project), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn give(
    State(api): State<Api>,
    place: Within<InProjectTeam, MembershipRight>,
) -> Result<(StatusCode, Json<Project>), ApiError> {
    api.meta.give_project(place.team.team.id, place.project.id).await?;
    Ok((StatusCode::CREATED, Json(projects::shape(&api, &place.team.organization, &place.project).await?)))
}

/// Takes a project from a team.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/teams/{team}/", operation_id = "removeProjectTeam", tag = "teams",
    params(ProjectTeamPath),
    responses((status = 200, body = Project), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn take(
    State(api): State<Api>,
    place: Within<InProjectTeam, MembershipRight>,
) -> Result<Json<Project>, ApiError> {
    api.meta.take_project(place.team.team.id, place.project.id).await?;
    Ok(Json(projects::shape(&api, &place.team.organization, &place.project).await?))
}

async fn shape(api: &Api, place: &InOrganization, team: &teams::Team) -> Result<Team, ApiError> {
    let mut shapes = shapes(api, place, std::slice::from_ref(team)).await?;
    shapes.pop().ok_or(ApiError::NotFound("team"))
}

async fn shapes(api: &Api, place: &InOrganization, teams: &[teams::Team]) -> Result<Vec<Team>, ApiError> {
    let organization = place.organization.id;
    let members = api.meta.team_members(organization).await?;
    let has = api.meta.team_projects(organization).await?;
    let projects = place.projects(api).await?;
    let row = |team: &teams::Team| {
        let projects = projects.iter().filter(|project| has.contains(&(team.id, project.id))).collect();
        let count = members.iter().filter(|(of, _)| *of == team.id).count();
        let is_member = members.contains(&(team.id, place.caller.user.id));
        Team::new(team, place.scopes.words(), is_member, count, projects)
    };
    Ok(teams.iter().map(row).collect())
}
