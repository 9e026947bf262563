//! The working state of some groups of a batch: the snapshot, and what was decided on top of it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use md5::{Digest, Md5};
use nuthatch_protocol::{EventId, EventPath, Hash, IssueId, Message, Occurrence, ProjectId, Timestamp, TypeId};

use crate::{
    Cause, Issue, IssueType, MessageKey, MessageResult, Quota, Routed, Snapshot,
    changes::{EventFate, Sightings},
    chronicle::{Chronicle, Life},
    forecast::forecast,
    options::Options,
    quota::Usage,
};

/// So long a status change is a repetition of one with the same id (`reference/issue-platform.md` §4.5).
const REPETITION: Duration = Duration::from_mins(5);

/// Marks the id of an issue that is created by this batch. The rest of the id is the number of the creating message;
/// the real id is given when all groups are through, so that it does not depend on how they ran.
const NEW: u64 = 1 << 63;

/// The number of the message that creates the issue; `None` for an issue that exists.
pub(crate) fn creator(id: IssueId) -> Option<usize> {
    (id.0 & NEW != 0).then_some((id.0 & !NEW) as usize)
}

/// The key under which a message is remembered: the id of an occurrence; of other messages their UUID, or else the
/// MD5 of its text (`reference/issue-platform.md` §14.10).
pub fn message_key(message: &Message) -> MessageKey {
    let of_text = |id: &str| id.parse().unwrap_or_else(|_| EventId(Md5::digest(id.as_bytes()).into()));
    let (id, of_event) = match message {
        Message::Occurrence(occurrence) => (occurrence.id, occurrence.path == EventPath::Error),
        Message::StatusChange(change) => (of_text(&change.id), false),
        Message::Unknown(unknown) => (of_text(&unknown.id), false),
    };
    MessageKey { project_id: message.project_id(), id, of_event }
}

/// What a whole batch has in common.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) messages: &'a [Routed],
    pub(crate) keys: &'a [MessageKey],
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) options: &'a Options,
    pub(crate) now: Timestamp,
}

impl<'a> Batch<'a> {
    /// Since when a release was known before the batch.
    pub(crate) fn release_date(&self, project: ProjectId, version: &str) -> Option<Timestamp> {
        self.snapshot.releases.get(&(project, version.to_owned())).copied()
    }

    pub(crate) fn issue_type(&self, project: ProjectId, id: TypeId) -> Option<&'a IssueType> {
        self.snapshot.issue_type(project, id)
    }
}

/// What was decided, on top of the snapshot. Groups share nothing, so one ledger serves several of them, one after
/// the other.
pub(crate) struct Ledger<'a> {
    pub(crate) batch: Batch<'a>,
    /// The message that is being handled: what is decided now is in its name.
    pub(crate) arrival: usize,
    /// Issues that are new or changed.
    pub(crate) issues: HashMap<IssueId, Issue>,
    /// Hashes that got an owner, with the message that brought it.
    pub(crate) owners: HashMap<(ProjectId, Hash), (IssueId, usize)>,
    /// Messages that were handled, and the numbers of those with what became of their events.
    handled: HashSet<MessageKey>,
    pub(crate) handled_numbers: Vec<(usize, EventFate)>,
    /// Events by issue and hour.
    pub(crate) counts: HashMap<IssueId, BTreeMap<i64, u64>>,
    pub(crate) users: HashSet<(IssueId, u64)>,
    /// Users that issues did not have, of those that are archived until they have so many.
    new_users: HashMap<IssueId, u64>,
    /// Sightings of hashes; `None`: forgotten.
    pub(crate) sightings: HashMap<(ProjectId, Hash), Option<Sightings>>,
    /// Occurrences of hashes, for the rate limit.
    pub(crate) occurrences: HashMap<(ProjectId, Hash), u64>,
    /// Releases that became known: since when, and by which message.
    pub(crate) releases: HashMap<(ProjectId, &'a str), (Timestamp, usize)>,
    /// Issues created, by type.
    pub(crate) created: HashMap<(ProjectId, TypeId), u64>,
    /// What the present message causes to be written down.
    pub(crate) chronicle: Chronicle,
    /// The same of the messages before it.
    pub(crate) chronicles: Vec<(usize, Chronicle)>,
    pub(crate) results: Vec<(usize, MessageResult)>,
}

