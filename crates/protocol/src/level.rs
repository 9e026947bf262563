//! Severity of an event.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Severity, with Sentry's numbers (`reference/issue-platform.md` §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// 0
    Sample,
    /// 10
    Debug,
    /// 20
    Info,
    /// 30
    Warning,
    /// 40; what an event without a level has.
    #[default]
    Error,
    /// 50
    Fatal,
}

impl Level {
    /// The stored number.
    pub fn number(self) -> u8 {
        self as u8 * 10
    }

    /// The level of a stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Sample, Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Fatal]
            .into_iter()
            .find(|level| level.number() == number)
    }

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

impl FromStr for Level {
    type Err = ();

    /// Accepts the synonyms `log` (info) and `critical` (fatal) (`reference/ingest-protocol.md` §11.1).
    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "sample" => Self::Sample,
            "debug" => Self::Debug,
            "info" | "log" => Self::Info,
            "warning" | "warn" => Self::Warning,
            "error" => Self::Error,
            "fatal" | "critical" => Self::Fatal,
            _ => return Err(()),
        })
    }
}
