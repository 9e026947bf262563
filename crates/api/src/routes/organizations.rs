//! Organizations and their members (`reference/web-api.md` §3.1).

use std::collections::{BTreeMap, HashMap};

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::IntoResponse,
};
use nuthatch_protocol::UserId;
use nuthatch_store::{Change, StoreError, accounts::User, projects};

use super::paths::OrganizationPath;
use crate::{
    Api,
    auth::{
        access::{InOrganization, Within},
        caller::Caller,
        scope::{MemberRight, OrganizationRight},
    },
    error::{ApiError, ErrorBody},
    page::cut,
    query::{Body, Paging, Query},
    shape::{
        account::Member,
        organization::{Organization, OrganizationDetail, OrganizationRequest},
        people::People,
        team::TeamSummary,
    },
};

/// Longest name of an organization or project, in characters.
pub(super) const NAME_MAX_CHARS: usize = 64;

/// The organizations of the account.
#[utoipa::path(
    get, path = "/api/0/organizations/", operation_id = "listOrganizations", tag = "organizations", params(Paging),
    responses((status = 200, body = [Organization]), (status = 401, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let all = InOrganization::all(&api, &caller).await?.into_iter().filter(|place| place.scopes.contain("org:read"));
    let (page, links) = cut(all.collect(), paging.cursor.as_deref(), paging.rows()?)?;
    let rows: Vec<Organization> = page.iter().map(|place| shape(&api, place)).collect();
    Ok((links.header(&api.public_url, &uri), Json(rows)))
}

/// An organization.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/", operation_id = "getOrganization", tag = "organizations",
    params(OrganizationPath),
    responses((status = 200, body = OrganizationDetail), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn detail(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
) -> Result<Json<OrganizationDetail>, ApiError> {
    Ok(Json(whole(&api, &place).await?))
}

/// Renames an organization, or changes what it requires of its projects.
#[utoipa::path(
    put, path = "/api/0/organizations/{org}/", operation_id = "updateOrganization", tag = "organizations",
    params(OrganizationPath), request_body = OrganizationRequest,
    responses((status = 200, body = OrganizationDetail), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
    Body(request): Body<OrganizationRequest>,
) -> Result<Json<OrganizationDetail>, ApiError> {
    let mut changed = (*place).clone();
    // Tried before the transaction that writes it, for what the request gets wrong.
    write(&request, &mut changed.organization)?;
    let change: Change<_> = Box::new(move |organization: &mut projects::Organization| {
        write(&request, organization).map_err(|error| StoreError::Invalid(error.to_string()))
    });
    changed.organization = api.meta.change_organization(changed.organization.id, change).await?;
    Ok(Json(whole(&api, &changed).await?))
}

/// Writes what a request asks for into an organization.
fn write(request: &OrganizationRequest, organization: &mut projects::Organization) -> Result<(), ApiError> {
    if let Some(name) = &request.name {
        organization.name = check_name(name)?;
    }
    let mut wrong = BTreeMap::new();
    request.scrubbing.clone().change(&mut organization.options.scrubbing, &mut wrong);
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::InvalidFields(wrong)) }
}

async fn whole(api: &Api, place: &InOrganization) -> Result<OrganizationDetail, ApiError> {
    let projects = place.projects(api).await?;
    let teams = api.meta.teams(place.organization.id).await?.iter().map(TeamSummary::from).collect();
    let options = &place.organization.options;
    Ok(OrganizationDetail::new(shape(api, place), place.role, options, &projects, teams))
}

/// The members of an organization.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/members/", operation_id = "listMembers", tag = "organizations",
    params(OrganizationPath, Paging),
    responses((status = 200, body = [Member]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn members(
    State(api): State<Api>,
    place: Within<InOrganization, MemberRight>,
    OriginalUri(uri): OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<impl IntoResponse, ApiError> {
    let users = users(&api, &place).await?;
    let members = api.meta.members(place.organization.id).await?;
    let all = members.into_iter().filter_map(|(id, role)| users.get(&id).map(|user| Member::new(user, role)));
    let (page, links) = cut(all.collect(), paging.cursor.as_deref(), paging.rows()?)?;
    Ok((links.header(&api.public_url, &uri), Json(page)))
}

/// The members of an organization, by id.
pub(super) async fn users(api: &Api, place: &InOrganization) -> Result<HashMap<UserId, User>, ApiError> {
    let members = api.meta.members(place.organization.id).await?;
    let mut users = HashMap::with_capacity(members.len());
    for (id, _) in members {
        users.extend(api.meta.user(id).await?.map(|user| (id, user)));
    }
    Ok(users)
}

/// The members and teams of an organization, as issues show them.
pub(super) async fn people(api: &Api, place: &InOrganization) -> Result<People, ApiError> {
    Ok(People::new(&users(api, place).await?, api.meta.teams(place.organization.id).await?))
}

/// The shape of an organization for the one who asks.
pub(super) fn shape(api: &Api, place: &InOrganization) -> Organization {
    Organization::new(&place.organization, place.scopes, &api.public_url)
}

/// A name for people: not empty, not too long.
pub(super) fn check_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ApiError::Invalid("name must not be empty".to_owned()));
    }
    if name.chars().count() > NAME_MAX_CHARS {
        return Err(ApiError::Invalid(format!("name is longer than {NAME_MAX_CHARS} characters")));
    }
    if name.contains(char::is_control) {
        return Err(ApiError::Invalid("name must have no line breaks or other control characters".to_owned()));
    }
    Ok(name.to_owned())
}
