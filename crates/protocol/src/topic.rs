//! The topics of the log and places in them. Topics are named as Sentry names them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A stream of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Events that become issues, as accepted by intake ([`crate::IngestRecord`], as in all topics of items).
    IngestEvents,
    /// The same of projects that send more than their share, so that the others do not wait behind them.
    IngestEventsBacklog,
    /// Transactions.
    IngestTransactions,
    /// Spans, log lines and metrics.
    #[serde(rename = "snuba-items")]
    TraceItems,
    /// Files, and what else hangs on events: attachments, profiles, replays, user reports.
    IngestAttachments,
    /// Updates of sessions.
    IngestSessions,
    /// Check-ins.
    IngestMonitors,
    /// Occurrences and status changes from producers, JSON (`reference/issue-platform.md` §2).
    IngestOccurrences,
    /// What intake and the API refused themselves, and what clients did not send ([`crate::Outcomes`]).
    Outcomes,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 9] = [
        Self::IngestEvents,
        Self::IngestEventsBacklog,
        Self::IngestTransactions,
        Self::TraceItems,
        Self::IngestAttachments,
        Self::IngestSessions,
        Self::IngestMonitors,
        Self::IngestOccurrences,
        Self::Outcomes,
    ];

    /// The lanes of events that become issues. A project's event is in one of them.
    pub const EVENTS: [Self; 2] = [Self::IngestEvents, Self::IngestEventsBacklog];

    /// Whether records are events that become issues, one each.
    pub fn is_events(self) -> bool {
        Self::EVENTS.contains(&self)
    }

    /// Whether records are items that intake took ([`crate::IngestRecord`]).
    pub fn is_of_items(self) -> bool {
        !matches!(self, Self::IngestOccurrences | Self::Outcomes)
    }

    /// The name used on disk, on the command line and by Kafka.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IngestEvents => "ingest-events",
            Self::IngestEventsBacklog => "ingest-events-backlog",
            Self::IngestTransactions => "ingest-transactions",
            Self::TraceItems => "snuba-items",
            Self::IngestAttachments => "ingest-attachments",
            Self::IngestSessions => "ingest-sessions",
            Self::IngestMonitors => "ingest-monitors",
            Self::IngestOccurrences => "ingest-occurrences",
            Self::Outcomes => "outcomes",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Topic {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text).ok_or(())
    }
}

/// A partition of a topic. Order is kept inside a partition.
pub type Partition = u16;

/// A place in the log. Offsets are dense per partition and start at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The topic.
    pub topic: Topic,
    /// The partition.
    pub partition: Partition,
    /// The record's number in the partition. For a consumer: the next one it will apply.
    pub offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}
