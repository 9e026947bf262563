//! Organizations, projects and their client keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use nuthatch_normalize::{filter::FilterSettings, scrub::ScrubSettings};
use nuthatch_protocol::{KeyId, OrganizationId, ProjectId, PublicKey, QuotaId, Timestamp, UserId};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use crate::{
    Change, StoreError,
    quotas::{KeyRateLimit, Quota, QuotaRule},
};

/// Organizations, projects, keys, quotas. Writers return what they wrote.
#[async_trait]
pub trait ProjectStore: Send + Sync + 'static {
    /// Changes whenever an organization, project, key, quota or issue type changes: what caches compare with.
    fn config_version(&self) -> u64;

    /// Creates an organization. [`StoreError::Conflict`] when the slug is taken.
    async fn create_organization(&self, slug: &str, name: &str, now: Timestamp) -> Result<Organization, StoreError>;

    /// Changes slug, name, features and options of an organization. [`StoreError::Conflict`] when the slug is taken.
    async fn change_organization(
        &self,
        id: OrganizationId,
        change: Change<Organization>,
    ) -> Result<Organization, StoreError>;

    /// An organization by id.
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>, StoreError>;

    /// All organizations, by id.
    async fn organizations(&self) -> Result<Vec<Organization>, StoreError>;

    /// Organizations a user is a member of, by id.
    async fn organizations_of(&self, user: UserId) -> Result<Vec<Organization>, StoreError>;

    /// Makes a user a member. Nothing happens when they are.
    async fn add_member(&self, organization: OrganizationId, user: UserId, role: Role) -> Result<(), StoreError>;

    /// Members of an organization with their roles, by user id.
    async fn members(&self, organization: OrganizationId) -> Result<Vec<(UserId, Role)>, StoreError>;

    /// Creates a project with a first key. [`StoreError::Conflict`] when the slug is taken in the organization.
    async fn create_project(&self, project: NewProject) -> Result<(Project, ProjectKey), StoreError>;

    /// Changes slug, name, platform, resolve age and options of a project. [`StoreError::Conflict`] when the slug is taken
    /// in the organization.
    async fn change_project(&self, id: ProjectId, change: Change<Project>) -> Result<Project, StoreError>;

    /// A project by id.
    async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError>;

    /// Projects of an organization, by slug.
    async fn projects(&self, organization: OrganizationId) -> Result<Vec<Project>, StoreError>;

    /// Adds a key to a project.
    async fn create_key(&self, key: NewKey) -> Result<ProjectKey, StoreError>;

    /// Changes name, `is_active` and rate limit of a key.
    async fn change_key(&self, id: KeyId, change: Change<ProjectKey>) -> Result<ProjectKey, StoreError>;

    /// Removes a key; events sent with it stay. [`StoreError::NotFound`] when there is none.
    async fn delete_key(&self, id: KeyId) -> Result<(), StoreError>;

    /// Keys of a project, by id.
    async fn keys(&self, project: ProjectId) -> Result<Vec<ProjectKey>, StoreError>;

    /// A key by its public half: what intake asks.
    async fn key(&self, public: PublicKey) -> Result<Option<ProjectKey>, StoreError>;

    /// Quotas of an organization and of its projects, by id.
    async fn quotas(&self, organization: OrganizationId) -> Result<Vec<Quota>, StoreError>;

    /// Adds a quota to an organization, or to a project of it.
    async fn create_quota(
        &self,
        organization: OrganizationId,
        project: Option<ProjectId>,
        rule: QuotaRule,
    ) -> Result<Quota, StoreError>;

    /// Writes what a quota says. [`StoreError::NotFound`] when there is none.
    async fn update_quota(&self, id: QuotaId, rule: QuotaRule) -> Result<(), StoreError>;

    /// Removes a quota. [`StoreError::NotFound`] when there is none.
    async fn delete_quota(&self, id: QuotaId) -> Result<(), StoreError>;
}

/// Name of the key a project is created with.
pub const FIRST_KEY_NAME: &str = "Default";

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Id.
    pub id: OrganizationId,
    /// Name in URLs.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Features that are on and are not for everybody (`reference/issue-platform.md` §4.4, §9).
    pub features: BTreeSet<String>,
    /// What it requires of its projects.
    pub options: OrganizationOptions,
}

/// What an organization requires of all its projects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganizationOptions {
    /// What is taken out of their events, whatever they choose themselves.
    #[serde(deserialize_with = "required_scrubbing")]
    pub scrubbing: ScrubSettings,
}

fn required_scrubbing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScrubSettings, D::Error> {
    ScrubSettings::read_required(Value::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl Default for OrganizationOptions {
    fn default() -> Self {
        Self { scrubbing: ScrubSettings::nothing() }
    }
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but administration.
    Member,
}

impl Role {
    /// The stored and shown word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Owner, Self::Member].into_iter().find(|role| role.as_str() == word)
    }
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Id; part of the DSN.
    pub id: ProjectId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// Name in URLs; unique in the organization.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Platform chosen at creation, if any.
    pub platform: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// After so many hours without an event an issue is resolved; `None`: never.
    pub resolve_age_hours: Option<u32>,
    /// What is done to its events.
    pub options: ProjectOptions,
}

/// What people choose for a project's events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectOptions {
    /// What is taken out of them.
    pub scrubbing: ScrubSettings,
    /// Which of them are dropped.
    pub filters: FilterSettings,
    /// Where browsers may send them from.
    pub allowed_domains: AllowedDomains,
}

/// Patterns of web origins ([`nuthatch_protocol::DomainPattern`]); every origin unless somebody chose. Without any, no
/// request is taken that has an origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AllowedDomains(pub Vec<String>);

impl Default for AllowedDomains {
    fn default() -> Self {
        Self(vec!["*".to_owned()])
    }
}

/// A project to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Name in URLs.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Platform, if chosen.
    pub platform: Option<String>,
    /// Public half of its first key (random; chosen by the caller).
    pub first_key: PublicKey,
    /// Now.
    pub created: Timestamp,
}

/// A client key: what a DSN holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectKey {
    /// Id.
    pub id: KeyId,
    /// The project.
    pub project_id: ProjectId,
    /// Name for people.
    pub name: String,
    /// The public half.
    pub public: PublicKey,
    /// Whether it is accepted.
    pub is_active: bool,
    /// How many errors may come with it; none: any number.
    pub rate_limit: Option<KeyRateLimit>,
    /// When it was made.
    pub created: Timestamp,
}

/// A key to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The project.
    pub project_id: ProjectId,
    /// Name for people.
    pub name: String,
    /// The public half (random; chosen by the caller).
    pub public: PublicKey,
    /// Whether it is taken from the beginning.
    pub is_active: bool,
    /// How many errors may come with it; none: any number.
    pub rate_limit: Option<KeyRateLimit>,
    /// Now.
    pub created: Timestamp,
}
