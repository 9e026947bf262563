//! What became of what was received (`reference/ingest-protocol.md` §9.2, §16): every unit has one outcome.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Item, ItemAttributes, ItemType, KeyId, ProjectId, Timestamp};

/// Longest reason, in bytes; longer ones are cut.
pub const REASON_MAX_BYTES: usize = 200;

/// Most units that one count can stand for, so that no client can make the sums overflow.
pub const QUANTITY_MAX: u64 = 1_000_000_000;

macro_rules! words {
    (
        $(#[$about:meta])*
        $name:ident: $($variant:ident = $number:literal $word:literal $(| $alias:literal)*, $meaning:literal);+ $(;)?
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $(
                #[doc = $meaning]
                #[serde(rename = $word)]
                $variant = $number,
            )+
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of the web API.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The stored number.
            pub fn number(self) -> u8 {
                self as u8
            }

            /// The one with a stored number.
            pub fn of_number(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.number() == number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $($word $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err(()),
                }
            }
        }
    };
}

words! {
    /// What kind of data is counted. Names and numbers are those of the protocol (§9.2), and a few of this server.
    DataCategory:
    Default = 0 "default", "Anything, when an SDK reports it so.";
    Error = 1 "error", "Error events.";
    Transaction = 2 "transaction", "Transactions.";
    Security = 3 "security", "Reports of browsers about broken policies.";
    Attachment = 4 "attachment", "Attachments, in bytes.";
    Session = 5 "session", "Session updates.";
    Profile = 6 "profile", "Profiles.";
    Replay = 7 "replay", "Replays.";
    TransactionProcessed = 8 "transaction_processed", "Transactions that were processed.";
    TransactionIndexed = 9 "transaction_indexed", "Transactions that were stored.";
    Monitor = 10 "monitor", "Check-ins.";
    ProfileIndexed = 11 "profile_indexed", "Profiles that were stored.";
    Span = 12 "span", "Spans.";
    MonitorSeat = 13 "monitor_seat", "Monitors.";
    Feedback = 14 "feedback" | "user_report_v2", "User feedback.";
    MetricBucket = 15 "metric_bucket", "Buckets of old metrics.";
    SpanIndexed = 16 "span_indexed", "Spans that were stored.";
    ProfileDuration = 17 "profile_duration", "Profiles, in milliseconds.";
    ProfileChunk = 18 "profile_chunk", "Chunks of continuous profiles.";
    MetricSecond = 19 "metric_second", "Old metrics by the second.";
    ReplayVideo = 20 "replay_video", "Replays of mobile applications.";
    Uptime = 21 "uptime", "Uptime checks.";
    AttachmentItem = 22 "attachment_item", "Attachments, one by one.";
    LogItem = 23 "log_item", "Log lines.";
    LogByte = 24 "log_byte", "Log lines, in bytes.";
    ProfileDurationUi = 25 "profile_duration_ui", "Profiles of user interfaces, in milliseconds.";
    ProfileChunkUi = 26 "profile_chunk_ui", "Chunks of profiles of user interfaces.";
    TraceMetric = 33 "trace_metric", "Metrics.";
    ProfileBackend = 35 "profile_backend", "Profiles of servers.";
    ProfileUi = 36 "profile_ui", "Profiles of user interfaces.";
    Occurrence = 200 "occurrence", "Occurrences from detectors.";
    StatusChange = 201 "status_change", "Status changes from detectors.";
    Unknown = 255 "unknown", "What this server does not know, and requests that could not be read.";
}

words! {
    /// What became of a unit (§16).
    Outcome:
    Accepted = 0 "accepted", "It had the effect it was sent for.";
    Filtered = 1 "filtered", "A rule says that it shall have none.";
    RateLimited = 2 "rate_limited", "There was too much of it.";
    Invalid = 3 "invalid", "It cannot be handled.";
    ClientDiscard = 5 "client_discard", "The SDK did not send it, and says so.";
}

/// What a category is measured in (§9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryUnit {
    /// One by one.
    Items,
    /// By size.
    Bytes,
    /// By length.
    Time,
}

impl DataCategory {
    /// What it is measured in.
    pub fn unit(self) -> CategoryUnit {
        match self {
            Self::Attachment | Self::LogByte => CategoryUnit::Bytes,
            Self::ProfileDuration | Self::ProfileDurationUi | Self::MetricSecond => CategoryUnit::Time,
            _ => CategoryUnit::Items,
        }
    }

