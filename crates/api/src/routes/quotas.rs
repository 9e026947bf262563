//! Quotas of organizations and projects (`reference/ingest-protocol.md` §9.1).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{RawPathParams, State},
};
use http::StatusCode;
use nuthatch_protocol::{ProjectId, PublicKey, QuotaId};
use nuthatch_store::{
    projects::{Project, ProjectKey},
    quotas::{QUOTAS_MAX, Quota as Model, QuotaRule, QuotaScope},
};

use super::paths::{OrganizationPath, ProjectPath};
use crate::{
    Api,
    auth::{
        access::{InOrganization, InProject, Within, parameter},
        scope::{OrganizationRight, ProjectRight},
    },
    error::{ApiError, ErrorBody},
    query::Body,
    shape::quota::{Quota, QuotaRequest},
};

/// The quotas of an organization, those of its projects left out. All of them: there are at most a hundred.
#[utoipa::path(
    get, path = "/api/0/organizations/{org}/quotas/", operation_id = "listQuotas", tag = "quotas",
    params(OrganizationPath),
    responses((status = 200, body = [Quota]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
) -> Result<Json<Vec<Quota>>, ApiError> {
    Owner::organization(&api, &place).await?.list(&api).await
}

/// Adds a quota to an organization. It takes effect with the next request.
#[utoipa::path(
    post, path = "/api/0/organizations/{org}/quotas/", operation_id = "createQuota", tag = "quotas",
    params(OrganizationPath), request_body = QuotaRequest,
    responses((status = 201, body = Quota), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
    Body(request): Body<QuotaRequest>,
) -> Result<(StatusCode, Json<Quota>), ApiError> {
    Owner::organization(&api, &place).await?.create(&api, &request).await
}

/// Changes a quota of an organization. It takes effect with the next request.
#[utoipa::path(
    put, path = "/api/0/organizations/{org}/quotas/{id}/", operation_id = "updateQuota", tag = "quotas",
    params(OrganizationPath, ("id" = String, Path, description = "Id of the quota")), request_body = QuotaRequest,
    responses((status = 200, body = Quota), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
    path: RawPathParams,
    Body(request): Body<QuotaRequest>,
) -> Result<Json<Quota>, ApiError> {
    Owner::organization(&api, &place).await?.update(&api, &path, &request).await
}

/// Removes a quota of an organization.
#[utoipa::path(
    delete, path = "/api/0/organizations/{org}/quotas/{id}/", operation_id = "deleteQuota", tag = "quotas",
    params(OrganizationPath, ("id" = String, Path, description = "Id of the quota")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    place: Within<InOrganization, OrganizationRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    Owner::organization(&api, &place).await?.delete(&api, &path).await
}

/// The quotas of a project. Those of its organization limit it, too.
#[utoipa::path(
    get, path = "/api/0/projects/{org}/{project}/quotas/", operation_id = "listProjectQuotas", tag = "quotas",
    params(ProjectPath),
    responses((status = 200, body = [Quota]), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn list_of_project(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
) -> Result<Json<Vec<Quota>>, ApiError> {
    Owner::project(&api, &place).await?.list(&api).await
}

/// Adds a quota to a project. It takes effect with the next request.
#[utoipa::path(
    post, path = "/api/0/projects/{org}/{project}/quotas/", operation_id = "createProjectQuota", tag = "quotas",
    params(ProjectPath), request_body = QuotaRequest,
    responses((status = 201, body = Quota), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn create_in_project(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    Body(request): Body<QuotaRequest>,
) -> Result<(StatusCode, Json<Quota>), ApiError> {
    Owner::project(&api, &place).await?.create(&api, &request).await
}

/// Changes a quota of a project. It takes effect with the next request.
#[utoipa::path(
    put, path = "/api/0/projects/{org}/{project}/quotas/{id}/", operation_id = "updateProjectQuota", tag = "quotas",
    params(ProjectPath, ("id" = String, Path, description = "Id of the quota")), request_body = QuotaRequest,
    responses((status = 200, body = Quota), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn update_in_project(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
    Body(request): Body<QuotaRequest>,
) -> Result<Json<Quota>, ApiError> {
    Owner::project(&api, &place).await?.update(&api, &path, &request).await
}

/// Removes a quota of a project.
#[utoipa::path(
    delete, path = "/api/0/projects/{org}/{project}/quotas/{id}/", operation_id = "deleteProjectQuota", tag = "quotas",
    params(ProjectPath, ("id" = String, Path, description = "Id of the quota")),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)),
)]
pub(super) async fn delete_in_project(
    State(api): State<Api>,
    place: Within<InProject, ProjectRight>,
    path: RawPathParams,
) -> Result<StatusCode, ApiError> {
    Owner::project(&api, &place).await?.delete(&api, &path).await
}

