//! What became of records, in the words of the ledger (`reference/ingest-protocol.md` §16,
//! `reference/issue-platform.md` §13, §14.28): one outcome for each record.

use nuthatch_issues::{DropReason, MessageResult, RefuseReason};
use nuthatch_protocol::{
    DataCategory, ItemType, Message, Origin, Outcome, OutcomeKey, ProjectId, Timestamp, record::IngestHeader,
};

/// The reason of records that the log does not have any more although nobody applied them.
const MISSING: &str = "missing_record";

/// Where a record comes from and what it counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where it comes from.
    pub origin: Origin,
    /// What it is.
    pub category: DataCategory,
}

impl Entry {
    /// An event that intake accepted: an error, unless the item says otherwise.
    pub(crate) fn event(header: &IngestHeader) -> Self {
        let IngestHeader { received, project_id, key_id, item_type, .. } = header;
        let origin = Origin { received: *received, project_id: Some(*project_id), key_id: Some(*key_id) };
        let category = match ItemType::from(item_type.as_str()) {
            ItemType::Feedback => DataCategory::Feedback,
            ItemType::Security | ItemType::RawSecurity => DataCategory::Security,
            _ => DataCategory::Error,
        };
        Self { origin, category }
    }

    /// A producer's message. When it was received nobody wrote down, so it is counted when it is handled.
    pub(crate) fn message(message: &Message, now: Timestamp) -> Self {
        let category = match message {
            Message::StatusChange(_) => DataCategory::StatusChange,
            Message::Occurrence(_) | Message::Unknown(_) => DataCategory::Occurrence,
        };
        Self::nameless(category, Some(message.project_id()), now)
    }

    /// A record that came without key.
    pub(crate) fn nameless(category: DataCategory, project_id: Option<ProjectId>, now: Timestamp) -> Self {
        Self { origin: Origin { received: now, project_id, key_id: None }, category }
    }

    /// A record of which not even the header can be read.
    pub(crate) fn unreadable(now: Timestamp) -> Self {
        Self::nameless(DataCategory::Unknown, None, now)
    }

    /// What a handled message counts as.
    pub(crate) fn of_result(self, result: MessageResult) -> OutcomeKey {
        let (outcome, reason) = words(result);
        let mut origin = self.origin;
        if result == MessageResult::Refused(RefuseReason::UnknownProject) {
            origin.project_id = None;
        }
        origin.key(self.category, outcome, reason)
    }

    /// What a record counts as that cannot be handled.
    pub(crate) fn invalid(self, reason: &str) -> OutcomeKey {
        self.origin.key(self.category, Outcome::Invalid, reason.to_owned())
    }

    /// What a record counts as that its project does not want.
    pub(crate) fn filtered(self, reason: &str) -> OutcomeKey {
        self.origin.key(self.category, Outcome::Filtered, reason.to_owned())
    }

    /// What lost records count as.
    pub(crate) fn missing(now: Timestamp) -> OutcomeKey {
        Self::unreadable(now).invalid(MISSING)
    }
}

fn words(result: MessageResult) -> (Outcome, &'static str) {
    match result {
        MessageResult::Created(_)
        | MessageResult::Updated(_)
        | MessageResult::Sample(_)
        | MessageResult::Thinned(_)
        | MessageResult::Regressed(_)
        | MessageResult::StatusChanged(_) => (Outcome::Accepted, ""),
        MessageResult::Duplicate => (Outcome::Invalid, "duplicate"),
        MessageResult::Pruned => (Outcome::Filtered, "superseded"),
        MessageResult::Refused(reason) => (Outcome::Invalid, reason.as_str()),
        MessageResult::Dropped(reason) => (drop_outcome(reason), reason.as_str()),
    }
}

fn drop_outcome(reason: DropReason) -> Outcome {
    match reason {
        DropReason::RateLimited | DropReason::CreationQuota => Outcome::RateLimited,
        DropReason::Noise | DropReason::FeatureDisabled | DropReason::StatusUnchanged | DropReason::NotApplicable => {
            Outcome::Filtered
        }
        DropReason::UnknownPayloadType
        | DropReason::TypeMismatch
        | DropReason::IssueNotFound
        | DropReason::MissingSubstatus
        | DropReason::UnexpectedSubstatus
        | DropReason::InvalidSubstatus => Outcome::Invalid,
    }
}