    /// Whether items are counted under it, so that a quota of it can refuse something. Nothing that this server takes is
    /// of the other categories of the protocol, nor of its own, which are for what does not come from SDKs. Errors can be
    /// named by [`Self::Default`] too (§7).
    pub fn is_limitable(self) -> bool {
        match self {
            Self::Default
            | Self::Error
            | Self::Transaction
            | Self::Security
            | Self::Attachment
            | Self::Session
            | Self::Profile
            | Self::Replay
            | Self::Monitor
            | Self::Span
            | Self::Feedback
            | Self::ProfileChunk
            | Self::AttachmentItem
            | Self::LogItem
            | Self::LogByte
            | Self::ProfileChunkUi
            | Self::TraceMetric
            | Self::ProfileBackend
            | Self::ProfileUi => true,
            Self::TransactionProcessed
            | Self::TransactionIndexed
            | Self::ProfileIndexed
            | Self::MonitorSeat
            | Self::MetricBucket
            | Self::SpanIndexed
            | Self::ProfileDuration
            | Self::MetricSecond
            | Self::ReplayVideo
            | Self::Uptime
            | Self::ProfileDurationUi
            | Self::Occurrence
            | Self::StatusChange
            | Self::Unknown => false,
        }
    }

    /// What an item counts as: category and quantity. Nothing for items that only belong to others (§7).
    ///
    /// A container counts for the entries that its header says it has, for one when it does not say; a transaction also for
    /// the spans that it says; an attachment of a trace for its file alone; one that refers to an upload for the file that was
    /// uploaded, or as long as it says, and for nothing when its client says that there is none: what became of that file was
    /// counted when it came.
    pub fn of_item(item: &Item) -> Vec<(Self, u64)> {
        if item.reference().is_some_and(|reference| reference.location.is_none()) {
            return Vec::new();
        }
        let bytes = match (item.upload, item.attributes.attachment_length) {
            (Some(upload), _) => upload.file.bytes,
            (None, Some(said)) if item.is_reference() => said,
            _ => item.trace_attachment().map_or(item.payload.len(), |parts| parts.file.len()) as u64,
        };
        Self::of(&item.item_type, &item.attributes, bytes)
    }

    /// The same, of an item with a payload of so many bytes that may lie elsewhere.
    pub fn of(item_type: &ItemType, attributes: &ItemAttributes, payload_bytes: u64) -> Vec<(Self, u64)> {
        let bytes = payload_bytes.clamp(1, QUANTITY_MAX);
        let entries = u64::from(attributes.item_count.unwrap_or(1));
        let one = |category| vec![(category, 1)];
        match item_type {
            ItemType::Event => one(Self::Error),
            ItemType::Transaction => match attributes.item_count {
                None | Some(0) => one(Self::Transaction),
                Some(spans) => vec![(Self::Transaction, 1), (Self::Span, spans.into())],
            },
            ItemType::Security | ItemType::RawSecurity => one(Self::Security),
            ItemType::Feedback | ItemType::UserReport => one(Self::Feedback),
            // Its crash is an event beside it.
            ItemType::Attachment | ItemType::UnrealReport => vec![(Self::Attachment, bytes), (Self::AttachmentItem, 1)],
            ItemType::Profile => match attributes.platform.as_deref() {
                None => one(Self::Profile),
                Some("javascript" | "cocoa" | "android") => vec![(Self::Profile, 1), (Self::ProfileUi, 1)],
                Some(_) => vec![(Self::Profile, 1), (Self::ProfileBackend, 1)],
            },
            ItemType::ReplayEvent | ItemType::ReplayVideo => one(Self::Replay),
            ItemType::Session | ItemType::Sessions => one(Self::Session),
            ItemType::CheckIn => one(Self::Monitor),
            ItemType::ProfileChunkUi => one(Self::ProfileChunkUi),
            // Of an application's own device; what else its platform may be is seen in the payload only.
            ItemType::ProfileChunk => one(match attributes.platform.as_deref() {
                Some("javascript" | "cocoa" | "android") => Self::ProfileChunkUi,
                _ => Self::ProfileChunk,
            }),
            ItemType::Span | ItemType::OtelSpan => vec![(Self::Span, entries)],
            ItemType::Log | ItemType::OtelLog | ItemType::Nel => vec![(Self::LogItem, entries), (Self::LogByte, bytes)],
            ItemType::TraceMetric => vec![(Self::TraceMetric, entries)],
            ItemType::Statsd | ItemType::MetricBuckets | ItemType::MetricMeta => one(Self::MetricBucket),
            // A recording comes with the event of its segment, which counts for both: a segment is one replay.
            ItemType::ReplayRecording | ItemType::FormData | ItemType::ClientReport => Vec::new(),
            ItemType::Unknown(_) => one(Self::Unknown),
        }
    }
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutcomeKey {
    /// When it was received, in whole minutes since the epoch.
    pub minute: i64,
    /// The project; none when a record is too damaged to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The key it came with, if it came with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// What it is.
    pub category: DataCategory,
    /// What became of it.
    pub outcome: Outcome,
    /// Stable word for the cause; empty when there is nothing to say. At most [`REASON_MAX_BYTES`].
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub reason: Cow<'static, str>,
}

/// Where a unit comes from: all of an [`OutcomeKey`] that is known before it is decided upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// When it was received.
    pub received: Timestamp,
    /// The project, when it is known.
    pub project_id: Option<ProjectId>,
    /// The key, if there is one.
    pub key_id: Option<KeyId>,
}

