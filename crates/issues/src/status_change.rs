//! A producer changes the status of an issue (`reference/issue-platform.md` §8).

use nuthatch_protocol::{IssueId, Priority, StatusChange};
use serde_json::{Value, json};

use crate::{ActivityKind, DropReason, MessageResult, RefuseReason, Status, Substatus, ledger::Ledger};

/// What a legal change does.
enum Transition {
    Resolve,
    Archive(Substatus),
    Escalate,
    Regress,
    Continue,
}

/// Handles a status change whose project exists and which was not handled before.
pub(crate) fn process_status_change_message(ledger: &mut Ledger<'_>, change: &StatusChange) -> MessageResult {
    let Some(id) = ledger.first_owner(change.project_id, &change.hashes) else {
        return MessageResult::Dropped(DropReason::IssueNotFound);
    };
    let issue = ledger.issue(id);
    let present = (i64::from(issue.status.number()), issue.substatus.map(|substatus| i64::from(substatus.number())));
    if present == (change.new_status, change.new_substatus) {
        return MessageResult::Dropped(DropReason::StatusUnchanged);
    }
    match transition(change) {
        Ok(Transition::Escalate) if issue.status != Status::Ignored => {
            MessageResult::Dropped(DropReason::NotApplicable)
        }
        Ok(transition) => {
            apply(ledger, id, &transition, change.activity_data.clone().unwrap_or_default());
            MessageResult::StatusChanged(id)
        }
        Err(result) => result,
    }
}

/// The lines of the table that do not depend on the issue.
fn transition(change: &StatusChange) -> Result<Transition, MessageResult> {
    let dropped = |reason| Err(MessageResult::Dropped(reason));
    match (Status::from_number(change.new_status), change.new_substatus) {
        (Some(Status::Unresolved | Status::Ignored), None) => dropped(DropReason::MissingSubstatus),
        (Some(Status::Resolved), None) => Ok(Transition::Resolve),
        (None, None) => Err(MessageResult::Refused(RefuseReason::UnsupportedStatus(change.new_status))),
        (Some(Status::Resolved) | None, Some(_)) => dropped(DropReason::UnexpectedSubstatus),
        (Some(status), Some(number)) => match Substatus::from_number(number) {
            Some(substatus) if substatus.status() != status => dropped(DropReason::InvalidSubstatus),
            Some(Substatus::Escalating) => Ok(Transition::Escalate),
            Some(Substatus::Regressed) => Ok(Transition::Regress),
            Some(Substatus::Ongoing) => Ok(Transition::Continue),
            Some(Substatus::New) | None => dropped(DropReason::InvalidSubstatus),
            Some(archived) => Ok(Transition::Archive(archived)),
        },
    }
}

/// Applies a change: the activity of the status first, that of the priority after it.
fn apply(ledger: &mut Ledger<'_>, id: IssueId, transition: &Transition, data: Value) {
    let now = ledger.now;
    let issue = ledger.issue_mut(id);
    let mut priority = None;
    let (kind, data) = match transition {
        Transition::Resolve => {
            issue.resolve(now);
            (ActivityKind::SetResolved, data)
        }
        Transition::Archive(substatus) => {
            issue.enter(*substatus);
            (ActivityKind::SetIgnored, data)
        }
        Transition::Escalate => {
            issue.enter(Substatus::Escalating);
            priority = Some((one_step_up(issue.priority), "escalating"));
            (ActivityKind::SetEscalating, Value::Null)
        }
        Transition::Regress => {
            issue.enter(Substatus::Regressed);
            (ActivityKind::SetRegression, data)
        }
        Transition::Continue if issue.substatus == Some(Substatus::Escalating) => {
            issue.enter(Substatus::Ongoing);
            priority = Some((issue.initial_priority, "ongoing"));
            (ActivityKind::AutoSetOngoing, data)
        }
        Transition::Continue => {
            issue.enter(Substatus::Ongoing);
            (ActivityKind::SetUnresolved, data)
        }
    };
    let priority = priority.filter(|(priority, _)| issue.set_priority(*priority));
    ledger.note(id, kind, data);
    if let Some((priority, reason)) = priority {
        let data = json!({ "priority": priority.as_str(), "reason": reason });
        ledger.note(id, ActivityKind::SetPriority, data);
    }
}

fn one_step_up(priority: Priority) -> Priority {
    if priority == Priority::Low { Priority::Medium } else { Priority::High }
}
