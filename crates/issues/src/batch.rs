//! A batch of messages becomes changes.

use std::collections::HashMap;

use nuthatch_protocol::{IssueId, Message, Position, Timestamp};
use rayon::prelude::*;

use crate::{
    Changes, Counters, HourlyCount, Issue, MessageResult, Needs, Outcome, Snapshot,
    component::Components,
    group::process_occurrence_group,
    ledger::{Ledger, creator, message_id},
};

/// From so many messages on, groups run in parallel: below, handing them to other threads costs more than it gains.
const PARALLEL_MIN: usize = 64;

/// A message and where it lies in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The message.
    pub message: Message,
    /// The record that brought it; none when it came from elsewhere than the log.
    pub position: Option<Position>,
}

/// The state that [`process_occurrence_batch`] will look at.
pub fn needs(messages: &[Routed]) -> Needs {
    let mut needs = Needs {
        hashes: Vec::with_capacity(messages.len() * 2),
        issues: Vec::new(),
        occurrences: Vec::with_capacity(messages.len()),
    };
    for Routed { message, .. } in messages {
        let project = message.project_id();
        needs.hashes.extend(message.hashes().iter().map(|hash| (project, *hash)));
        needs.occurrences.push((project, message_id(message)));
    }
    needs
}

/// Decides what a batch changes. Messages that share a hash, an issue or an id are handled one after the other in
/// order of arrival; others in parallel. The outcome is the same as if all were handled one by one: ids of new
/// issues and all lists follow the order of arrival, however the threads ran.
///
/// A message never keeps another from being handled (`reference/issue-platform.md` §14.1, §14.2).
pub fn process_occurrence_batch(messages: &[Routed], snapshot: &Snapshot, now: Timestamp) -> Outcome {
    let components = Components::of(messages, snapshot);
    let groups = components.groups();
    let threads = if messages.len() < PARALLEL_MIN { 1 } else { rayon::current_num_threads() };
    let share = groups.len().div_ceil(threads).max(1);
    let work = |groups: &[&[usize]]| {
        let count = groups.iter().map(|group| group.len()).sum();
        let mut ledger = Ledger::new(messages, snapshot, now, count);
        for group in groups {
            process_occurrence_group(&mut ledger, group);
        }
        ledger
    };
    let ledgers: Vec<Ledger<'_>> =
        if groups.len() <= share { vec![work(&groups)] } else { groups.par_chunks(share).map(work).collect() };
    close(ledgers, messages, snapshot, now)
}

/// Puts the ledgers together.
fn close(mut ledgers: Vec<Ledger<'_>>, messages: &[Routed], snapshot: &Snapshot, now: Timestamp) -> Outcome {
    let mut changes = Changes::default();
    let issues = ledgers.iter_mut().flat_map(|ledger| ledger.issues.drain());
    let (mut created, mut updated): (Vec<Issue>, Vec<Issue>) =
        issues.map(|(_, issue)| issue).partition(|issue| creator(issue.id).is_some());
    // The ids of new issues carry the number of the creating message, so this is the order of arrival.
    created.sort_unstable_by_key(|issue| issue.id);
    updated.sort_unstable_by_key(|issue| issue.id);
    let ids = number(&mut created, snapshot);
    let id = |id: IssueId| creator(id).map_or(id, |message| ids[&message]);
    changes.created = created;
    changes.updated = updated;

    let mut owners: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.owners).collect();
    owners.sort_unstable_by_key(|((project, hash), (_, arrival))| {
        (*arrival, *project, messages[*arrival].message.hashes().iter().position(|h| h == hash))
    });
    changes.hashes = owners.into_iter().map(|((project, hash), (owner, _))| (*project, *hash, id(*owner))).collect();

    let counts = ledgers.iter().flat_map(|ledger| &ledger.counts);
    changes.counts =
        counts.map(|((owner, hour), count)| HourlyCount { issue_id: id(*owner), hour: *hour, count: *count }).collect();
    changes.counts.sort_unstable_by_key(|count| (count.issue_id, count.hour));

    changes.users = ledgers.iter().flat_map(|ledger| &ledger.users).map(|(owner, user)| (id(*owner), *user)).collect();
    changes.users.sort_unstable();

    let mut activities: Vec<_> = ledgers.iter_mut().flat_map(|ledger| ledger.activities.drain(..)).collect();
    activities.sort_by_key(|(arrival, _)| *arrival);
    changes.activities = activities.into_iter().map(|(_, activity)| activity).collect();
    for activity in &mut changes.activities {
        activity.issue_id = id(activity.issue_id);
    }

    let mut handled: Vec<usize> = ledgers.iter().flat_map(|ledger| &ledger.handled_numbers).copied().collect();
    handled.sort_unstable();
    let counted = handled.into_iter().map(|number| {
        let Routed { message, position } = &messages[number];
        (message.project_id(), message_id(message), *position, now)
    });
    changes.counted = counted.collect();

    let mut results: Vec<_> = ledgers.into_iter().flat_map(|ledger| ledger.results).collect();
    results.sort_unstable_by_key(|(arrival, _)| *arrival);
    let results: Vec<MessageResult> = results.into_iter().map(|(_, result)| result.with_id(id)).collect();
    Outcome { changes, counters: Counters::of(&results), results }
}

/// Gives new issues their ids and short ids, in order. Returns the ids by creating message.
fn number(created: &mut [Issue], snapshot: &Snapshot) -> HashMap<usize, IssueId> {
    let mut last_id = snapshot.last_issue_id;
    let mut last_short_ids = HashMap::new();
    let mut ids = HashMap::with_capacity(created.len());
    for issue in created {
        last_id.0 += 1;
        let known = snapshot.projects.get(&issue.project_id).copied().unwrap_or_default();
        let last_short_id = last_short_ids.entry(issue.project_id).or_insert(known);
        *last_short_id += 1;
        if let Some(message) = creator(issue.id) {
            ids.insert(message, last_id);
        }
        issue.id = last_id;
        issue.short_id = *last_short_id;
    }
    ids
}
