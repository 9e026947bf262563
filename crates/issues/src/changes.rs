//! What the core needs to know and what it decides. Stores read a [`Snapshot`] and apply [`Changes`]; they never
//! decide anything about an issue themselves.

use std::collections::HashMap;

use nuthatch_protocol::{EventId, Hash, IssueId, Position, ProjectId, Timestamp};

use crate::{Activity, Issue, IssueType};

/// The state a batch needs, so that a store reads it in a few queries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Hashes whose issues are wanted; those issues are loaded too. May repeat.
    pub hashes: Vec<(ProjectId, Hash)>,
    /// Issues wanted by id (actions of users).
    pub issues: Vec<IssueId>,
    /// Messages, by id, of which it must be known whether they were counted before. May repeat.
    pub occurrences: Vec<(ProjectId, EventId)>,
}

/// The state a batch needs, as the store had it inside the transaction that will apply the changes.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Projects named by [`Needs`], if they exist, with the last short id given out.
    pub projects: HashMap<ProjectId, u64>,
    /// Hash rows that exist: to an issue, or to nothing (a dead row).
    pub hashes: HashMap<(ProjectId, Hash), Option<IssueId>>,
    /// The issues of those hashes and those asked for by id.
    pub issues: HashMap<IssueId, Issue>,
    /// Messages counted before, with the position of the record that brought them.
    pub counted: HashMap<(ProjectId, EventId), Position>,
    /// The highest issue id given out.
    pub last_issue_id: IssueId,
    /// Issue types by id, as far as they are not built in, or are to differ from those.
    pub types: HashMap<nuthatch_protocol::TypeId, IssueType>,
}

/// What a batch changes. Applied in one transaction, together with the consumer's positions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Issues that did not exist. Ids and short ids are already given; both are dense and ascending.
    pub created: Vec<Issue>,
    /// Issues that existed, as they are now. `user_count` is not to be written: see `users`.
    pub updated: Vec<Issue>,
    /// Hashes that an issue comes to own (rows that are new or were dead).
    pub hashes: Vec<(ProjectId, Hash, IssueId)>,
    /// Events per issue and hour, to be added.
    pub counts: Vec<HourlyCount>,
    /// Users seen per issue; the store keeps each pair once and raises `user_count` by the new ones.
    pub users: Vec<(IssueId, u64)>,
    /// Activities, in order.
    pub activities: Vec<Activity>,
    /// Messages that were handled by this batch, those without effect included: project, id, the position of the
    /// record that brought them (none when they came from elsewhere than the log), and the time of handling. The
    /// store keeps them to recognise repetitions.
    pub counted: Vec<(ProjectId, EventId, Option<Position>, Timestamp)>,
}

/// Events of an issue in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HourlyCount {
    /// The issue.
    pub issue_id: IssueId,
    /// Hours since the epoch, of the events' own time.
    pub hour: i64,
    /// How many more.
    pub count: u64,
}
