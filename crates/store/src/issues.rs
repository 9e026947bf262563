//! Issues, their history and counters, and the positions of the consumers that write them.

use async_trait::async_trait;
use nuthatch_issues::{
    Activity, Changes, Issue, Job, MessageKey, Needs, Snapshot, Status, Substatus, changes::Handled,
    history::HistoryEntry, open_period::OpenPeriod,
};
use nuthatch_protocol::{
    EventId, Hash, IssueId, Level, OrganizationId, Position, Priority, ProjectId, TeamId, Timestamp, TypeId, UserId,
};

use crate::StoreError;

/// Decides on a snapshot; called once, inside the transaction that applies the changes. Must not block on I/O.
pub type Decide = Box<dyn FnOnce(&Snapshot) -> Changes + Send>;

/// Issues, hashes, activity, counters.
#[async_trait]
pub trait IssueStore: Send + Sync + 'static {
    /// Reads what is needed, decides, applies, and moves the consumer to `position`: in one transaction. The outcomes
    /// among the changes are one for each record in front of that position that was not counted before. Writers
    /// of the same issues or hashes wait for each other. Returns what was applied. When changes name a project or an
    /// issue that does not exist ([`StoreError::NotFound`]), or create an issue that does
    /// ([`StoreError::Conflict`]), nothing is applied and the consumer stays.
    async fn transact(
        &self,
        needs: Needs,
        position: Option<ConsumerPosition>,
        decide: Decide,
    ) -> Result<Changes, StoreError>;

    /// The position a consumer's effects include: the next record to apply.
    async fn position(&self, consumer: &str, start: Position) -> Result<Position, StoreError>;

    /// What became of each of these messages, for those that were handled; in no order.
    async fn handled(&self, keys: &[MessageKey]) -> Result<Vec<Handled>, StoreError>;

    /// Error events that were handled at or after a time and whose events are kept, behind a project and id, by project
    /// and id; at most `limit`.
    async fn kept_events(
        &self,
        after: Option<(ProjectId, EventId)>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Handled>, StoreError>;

    /// Issues that a job may be due for, with ids behind `after`, by id; at most `limit`. Whether it is due is for the
    /// core to say.
    async fn due(&self, job: Job, now: Timestamp, after: IssueId, limit: usize) -> Result<Vec<IssueId>, StoreError>;

    /// When an issue was not resolved, oldest first; at most [`PERIODS_MAX`] of the newest.
    async fn open_periods(&self, id: IssueId) -> Result<Vec<OpenPeriod>, StoreError>;

    /// The states an issue went through, newest first; at most `limit`.
    async fn history(&self, id: IssueId, limit: usize) -> Result<Vec<HistoryEntry>, StoreError>;

    /// An issue by id.
    async fn issue(&self, id: IssueId) -> Result<Option<Issue>, StoreError>;

    /// An issue by its number in its project.
    async fn issue_by_short_id(&self, project: ProjectId, short_id: u64) -> Result<Option<Issue>, StoreError>;

    /// The issue that owns a hash.
    async fn issue_of_hash(&self, project: ProjectId, hash: Hash) -> Result<Option<IssueId>, StoreError>;

    /// The hashes an issue owns, in the order it came to own them; at most [`HASHES_MAX`].
    async fn hashes(&self, id: IssueId) -> Result<Vec<Hash>, StoreError>;

    /// A page of issues, and how many match in all.
    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError>;

    /// Events per hour since `from_hour` (inclusive), as `(issue, hour, count)` by issue and hour; hours without
    /// events are left out.
    async fn hourly_counts(&self, ids: &[IssueId], from_hour: i64) -> Result<Vec<(IssueId, i64, u64)>, StoreError>;

    /// What happened to an issue, newest first; at most `limit`.
    async fn activities(&self, id: IssueId, limit: usize) -> Result<Vec<Activity>, StoreError>;

    /// Forgets handled messages, quotas and counters of the hours before the hour of a time, as retention demands.
    async fn expire(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// Most open periods of an issue that are listed.
pub const PERIODS_MAX: usize = 1000;

/// Most hashes of an issue that a query looks at.
pub const HASHES_MAX: usize = 1000;

/// Most issues on a page.
pub const PAGE_MAX: usize = 100;

/// A consumer and the next position it will apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerPosition {
    /// Name of the consumer.
    pub consumer: String,
    /// The next record.
    pub position: Position,
}

/// Which issues, in which order. All conditions hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueQuery {
    /// The organization; always given, so that nobody reads another's.
    pub organization: OrganizationId,
    /// Projects; empty: all of the organization.
    pub projects: Vec<ProjectId>,
    /// Conditions.
    pub filter: Vec<IssueCondition>,
    /// Only issues with an event at or after this time.
    pub seen_since: Option<Timestamp>,
    /// Order, always descending; the id breaks ties.
    pub sort: IssueSort,
    /// Start behind this key (or, going back, end in front of it).
    pub cursor: Option<IssueCursor>,
    /// At most [`PAGE_MAX`].
    pub limit: usize,
}

