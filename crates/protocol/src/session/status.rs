//! What became of a session.

use std::{fmt, str::FromStr};

/// What became of a session, the worse the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionStatus {
    /// It runs, or nobody said how it ended.
    Ok,
    /// It ended as it should.
    Exited,
    /// It ended, and had errors.
    Errored,
    /// It had an error that nobody caught, and went on.
    Unhandled,
    /// It ended without telling, or did not respond.
    Abnormal,
    /// It crashed.
    Crashed,
}

impl SessionStatus {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::Ok, Self::Exited, Self::Errored, Self::Unhandled, Self::Abnormal, Self::Crashed];

    /// The word that SDKs send.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Exited => "exited",
            Self::Errored => "errored",
            Self::Unhandled => "unhandled",
            Self::Abnormal => "abnormal",
            Self::Crashed => "crashed",
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

    /// Whether the session is over.
    pub fn is_terminal(self) -> bool {
        self != Self::Ok
    }

    /// Whether the session counts as one with errors, whatever their number says.
    pub fn is_errored(self) -> bool {
        self >= Self::Errored
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SessionStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or(())
    }
}
