//! What a person does to issues, as a pure function.

use std::collections::HashSet;

use nuthatch_protocol::{IssueId, Priority, Timestamp, UserId};
use serde_json::{Value, json};

use crate::{Activity, ActivityKind, Assignee, Changes, Issue, Snapshot, Status, Substatus};

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

/// How long an issue stays archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// For ever.
    Forever,
    /// Until there are more events than forecast.
    UntilEscalating,
}

impl Archive {
    fn substatus(self) -> Substatus {
        match self {
            Self::Forever => Substatus::ArchivedForever,
            Self::UntilEscalating => Substatus::ArchivedUntilEscalating,
        }
    }
}

/// Does something to each of the issues that the snapshot has. Where it is done already nothing is written.
pub fn apply_action(
    action: &Action,
    actor: Option<UserId>,
    snapshot: &Snapshot,
    ids: &[IssueId],
    now: Timestamp,
) -> Changes {
    let mut changes = Changes::default();
    let mut seen = HashSet::with_capacity(ids.len());
    let issues = ids.iter().filter(|id| seen.insert(**id)).filter_map(|id| snapshot.issues.get(id));
    for before in issues {
        let mut issue = before.clone();
        let activity = act(*action, &mut issue, now);
        if issue != *before {
            changes.updated.push(issue);
            changes.activities.extend(activity.map(|(kind, data)| Activity {
                issue_id: before.id,
                kind,
                data,
                user_id: actor,
                at: now,
            }));
        }
    }
    changes
}

/// Changes an issue, and says what to write down should it differ afterwards.
fn act(action: Action, issue: &mut Issue, now: Timestamp) -> Option<(ActivityKind, Value)> {
    match action {
        Action::Resolve if issue.status == Status::Resolved => None,
        Action::Resolve => {
            issue.resolve(now);
            Some((ActivityKind::SetResolved, Value::Null))
        }
        Action::Unresolve if issue.status == Status::Unresolved => None,
        Action::Unresolve => {
            issue.enter(Substatus::Ongoing);
            Some((ActivityKind::SetUnresolved, Value::Null))
        }
        Action::Archive(until) => {
            issue.enter(until.substatus());
            let data = match until {
                Archive::Forever => Value::Null,
                Archive::UntilEscalating => json!({ "ignoreUntilEscalating": true }),
            };
            Some((ActivityKind::SetIgnored, data))
        }
        Action::Assign(assignee) => {
            issue.assignee = Some(assignee);
            let Assignee::User(user) = assignee;
            Some((ActivityKind::Assigned, json!({ "assignee": user.to_string(), "assigneeType": "user" })))
        }
        Action::Unassign => {
            issue.assignee = None;
            Some((ActivityKind::Unassigned, Value::Null))
        }
        Action::SetPriority(priority) => {
            let differs = issue.priority != priority;
            issue.priority = priority;
            issue.priority_locked_at = issue.priority_locked_at.filter(|_| !differs).or(Some(now));
            differs.then(|| (ActivityKind::SetPriority, json!({ "priority": priority.as_str() })))
        }
    }
}
