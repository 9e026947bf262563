//! Applying what the core decided.

use std::collections::HashMap;

use nuthatch_issues::{
    Changes, Issue, Snapshot,
    changes::{Handled, Sightings},
};
use nuthatch_protocol::{IssueId, ProjectId};
use nuthatch_store::issues::ConsumerPosition;
use rusqlite::{Connection, params};

use super::{
    column::{IS_COUNTED, JsonText, topic_number},
    dead_letters,
    error::{Failure, constraint},
    issue_row::IssueWriter,
    outcomes, project_facts, releases,
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
        .prepare_cached("INSERT INTO activity (issue_id, kind, data, cause, at) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for activity in &changes.activities {
        let (data, cause) = (activity.data.to_string(), JsonText(&activity.cause));
        happen
            .execute(params![activity.issue_id.0 as i64, activity.kind.number(), data, cause, activity.at.0])
            .map_err(constraint("the activity", NO_ISSUE))?;
    }

    write_lives(connection, changes)?;
    write_rules(connection, changes)?;

    write_handled(connection, changes)?;
    dead_letters::keep(connection, &changes.letters)?;
    project_facts::note(connection, &changes.facts)
}

/// What was handled. Nearly all of it for the first time: writing over a row makes SQLite ready to take the statement
/// back, which costs a fifth of the whole transaction, so only the few that are there are written so.
fn write_handled(connection: &Connection, changes: &Changes) -> Result<(), Failure> {
    const COLUMNS: &str = "INTO handled (project_id, id, of_event, fate, at, topic, partition, \"offset\")
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut first = connection.prepare_cached(&format!("INSERT {COLUMNS} ON CONFLICT DO NOTHING"))?;
    let mut again = connection.prepare_cached(&format!("INSERT OR REPLACE {COLUMNS}"))?;
    let mut former = connection.prepare_cached(&format!(
        "SELECT {IS_COUNTED} FROM handled WHERE project_id = ?1 AND id = ?2 AND of_event = ?3"
    ))?;
    for Handled { key, position, fate, at } in &changes.handled {
        let topic = position.map(|position| topic_number(position.topic));
        let partition = position.map(|position| position.partition);
        let offset = position.map(|position| position.offset as i64);
        let project = key.project_id.0 as i64;
        let values = params![project, key.id.0, key.of_event, fate.number(), at.0, topic, partition, offset];
        if first.execute(values)? == 0 {
            let was_counted = former.query_row(params![project, key.id.0, key.of_event], |row| row.get(0))?;
            if was_counted {
                outcomes::forget(connection, project, key.of_event, 1)?;
            }
            again.execute(values)?;
        }
    }
    Ok(())
}

/// History and open periods.
fn write_lives(connection: &Connection, changes: &Changes) -> Result<(), Failure> {
    let mut enter = connection.prepare_cached(
        "INSERT INTO issue_history (issue_id, state, release, user_id, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for entry in &changes.history {
        let user = entry.user_id.map(|user| user.0 as i64);
        enter
            .execute(params![entry.issue_id.0 as i64, entry.state.number(), entry.release, user, entry.at.0])
            .map_err(constraint("the history", NO_ISSUE))?;
    }
    let mut open = connection.prepare_cached(
        "INSERT INTO open_period (issue_id, number, period) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET period = excluded.period",
    )?;
    for (issue, period) in &changes.periods {
        open.execute(params![issue.0 as i64, period.number, JsonText(period)])
            .map_err(constraint("the open period", NO_ISSUE))?;
    }
    let mut happen = connection.prepare_cached(
        "INSERT INTO open_period_entry (issue_id, period, kind, priority, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for entry in &changes.period_entries {
        let issue = entry.issue_id.0 as i64;
        happen
            .execute(params![issue, entry.period, entry.kind.as_str(), entry.priority.number(), entry.at.0])
            .map_err(constraint("the open period", NO_ISSUE))?;
    }
    Ok(())
}

/// What the rules of the platform remember: sightings, what was used of quotas, releases.
fn write_rules(connection: &Connection, changes: &Changes) -> Result<(), Failure> {
    let mut see = connection.prepare_cached("INSERT OR REPLACE INTO sighting VALUES (?1, ?2, ?3, ?4)")?;
    let mut forget = connection.prepare_cached("DELETE FROM sighting WHERE project_id = ?1 AND hash = ?2")?;
    for (project, hash, sightings) in &changes.sightings {
        let project = project.0 as i64;
        match sightings {
            Some(Sightings { count, expires }) => see.execute(params![project, hash.0, *count as i64, expires.0])?,
            None => forget.execute(params![project, hash.0])?,
        };
    }
    let mut occur = connection.prepare_cached(
        "INSERT INTO occurrence_usage VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (project, hash, usage) in &changes.occurrences {
        occur.execute(params![project.0 as i64, hash.0, usage.start_secs, usage.count as i64])?;
    }
    let mut create = connection.prepare_cached(
        "INSERT INTO creation_usage VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (project, id, usage) in &changes.quotas {
        create.execute(params![project.0 as i64, id.0, usage.start_secs, usage.count as i64])?;
    }
    for (project, version, since) in &changes.releases {
        releases::know(connection, *project, version, *since)?;
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
