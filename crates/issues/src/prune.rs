//! Status changes that the next one makes pointless (`reference/issue-platform.md` §4.4, §14.8).

use std::collections::{HashMap, HashSet};

use nuthatch_protocol::{Message, StatusChange};

use crate::{issue_type::PRUNE_FEATURE, ledger::Ledger, status_change};

/// The numbers of the status changes in a group that need not be handled: the next message about the same
/// fingerprint is another status change, and one that will be handled. Only where the organization wants it.
pub(crate) fn pruned_status_changes(ledger: &Ledger<'_>, group: &[usize]) -> HashSet<usize> {
    let mut pruned = HashSet::new();
    let changes =
        group.iter().filter(|number| matches!(ledger.batch.messages[**number].message, Message::StatusChange(_)));
    if changes.take(2).count() < 2 {
        return pruned;
    }
    let repeated = repetitions(ledger, group);
    // From the last message to the first: what comes next about each hash.
    let mut next: HashMap<_, usize> = HashMap::new();
    for number in group.iter().rev().filter(|number| !repeated.contains(*number)) {
        let message = &ledger.batch.messages[*number].message;
        let project = message.project_id();
        if let Message::StatusChange(change) = message
            && let Some(following) = change.hashes.iter().filter_map(|hash| next.get(&(project, *hash))).min()
            && let Message::StatusChange(following) = &ledger.batch.messages[*following].message
            && replaces(following, change)
            && ledger.batch.snapshot.organization(project).is_some_and(|org| org.features.contains(PRUNE_FEATURE))
        {
            pruned.insert(*number);
        }
        next.extend(message.hashes().iter().map(|hash| ((project, *hash), *number)));
    }
    pruned
}

fn replaces(following: &StatusChange, change: &StatusChange) -> bool {
    following.project_id == change.project_id && following.hashes == change.hashes && status_change::is_legal(following)
}

/// Messages that will be skipped as repetitions: they replace nothing.
fn repetitions(ledger: &Ledger<'_>, group: &[usize]) -> HashSet<usize> {
    let mut seen = HashSet::with_capacity(group.len());
    let is_repetition = |number: &usize| ledger.is_handled(*number) || !seen.insert(ledger.batch.keys[*number]);
    group.iter().copied().filter(is_repetition).collect()
}
