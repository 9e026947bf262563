//! The types of envelope items (`reference/ingest-protocol.md` §7).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! item_types {
    ($($variant:ident = $word:literal),+ $(,)?) => {
        /// The type of an envelope item.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ItemType {
            $(
                #[doc = concat!("`", $word, "`")]
                $variant,
            )+
            /// Any other word, kept as sent.
            Unknown(Box<str>),
        }

        impl ItemType {
            /// The word in the item header.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Unknown(word) => word,
                    known => known.label(),
                }
            }

            /// The word, with `other` for all unknown types: bounded, so fit to label a metric.
            pub fn label(&self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(_) => "other",
                }
            }
        }

        impl From<&str> for ItemType {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Unknown(other.into()),
                }
            }
        }
    };
}

item_types! {
    Event = "event",
    Transaction = "transaction",
    Security = "security",
    RawSecurity = "raw_security",
    Feedback = "feedback",
    UnrealReport = "unreal_report",
    Attachment = "attachment",
    FormData = "form_data",
    UserReport = "user_report",
    Profile = "profile",
    ReplayEvent = "replay_event",
    ReplayRecording = "replay_recording",
    ReplayVideo = "replay_video",
    Session = "session",
    Sessions = "sessions",
    ClientReport = "client_report",
    CheckIn = "check_in",
    ProfileChunk = "profile_chunk",
    ProfileChunkUi = "profile_chunk_ui",
    Span = "span",
    Log = "log",
    TraceMetric = "trace_metric",
    OtelSpan = "otel_span",
    OtelLog = "otel_log",
    Statsd = "statsd",
    MetricBuckets = "metric_buckets",
    MetricMeta = "metric_meta",
    Nel = "nel",
}

/// The type of attachments that say none, or one that has no meaning.
pub const PLAIN_ATTACHMENT: &str = "event.attachment";

/// The types of attachments that have a meaning (`reference/ingest-protocol.md` §7.2).
const ATTACHMENT_TYPES: [&str; 9] = [
    PLAIN_ATTACHMENT,
    "event.minidump",
    "event.applecrashreport",
    "event.payload",
    "event.breadcrumbs",
    "event.view_hierarchy",
    "unreal.context",
    "unreal.logs",
    "playstation.prosperodump",
];

/// The known type of an attachment by what its header says; `None` when that has no meaning.
pub fn attachment_type(said: Option<&str>) -> Option<&'static str> {
    let said = said.unwrap_or(PLAIN_ATTACHMENT);
    ATTACHMENT_TYPES.into_iter().find(|known| *known == said)
}

impl ItemType {
    /// Whether it is an event or takes the place of one: at most one in an envelope (§5.2). Form data is limited
    /// like an event but travels beside one, so it does not count here.
    pub fn is_event_like(&self) -> bool {
        matches!(self, Self::Event | Self::Transaction | Self::Security | Self::Feedback | Self::ReplayEvent)
    }

    /// Whether it is kept under the id of the envelope: it is an event or belongs to one, or to a replay.
    pub fn has_event_id(&self) -> bool {
        self.needs_event_id() || matches!(self, Self::ReplayRecording | Self::ReplayVideo)
    }

    /// Whether it belongs to an event, so that the envelope needs an event id (§6); attachments do unless they belong to a
    /// trace ([`crate::Item::needs_event_id`]).
    pub fn needs_event_id(&self) -> bool {
        self.is_event_like()
            || matches!(
                self,
                Self::RawSecurity
                    | Self::Attachment
                    | Self::FormData
                    | Self::UnrealReport
                    | Self::UserReport
                    | Self::Profile
            )
    }
}

impl fmt::Display for ItemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ItemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ItemType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl serde::de::Visitor<'_> for Word {
            type Value = ItemType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an item type")
            }

            fn visit_str<E>(self, word: &str) -> Result<ItemType, E> {
                Ok(word.into())
            }
        }

        deserializer.deserialize_str(Word)
    }
}
