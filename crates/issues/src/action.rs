//! What a person does to issues, as a pure function.

use std::collections::HashSet;

use nuthatch_protocol::{IssueId, Priority, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    ActivityKind, Assignee, Cause, Changes, Issue, Snapshot, Status, Substatus,
    chronicle::{Chronicle, Life},
    snooze::Snooze,
};

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is done.
    Resolve,
    /// It is not done after all, or wanted back from the archive.
    Unresolve,
    /// Out of sight, for ever or until a condition holds.
    Archive(Archive),
    /// Somebody takes care.
    Assign(Assignee),
    /// Nobody does any more.
    Unassign,
    /// Sets the priority, and locks it: only a person changes it from now on.
    SetPriority(Priority),
}

impl Action {
    /// Whether it is only for issues whose type lets people change status and priority
    /// (`reference/issue-platform.md` §9).
    pub fn needs_editable(&self) -> bool {
        match self {
            Self::Resolve | Self::Unresolve | Self::Archive(_) | Self::SetPriority(_) => true,
            Self::Assign(_) | Self::Unassign => false,
        }
    }
}

/// How long an issue stays archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// For ever.
    Forever,
    /// Until there are more events than forecast.
    UntilEscalating,
    /// Until one of these is met.
    Until(Until),
}

/// What ends an archiving. At least one should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Until {
    /// A time has come.
    pub time: Option<Timestamp>,
    /// So many more events came.
    pub events: Option<u64>,
    /// They have to come within so many minutes; at most [`WINDOW_MAX_MINS`](crate::snooze::WINDOW_MAX_MINS).
    pub event_window_mins: Option<u32>,
    /// So many more users were affected; with a window: so many users, at most
    /// [`WINDOW_USERS_MAX`](crate::snooze::WINDOW_USERS_MAX).
    pub users: Option<u64>,
    /// They have to come within so many minutes; at most [`WINDOW_MAX_MINS`](crate::snooze::WINDOW_MAX_MINS).
    pub user_window_mins: Option<u32>,
}

impl Until {
    fn snooze(self, issue: &Issue) -> Snooze {
        let Self { time, events, event_window_mins, users, user_window_mins } = self;
        Snooze {
            until: time,
            events,
            event_window_mins,
            users,
            user_window_mins,
            events_before: issue.times_seen,
            users_before: issue.user_count,
            ..Snooze::default()
        }
    }

    /// As the web API writes it; what is not asked for is left out.
    fn activity_data(self) -> Value {
        let members = [
            ("ignoreUntil", self.time.map(|time| json!(time))),
            ("ignoreCount", self.events.map(|count| json!(count))),
            ("ignoreWindow", self.event_window_mins.map(|mins| json!(mins))),
            ("ignoreUserCount", self.users.map(|count| json!(count))),
            ("ignoreUserWindow", self.user_window_mins.map(|mins| json!(mins))),
        ];
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>().into()
    }
}

impl Archive {
    fn substatus(self) -> Substatus {
        match self {
            Self::Forever => Substatus::ArchivedForever,
            Self::UntilEscalating => Substatus::ArchivedUntilEscalating,
            Self::Until(_) => Substatus::ArchivedUntilConditionMet,
        }
    }
}

/// Does something to each of the issues that the snapshot has. Where it is done already, or not for people to do, nothing
/// is written.
pub fn apply_action(action: &Action, by: Cause, snapshot: &Snapshot, ids: &[IssueId], now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    let mut seen = HashSet::with_capacity(ids.len());
    let issues = ids.iter().filter(|id| seen.insert(**id)).filter_map(|id| snapshot.issues.get(id));
    for before in issues {
        let issue_type = snapshot.issue_type(before.project_id, before.type_id);
        if action.needs_editable() && issue_type.is_some_and(|issue_type| !issue_type.is_editable) {
            continue;
        }
        let mut issue = before.clone();
        let mut chronicle = Chronicle::default();
        let has_detector = issue_type.is_some_and(|issue_type| issue_type.has_detector);
        act(*action, &mut Life { issue: &mut issue, chronicle: &mut chronicle, has_detector, by, now });
        if issue != *before {
            changes.updated.push(issue);
            changes.chronicle(chronicle);
        }
    }
    changes
}

fn act(action: Action, life: &mut Life<'_>) {
    let issue = &mut *life.issue;
    match action {
        Action::Resolve if issue.status == Status::Resolved => {}
        Action::Resolve => life.resolve(ActivityKind::SetResolved, Value::Null),
        Action::Unresolve if issue.status == Status::Unresolved => {}
        Action::Unresolve => life.unresolve(Value::Null),
        Action::Archive(Archive::Until(until)) => {
            issue.snooze = Some(until.snooze(issue));
            life.archive(Substatus::ArchivedUntilConditionMet, until.activity_data());
        }
        Action::Archive(until) if issue.substatus == Some(until.substatus()) => {}
        Action::Archive(until) => {
            issue.snooze = None;
            let is_forever = until == Archive::Forever;
            let data = if is_forever { Value::Null } else { json!({ "ignoreUntilEscalating": true }) };
            life.archive(until.substatus(), data);
        }
        Action::Assign(assignee) if issue.assignee == Some(assignee) => {}
        Action::Assign(assignee) => life.assign(assignee),
        Action::Unassign if issue.assignee.is_none() => {}
        Action::Unassign => life.unassign(),
        Action::SetPriority(priority) => {
            if issue.priority != priority || issue.priority_locked_at.is_none() {
                issue.priority_locked_at = Some(life.now);
            }
            life.set_priority(priority, json!({ "priority": priority.as_str() }));
        }
    }
}
