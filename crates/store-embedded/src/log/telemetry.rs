//! The metrics of the log. Each name says its unit; the comment says what is healthy.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::segment::Found;

/// Records a group commit holds. Near 1 at rest, hundreds under load.
const GROUP_RECORDS: &str = "nuthatch_log_group_records";
/// Seconds a commit takes, which is the disk's sync. A few milliseconds; over 100 ms the disk is the limit.
const COMMIT_SECONDS: &str = "nuthatch_log_commit_seconds";
/// Bytes of values that were appended, in all.
const APPENDED_BYTES: &str = "nuthatch_log_appended_bytes_total";
/// Commits that failed. 0.
const FAILED_COMMITS: &str = "nuthatch_log_failed_commits_total";
/// Damaged records that were met while reading; one that is read twice counts twice. 0.
const DAMAGED_RECORDS: &str = "nuthatch_log_damaged_records_total";

/// 1 while the log has no room for more, and intake answers 429; else 0.
const FULL: &str = "nuthatch_log_full";

/// Whether there is room was measured.
pub(super) fn full(is_full: bool) {
    gauge!(FULL).set(f64::from(u8::from(is_full)));
}

/// A group commit is durable.
pub(super) fn committed(records: usize, bytes: u64, commit: Duration) {
    histogram!(GROUP_RECORDS).record(records as f64);
    histogram!(COMMIT_SECONDS).record(commit.as_secs_f64());
    counter!(APPENDED_BYTES).increment(bytes);
}

/// A group commit failed.
pub(super) fn commit_failed() {
    counter!(FAILED_COMMITS).increment(1);
}

/// A scan met an offset.
pub(super) fn found(found: &Found) {
    if found.row.is_err() {
        counter!(DAMAGED_RECORDS).increment(1);
    }
}