impl Origin {
    /// What a unit of this origin is counted under.
    pub fn key(self, category: DataCategory, outcome: Outcome, reason: impl Into<Cow<'static, str>>) -> OutcomeKey {
        let Self { received, project_id, key_id } = self;
        let mut reason = reason.into();
        if reason.len() > REASON_MAX_BYTES {
            let end = (0..=REASON_MAX_BYTES).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or_default();
            reason.to_mut().truncate(end);
        }
        OutcomeKey { minute: received.secs().div_euclid(60), project_id, key_id, category, outcome, reason }
    }
}

/// Units of data: where they come from, and how much of which category they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// Where they come from.
    pub origin: Origin,
    /// How many of each category.
    pub counts: Vec<(DataCategory, u64)>,
}

impl Units {
    /// The same outcome for all of them.
    pub fn became(&self, outcome: Outcome, reason: impl Into<Cow<'static, str>>) -> Outcomes {
        let (mut outcomes, reason) = (Outcomes::default(), reason.into());
        for (category, quantity) in &self.counts {
            outcomes.add(self.origin.key(*category, outcome, reason.clone()), *quantity);
        }
        outcomes
    }
}

/// Sums of outcomes; also what a record of the topic `outcomes` holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes(BTreeMap<OutcomeKey, u64>);

/// An entry of a record.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: OutcomeKey,
    quantity: u64,
}

impl Outcomes {
    /// Adds units, at most [`QUANTITY_MAX`] at once.
    pub fn add(&mut self, key: OutcomeKey, quantity: u64) {
        if quantity > 0 {
            let sum = self.0.entry(key).or_default();
            *sum = sum.saturating_add(quantity.min(QUANTITY_MAX));
        }
    }

    /// Adds other sums.
    pub fn extend(&mut self, other: Self) {
        for (key, quantity) in other.0 {
            let sum = self.0.entry(key).or_default();
            *sum = sum.saturating_add(quantity);
        }
    }

    /// Whether something was counted under a key.
    pub fn contains(&self, key: &OutcomeKey) -> bool {
        self.0.contains_key(key)
    }

    /// The sums, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&OutcomeKey, u64)> {
        self.0.iter().map(|(key, quantity)| (key, *quantity))
    }

    /// The same in parts with at most so many keys each.
    pub fn parts(self, keys_max: usize) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        for (key, quantity) in self.0 {
            match parts.last_mut().filter(|part| part.len() < keys_max) {
                Some(part) => _ = part.0.insert(key, quantity),
                None => parts.push(Self(BTreeMap::from([(key, quantity)]))),
            }
        }
        parts
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All units together.
    pub fn quantity(&self) -> u64 {
        self.0.values().fold(0, |sum, quantity| sum.saturating_add(*quantity))
    }

    /// The bytes that go to the log.
    pub fn encode(&self) -> Bytes {
        let entries: Vec<Entry> = self.iter().map(|(key, quantity)| Entry { key: key.clone(), quantity }).collect();
        // Words and numbers always serialise; an empty value would fail to decode and be reported.
        serde_json::to_vec(&entries).unwrap_or_default().into()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    ///
    /// What is wrong with bytes that something else wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let entries: Vec<Entry> = serde_json::from_slice(bytes)?;
        let mut outcomes = Self::default();
        for Entry { key, quantity } in entries {
            let sum = outcomes.0.entry(key).or_default();
            *sum = sum.saturating_add(quantity);
        }
        Ok(outcomes)
    }
}

