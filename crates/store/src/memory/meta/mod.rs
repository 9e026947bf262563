//! In-memory reference of the metadata ports.

mod accounts;
mod dead_letters;
mod files;
mod issue_types;
mod issues;
mod listing;
mod message_queue;
mod monitors;
mod outcomes;
mod project_facts;
mod project_tokens;
mod projects;
mod releases;
mod seed;
mod sessions;
mod settlements;
mod snapshot;
mod teams;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use nuthatch_issues::{
    Activity, Issue, IssueType, MessageKey, TopicRecord,
    changes::{Handled, Sightings},
    history::HistoryEntry,
    open_period::{OpenPeriod, PeriodEntry},
};
use nuthatch_protocol::{
    EventId, Fact, FileId, Hash, IssueId, KeyId, LetterId, OrganizationId, Partition, Position, ProjectId, QuotaId,
    TeamId, Timestamp, Topic, TypeId, UserId,
};

use crate::{
    accounts::{ApiToken, SecretHash, Session, User},
    dead_letters::StoredLetter,
    files::{NewFile, UserReport},
    issues::ConsumerPosition,
    monitors::{Monitor, ReceivedCheckIn, Run},
    project_tokens::ProjectToken,
    projects::{Organization, Project, ProjectKey, Role},
    quotas::Quota,
    releases::ReleaseFacts,
    settlements::{Counted, ItemKey},
    teams::Team,
};

/// Accounts, projects, issues, dead letters and outcomes behind one lock.
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
    teams: BTreeMap<TeamId, Team>,
    last_team: u64,
    team_members: BTreeSet<(TeamId, UserId)>,
    team_projects: BTreeSet<(TeamId, ProjectId)>,
    projects: BTreeMap<ProjectId, Project>,
    keys: BTreeMap<KeyId, ProjectKey>,
    last_key: KeyId,
    quotas: BTreeMap<QuotaId, Quota>,
    last_quota: QuotaId,
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
    history: Vec<HistoryEntry>,
    periods: BTreeMap<(IssueId, u32), OpenPeriod>,
    period_entries: Vec<PeriodEntry>,
    sightings: BTreeMap<(ProjectId, Hash), Sightings>,
    /// How often a fingerprint occurred, and how many issues of a type were created, by granule.
    occurrences: BTreeMap<(ProjectId, Hash), BTreeMap<i64, u64>>,
    created: BTreeMap<(ProjectId, TypeId), BTreeMap<i64, u64>>,
    releases: BTreeMap<(ProjectId, String), Timestamp>,
    release_facts: BTreeMap<(ProjectId, String), ReleaseFacts>,
    /// What projects have, and on which day it was last seen.
    facts: BTreeMap<(ProjectId, Fact), i64>,
    handled: BTreeMap<MessageKey, Handled>,
    positions: BTreeMap<(String, Topic, Partition), u64>,

    letters: BTreeMap<LetterId, StoredLetter>,
    last_letter: LetterId,

    monitors: BTreeMap<EventId, Monitor>,
    /// Runs of monitors, with the monitor.
    runs: BTreeMap<(ProjectId, EventId), (EventId, Run)>,
    waiting_check_ins: Vec<Counted<ReceivedCheckIn>>,
    files: BTreeMap<FileId, NewFile>,
    last_file: FileId,
    reports: BTreeMap<u64, UserReport>,
    last_report: u64,

    queue: BTreeMap<u64, TopicRecord>,
    last_queued: u64,

    ledger: outcomes::Ledger,
    health: sessions::Health,
    /// Items that count once: which record brought the first, and when it was received.
    seen: BTreeMap<ItemKey, (Position, Timestamp)>,
}

impl State {
    fn move_to(&mut self, ConsumerPosition { consumer, position }: ConsumerPosition) {
        self.positions.insert((consumer, position.topic, position.partition), position.offset);
    }
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
