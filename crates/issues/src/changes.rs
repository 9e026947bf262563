//! What the core needs to know and what it decides. Stores read a [`Snapshot`] and apply [`Changes`]; they never
//! decide anything about an issue themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use nuthatch_protocol::{
    EventId, Facts, Hash, IssueId, Message, OrganizationId, Outcomes, Position, ProjectId, Timestamp, TypeId,
    record::DeadLetter,
};

use crate::{
    Activity, Assignee, Issue, IssueType,
    history::HistoryEntry,
    ledger::user_hash,
    open_period::{OpenPeriod, PeriodEntry},
    quota::Usage,
};

/// Under what a message is remembered, so that it has an effect once (`reference/issue-platform.md` §14.10). Events
/// that are occurrences of themselves do not meet the occurrences of other producers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageKey {
    /// The project.
    pub project_id: ProjectId,
    /// The normalised id.
    pub id: EventId,
    /// Whether the id is that of an error event.
    pub of_event: bool,
}

/// The state a batch needs, so that a store reads it in a few queries. Everything may repeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Projects.
    pub projects: HashSet<ProjectId>,
    /// Hashes whose issues are wanted; those issues are loaded too.
    pub hashes: Vec<(ProjectId, Hash)>,
    /// Issues wanted by id (what users and jobs do).
    pub issues: Vec<IssueId>,
    /// Messages of which it must be known whether they were handled before.
    pub messages: Vec<MessageKey>,
    /// Hashes whose sightings and occurrence rates are wanted.
    pub sighted: Vec<(ProjectId, Hash)>,
    /// Types of which it must be known how many issues were created of late.
    pub created: HashSet<(ProjectId, TypeId)>,
    /// Releases. Those that issues were resolved in are loaded too.
    pub releases: HashSet<(ProjectId, String)>,
    /// Assignees as written in messages (`user:<id>`, `team:<id>`).
    pub actors: HashSet<(ProjectId, String)>,
    /// Users that come with hashes: of those whose issue is archived until so many users ([`Issue::awaits_users`]) it is
    /// wanted whether the issue has them.
    pub users: Vec<(ProjectId, Hash, u64)>,
    /// The present: of issues that are archived until they escalate ([`Issue::awaits_escalation`]), the counts of hours
    /// from [`first_hour`](crate::forecast::first_hour) on are wanted. They may be left out where the present hour cannot
    /// come above [`FLOOR`](crate::forecast::FLOOR) with these messages.
    pub forecast_at: Option<Timestamp>,
}

/// The state a batch needs, as the store had it inside the transaction that will apply the changes.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The projects, if they exist, and those of the issues.
    pub projects: HashMap<ProjectId, ProjectState>,
    /// The organizations of those projects.
    pub organizations: HashMap<OrganizationId, OrganizationState>,
    /// Hash rows that exist: to an issue, or to nothing (a dead row).
    pub hashes: HashMap<(ProjectId, Hash), Option<IssueId>>,
    /// The issues of those hashes and those asked for by id.
    pub issues: HashMap<IssueId, Issue>,
    /// Messages that were handled before, and when.
    pub handled: HashMap<MessageKey, Timestamp>,
    /// Sightings of hashes that have no issue yet.
    pub sightings: HashMap<(ProjectId, Hash), Sightings>,
    /// Occurrences of hashes of late, for the rate limit.
    pub occurrences: HashMap<(ProjectId, Hash), Vec<Usage>>,
    /// Issues that were created of late, by type.
    pub created: HashMap<(ProjectId, TypeId), Vec<Usage>>,
    /// Releases that exist, and since when.
    pub releases: HashMap<(ProjectId, String), Timestamp>,
    /// Assignees that are in the organization of the project.
    pub actors: HashMap<(ProjectId, String), Assignee>,
    /// Of the users asked for, those that the issues have.
    pub known_users: HashSet<(IssueId, u64)>,
    /// Events of issues that are archived until they escalate, by hour.
    pub hours: HashMap<IssueId, BTreeMap<i64, u64>>,
    /// The highest issue id given out.
    pub last_issue_id: IssueId,
}

/// What the core knows of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProjectState {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The last short id given out.
    pub last_short_id: u64,
    /// After so many hours without an event an issue counts as resolved; `None`: never.
    pub resolve_age_hours: Option<u32>,
}

