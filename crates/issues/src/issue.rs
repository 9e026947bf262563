//! An issue and what happens to it. Numbers and names: `reference/issue-platform.md` §10.

use nuthatch_protocol::{IssueId, Level, Priority, ProjectId, TeamId, Timestamp, TypeId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Cause, Flood, open_period::OpenPeriod, release::Resolution, snooze::Snooze};

/// An issue: what events of one cause have in common, and its life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// Unique in the installation.
    pub id: IssueId,
    /// The project.
    pub project_id: ProjectId,
    /// Counter within the project, from 1; shown as project slug, dash, base-32 number ([`short_id_text`]).
    pub short_id: u64,
    /// The issue type.
    pub type_id: TypeId,
    /// Status.
    pub status: Status,
    /// Refines the status; `None` exactly when resolved.
    pub substatus: Option<Substatus>,
    /// Since when it is in that state.
    pub state_since: Timestamp,
    /// Priority.
    pub priority: Priority,
    /// Set when a user chose the priority: nothing but a user changes it then.
    pub priority_locked_at: Option<Timestamp>,
    /// The priority it was created with.
    pub initial_priority: Priority,
    /// Level of the newest event.
    pub level: Level,
    /// Platform of the first event.
    pub platform: String,
    /// Logger of the newest event.
    pub logger: Option<String>,
    /// Title of the newest event that has a real one.
    pub title: String,
    /// Culprit of the newest event.
    pub culprit: String,
    /// `error`, `default`, `generic`, … of the newest event.
    pub event_type: String,
    /// What the list shows besides (`type`, `value`, `filename`, `function`, …).
    pub metadata: Map<String, Value>,
    /// What free text search looks at: one line, at most [`SEARCH_TEXT_MAX`] characters.
    pub search_text: String,
    /// Time of the earliest event.
    pub first_seen: Timestamp,
    /// Time of the latest event.
    pub last_seen: Timestamp,
    /// Creation or last regression.
    pub active_at: Timestamp,
    /// When it was resolved, if it is.
    pub resolved_at: Option<Timestamp>,
    /// Number of events.
    pub times_seen: u64,
    /// Number of different users.
    pub user_count: u64,
    /// Release of the first event.
    pub first_release: Option<String>,
    /// Release of the latest event that had one.
    pub last_release: Option<String>,
    /// Who takes care of it.
    pub assignee: Option<Assignee>,
    /// Whether an event of it was an exception that nobody caught.
    pub unhandled: bool,
    /// Why somebody should look at it, until somebody did.
    pub inbox: Option<InboxReason>,
    /// The release it is resolved in, if it is resolved in one.
    pub resolution: Option<Resolution>,
    /// What ends its archiving, if something does.
    pub snooze: Option<Snooze>,
    /// The last time in which it was not resolved; `None` when nothing is known of any.
    pub open_period: Option<OpenPeriod>,
    /// The detector that its first occurrence named.
    pub detector_id: Option<i64>,
    /// How its events come, where there is a [`FloodGuard`](crate::FloodGuard).
    #[serde(default)]
    pub flood: Flood,
}

impl Issue {
    /// Whether it is archived until it has so many more users.
    pub fn awaits_users(&self) -> bool {
        self.status == Status::Ignored && self.snooze.as_ref().is_some_and(Snooze::counts_users)
    }

    /// Whether it is archived until there are more events than forecast.
    pub fn awaits_escalation(&self) -> bool {
        self.substatus == Some(Substatus::ArchivedUntilEscalating)
    }
}

/// Why somebody should look at an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxReason {
    /// 0: it is new.
    New,
    /// 2: it is back.
    Regression,
    /// 5: it comes more often.
    Escalating,
    /// 6: somebody took it out of the archive, or unresolved it.
    Ongoing,
}

impl InboxReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::New, Self::Regression, Self::Escalating, Self::Ongoing];

    /// The stored number.
    pub fn number(self) -> u8 {
        match self {
            Self::New => 0,
            Self::Regression => 2,
            Self::Escalating => 5,
            Self::Ongoing => 6,
        }
    }

    /// The reason of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }
}

/// Longest [`Issue::search_text`], in characters (`reference/issue-platform.md` §7.4).
pub const SEARCH_TEXT_MAX: usize = 255;

/// Status of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// 0: wants attention.
    Unresolved,
    /// 1: done; a new event regresses it.
    Resolved,
    /// 2: archived (the API says `ignored`).
    Ignored,
}

impl Status {
    /// The stored number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The status of a number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Unresolved, Self::Resolved, Self::Ignored].into_iter().find(|s| i64::from(s.number()) == number)
    }

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }
}

/// Refines a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Substatus {
    /// 7, unresolved: young.
    New,
    /// 3, unresolved: known.
    Ongoing,
    /// 2, unresolved: came back from the archive.
    Escalating,
    /// 6, unresolved: came back after it was resolved.
    Regressed,
    /// 1, ignored.
    ArchivedUntilEscalating,
    /// 4, ignored.
    ArchivedUntilConditionMet,
    /// 5, ignored.
    ArchivedForever,
}

