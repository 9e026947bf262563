//! How much an organization, a project or a key may send (`reference/ingest-protocol.md` §9.1).

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{DataCategory, KeyId, OrganizationId, ProjectId, QuotaId};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Keeps what quotas have counted over a restart, as a note that intake writes and reads.
#[async_trait]
pub trait QuotaCountStore: Send + Sync + 'static {
    /// Keeps a note in the place of the one before, durably.
    async fn keep_quota_counts(&self, counts: Bytes) -> Result<(), StoreError>;

    /// The note that was kept last, if there is one.
    async fn quota_counts(&self) -> Result<Option<Bytes>, StoreError>;
}

/// Most quotas of an organization, those of its projects included: each is looked at with every request.
pub const QUOTAS_MAX: usize = 100;

/// Longest window of a quota or a key's limit, in seconds: 31 days.
pub const WINDOW_MAX_SECS: u32 = 31 * 86_400;

/// The reason that a key's own limit is counted and answered with (§9.1).
pub const KEY_QUOTA: &str = "key_quota";

/// A quota, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Its id.
    pub id: QuotaId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// The project, if it belongs to one.
    pub project_id: Option<ProjectId>,
    /// What it says.
    pub rule: QuotaRule,
}

/// What a quota says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRule {
    /// What counts together.
    pub scope: QuotaScope,
    /// The one organization, project or key it is for; none: each of them on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_id: Option<u64>,
    /// What is counted; empty: everything.
    #[serde(default)]
    pub categories: Vec<DataCategory>,
    /// Most units in a window. 0: none at all, and nothing is counted; `None`: any number, which is counted.
    pub limit: Option<u64>,
    /// Length of a window in seconds, at most [`WINDOW_MAX_SECS`]; windows begin at multiples of it since the epoch. 0
    /// only where nothing is counted.
    pub window_secs: u32,
    /// The stable word for what it refuses.
    pub reason_code: String,
}

/// What counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuotaScope {
    /// What an organization receives.
    Organization,
    /// What a project receives.
    Project,
    /// What comes with a key.
    Key,
}

impl QuotaScope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Organization, Self::Project, Self::Key];

    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Project => "project",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for QuotaScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// At most `count` errors in a window, of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRateLimit {
    /// Length of a window in seconds, from 1 to [`WINDOW_MAX_SECS`].
    pub window_secs: u32,
    /// Most errors in it.
    pub count: u64,
}

impl QuotaRule {
    /// What a key's own limit says (§9.1).
    pub fn of_key(key: KeyId, KeyRateLimit { window_secs, count }: KeyRateLimit) -> Self {
        Self {
            scope: QuotaScope::Key,
            scope_id: Some(key.0),
            categories: vec![DataCategory::Error, DataCategory::Default],
            limit: Some(count),
            window_secs,
            reason_code: KEY_QUOTA.to_owned(),
        }
    }

    /// Whether units of a category are counted. SDKs call some errors `default`, which is the same (§7).
    pub fn covers(&self, category: DataCategory) -> bool {
        let is_named = |category| self.categories.contains(&category);
        self.categories.is_empty()
            || is_named(category)
            || category == DataCategory::Error && is_named(DataCategory::Default)
    }
}

/// How much of a quota is used in the present window: where it counts several projects or keys apart, by the fullest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaUsage {
    /// Units that were let through.
    pub used: u64,
    /// When the window ends, in seconds since the epoch.
    pub ends_secs: i64,
}
