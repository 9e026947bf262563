//! What became of the messages of a batch.

use std::{collections::BTreeMap, fmt};

use nuthatch_protocol::{EventId, IssueId, Message, TypeId};

use crate::{Changes, changes::EventFate};

/// What a batch comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// To be applied in one transaction.
    pub changes: Changes,
    /// What became of each message, in the order of the batch.
    pub results: Vec<MessageResult>,
    /// The same in numbers.
    pub counters: Counters,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageResult {
    /// The occurrence is the first of this issue.
    Created(IssueId),
    /// The occurrence is one more of this issue.
    Updated(IssueId),
    /// The occurrence is one more of this issue, and its event is kept for several ([`flood`](crate::flood)).
    Sample(IssueId),
    /// The occurrence is one more of this issue, which has too many to keep each event.
    Thinned(IssueId),
    /// The occurrence is one more of this issue, which was resolved and is not any more.
    Regressed(IssueId),
    /// The status change took effect on this issue.
    StatusChanged(IssueId),
    /// A message with this id was handled before.
    Duplicate,
    /// A status change that the next one made pointless. The id is not remembered.
    Pruned,
    /// Without effect, on purpose. The id is remembered.
    Dropped(DropReason),
    /// Cannot be handled as it is. The id is not remembered: the message may be mended and sent again.
    Refused(RefuseReason),
}

impl MessageResult {
    /// The same about the issue that `id` makes of the present one.
    pub(crate) fn with_id(self, id: impl Fn(IssueId) -> IssueId) -> Self {
        match self {
            Self::Created(issue) => Self::Created(id(issue)),
            Self::Updated(issue) => Self::Updated(id(issue)),
            Self::Sample(issue) => Self::Sample(id(issue)),
            Self::Thinned(issue) => Self::Thinned(id(issue)),
            Self::Regressed(issue) => Self::Regressed(id(issue)),
            Self::StatusChanged(issue) => Self::StatusChanged(id(issue)),
            Self::Duplicate | Self::Pruned | Self::Dropped(_) | Self::Refused(_) => self,
        }
    }
}

impl MessageResult {
    /// What becomes of the message's event; `None` when the message is not remembered.
    pub fn fate(self, message: &Message) -> Option<EventFate> {
        let is_occurrence = matches!(message, Message::Occurrence(_));
        match self {
            Self::Duplicate | Self::Pruned | Self::Refused(_) => None,
            Self::Created(_) | Self::Updated(_) | Self::Regressed(_) => Some(EventFate::Counted),
            Self::Sample(_) => Some(EventFate::Sample),
            Self::Thinned(_) => Some(EventFate::Thinned),
            Self::Dropped(reason) if is_occurrence && reason.keeps_event() => Some(EventFate::Kept),
            Self::StatusChanged(_) | Self::Dropped(_) => Some(EventFate::None),
        }
    }
}

/// Why a message has no effect. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Nobody knows what kind of message it is.
    UnknownPayloadType,
    /// The issue type is not released, and the organization does not have it.
    FeatureDisabled,
    /// Too many occurrences of this fingerprint.
    RateLimited,
    /// Not seen often enough to become an issue.
    Noise,
    /// The project has got enough new issues of this type for now.
    CreationQuota,
    /// The first hash that an issue owns belongs to an issue of another type.
    TypeMismatch,
    /// No issue owns one of the hashes of a status change.
    IssueNotFound,
    /// The issue has this status already.
    StatusUnchanged,
    /// Unresolved and ignored need a substatus.
    MissingSubstatus,
    /// The other statuses have none.
    UnexpectedSubstatus,
    /// The substatus does not belong to the status, or is not one.
    InvalidSubstatus,
    /// Only an archived issue can escalate.
    NotApplicable,
}

impl DropReason {
    /// The stable word: for counters, logs, answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownPayloadType => "unknown_payload_type",
            Self::FeatureDisabled => "feature_disabled",
            Self::RateLimited => "rate_limited",
            Self::Noise => "noise",
            Self::CreationQuota => "creation_quota",
            Self::TypeMismatch => "type_mismatch",
            Self::IssueNotFound => "group_not_found",
            Self::StatusUnchanged => "status_unchanged",
            Self::MissingSubstatus => "status_missing_substatus",
            Self::UnexpectedSubstatus => "status_unexpected_substatus",
            Self::InvalidSubstatus => "status_invalid_substatus",
            Self::NotApplicable => "status_not_applicable",
        }
    }

    /// Whether the event of an occurrence is kept although it belongs to no issue (§7.2).
    fn keeps_event(self) -> bool {
        matches!(self, Self::Noise | Self::CreationQuota | Self::TypeMismatch)
    }
}

/// Why a decoded message cannot be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefuseReason {
    /// The project does not exist.
    UnknownProject,
    /// The issue type does not exist.
    UnknownType(TypeId),
    /// There is no hash to find an issue by.
    NoHashes,
    /// The event of the occurrence was never stored.
    EventNotFound(EventId),
    /// No message may set this status.
    UnsupportedStatus(i64),
}

impl RefuseReason {
    /// The stable word: for counters, logs, dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownProject => "unknown_project",
            Self::UnknownType(_) | Self::NoHashes => "invalid_payload",
            Self::EventNotFound(_) => "event_not_found",
            Self::UnsupportedStatus(_) => "status_unsupported",
        }
    }
}

impl fmt::Display for RefuseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownProject => f.write_str("the project does not exist"),
            Self::UnknownType(id) => write!(f, "issue type {} does not exist: define it, or correct `type`", id.0),
            Self::NoHashes => f.write_str("the fingerprint is empty"),
            Self::EventNotFound(id) => {
                write!(f, "event {id} is not stored: send the event first, or with the occurrence as `event`")
            }
            Self::UnsupportedStatus(status) => {
                write!(f, "a message cannot set status {status}: use 0 (unresolved), 1 (resolved) or 2 (ignored)")
            }
        }
    }
}

/// The results of a batch in numbers. Their sum is the number of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// [`MessageResult::Created`].
    pub created: u64,
    /// [`MessageResult::Updated`].
    pub updated: u64,
    /// [`MessageResult::Sample`].
    pub samples: u64,
    /// [`MessageResult::Thinned`].
    pub thinned: u64,
    /// [`MessageResult::Regressed`].
    pub regressed: u64,
    /// [`MessageResult::StatusChanged`].
    pub status_changed: u64,
    /// [`MessageResult::Duplicate`].
    pub duplicates: u64,
    /// [`MessageResult::Pruned`].
    pub pruned: u64,
    /// [`MessageResult::Dropped`], by the word of the reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// [`MessageResult::Refused`], by the word of the reason.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Counters {
    pub(crate) fn of(results: &[MessageResult]) -> Self {
        let mut counters = Self::default();
        for result in results {
            *match result {
                MessageResult::Created(_) => &mut counters.created,
                MessageResult::Updated(_) => &mut counters.updated,
                MessageResult::Sample(_) => &mut counters.samples,
                MessageResult::Thinned(_) => &mut counters.thinned,
                MessageResult::Regressed(_) => &mut counters.regressed,
                MessageResult::StatusChanged(_) => &mut counters.status_changed,
                MessageResult::Duplicate => &mut counters.duplicates,
                MessageResult::Pruned => &mut counters.pruned,
                MessageResult::Dropped(reason) => counters.dropped.entry(reason.as_str()).or_default(),
                MessageResult::Refused(reason) => counters.refused.entry(reason.as_str()).or_default(),
            } += 1;
        }
        counters
    }
}
