//! Which organization, project or issue a request is about, and whether the caller may. What belongs to somebody else
//! is answered like what does not exist.

use std::{marker::PhantomData, ops::Deref};

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use nuthatch_issues::{Issue, issue::parse_short_id};
use nuthatch_protocol::{IssueId, OrganizationId, ProjectId, TeamId, UserId};
use nuthatch_store::{
    projects::{Organization, Project, Role},
    teams::Team,
};

use super::{
    caller::Caller,
    scope::{Right, Scopes},
};
use crate::{Api, error::ApiError};

/// A place named by the path, in which the caller has a right.
pub(crate) struct Within<P, R> {
    place: P,
    right: PhantomData<R>,
}

impl<P, R> Deref for Within<P, R> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.place
    }
}

/// An organization of the caller: `{org}` is its slug or id.
#[derive(Debug, Clone)]
pub(crate) struct InOrganization {
    pub(crate) caller: Caller,
    pub(crate) organization: Organization,
    pub(crate) role: Role,
    /// What both role and credential allow.
    pub(crate) scopes: Scopes,
}

/// A project of the caller: `{org}` and `{project}` are slugs or ids.
#[derive(Debug, Clone)]
pub(crate) struct InProject {
    pub(crate) organization: InOrganization,
    pub(crate) project: Project,
}

/// An issue of the caller: `{issue}` is its id or, below an organization, its short id.
#[derive(Debug, Clone)]
pub(crate) struct InIssue {
    pub(crate) organization: InOrganization,
    pub(crate) project: Project,
    pub(crate) issue: Issue,
}

/// A team of the caller's organization: `{team}` is its slug or id.
#[derive(Debug, Clone)]
pub(crate) struct InTeam {
    pub(crate) organization: InOrganization,
    pub(crate) team: Team,
}

/// A member of the organization and one of its teams: `{member}` is the id of an account or `me`.
#[derive(Debug, Clone)]
pub(crate) struct InMembership {
    pub(crate) team: InTeam,
    pub(crate) user: UserId,
}

/// A project and a team of its organization.
#[derive(Debug, Clone)]
pub(crate) struct InProjectTeam {
    pub(crate) team: InTeam,
    pub(crate) project: Project,
}

/// Something that a path names.
pub(crate) trait Place: Sized + Send {
    /// Finds it among what belongs to the caller.
    fn find(api: &Api, caller: Caller, path: &RawPathParams) -> impl Future<Output = Result<Self, ApiError>> + Send;

    /// The organization it belongs to.
    fn organization(&self) -> &InOrganization;
}

impl<P: Place, R: Right> FromRequestParts<Api> for Within<P, R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, api).await?;
        let path = RawPathParams::from_request_parts(parts, api)
            .await
            .map_err(|error| ApiError::Invalid(error.to_string()))?;
        let place = P::find(api, caller, &path).await?;
        let scope = R::scope(&parts.method);
        if !place.organization().scopes.contain(&scope) {
            return Err(ApiError::Forbidden(format!("this needs the scope {scope}")));
        }
        Ok(Self { place, right: PhantomData })
    }
}

/// A parameter of the path.
pub(crate) fn parameter<'a>(path: &'a RawPathParams, name: &str) -> Option<&'a str> {
    path.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

impl InOrganization {
    /// The organizations of an account, with what it may do in each.
    pub(crate) async fn all(api: &Api, caller: &Caller) -> Result<Vec<Self>, ApiError> {
        let mut all = Vec::new();
        for organization in api.meta.organizations_of(caller.user.id).await? {
            let members = api.meta.members(organization.id).await?;
            let Some((_, role)) = members.into_iter().find(|(user, _)| *user == caller.user.id) else { continue };
            let scopes = caller.scopes.and(Scopes::of_role(role));
            all.push(Self { caller: caller.clone(), organization, role, scopes });
        }
        Ok(all)
    }

    /// Its projects, by slug.
    pub(crate) async fn projects(&self, api: &Api) -> Result<Vec<Project>, ApiError> {
        Ok(api.meta.projects(self.organization.id).await?)
    }

    /// One of its projects, by slug or id.
    pub(crate) async fn project(&self, api: &Api, name: &str) -> Result<Project, ApiError> {
        let id = name.parse::<ProjectId>().ok();
        let mut projects = self.projects(api).await?.into_iter();
        projects.find(|project| Some(project.id) == id || project.slug == name).ok_or(ApiError::NotFound("project"))
    }
}

