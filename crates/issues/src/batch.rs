//! A batch of messages becomes changes.

use std::collections::{BTreeMap, HashMap, HashSet};

use nuthatch_protocol::{EventPath, IssueId, Message, Position, ProjectId, Timestamp, TypeId};
use rayon::prelude::*;

use crate::{
    Changes, Counters, HourlyCount, Issue, MessageKey, MessageResult, Needs, Options, Outcome, Snapshot,
    changes::Handled,
    component::Components,
    group::process_occurrence_group,
    ledger::{Batch, Ledger, creator, message_key},
    quota::Usage,
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
pub fn needs(messages: &[Routed], now: Timestamp) -> Needs {
    let mut needs = Needs { forecast_at: Some(now), ..Needs::default() };
    for Routed { message, .. } in messages {
        needs.add(message, message_key(message));
    }
    needs
}

/// Decides what a batch changes. Messages that share a hash, an issue or an id are handled one after the other in
/// order of arrival; others in parallel. The outcome is the same as if all were handled one by one: ids of new
/// issues and all lists follow the order of arrival, however the threads ran.
///
/// A message never keeps another from being handled (`reference/issue-platform.md` §14.1, §14.2).
pub fn process_occurrence_batch(
    messages: &[Routed],
    snapshot: &Snapshot,
    options: &Options,
    now: Timestamp,
) -> Outcome {
    let keys: Vec<MessageKey> = messages.iter().map(|routed| message_key(&routed.message)).collect();
    let batch = Batch { messages, keys: &keys, snapshot, options, now };
    let components = Components::of(batch, &scarce_quotas(batch));
    let groups = components.groups();
    let threads = if messages.len() < PARALLEL_MIN { 1 } else { rayon::current_num_threads() };
    let share = groups.len().div_ceil(threads).max(1);
    let work = |groups: &[&[usize]]| {
        let count = groups.iter().map(|group| group.len()).sum();
        let mut ledger = Ledger::new(batch, count);
        for group in groups {
            process_occurrence_group(&mut ledger, group);
        }
        ledger
    };
    let ledgers: Vec<Ledger<'_>> =
        if groups.len() <= share { vec![work(&groups)] } else { groups.par_chunks(share).map(work).collect() };
    close(ledgers, batch)
}

/// Types of which a batch could create more issues than a project may get: the first ones get them then.
fn scarce_quotas(batch: Batch<'_>) -> HashSet<(ProjectId, TypeId)> {
    let mut candidates: HashMap<(ProjectId, TypeId), u64> = HashMap::new();
    for Routed { message, .. } in batch.messages {
        if let Message::Occurrence(occurrence) = message
            && occurrence.path != EventPath::Error
        {
            let is_owned = |hash| matches!(batch.snapshot.hashes.get(&(occurrence.project_id, hash)), Some(Some(_)));
            if !occurrence.hashes.iter().any(|hash| is_owned(*hash)) {
                *candidates.entry((occurrence.project_id, occurrence.type_id)).or_default() += 1;
            }
        }
    }
    candidates.retain(|(project, id), count| {
        let quota = batch.issue_type(*project, *id).and_then(|issue_type| issue_type.creation_quota);
        let used = batch.snapshot.created.get(&(*project, *id)).map_or(&[] as &[Usage], Vec::as_slice);
        quota.is_some_and(|quota| quota.left(used, batch.now) < *count)
    });
    candidates.into_keys().collect()
}

/// Puts the ledgers together.
fn close(mut ledgers: Vec<Ledger<'_>>, batch: Batch<'_>) -> Outcome {
    let Batch { messages, keys, snapshot, options, now, .. } = batch;
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
    let counts = counts.flat_map(|(owner, hours)| hours.iter().map(|(hour, count)| (*owner, *hour, *count)));
    changes.counts = counts.map(|(owner, hour, count)| HourlyCount { issue_id: id(owner), hour, count }).collect();
    changes.counts.sort_unstable_by_key(|count| (count.issue_id, count.hour));

    changes.users = ledgers.iter().flat_map(|ledger| &ledger.users).map(|(owner, user)| (id(*owner), *user)).collect();
    changes.users.sort_unstable();

    let mut chronicles: Vec<_> = ledgers.iter_mut().flat_map(|ledger| ledger.chronicles.drain(..)).collect();
    chronicles.sort_by_key(|(arrival, _)| *arrival);
    for (_, chronicle) in chronicles {
        changes.chronicle(chronicle);
    }
    changes.activities.iter_mut().for_each(|activity| activity.issue_id = id(activity.issue_id));
    changes.history.iter_mut().for_each(|entry| entry.issue_id = id(entry.issue_id));
    changes.periods.iter_mut().for_each(|(issue_id, _)| *issue_id = id(*issue_id));
    changes.period_entries.iter_mut().for_each(|entry| entry.issue_id = id(entry.issue_id));

    let sightings = ledgers.iter().flat_map(|ledger| &ledger.sightings);
    changes.sightings = sightings.map(|((project, hash), kept)| (*project, *hash, *kept)).collect();
    changes.sightings.sort_unstable_by_key(|(project, hash, _)| (*project, *hash));
    if let Some(quota) = &options.occurrence_rate_limit {
        let taken = ledgers.iter().flat_map(|ledger| &ledger.occurrences).filter(|(_, count)| **count > 0);
        let usage = |count: u64| Usage { start_secs: quota.granule(now), count };
        changes.occurrences = taken.map(|((project, hash), count)| (*project, *hash, usage(*count))).collect();
        changes.occurrences.sort_unstable_by_key(|(project, hash, _)| (*project, *hash));
    }
    changes.quotas = quotas(&ledgers, batch);
    let mut handled: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.handled_numbers).copied().collect();
    handled.sort_unstable_by_key(|(number, _)| *number);
    let mut releases: Vec<_> = ledgers.iter_mut().flat_map(|ledger| ledger.releases.drain()).collect();
    releases.sort_unstable_by_key(|(_, (_, arrival))| *arrival);
    let release = |((project, version), (at, _)): ((ProjectId, &str), _)| (project, version.to_owned(), at);
    changes.releases = releases.into_iter().map(release).collect();
    let handled = handled.into_iter().map(|(number, fate)| Handled {
        key: keys[number],
        position: messages[number].position,
        fate,
        at: now,
    });
    changes.handled = handled.collect();

    let mut results: Vec<_> = ledgers.into_iter().flat_map(|ledger| ledger.results).collect();
    results.sort_unstable_by_key(|(arrival, _)| *arrival);
    let results: Vec<MessageResult> = results.into_iter().map(|(_, result)| result.with_id(id)).collect();
    Outcome { changes, counters: Counters::of(&results), results }
}