/// A condition on an issue, and whether it must not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueCondition {
    /// The opposite is wanted.
    pub negated: bool,
    /// The condition.
    pub test: IssueTest,
}

/// A condition on an issue.
#[derive(Debug, Clone, PartialEq)]
pub enum IssueTest {
    /// One of these ids.
    Ids(Vec<IssueId>),
    /// This status.
    Status(Status),
    /// One of these substatuses.
    Substatus(Vec<Substatus>),
    /// Of one of these types.
    Types(Vec<TypeId>),
    /// One of these levels.
    Level(Vec<Level>),
    /// One of these platforms.
    Platform(Vec<String>),
    /// Of one of these priorities.
    Priority(Vec<Priority>),
    /// Assigned to one of these users or teams, or to nobody when that is among them.
    AssignedToAny {
        /// Users.
        users: Vec<UserId>,
        /// Teams.
        teams: Vec<TeamId>,
        /// Or to nobody.
        nobody: bool,
    },
    /// Nobody caught the exception.
    Unhandled,
    /// [`searchable_text`] contains this, case-insensitive.
    Text(String),
    /// Owns one of these hashes of projects (how a condition on events selects issues).
    Hashes(Vec<(ProjectId, Hash)>),
    /// First release is one of these.
    FirstRelease(Vec<String>),
    /// Times seen: at least.
    TimesSeenAtLeast(u64),
    /// First seen at or after.
    FirstSeenSince(Timestamp),
    /// Last seen at or after.
    LastSeenSince(Timestamp),
}

/// Order of issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssueSort {
    /// `date`: last seen.
    LastSeen,
    /// `new`: first seen.
    FirstSeen,
    /// `freq`: events.
    Events,
    /// `user`: users.
    Users,
}

impl IssueSort {
    /// What an issue is sorted by, in this order: microseconds or a count.
    pub fn value(self, issue: &Issue) -> i64 {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        match self {
            Self::LastSeen => issue.last_seen.0,
            Self::FirstSeen => issue.first_seen.0,
            Self::Events => count(issue.times_seen),
            Self::Users => count(issue.user_count),
        }
    }
}

/// What [`IssueTest::Text`] looks into, in lower case: title, culprit and search text, a line each.
pub fn searchable_text(issue: &Issue) -> String {
    format!("{}\n{}\n{}", issue.title, issue.culprit, issue.search_text).to_lowercase()
}

/// A place in an ordered list of issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssueCursor {
    /// Sort value of the issue there: microseconds or a count.
    pub value: i64,
    /// Its id.
    pub id: IssueId,
    /// The page in front of it is wanted, not the one behind.
    pub backwards: bool,
}

/// A page of issues.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuePage {
    /// The issues, in order.
    pub issues: Vec<Issue>,
    /// Whether there are issues in front of the page.
    pub has_previous: bool,
    /// Whether there are issues behind it.
    pub has_next: bool,
    /// How many match in all, counted up to [`HITS_MAX`].
    pub hits: u64,
}

/// Where counting of matches stops.
pub const HITS_MAX: u64 = 10_000;
