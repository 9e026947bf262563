//! What time does to issues (`reference/issue-platform.md` §11.2): jobs that a clock starts. Stores find the issues
//! that may be due; whether they are is decided here, on the state inside the transaction.

use std::time::Duration;

use nuthatch_protocol::{IssueId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    ActivityKind, Cause, Changes, Issue, Snapshot, Status, Substatus,
    chronicle::{Chronicle, Life},
    lifecycle::is_resolved_by_age,
    snooze::Snooze,
};

/// After so long a new, regressed or escalating issue is an ongoing one.
pub const ONGOING_AFTER: Duration = Duration::from_hours(7 * 24);

/// A job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// New, regressed and escalating issues become ongoing ones.
    #[serde(rename = "auto-transition-to-ongoing")]
    ToOngoing,
    /// Silent issues are resolved, in projects that want it.
    #[serde(rename = "auto-resolve-by-age")]
    ResolveByAge,
    /// Archived issues come back whose time has come.
    #[serde(rename = "end-snoozes")]
    EndSnoozes,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 3] = [Self::ToOngoing, Self::ResolveByAge, Self::EndSnoozes];

    /// The name, as in metrics and scenarios.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToOngoing => "auto-transition-to-ongoing",
            Self::ResolveByAge => "auto-resolve-by-age",
            Self::EndSnoozes => "end-snoozes",
        }
    }
}

/// Does a job on those of these issues that are due.
pub fn run_job(job: Job, snapshot: &Snapshot, ids: &[IssueId], now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut chronicle = Chronicle::default();
    for before in ids.iter().filter_map(|id| snapshot.issues.get(id)) {
        let mut issue = before.clone();
        let issue_type = snapshot.issue_type(issue.project_id, issue.type_id);
        let resolve_age = snapshot.projects.get(&issue.project_id).and_then(|project| project.resolve_age_hours);
        let has_detector = issue_type.is_some_and(|issue_type| issue_type.has_detector);
        let mut life = Life { issue: &mut issue, chronicle: &mut chronicle, has_detector, by: Cause::Job { job }, now };
        match job {
            Job::ToOngoing if is_old(before, now) => life.grow_old(ONGOING_AFTER),
            Job::ResolveByAge if is_resolved_by_age(before, issue_type, resolve_age, now) => {
                life.resolve(ActivityKind::SetResolvedByAge, json!({ "age": resolve_age }));
            }
            Job::EndSnoozes if has_snoozed_out(before, now) => {
                let conditions = before.snooze.as_ref().map(Snooze::conditions);
                life.escalate(json!({ "expired_snooze": conditions }));
            }
            _ => continue,
        }
        changes.updated.push(issue);
    }
    changes.chronicle(chronicle);
    changes
}

/// Ages are compared in whole seconds, inclusively.
fn is_old(issue: &Issue, now: Timestamp) -> bool {
    let since = match issue.substatus {
        Some(Substatus::New) => issue.first_seen,
        Some(Substatus::Regressed | Substatus::Escalating) => issue.state_since,
        _ => return false,
    };
    now.secs() - since.secs() >= ONGOING_AFTER.as_secs() as i64
}

fn has_snoozed_out(issue: &Issue, now: Timestamp) -> bool {
    issue.status == Status::Ignored && issue.snooze.as_ref().is_some_and(|snooze| snooze.is_over(issue, 0, now))
}