impl<'a> Ledger<'a> {
    /// An empty ledger for about so many messages.
    pub(crate) fn new(batch: Batch<'a>, capacity: usize) -> Self {
        Self {
            batch,
            arrival: 0,
            issues: HashMap::with_capacity(capacity),
            owners: HashMap::new(),
            handled: HashSet::with_capacity(capacity),
            handled_numbers: Vec::with_capacity(capacity),
            counts: HashMap::with_capacity(capacity),
            users: HashSet::with_capacity(capacity),
            new_users: HashMap::new(),
            sightings: HashMap::new(),
            occurrences: HashMap::new(),
            releases: HashMap::new(),
            created: HashMap::new(),
            chronicle: Chronicle::default(),
            chronicles: Vec::new(),
            results: Vec::with_capacity(capacity),
        }
    }

    /// Whether a message was handled before, in this batch or an earlier one. An occurrence has its effect once
    /// (`reference/issue-platform.md` §14.6); another message may come again later (§4.5).
    pub(crate) fn is_handled(&self, number: usize) -> bool {
        let key = self.batch.keys[number];
        let is_occurrence = matches!(self.batch.messages[number].message, Message::Occurrence(_));
        let is_recent = |at: &Timestamp| is_occurrence || at.plus(REPETITION) > self.batch.now;
        self.handled.contains(&key) || self.batch.snapshot.handled.get(&key).is_some_and(is_recent)
    }

    /// Notes what became of the present message.
    pub(crate) fn finish(&mut self, result: MessageResult) {
        if let Some(fate) = result.fate(&self.batch.messages[self.arrival].message) {
            self.handled.insert(self.batch.keys[self.arrival]);
            self.handled_numbers.push((self.arrival, fate));
        }
        if !self.chronicle.is_empty() {
            self.chronicles.push((self.arrival, std::mem::take(&mut self.chronicle)));
        }
        self.results.push((self.arrival, result));
    }

    /// The issue that owns a hash. A dead row, or one whose issue is gone, counts as none
    /// (`reference/issue-platform.md` §14.21, §14.22).
    pub(crate) fn owner(&self, project: ProjectId, hash: Hash) -> Option<IssueId> {
        if let Some((id, _)) = self.owners.get(&(project, hash)) {
            return Some(*id);
        }
        let id = (*self.batch.snapshot.hashes.get(&(project, hash))?)?;
        self.batch.snapshot.issues.contains_key(&id).then_some(id)
    }

    /// The first issue that owns one of the hashes.
    pub(crate) fn first_owner(&self, project: ProjectId, hashes: &[Hash]) -> Option<IssueId> {
        hashes.iter().find_map(|hash| self.owner(project, *hash))
    }

    /// An issue as it is now. It must exist.
    pub(crate) fn issue(&self, id: IssueId) -> &Issue {
        self.issues.get(&id).unwrap_or_else(|| &self.batch.snapshot.issues[&id])
    }

    /// Since when a release is known.
    pub(crate) fn release_date(&self, project: ProjectId, version: &str) -> Option<Timestamp> {
        let new = self.releases.get(&(project, version)).map(|(at, _)| *at);
        new.or_else(|| self.batch.release_date(project, version))
    }

    /// A release is known since the first event that names it (§6, *full*). An event that is looked up or only looked
    /// at makes no release.
    pub(crate) fn learn_release(&mut self, occurrence: &'a Occurrence) {
        let project = occurrence.project_id;
        if let Some(release) = &occurrence.event.release
            && matches!(occurrence.path, EventPath::Error | EventPath::Full)
            && self.release_date(project, release).is_none()
        {
            self.releases.insert((project, release), (occurrence.event.timestamp, self.arrival));
        }
    }

