//! In-memory reference of the metadata ports.

mod accounts;
mod issue_types;
mod issues;
mod listing;
mod project_tokens;
mod projects;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use nuthatch_issues::{Activity, Issue, IssueType};
use nuthatch_protocol::{
    EventId, Hash, IssueId, KeyId, OrganizationId, Partition, Position, ProjectId, Timestamp, Topic, TypeId, UserId,
};

use crate::{
    accounts::{ApiToken, SecretHash, Session, User},
    project_tokens::ProjectToken,
    projects::{Organization, Project, ProjectKey, Role},
};

/// Accounts, projects and issues behind one lock.
#[derive(Default)]
pub struct MemoryMeta {
    state: Mutex<State>,
    config_version: AtomicU64,
}

#[derive(Default)]
struct State {
    users: BTreeMap<UserId, User>,
    sessions: BTreeMap<SecretHash, Session>,
    tokens: BTreeMap<u64, (SecretHash, ApiToken)>,
    setup_link: Option<(SecretHash, Timestamp)>,
    last_token: u64,

    organizations: BTreeMap<OrganizationId, Organization>,
    members: BTreeMap<(OrganizationId, UserId), Role>,
    projects: BTreeMap<ProjectId, Project>,
    keys: BTreeMap<KeyId, ProjectKey>,
    last_key: KeyId,
    project_tokens: BTreeMap<u64, (SecretHash, ProjectToken)>,
    last_project_token: u64,
    issue_types: BTreeMap<(OrganizationId, TypeId), IssueType>,
    last_type: Option<TypeId>,

    issues: BTreeMap<IssueId, Issue>,
    hashes: BTreeMap<(ProjectId, Hash), Option<IssueId>>,
    /// Hashes of an issue in the order it came to own them.
    owned: BTreeMap<IssueId, Vec<(ProjectId, Hash)>>,
    hours: BTreeMap<(IssueId, i64), u64>,
    issue_users: BTreeSet<(IssueId, u64)>,
    activities: Vec<Activity>,
    counted: BTreeMap<(ProjectId, EventId), (Option<Position>, Timestamp)>,
    positions: BTreeMap<(String, Topic, Partition), u64>,
}

impl MemoryMeta {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whoever panicked while holding the lock had not begun to write: checks come before changes everywhere.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config_changed(&self) {
        self.config_version.fetch_add(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for MemoryMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryMeta").finish_non_exhaustive()
    }
}