/// What the core knows of an organization.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrganizationState {
    /// Features that are on.
    pub features: BTreeSet<String>,
    /// Issue types that are defined at run time, or are to differ from those built in.
    pub types: HashMap<TypeId, IssueType>,
}

/// How often a hash was seen without becoming an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sightings {
    /// How often.
    pub count: u64,
    /// When that is forgotten.
    pub expires: Timestamp,
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
    /// States that issues came into, in order.
    pub history: Vec<HistoryEntry>,
    /// Open periods, each as it is now: new, or in place of the one of the same number.
    pub periods: Vec<(IssueId, OpenPeriod)>,
    /// What happened in open periods, in order.
    pub period_entries: Vec<PeriodEntry>,
    /// Sightings of hashes: as they are now, or to be forgotten.
    pub sightings: Vec<(ProjectId, Hash, Option<Sightings>)>,
    /// Occurrences by granule, to be added.
    pub occurrences: Vec<(ProjectId, Hash, Usage)>,
    /// Issues created by granule, to be added.
    pub quotas: Vec<(ProjectId, TypeId, Usage)>,
    /// Releases that were not known, and since when they are.
    pub releases: Vec<(ProjectId, String, Timestamp)>,
    /// Messages that were handled, those without effect included.
    pub handled: Vec<Handled>,
    /// What cannot be handled, to be kept for people. The caller of the core says it, who has the records.
    pub letters: Vec<DeadLetter>,
    /// What became of the records of the batch, to be added to the ledger. The caller of the core says it: only the
    /// caller knows all records, also those that are no messages.
    pub outcomes: Outcomes,
    /// What the events show that their projects have. The caller of the core says it, who has their rows.
    pub facts: Facts,
}

/// A message that was handled; the store keeps it to recognise repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// The message.
    pub key: MessageKey,
    /// The record that brought it; none when it came from elsewhere than the log.
    pub position: Option<Position>,
    /// What became of it, as far as its event is concerned.
    pub fate: EventFate,
    /// When.
    pub at: Timestamp,
}

/// What becomes of the event of a handled message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFate {
    /// It belongs to an issue.
    Counted,
    /// It is kept and belongs to none.
    Kept,
    /// There is none, or it is not kept.
    None,
    /// It belongs to an issue and is kept for several ([`flood`](crate::flood)).
    Sample,
    /// It belongs to an issue that has too many to keep each.
    Thinned,
}

impl EventFate {
    /// Every fate.
    pub const ALL: [Self; 5] = [Self::Counted, Self::Kept, Self::None, Self::Sample, Self::Thinned];

    /// The stored number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Whether an issue counts it.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::Counted | Self::Sample | Self::Thinned)
    }

    /// Whether the event store has it.
    pub fn is_stored(self) -> bool {
        matches!(self, Self::Counted | Self::Kept | Self::Sample)
    }
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

impl Needs {
    /// Adds what a message needs.
    pub(crate) fn add(&mut self, message: &Message, key: MessageKey) {
        let project = message.project_id();
        self.projects.insert(project);
        self.hashes.extend(message.hashes().iter().map(|hash| (project, *hash)));
        self.messages.push(key);
        let Message::Occurrence(occurrence) = message else { return };
        if let Some(release) = &occurrence.event.release
            && !self.releases.contains(&(project, release.clone()))
        {
            self.releases.insert((project, release.clone()));
        }
        if let Some(user) = occurrence.event.user.as_deref().map(user_hash) {
            self.users.extend(occurrence.hashes.iter().map(|hash| (project, *hash, user)));
        }
        if let Some(assignee) = &occurrence.assignee {
            self.actors.insert((project, assignee.clone()));
        }
        if !key.of_event {
            self.sighted.extend(occurrence.hashes.first().map(|hash| (project, *hash)));
            self.created.insert((project, occurrence.type_id));
        }
    }
}

impl Snapshot {
    /// What is known of the organization of a project.
    pub(crate) fn organization(&self, project: ProjectId) -> Option<&OrganizationState> {
        self.organizations.get(&self.projects.get(&project)?.organization_id)
    }

    /// An issue type, as the organization of a project has it.
    pub fn issue_type(&self, project: ProjectId, id: TypeId) -> Option<&IssueType> {
        let defined = self.organization(project).and_then(|organization| organization.types.get(&id));
        defined.or_else(|| IssueType::built_in_by_id(id))
    }
}
