//! A producer changes the status of an issue (`reference/issue-platform.md` §8).

use nuthatch_protocol::{IssueId, StatusChange};
use serde_json::Value;

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

/// Applies a change.
fn apply(ledger: &mut Ledger<'_>, id: IssueId, transition: &Transition, data: Value) {
    let mut life = ledger.life(id);
    match transition {
        Transition::Resolve => life.resolve(ActivityKind::SetResolved, data),
        Transition::Archive(substatus) => {
            // What a person waited for is no condition of the producer's.
            life.issue.snooze = None;
            life.archive(*substatus, data);
        }
        Transition::Escalate => life.escalate(Value::Null),
        Transition::Regress => life.regress(data),
        Transition::Continue => life.unresolve(data),
    }
}

/// Whether a change can have an effect, whatever the issue.
pub(crate) fn is_legal(change: &StatusChange) -> bool {
    transition(change).is_ok()
}
