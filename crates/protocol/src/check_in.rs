//! Check-ins of scheduled jobs, and what a monitor expects of them (`reference/ingest-protocol.md` §7.11, §18).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EventId, TraceId};

/// A job says how it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckIn {
    /// The same for all that one run says. None: the newest run of the monitor and environment that is in progress, or a
    /// new one.
    pub id: Option<EventId>,
    /// Which monitor of the project, in the form of a slug.
    pub slug: String,
    /// How it is doing.
    pub status: CheckInStatus,
    /// How long the run took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Where it runs.
    pub environment: String,
    /// The version that runs.
    pub release: Option<String>,
    /// The trace of the run.
    pub trace_id: Option<TraceId>,
    /// What the monitor is to expect from now on; without it an unknown monitor is not made.
    pub config: Option<MonitorConfig>,
}

/// How a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckInStatus {
    /// It began.
    InProgress,
    /// It ended well.
    Ok,
    /// It failed.
    Error,
    /// It did not begin when it should have.
    Missed,
    /// It did not end in time.
    Timeout,
    /// The client uses another word.
    Unknown,
}

impl CheckInStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [Self::Unknown, Self::Ok, Self::Error, Self::InProgress, Self::Missed, Self::Timeout];

    /// The word of protocol and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Missed => "missed",
            Self::Timeout => "timeout",
            Self::Unknown => "unknown",
        }
    }

    /// The stored number.
    pub fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Ok => 1,
            Self::Error => 2,
            Self::InProgress => 3,
            Self::Missed => 4,
            Self::Timeout => 5,
        }
    }

    /// The one with a stored number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// What a client means. That a run was missed or timed out is for the server to say.
    pub fn of_client(word: &str) -> Self {
        let known = [Self::InProgress, Self::Ok, Self::Error];
        known.into_iter().find(|status| status.as_str() == word).unwrap_or(Self::Unknown)
    }

    /// Whether the run is over.
    pub fn is_final(self) -> bool {
        self != Self::InProgress
    }
}

impl fmt::Display for CheckInStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a monitor expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorConfig {
    /// When the job runs.
    pub schedule: Schedule,
    /// Minutes that a run may begin late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkin_margin: Option<u32>,
    /// Minutes that a run may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_runtime: Option<u32>,
    /// Time zone of a crontab, by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Failures in a row that make an issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_issue_threshold: Option<u32>,
    /// Successes in a row that resolve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_threshold: Option<u32>,
    /// Who is told: `user:<id>` or `team:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// When a job runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Schedule {
    /// By a crontab line of five fields or a nickname such as `@daily`.
    Crontab {
        /// The line.
        value: String,
    },
    /// Every so often.
    Interval {
        /// How many units.
        value: u32,
        /// Of what.
        unit: IntervalUnit,
    },
}

/// The unit of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalUnit {
    /// Years.
    Year,
    /// Months.
    Month,
    /// Weeks.
    Week,
    /// Days.
    Day,
    /// Hours.
    Hour,
    /// Minutes.
    Minute,
}

impl IntervalUnit {
    /// The word of protocol and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
        }
    }
}
