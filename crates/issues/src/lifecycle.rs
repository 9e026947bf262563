//! When an issue goes from one state to another by itself (`reference/issue-platform.md` §7.7, §11).

use std::time::Duration;

use nuthatch_protocol::Timestamp;

use crate::{Issue, IssueType, Status, Substatus, ledger::Batch};

/// An event at most so much later than creation or the last regression does not regress an issue (§7.7).
const REGRESSION_GRACE: Duration = Duration::from_secs(5);

/// Whether an event brings an issue back that its resolution does not cover; `last_seen` includes the event. By default the time of the resolve does not
/// count (§14.25).
pub(crate) fn regresses(batch: &Batch<'_>, issue: &Issue, event: Timestamp) -> bool {
    let project = issue.project_id;
    let resolve_age = batch.snapshot.projects.get(&project).and_then(|project| project.resolve_age_hours);
    let issue_type = batch.issue_type(project, issue.type_id);
    let (status, _) = effective_status(issue, issue_type, resolve_age, batch.now);
    let date = event.max(issue.last_seen);
    if status != Status::Resolved || issue.active_at >= date.minus(REGRESSION_GRACE) {
        return false;
    }
    !(batch.options.late_events_do_not_regress && issue.resolved_at.is_some_and(|resolved| event < resolved))
}

/// The status an issue counts as having (§11.4): one whose archiving has ended by time or by a plain count is unresolved,
/// one that is silent for long is resolved, also before a job has said so.
pub fn effective_status(
    issue: &Issue,
    issue_type: Option<&IssueType>,
    resolve_age_hours: Option<u32>,
    now: Timestamp,
) -> (Status, Option<Substatus>) {
    let is_awake =
        issue.status == Status::Ignored && issue.snooze.as_ref().is_some_and(|snooze| snooze.is_over(issue, 0, now));
    if is_awake {
        (Status::Unresolved, Some(Substatus::Escalating))
    } else if is_resolved_by_age(issue, issue_type, resolve_age_hours, now) {
        (Status::Resolved, None)
    } else {
        (issue.status, issue.substatus)
    }
}

/// Whether silence has resolved an unresolved issue (§11.2, §11.4).
pub(crate) fn is_resolved_by_age(
    issue: &Issue,
    issue_type: Option<&IssueType>,
    resolve_age_hours: Option<u32>,
    now: Timestamp,
) -> bool {
    let Some(hours) = resolve_age_hours else { return false };
    let age = Duration::from_hours(u64::from(hours));
    issue.status == Status::Unresolved
        && issue_type.is_some_and(|issue_type| issue_type.auto_resolves)
        && issue.last_seen <= now.minus(age)
}