impl Place for InOrganization {
    async fn find(api: &Api, caller: Caller, path: &RawPathParams) -> Result<Self, ApiError> {
        let name = parameter(path, "org").unwrap_or_default();
        let id = name.parse::<OrganizationId>().ok();
        let mut all = Self::all(api, &caller).await?.into_iter();
        all.find(|one| Some(one.organization.id) == id || one.organization.slug == name)
            .ok_or(ApiError::NotFound("organization"))
    }

    fn organization(&self) -> &InOrganization {
        self
    }
}

impl Place for InProject {
    async fn find(api: &Api, caller: Caller, path: &RawPathParams) -> Result<Self, ApiError> {
        let organization = InOrganization::find(api, caller, path).await?;
        let project = organization.project(api, parameter(path, "project").unwrap_or_default()).await?;
        Ok(Self { organization, project })
    }

    fn organization(&self) -> &InOrganization {
        &self.organization
    }
}

impl Place for InTeam {
    async fn find(api: &Api, caller: Caller, path: &RawPathParams) -> Result<Self, ApiError> {
        let organization = InOrganization::find(api, caller, path).await?;
        let name = parameter(path, "team").unwrap_or_default();
        let id = name.parse::<TeamId>().ok();
        let mut teams = api.meta.teams(organization.organization.id).await?.into_iter();
        let team = teams.find(|team| Some(team.id) == id || team.slug == name).ok_or(ApiError::NotFound("team"))?;
        Ok(Self { organization, team })
    }

    fn organization(&self) -> &InOrganization {
        &self.organization
    }
}

impl Place for InMembership {
    async fn find(api: &Api, caller: Caller, path: &RawPathParams) -> Result<Self, ApiError> {
        let me = caller.user.id;
        let team = InTeam::find(api, caller, path).await?;
        let member = match parameter(path, "member").unwrap_or_default() {
            "me" => Some(me),
            id => id.parse::<UserId>().ok(),
        };
        let members = api.meta.members(team.organization.organization.id).await?;
        let member = members.into_iter().map(|(user, _)| user).find(|user| Some(*user) == member);
        Ok(Self { team, user: member.ok_or(ApiError::NotFound("member"))? })
    }

    fn organization(&self) -> &InOrganization {
        &self.team.organization
    }
}

impl Place for InProjectTeam {
    async fn find(api: &Api, caller: Caller, path: &RawPathParams) -> Result<Self, ApiError> {
        let team = InTeam::find(api, caller, path).await?;
        let project = team.organization.project(api, parameter(path, "project").unwrap_or_default()).await?;
        Ok(Self { team, project })
    }

    fn organization(&self) -> &InOrganization {
        &self.team.organization
    }
}

impl Place for InIssue {
    async fn find(api: &Api, caller: Caller, path: &RawPathParams) -> Result<Self, ApiError> {
        let name = parameter(path, "issue").unwrap_or_default();
        let candidates = match parameter(path, "org") {
            Some(_) => vec![InOrganization::find(api, caller, path).await?],
            None => InOrganization::all(api, &caller).await?,
        };
        for organization in candidates {
            let projects = organization.projects(api).await?;
            if let Some((project, issue)) = issue_of(api, &projects, name).await? {
                return Ok(Self { organization, project, issue });
            }
        }
        Err(ApiError::NotFound("issue"))
    }

    fn organization(&self) -> &InOrganization {
        &self.organization
    }
}

/// The projects of an organization that are asked for, each by slug or id; all when none is, or `-1` is among them.
pub(crate) fn chosen<'a>(projects: &'a [Project], names: &[String]) -> Result<Vec<&'a Project>, ApiError> {
    let mut names = names.iter().filter(|name| !name.is_empty()).peekable();
    if names.peek().is_none() || names.clone().any(|name| name == "-1") {
        return Ok(projects.iter().collect());
    }
    let find = |name: &String| {
        let mut projects = projects.iter();
        let found = projects.find(|project| project.slug == *name || project.id.to_string() == *name);
        found.ok_or(ApiError::NotFound("project"))
    };
    names.map(find).collect()
}

/// The issue of an id or short id, if it belongs to one of these projects.
pub(crate) async fn issue_of(
    api: &Api,
    projects: &[Project],
    name: &str,
) -> Result<Option<(Project, Issue)>, ApiError> {
    let issue = match (name.parse::<IssueId>(), parse_short_id(name)) {
        (Ok(id), _) => api.meta.issue(id).await?,
        (Err(_), Some((slug, number))) => match projects.iter().find(|project| project.slug == slug) {
            Some(project) => api.meta.issue_by_short_id(project.id, number).await?,
            None => None,
        },
        (Err(_), None) => None,
    };
    let Some(issue) = issue else { return Ok(None) };
    let project = projects.iter().find(|project| project.id == issue.project_id);
    Ok(project.map(|project| (project.clone(), issue)))
}