impl IntoIterator for Outcomes {
    type Item = (OutcomeKey, u64);
    type IntoIter = std::collections::btree_map::IntoIter<OutcomeKey, u64>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_come_back_as_they_went() {
        let origin =
            Origin { received: Timestamp::from_secs(120), project_id: Some(ProjectId(1)), key_id: Some(KeyId(2)) };
        let mut outcomes = Outcomes::default();
        let key = origin.key(DataCategory::Error, Outcome::Invalid, "duplicate");
        outcomes.add(key.clone(), 2);
        outcomes.add(key, 3);
        let nobody = Origin { project_id: None, key_id: None, ..origin };
        outcomes.add(nobody.key(DataCategory::Attachment, Outcome::Accepted, ""), u64::MAX);
        outcomes.add(nobody.key(DataCategory::Session, Outcome::Accepted, ""), 0);
        assert_eq!((outcomes.len(), outcomes.quantity()), (2, 5 + QUANTITY_MAX));
        assert_eq!(Outcomes::decode(&outcomes.encode()).expect("decodes"), outcomes);
        assert!(Outcomes::decode(b"").is_err());
    }

    #[test]
    fn parts_together_are_the_whole() {
        let mut outcomes = Outcomes::default();
        for minute in 0..7 {
            let origin = Origin { received: Timestamp::from_secs(minute * 60), project_id: None, key_id: None };
            outcomes.add(origin.key(DataCategory::Error, Outcome::Accepted, ""), 1);
        }
        let parts = outcomes.clone().parts(3);
        assert_eq!(parts.iter().map(Outcomes::len).collect::<Vec<_>>(), [3, 3, 1]);
        let mut whole = Outcomes::default();
        for part in parts {
            whole.extend(part);
        }
        assert_eq!(whole, outcomes);
    }

    #[test]
    fn reasons_are_cut_between_characters() {
        let origin = Origin { received: Timestamp(0), project_id: None, key_id: None };
        let key = origin.key(DataCategory::Error, Outcome::Invalid, format!("x{}", "ü".repeat(REASON_MAX_BYTES)));
        assert_eq!(key.reason.len(), REASON_MAX_BYTES - 1);
    }

    #[test]
    fn quotas_can_be_of_what_items_count_as_and_of_nothing_else() {
        let mut counted: Vec<DataCategory> = vec![DataCategory::Default];
        for word in [
            "event",
            "transaction",
            "security",
            "attachment",
            "feedback",
            "session",
            "check_in",
            "span",
            "log",
            "trace_metric",
            "profile",
            "profile_chunk",
            "profile_chunk_ui",
            "replay_event",
            "replay_video",
        ] {
            for platform in [None, Some("python"), Some("android")] {
                let platform = platform.map(str::to_owned);
                let attributes = ItemAttributes { platform, item_count: Some(1), ..ItemAttributes::default() };
                let units = DataCategory::of(&word.into(), &attributes, 1);
                counted.extend(units.into_iter().map(|(category, _)| category));
            }
        }
        for category in DataCategory::ALL {
            assert_eq!(category.is_limitable(), counted.contains(category), "{category}");
        }
    }

    #[test]
    fn numbers_and_words_name_one_thing() {
        for category in DataCategory::ALL {
            assert_eq!(DataCategory::of_number(category.number()), Some(*category));
            assert_eq!(category.as_str().parse(), Ok(*category));
        }
        assert_eq!("user_report_v2".parse(), Ok(DataCategory::Feedback), "an older name");
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::of_number(outcome.number()), Some(*outcome));
            assert_eq!(outcome.as_str().parse(), Ok(*outcome));
        }
    }
}
