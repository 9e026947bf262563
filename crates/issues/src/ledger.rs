//! The working state of some groups of a batch: the snapshot, and what was decided on top of it.

use std::collections::{HashMap, HashSet};

use md5::{Digest, Md5};
use nuthatch_protocol::{EventId, Hash, IssueId, Message, ProjectId, Timestamp, TypeId};
use serde_json::Value;

use crate::{Activity, ActivityKind, Issue, IssueType, MessageResult, Routed, Snapshot};

/// Marks the id of an issue that is created by this batch. The rest of the id is the number of the creating message;
/// the real id is given when all groups are through, so that it does not depend on how they ran.
const NEW: u64 = 1 << 63;

/// The number of the message that creates the issue; `None` for an issue that exists.
pub(crate) fn creator(id: IssueId) -> Option<usize> {
    (id.0 & NEW != 0).then_some((id.0 & !NEW) as usize)
}

/// The id under which a message is remembered: the id of an occurrence; for a status change its UUID, or else the
/// MD5 of its text (`reference/issue-platform.md` §14.10).
pub(crate) fn message_id(message: &Message) -> EventId {
    match message {
        Message::Occurrence(occurrence) => occurrence.id,
        Message::StatusChange(change) => {
            change.id.parse().unwrap_or_else(|_| EventId(Md5::digest(change.id.as_bytes()).into()))
        }
    }
}

/// What was decided, on top of the snapshot. Groups share nothing, so one ledger serves several of them, one after
/// the other.
pub(crate) struct Ledger<'a> {
    pub(crate) messages: &'a [Routed],
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) now: Timestamp,
    /// The message that is being handled: what is decided now is in its name.
    pub(crate) arrival: usize,
    /// Issues that are new or changed.
    pub(crate) issues: HashMap<IssueId, Issue>,
    /// Hashes that got an owner, with the message that brought it.
    pub(crate) owners: HashMap<(ProjectId, Hash), (IssueId, usize)>,
    /// Messages that were handled, and the numbers of those.
    handled: HashSet<(ProjectId, EventId)>,
    pub(crate) handled_numbers: Vec<usize>,
    /// Events by issue and hour.
    pub(crate) counts: HashMap<(IssueId, i64), u64>,
    pub(crate) users: HashSet<(IssueId, u64)>,
    /// Activities, each with the message that caused it.
    pub(crate) activities: Vec<(usize, Activity)>,
    pub(crate) results: Vec<(usize, MessageResult)>,
}

impl<'a> Ledger<'a> {
    /// An empty ledger for about so many messages.
    pub(crate) fn new(messages: &'a [Routed], snapshot: &'a Snapshot, now: Timestamp, capacity: usize) -> Self {
        Self {
            messages,
            snapshot,
            now,
            arrival: 0,
            issues: HashMap::with_capacity(capacity),
            owners: HashMap::new(),
            handled: HashSet::with_capacity(capacity),
            handled_numbers: Vec::with_capacity(capacity),
            counts: HashMap::with_capacity(capacity),
            users: HashSet::with_capacity(capacity),
            activities: Vec::new(),
            results: Vec::with_capacity(capacity),
        }
    }

    /// Whether a message with this id was handled before, in this batch or an earlier one.
    pub(crate) fn is_handled(&self, key: (ProjectId, EventId)) -> bool {
        self.handled.contains(&key) || self.snapshot.counted.contains_key(&key)
    }

    /// Remembers that the present message was handled.
    pub(crate) fn set_handled(&mut self, key: (ProjectId, EventId)) {
        self.handled.insert(key);
        self.handled_numbers.push(self.arrival);
    }

    /// The issue type; those that are defined at run time come before those that are built in.
    pub(crate) fn issue_type(&self, id: TypeId) -> Option<&'a IssueType> {
        self.snapshot.types.get(&id).or_else(|| IssueType::built_in_by_id(id))
    }

    /// The issue that owns a hash. A dead row, or one whose issue is gone, counts as none
    /// (`reference/issue-platform.md` §14.21, §14.22).
    pub(crate) fn owner(&self, project: ProjectId, hash: Hash) -> Option<IssueId> {
        if let Some((id, _)) = self.owners.get(&(project, hash)) {
            return Some(*id);
        }
        let id = (*self.snapshot.hashes.get(&(project, hash))?)?;
        self.snapshot.issues.contains_key(&id).then_some(id)
    }

    /// The first issue that owns one of the hashes.
    pub(crate) fn first_owner(&self, project: ProjectId, hashes: &[Hash]) -> Option<IssueId> {
        hashes.iter().find_map(|hash| self.owner(project, *hash))
    }

    /// An issue as it is now. It must exist.
    pub(crate) fn issue(&self, id: IssueId) -> &Issue {
        self.issues.get(&id).unwrap_or_else(|| &self.snapshot.issues[&id])
    }

    /// An issue, to be changed. It must exist.
    pub(crate) fn issue_mut(&mut self, id: IssueId) -> &mut Issue {
        self.issues.entry(id).or_insert_with(|| self.snapshot.issues[&id].clone())
    }

    /// Adds an issue that the present message creates.
    pub(crate) fn create(&mut self, issue: Issue) -> IssueId {
        let id = IssueId(NEW | self.arrival as u64);
        self.issues.insert(id, Issue { id, ..issue });
        id
    }

    /// Gives the hashes that nobody owns to an issue.
    pub(crate) fn claim(&mut self, project: ProjectId, hashes: &[Hash], id: IssueId) {
        for hash in hashes {
            if self.owner(project, *hash).is_none() {
                self.owners.insert((project, *hash), (id, self.arrival));
            }
        }
    }

    /// Counts an event of an issue, and its user.
    pub(crate) fn count(&mut self, id: IssueId, at: Timestamp, user: Option<&str>) {
        *self.counts.entry((id, at.hours())).or_default() += 1;
        if let Some(user) = user {
            self.users.insert((id, user_hash(user)));
        }
    }

    /// Notes what the system did to an issue.
    pub(crate) fn note(&mut self, issue_id: IssueId, kind: ActivityKind, data: Value) {
        let activity = Activity { issue_id, kind, data, user_id: None, at: self.now };
        self.activities.push((self.arrival, activity));
    }
}

/// A user as a number that is the same in every run: the first eight bytes of the MD5 of its text.
fn user_hash(user: &str) -> u64 {
    let digest: [u8; 16] = Md5::digest(user.as_bytes()).into();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