impl Substatus {
    /// Every substatus.
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Ongoing,
        Self::Escalating,
        Self::Regressed,
        Self::ArchivedUntilEscalating,
        Self::ArchivedUntilConditionMet,
        Self::ArchivedForever,
    ];

    /// The stored number.
    pub fn number(self) -> u8 {
        match self {
            Self::ArchivedUntilEscalating => 1,
            Self::Escalating => 2,
            Self::Ongoing => 3,
            Self::ArchivedUntilConditionMet => 4,
            Self::ArchivedForever => 5,
            Self::Regressed => 6,
            Self::New => 7,
        }
    }

    /// The substatus of a number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|s| i64::from(s.number()) == number)
    }

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Escalating => "escalating",
            Self::Regressed => "regressed",
            Self::ArchivedUntilEscalating => "archived_until_escalating",
            Self::ArchivedUntilConditionMet => "archived_until_condition_met",
            Self::ArchivedForever => "archived_forever",
        }
    }

    /// The status it belongs to.
    pub fn status(self) -> Status {
        match self {
            Self::New | Self::Ongoing | Self::Escalating | Self::Regressed => Status::Unresolved,
            _ => Status::Ignored,
        }
    }
}

/// Who takes care of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// An account.
    User(UserId),
    /// A team.
    Team(TeamId),
}

impl Assignee {
    /// `user:<id>` or `team:<id>`, as messages and the API write it.
    pub fn text(self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Team(id) => format!("team:{id}"),
        }
    }

    /// Reads what [`Self::text`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("user", id) => id.parse().ok().map(Self::User),
            ("team", id) => id.parse().ok().map(Self::Team),
            _ => None,
        }
    }

    pub(crate) fn activity_data(self) -> Value {
        let (id, kind) = match self {
            Self::User(id) => (id.to_string(), "user"),
            Self::Team(id) => (id.to_string(), "team"),
        };
        serde_json::json!({ "assignee": id, "assigneeType": kind })
    }
}

/// Something that happened to an issue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The issue.
    pub issue_id: IssueId,
    /// What.
    pub kind: ActivityKind,
    /// Details, or null.
    pub data: Value,
    /// Who; `None` is the system.
    pub cause: Cause,
    /// When.
    pub at: Timestamp,
}

/// Kinds of activity (the ones something here writes; numbers are Sentry's).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// 1
    SetResolved,
    /// 2
    SetUnresolved,
    /// 3
    SetIgnored,
    /// 6
    SetRegression,
    /// 11
    Assigned,
    /// 12
    Unassigned,
    /// 15
    SetResolvedByAge,
    /// 24
    AutoSetOngoing,
    /// 25
    SetEscalating,
    /// 26
    SetPriority,
}

impl ActivityKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::SetResolved,
        Self::SetUnresolved,
        Self::SetIgnored,
        Self::SetRegression,
        Self::Assigned,
        Self::Unassigned,
        Self::SetResolvedByAge,
        Self::AutoSetOngoing,
        Self::SetEscalating,
        Self::SetPriority,
    ];

    /// The stored number.
    pub fn number(self) -> u8 {
        match self {
            Self::SetResolved => 1,
            Self::SetUnresolved => 2,
            Self::SetIgnored => 3,
            Self::SetRegression => 6,
            Self::Assigned => 11,
            Self::Unassigned => 12,
            Self::SetResolvedByAge => 15,
            Self::AutoSetOngoing => 24,
            Self::SetEscalating => 25,
            Self::SetPriority => 26,
        }
    }

    /// The kind of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetResolved => "set_resolved",
            Self::SetUnresolved => "set_unresolved",
            Self::SetIgnored => "set_ignored",
            Self::SetRegression => "set_regression",
            Self::Assigned => "assigned",
            Self::Unassigned => "unassigned",
            Self::SetResolvedByAge => "set_resolved_by_age",
            Self::AutoSetOngoing => "auto_set_ongoing",
            Self::SetEscalating => "set_escalating",
            Self::SetPriority => "set_priority",
        }
    }
}

/// The short id as people see it: project slug in capitals, dash, the counter in base 32 (Crockford's alphabet).
pub fn short_id_text(project_slug: &str, short_id: u64) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut digits = Vec::new();
    let mut rest = short_id;
    loop {
        digits.push(ALPHABET[(rest % 32) as usize] as char);
        rest /= 32;
        if rest == 0 {
            break;
        }
    }
    format!("{}-{}", project_slug.to_uppercase(), digits.iter().rev().collect::<String>())
}

/// Reads a short id: the project slug in lower case and the counter. `None` when it is not one.
pub fn parse_short_id(text: &str) -> Option<(String, u64)> {
    let (slug, digits) = text.rsplit_once('-')?;
    if slug.is_empty() || digits.is_empty() {
        return None;
    }
    let mut number: u64 = 0;
    for c in digits.chars() {
        let digit = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".find(c.to_ascii_uppercase())?;
        number = number.checked_mul(32)?.checked_add(digit as u64)?;
    }
    Some((slug.to_lowercase(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_go_both_ways() {
        for (number, text) in [(1, "MY-WEB-1"), (31, "MY-WEB-Z"), (32, "MY-WEB-10"), (1234, "MY-WEB-16J")] {
            assert_eq!(short_id_text("my-web", number), text);
            assert_eq!(parse_short_id(text), Some(("my-web".to_owned(), number)));
        }
        for text in ["", "-", "web-", "-1", "web", "web-ÄÖ", "web-UUUUUUUUUUUUUUUUUU"] {
            assert_eq!(parse_short_id(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_go_both_ways() {
        for s in Substatus::ALL {
            assert_eq!(Substatus::from_number(i64::from(s.number())), Some(s));
        }
        for kind in ActivityKind::ALL {
            assert_eq!(ActivityKind::from_number(kind.number()), Some(kind));
        }
        assert_eq!(Status::from_number(3), None);
    }
}
