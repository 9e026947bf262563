//! The worker's metrics.

use std::time::Duration;

use metrics::{counter, histogram};

/// Records applied to the issues. Grows as fast as intake accepts.
pub(crate) fn processed(records: usize, duration: Duration) {
    counter!("nuthatch_worker_records_total").increment(records as u64);
    histogram!("nuthatch_worker_batch_seconds").record(duration.as_secs_f64());
}

/// Records that went to the dead-letter list. Zero on a healthy server.
pub(crate) fn dead_letter(reason: &str) {
    counter!("nuthatch_worker_dead_letters_total", "reason" => reason.to_owned()).increment(1);
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

/// Occurrences that were counted before: an SDK sent them twice. Small.
pub(crate) fn duplicates(count: usize) {
    counter!("nuthatch_worker_duplicates_total").increment(count as u64);
}

/// Calls repeated because a store was unavailable. Zero on a healthy server.
pub(crate) fn retried(store: &'static str) {
    counter!("nuthatch_worker_retries_total", "store" => store).increment(1);
}

/// Commits of the event store.
pub(crate) fn committed(duration: Duration) {
    histogram!("nuthatch_worker_commit_seconds").record(duration.as_secs_f64());
}