    /// An issue, to be changed. It must exist.
    pub(crate) fn life(&mut self, id: IssueId) -> Life<'_> {
        let issue = self.issues.entry(id).or_insert_with(|| self.batch.snapshot.issues[&id].clone());
        let issue_type = self.batch.issue_type(issue.project_id, issue.type_id);
        let by = match &self.batch.messages[self.arrival].message {
            Message::StatusChange(change) => Cause::Detector { id: change.detector_id },
            Message::Occurrence(_) | Message::Unknown(_) => Cause::Occurrence,
        };
        Life {
            has_detector: issue_type.is_some_and(|issue_type| issue_type.has_detector),
            issue,
            chronicle: &mut self.chronicle,
            by,
            now: self.batch.now,
        }
    }

    /// Adds an issue that the present message creates.
    pub(crate) fn create(&mut self, issue: Issue) -> IssueId {
        let id = IssueId(NEW | self.arrival as u64);
        *self.created.entry((issue.project_id, issue.type_id)).or_default() += 1;
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
    pub(crate) fn count(&mut self, id: IssueId, at: Timestamp, user: Option<u64>) {
        *self.counts.entry(id).or_default().entry(at.hours()).or_default() += 1;
        if let Some(user) = user
            && self.users.insert((id, user))
            && self.issue(id).awaits_users()
            && !self.batch.snapshot.known_users.contains(&(id, user))
        {
            *self.new_users.entry(id).or_default() += 1;
        }
    }

    /// How many users an issue that is archived until it has so many got in this batch.
    pub(crate) fn new_users(&self, id: IssueId) -> u64 {
        self.new_users.get(&id).copied().unwrap_or_default()
    }

    /// What an issue that is archived until it escalates was forecast to bring in an hour, when the present hour brings
    /// more. The hour in which it was archived does not count against it.
    pub(crate) fn exceeded_forecast(&self, id: IssueId) -> Option<u64> {
        let (issue, now) = (self.issue(id), self.batch.now);
        let issue_type = self.batch.issue_type(issue.project_id, issue.type_id)?;
        if !issue.awaits_escalation() || !issue_type.escalates || issue.state_since.hours() >= now.hours() {
            return None;
        }
        let stored = self.batch.snapshot.hours.get(&id)?;
        let new = self.counts.get(&id);
        let new_in = |hour: &i64| new.and_then(|new| new.get(hour)).copied().unwrap_or_default();
        let present = stored.get(&now.hours()).copied().unwrap_or_default() + new_in(&now.hours());
        let counts = stored.iter().map(|(hour, count)| (*hour, count + new_in(hour)));
        let only_new = new.into_iter().flatten().map(|(hour, count)| (*hour, *count));
        let forecast = forecast(counts.chain(only_new), issue.state_since, now);
        (present > forecast).then_some(forecast)
    }

    /// How often a hash was seen without becoming an issue, as far as that is not forgotten.
    pub(crate) fn sightings(&self, key: (ProjectId, Hash)) -> u64 {
        let kept = match self.sightings.get(&key) {
            Some(kept) => *kept,
            None => self.batch.snapshot.sightings.get(&key).copied(),
        };
        kept.filter(|sightings| sightings.expires > self.batch.now).map_or(0, |sightings| sightings.count)
    }

    /// Takes one of what a quota leaves; `false` when there is nothing left.
    pub(crate) fn takes_occurrence(&mut self, quota: &Quota, key: (ProjectId, Hash)) -> bool {
        let used = self.batch.snapshot.occurrences.get(&key).map_or(&[] as &[Usage], Vec::as_slice);
        let taken = self.occurrences.entry(key).or_default();
        let is_left = quota.left(used, self.batch.now) > *taken;
        *taken += u64::from(is_left);
        is_left
    }

    /// Whether a project may get another issue of a type.
    pub(crate) fn may_create(&self, issue_type: &IssueType, project: ProjectId) -> bool {
        let Some(quota) = &issue_type.creation_quota else { return true };
        let key = (project, issue_type.id);
        let used = self.batch.snapshot.created.get(&key).map_or(&[] as &[Usage], Vec::as_slice);
        quota.left(used, self.batch.now) > self.created.get(&key).copied().unwrap_or_default()
    }
}

/// A user as a number that is the same in every run: the first eight bytes of the MD5 of its text.
pub(crate) fn user_hash(user: &str) -> u64 {
    let digest: [u8; 16] = Md5::digest(user.as_bytes()).into();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
