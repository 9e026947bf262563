//! Rows with ids of their own: how a scenario's state gets into a store.

use nuthatch_protocol::{Hash, OrganizationId, ProjectId};

use crate::{
    accounts::User,
    projects::{Organization, Project, Role},
    teams::Team,
};

/// Rows to put into an empty store as they are. Issues and what belongs to them come in by
/// [`crate::IssueStore::transact`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seed {
    /// Organizations.
    pub organizations: Vec<Organization>,
    /// Projects.
    pub projects: Vec<Project>,
    /// Accounts and where they are members.
    pub users: Vec<(User, Vec<(OrganizationId, Role)>)>,
    /// Teams.
    pub teams: Vec<Team>,
    /// Hash rows without an issue.
    pub dead_hashes: Vec<(ProjectId, Hash)>,
}
