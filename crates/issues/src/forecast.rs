//! How many events an hour an issue may bring that is archived until it escalates (`reference/issue-platform.md` §11.3;
//! the rule and its reasons: `docs/decisions/0004-forecast.md`).

use nuthatch_protocol::Timestamp;

/// So many days before today are looked at.
pub const HISTORY_DAYS: i64 = 14;

/// Whatever the past was like, so many events an hour are no escalation.
pub const FLOOR: u64 = 10;

/// So many times as many events as in the busiest hour are expected.
const FACTOR: u64 = 2;

/// The events an hour above which an issue escalates today: twice as many as in the busiest hour of the 14 days before
/// today (UTC) and of the time until it was archived, and at least [`FLOOR`]. Hours are since the epoch; others than
/// those do not matter, and neither does their order.
pub fn forecast(counts: impl IntoIterator<Item = (i64, u64)>, archived: Timestamp, now: Timestamp) -> u64 {
    let history = first_hour(now)..today(now).max(archived.hours() + 1);
    let counts = counts.into_iter().filter(|(hour, _)| history.contains(hour)).map(|(_, count)| count);
    counts.max().unwrap_or_default().saturating_mul(FACTOR).max(FLOOR)
}

/// The first hour that matters.
pub fn first_hour(now: Timestamp) -> i64 {
    today(now) - HISTORY_DAYS * 24
}

fn today(now: Timestamp) -> i64 {
    now.hours().div_euclid(24) * 24
}
