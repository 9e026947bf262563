//! Teams (`reference/web-api.md` §4.8).

use nuthatch_store::{projects, teams};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::shape::{organization::Avatar, project::ProjectSummary};

/// A team.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) date_created: String,
    /// Whether the one who asks is in it.
    pub(crate) is_member: bool,
    pub(crate) team_role: Option<String>,
    #[schema(value_type = Object)]
    pub(crate) flags: Map<String, Value>,
    /// Scopes of the one who asks.
    pub(crate) access: Vec<String>,
    pub(crate) has_access: bool,
    pub(crate) is_pending: bool,
    pub(crate) member_count: usize,
    pub(crate) avatar: Avatar,
    /// By slug.
    pub(crate) projects: Vec<ProjectSummary>,
}

impl Team {
    pub(crate) fn new(
        team: &teams::Team,
        access: Vec<String>,
        is_member: bool,
        member_count: usize,
        projects: Vec<&projects::Project>,
    ) -> Self {
        Self {
            id: team.id.to_string(),
            slug: team.slug.clone(),
            name: team.name.clone(),
            date_created: team.created.to_string(),
            is_member,
            team_role: None,
            flags: Map::new(),
            access,
            has_access: true,
            is_pending: false,
            member_count,
            avatar: Avatar::letters(),
            projects: projects.into_iter().map(ProjectSummary::from).collect(),
        }
    }
}

/// A team as part of something else.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TeamSummary {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
}

impl From<&teams::Team> for TeamSummary {
    fn from(team: &teams::Team) -> Self {
        Self { id: team.id.to_string(), slug: team.slug.clone(), name: team.name.clone() }
    }
}

/// A team to create; the slug comes from the name when it is left out.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewTeamRequest {
    pub(crate) name: Option<String>,
    pub(crate) slug: Option<String>,
}

/// What of a team can be changed.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TeamRequest {
    pub(crate) name: Option<String>,
    pub(crate) slug: Option<String>,
}
