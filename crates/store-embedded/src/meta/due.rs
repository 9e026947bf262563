//! Issues that a job may be due for.

use std::time::Duration;

use nuthatch_issues::{Job, jobs::ONGOING_AFTER};
use nuthatch_protocol::{IssueId, Timestamp};
use rusqlite::{Connection, params};

use super::{column::unsigned, error::Failure};

/// Young issues; 7 is new, 6 regressed, 2 escalating.
const TO_ONGOING: &str = "
    SELECT id FROM issue
     WHERE substatus IN (2, 6, 7) AND id > ?2 AND CASE substatus WHEN 7 THEN first_seen ELSE state_since END <= ?1
     ORDER BY id LIMIT ?3";

/// Unresolved issues of projects that resolve by age.
const RESOLVE_BY_AGE: &str = "
    SELECT issue.id FROM project JOIN issue ON issue.project_id = project.id
     WHERE resolve_age_hours IS NOT NULL AND status = 0 AND last_seen <= ?1 - resolve_age_hours * 3600000000
       AND issue.id > ?2
     ORDER BY issue.id LIMIT ?3";

/// Archived issues whose time has come.
const END_SNOOZES: &str = "
    SELECT id FROM issue WHERE snoozed_until <= ?1 AND status = 2 AND id > ?2 ORDER BY id LIMIT ?3";

pub(super) fn find(
    connection: &Connection,
    job: Job,
    now: Timestamp,
    after: IssueId,
    limit: i64,
) -> Result<Vec<IssueId>, Failure> {
    let (query, at) = match job {
        // Ages are compared in whole seconds.
        Job::ToOngoing => (TO_ONGOING, Timestamp::from_secs(now.minus(ONGOING_AFTER).secs()).plus(LAST_OF_SECOND)),
        Job::ResolveByAge => (RESOLVE_BY_AGE, now),
        Job::EndSnoozes => (END_SNOOZES, now),
    };
    let mut statement = connection.prepare_cached(query)?;
    let ids = statement.query_map(params![at.0, after.0 as i64, limit], |row| unsigned(row, 0).map(IssueId))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

const LAST_OF_SECOND: Duration = Duration::from_micros(999_999);