/// What was used of the quotas for new issues.
fn quotas(ledgers: &[Ledger<'_>], batch: Batch<'_>) -> Vec<(ProjectId, TypeId, Usage)> {
    let mut created: BTreeMap<(ProjectId, TypeId), u64> = BTreeMap::new();
    for (key, count) in ledgers.iter().flat_map(|ledger| &ledger.created) {
        *created.entry(*key).or_default() += count;
    }
    let usage = |((project, id), count): ((ProjectId, TypeId), u64)| {
        let quota = batch.issue_type(project, id)?.creation_quota?;
        Some((project, id, Usage { start_secs: quota.granule(batch.now), count }))
    };
    created.into_iter().filter_map(usage).collect()
}

/// Gives new issues their ids and short ids, in order. Returns the ids by creating message.
fn number(created: &mut [Issue], snapshot: &Snapshot) -> HashMap<usize, IssueId> {
    let mut last_id = snapshot.last_issue_id;
    let mut last_short_ids = HashMap::new();
    let mut ids = HashMap::with_capacity(created.len());
    for issue in created {
        last_id.0 += 1;
        let known = snapshot.projects.get(&issue.project_id).map(|project| project.last_short_id);
        let last_short_id = last_short_ids.entry(issue.project_id).or_insert(known.unwrap_or_default());
        *last_short_id += 1;
        if let Some(message) = creator(issue.id) {
            ids.insert(message, last_id);
        }
        issue.id = last_id;
        issue.short_id = *last_short_id;
    }
    ids
}
