//! Who or what makes something happen to an issue.

use nuthatch_protocol::UserId;
use serde::{Deserialize, Serialize};

use crate::Job;

/// The cause of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Cause {
    /// Not known: it happened before causes were written down.
    #[default]
    System,
    /// A person.
    User {
        /// Who.
        id: UserId,
    },
    /// An event: the occurrence itself says so.
    Occurrence,
    /// A rule that is checked with each occurrence.
    Rule {
        /// Which.
        rule: Rule,
    },
    /// A producer's status change.
    Detector {
        /// The detector it names, if it names one.
        id: Option<i64>,
    },
    /// A job that a clock starts.
    Job {
        /// Which.
        job: Job,
    },
}

/// What is checked with each occurrence of an archived issue (`reference/issue-platform.md` §11.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A condition of the archiving is met.
    Snooze,
    /// There are more events than forecast.
    Forecast,
}

impl Rule {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snooze => "snooze",
            Self::Forecast => "forecast",
        }
    }
}

impl Cause {
    /// The person, if it is one.
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::User { id } => Some(id),
            _ => None,
        }
    }
}
