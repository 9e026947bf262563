//! Messages that belong together, one after the other.

use nuthatch_protocol::Message;

use crate::{
    MessageResult, RefuseReason,
    ledger::{Ledger, message_id},
    occurrence::process_occurrence_message,
    status_change::process_status_change_message,
};

/// Handles the messages of a group (their numbers in the batch) in order of arrival.
pub(crate) fn process_occurrence_group(ledger: &mut Ledger<'_>, group: &[usize]) {
    let messages = ledger.messages;
    for number in group {
        ledger.arrival = *number;
        let result = process_message(ledger, &messages[*number].message);
        ledger.results.push((*number, result));
    }
}

/// Handles a message that was not handled before. Only a refused one may come again.
fn process_message(ledger: &mut Ledger<'_>, message: &Message) -> MessageResult {
    let project = message.project_id();
    if !ledger.snapshot.projects.contains_key(&project) {
        return MessageResult::Refused(RefuseReason::UnknownProject);
    }
    if message.hashes().is_empty() {
        return MessageResult::Refused(RefuseReason::NoHashes);
    }
    let key = (project, message_id(message));
    if ledger.is_handled(key) {
        return MessageResult::Duplicate;
    }
    let result = match message {
        Message::Occurrence(occurrence) => process_occurrence_message(ledger, occurrence),
        Message::StatusChange(change) => process_status_change_message(ledger, change),
    };
    if !matches!(result, MessageResult::Refused(_)) {
        ledger.set_handled(key);
    }
    result
}
