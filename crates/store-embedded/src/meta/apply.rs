//! Applying what the core decided.

use std::collections::HashMap;

use nuthatch_issues::{Changes, Issue, Snapshot};
use nuthatch_protocol::{IssueId, ProjectId};
use nuthatch_store::issues::ConsumerPosition;
use rusqlite::{Connection, params};

use super::{
    column::topic_number,
    error::{Failure, constraint},
    issue_row::IssueWriter,
};

const NO_ISSUE: &str = "the issue";

/// Writes `changes`, decided on `snapshot`.
pub(super) fn apply(connection: &Connection, snapshot: &Snapshot, changes: &Changes) -> Result<(), Failure> {
    write_issues(connection, snapshot, changes)?;

    let mut own = connection.prepare_cached(
        "INSERT INTO issue_hash (project_id, hash, issue_id, number)
         VALUES (?1, ?2, ?3, (SELECT coalesce(max(number) + 1, 0) FROM issue_hash WHERE issue_id = ?3))
         ON CONFLICT DO UPDATE SET issue_id = excluded.issue_id, number = excluded.number",
    )?;
    for (project, hash, issue) in &changes.hashes {
        own.execute(params![project.0 as i64, hash.0, issue.0 as i64]).map_err(constraint("the hash", NO_ISSUE))?;
    }

    let mut count = connection.prepare_cached(
        "INSERT INTO issue_hour (hour, issue_id, count) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for hourly in &changes.counts {
        count
            .execute(params![hourly.hour, hourly.issue_id.0 as i64, hourly.count as i64])
            .map_err(constraint("the hour", NO_ISSUE))?;
    }

    let mut happen = connection
        .prepare_cached("INSERT INTO activity (issue_id, kind, data, user_id, at) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for activity in &changes.activities {
        let user = activity.user_id.map(|user| user.0 as i64);
        let data = activity.data.to_string();
        happen
            .execute(params![activity.issue_id.0 as i64, activity.kind.number(), data, user, activity.at.0])
            .map_err(constraint("the activity", NO_ISSUE))?;
    }

    let mut remember = connection.prepare_cached(
        "INSERT INTO counted (project_id, event_id, hour, topic, partition, \"offset\")
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    for (project, event, position, at) in &changes.counted {
        let topic = position.map(|position| topic_number(position.topic));
        let partition = position.map(|position| position.partition);
        let offset = position.map(|position| position.offset as i64);
        remember.execute(params![project.0 as i64, event.0, at.hours(), topic, partition, offset])?;
    }
    Ok(())
}

/// Created and updated issues and their users: one row write for each issue, however many users are new.
fn write_issues(connection: &Connection, snapshot: &Snapshot, changes: &Changes) -> Result<(), Failure> {
    let mut issues = IssueWriter::new(connection)?;
    let mut last_short_ids: HashMap<ProjectId, u64> = HashMap::new();
    for issue in &changes.created {
        issues.insert(issue, 0)?;
        let last = last_short_ids.entry(issue.project_id).or_default();
        *last = issue.short_id.max(*last);
    }
    let mut given_out =
        connection.prepare_cached("UPDATE project SET last_short_id = max(last_short_id, ?2) WHERE id = ?1")?;
    for (project, last) in last_short_ids {
        given_out.execute(params![project.0 as i64, last as i64])?;
    }

    let mut new_users: HashMap<IssueId, i64> = HashMap::new();
    let mut see = connection
        .prepare_cached("INSERT INTO issue_user (issue_id, user_hash) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for (issue, user) in &changes.users {
        let new = see.execute(params![issue.0 as i64, *user as i64]).map_err(constraint("the user", NO_ISSUE))?;
        if new > 0 {
            *new_users.entry(*issue).or_default() += 1;
        }
    }
    let mut written: HashMap<IssueId, &Issue> = HashMap::new();
    for issue in &changes.updated {
        let was = written.insert(issue.id, issue).or_else(|| snapshot.issues.get(&issue.id));
        issues.update(issue, was, new_users.remove(&issue.id).unwrap_or_default())?;
    }
    let mut raise = connection.prepare_cached("UPDATE issue SET user_count = user_count + ?2 WHERE id = ?1")?;
    for (issue, new) in new_users {
        raise.execute(params![issue.0 as i64, new])?;
    }
    Ok(())
}

/// Moves a consumer.
pub(super) fn move_to(connection: &Connection, to: &ConsumerPosition) -> Result<(), Failure> {
    let ConsumerPosition { consumer, position } = to;
    connection.prepare_cached("INSERT OR REPLACE INTO position VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        consumer,
        position.topic.as_str(),
        position.partition,
        position.offset as i64
    ])?;
    Ok(())
}
