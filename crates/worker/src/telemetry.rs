//! The worker's metrics.

use std::time::Duration;

use metrics::{counter, histogram};
use nuthatch_issues::Counters;
use nuthatch_protocol::{Outcome, Outcomes};

use crate::prepare::Filtered;

/// Records applied to the issues. Grows as fast as intake accepts.
pub(crate) fn processed(records: usize, duration: Duration) {
    counter!("nuthatch_worker_records_total").increment(records as u64);
    histogram!("nuthatch_worker_batch_seconds").record(duration.as_secs_f64());
}

/// Events that are dropped by the filters of their projects, each counted once. All custom filters are one reason here:
/// their names are people's.
pub(crate) fn filtered<'a>(events: impl Iterator<Item = &'a Filtered>) {
    for Filtered { reason, .. } in events {
        filtered_for(reason.as_str(), 1);
    }
}

/// The same of units whose outcomes are known.
pub(crate) fn filtered_units(outcomes: &Outcomes) {
    for (key, quantity) in outcomes.iter().filter(|(key, _)| key.outcome == Outcome::Filtered) {
        filtered_for(&key.reason, quantity);
    }
}

fn filtered_for(reason: &str, quantity: u64) {
    let reason = reason.split(':').next().unwrap_or_default().to_owned();
    let labels = [("outcome", "filtered".to_owned()), ("reason", reason)];
    counter!("nuthatch_worker_outcomes_total", &labels).increment(quantity);
}

/// Records that went to the dead-letter list. Zero on a healthy server.
pub(crate) fn dead_letter(reason: &str) {
    counter!("nuthatch_worker_dead_letters_total", "reason" => reason.to_owned()).increment(1);
}

/// What the issue platform decided (`reference/issue-platform.md` §13): `result` is `created`, `updated`, `sample` (kept for
/// several), `thinned` (counted and not kept), `regressed`, `status_changed`, `duplicate` or `pruned`; what was dropped or
/// refused has its reason. They add up to the records.
pub(crate) fn decided(counters: &Counters) {
    let results = [
        ("created", counters.created),
        ("updated", counters.updated),
        ("sample", counters.samples),
        ("thinned", counters.thinned),
        ("regressed", counters.regressed),
        ("status_changed", counters.status_changed),
        ("duplicate", counters.duplicates),
        ("pruned", counters.pruned),
    ];
    for (result, count) in results.into_iter().filter(|(_, count)| *count > 0) {
        counter!("nuthatch_issues_messages_total", "result" => result).increment(count);
    }
    for (reason, count) in &counters.dropped {
        counter!("nuthatch_issues_dropped_total", "reason" => *reason).increment(*count);
    }
    for (reason, count) in &counters.refused {
        counter!("nuthatch_issues_refused_total", "reason" => *reason).increment(*count);
    }
}

/// Issues that a job changed.
pub(crate) fn job_done(job: &'static str, issues: usize) {
    counter!("nuthatch_issues_job_changes_total", "job" => job).increment(issues as u64);
}

/// Letters that were given to their topics again, because somebody asked for it.
pub(crate) fn letters_replayed(count: u64) {
    counter!("nuthatch_dead_letters_replayed_total").increment(count);
}

/// Letters that were removed unseen, because the list is full. Zero on a healthy server.
pub(crate) fn letters_dropped(count: u64) {
    counter!("nuthatch_dead_letters_dropped_total").increment(count);
}

/// Letters that nobody replayed or discarded before they were as old as events may become.
pub(crate) fn letters_expired(count: u64) {
    counter!("nuthatch_dead_letters_expired_total").increment(count);
}

/// Calls repeated because a store was unavailable. Zero on a healthy server.
pub(crate) fn retried(store: &'static str) {
    counter!("nuthatch_worker_retries_total", "store" => store).increment(1);
}

/// Commits of the event store.
pub(crate) fn committed(duration: Duration) {
    histogram!("nuthatch_worker_commit_seconds").record(duration.as_secs_f64());
}