/// What quotas belong to, and what in it they can be for.
struct Owner<'p> {
    organization: &'p InOrganization,
    project: Option<ProjectId>,
    projects: Vec<Project>,
    keys: Vec<ProjectKey>,
}

impl<'p> Owner<'p> {
    async fn organization(api: &Api, place: &'p InOrganization) -> Result<Self, ApiError> {
        Self::of(api, place, None, place.projects(api).await?).await
    }

    async fn project(api: &Api, place: &'p InProject) -> Result<Self, ApiError> {
        Self::of(api, &place.organization, Some(place.project.id), vec![place.project.clone()]).await
    }

    async fn of(
        api: &Api,
        organization: &'p InOrganization,
        project: Option<ProjectId>,
        projects: Vec<Project>,
    ) -> Result<Self, ApiError> {
        let mut keys = Vec::new();
        for project in &projects {
            keys.extend(api.meta.keys(project.id).await?);
        }
        Ok(Self { organization, project, projects, keys })
    }

    async fn list(&self, api: &Api) -> Result<Json<Vec<Quota>>, ApiError> {
        Ok(Json(self.quotas(api).await?.iter().map(|quota| self.shape(api, quota)).collect()))
    }

    async fn create(&self, api: &Api, request: &QuotaRequest) -> Result<(StatusCode, Json<Quota>), ApiError> {
        let rule = self.read(request)?;
        let organization = self.organization.organization.id;
        if api.meta.quotas(organization).await?.len() >= QUOTAS_MAX {
            let message =
                format!("an organization and its projects have at most {QUOTAS_MAX} quotas; remove one first");
            return Err(ApiError::Invalid(message));
        }
        let quota = api.meta.create_quota(organization, self.project, rule).await?;
        Ok((StatusCode::CREATED, Json(self.shape(api, &quota))))
    }

    async fn update(&self, api: &Api, path: &RawPathParams, request: &QuotaRequest) -> Result<Json<Quota>, ApiError> {
        let mut quota = self.find(api, path).await?;
        quota.rule = self.read(request)?;
        api.meta.update_quota(quota.id, quota.rule.clone()).await?;
        Ok(Json(self.shape(api, &quota)))
    }

    async fn delete(&self, api: &Api, path: &RawPathParams) -> Result<StatusCode, ApiError> {
        api.meta.delete_quota(self.find(api, path).await?.id).await?;
        Ok(StatusCode::NO_CONTENT)
    }

    async fn quotas(&self, api: &Api) -> Result<Vec<Model>, ApiError> {
        let mut quotas = api.meta.quotas(self.organization.organization.id).await?;
        quotas.retain(|quota| quota.project_id == self.project);
        Ok(quotas)
    }

    /// The quota that the path names, if it belongs here.
    async fn find(&self, api: &Api, path: &RawPathParams) -> Result<Model, ApiError> {
        let id = parameter(path, "id").and_then(|text| text.parse::<QuotaId>().ok());
        let mut quotas = self.quotas(api).await?.into_iter();
        quotas.find(|quota| Some(quota.id) == id).ok_or(ApiError::NotFound("quota"))
    }

    /// What a request asks for, with the project or key that it names.
    fn read(&self, request: &QuotaRequest) -> Result<QuotaRule, ApiError> {
        let rule = request.rule(self.project.is_some())?;
        let Some(name) = request.scope_id.as_deref().filter(|name| !name.is_empty()) else { return Ok(rule) };
        let (scope_id, expected) = match rule.scope {
            QuotaScope::Organization => (None, "an organization has no other in it"),
            QuotaScope::Project => (self.project_named(name), "there is no such project here"),
            QuotaScope::Key => (self.key_named(name), "there is no such key here"),
        };
        match scope_id {
            Some(id) => Ok(QuotaRule { scope_id: Some(id), ..rule }),
            None => Err(ApiError::InvalidFields(BTreeMap::from([("scopeId".to_owned(), expected.to_owned())]))),
        }
    }

    fn project_named(&self, name: &str) -> Option<u64> {
        let id = name.parse::<ProjectId>().ok();
        let named = self.projects.iter().find(|project| Some(project.id) == id || project.slug == name);
        named.map(|project| project.id.0)
    }

    fn key_named(&self, name: &str) -> Option<u64> {
        let public = name.parse::<PublicKey>().ok()?;
        self.keys.iter().find(|key| key.public == public).map(|key| key.id.0)
    }

    fn shape(&self, api: &Api, quota: &Model) -> Quota {
        let scope_id = quota.rule.scope_id.map(|id| match quota.rule.scope {
            QuotaScope::Key => {
                let key = self.keys.iter().find(|key| key.id.0 == id);
                key.map_or_else(|| id.to_string(), |key| key.public.to_string())
            }
            QuotaScope::Organization | QuotaScope::Project => id.to_string(),
        });
        Quota::new(quota, scope_id, api.quota_usage.as_ref().map(|usage| usage(quota)))
    }
}
