//! Messages that belong together, one after the other.

use nuthatch_protocol::Message;

use crate::{
    DropReason, MessageResult, RefuseReason, ledger::Ledger, occurrence::process_occurrence_message,
    prune::pruned_status_changes, status_change::process_status_change_message,
};

/// Handles the messages of a group (their numbers in the batch) in order of arrival.
pub(crate) fn process_occurrence_group(ledger: &mut Ledger<'_>, group: &[usize]) {
    let pruned = pruned_status_changes(ledger, group);
    let messages = ledger.batch.messages;
    for number in group {
        ledger.arrival = *number;
        let result = if pruned.contains(number) {
            MessageResult::Pruned
        } else {
            process_message(ledger, &messages[*number].message)
        };
        ledger.finish(result);
    }
}

/// Handles a message that was not handled before. Only a refused one may come again.
fn process_message<'a>(ledger: &mut Ledger<'a>, message: &'a Message) -> MessageResult {
    if ledger.is_handled(ledger.arrival) {
        return MessageResult::Duplicate;
    }
    if let Message::Unknown(_) = message {
        return MessageResult::Dropped(DropReason::UnknownPayloadType);
    }
    if !ledger.batch.snapshot.projects.contains_key(&message.project_id()) {
        return MessageResult::Refused(RefuseReason::UnknownProject);
    }
    if message.hashes().is_empty() {
        return MessageResult::Refused(RefuseReason::NoHashes);
    }
    match message {
        Message::Occurrence(occurrence) => process_occurrence_message(ledger, occurrence),
        Message::StatusChange(change) => process_status_change_message(ledger, change),
        Message::Unknown(_) => MessageResult::Dropped(DropReason::UnknownPayloadType),
    }
}
