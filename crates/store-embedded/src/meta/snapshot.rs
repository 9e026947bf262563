//! Reading what a batch needs. Single lookups by key through prepared statements: measured as fast as joining with a
//! list of keys, and simpler.

use nuthatch_issues::{Needs, Snapshot};
use nuthatch_protocol::{EventId, IssueId, Position, ProjectId};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::{
    column::{topic_of_number, unsigned},
    error::{Failure, corrupt},
    issue_row,
};

/// The issue of a hash; null when the row is dead.
pub(super) const OWNER: &str = "SELECT issue_id FROM issue_hash WHERE project_id = ?1 AND hash = ?2";

/// The state `needs` names, as the connection's transaction sees it.
pub(super) fn read(connection: &Connection, needs: &Needs) -> Result<Snapshot, Failure> {
    let mut snapshot = Snapshot::default();

    let mut owner = connection.prepare_cached(OWNER)?;
    for key in &needs.hashes {
        if !snapshot.hashes.contains_key(key) {
            let row = owner.query_row(params![key.0.0 as i64, key.1.0], |row| row.get::<_, Option<i64>>(0));
            if let Some(id) = row.optional()? {
                snapshot.hashes.insert(*key, id.map(|id| IssueId(id as u64)));
            }
        }
    }

    let mut issue = connection.prepare_cached(&format!("{} WHERE issue.id = ?1", issue_row::SELECT))?;
    for id in snapshot.hashes.values().flatten().chain(&needs.issues) {
        if !snapshot.issues.contains_key(id) {
            let mut rows = issue.query([id.0 as i64])?;
            if let Some(row) = rows.next()? {
                snapshot.issues.insert(*id, issue_row::read(row)?);
            }
        }
    }

    let mut find = counted(connection)?;
    for key in &needs.occurrences {
        if let Some(position) = position(&mut find, key.0, key.1)? {
            snapshot.counted.insert(*key, position);
        }
    }

    let mut project = connection.prepare_cached("SELECT last_short_id FROM project WHERE id = ?1")?;
    let named = needs.hashes.iter().map(|(project, _)| *project);
    for id in named.chain(needs.occurrences.iter().map(|(project, _)| *project)) {
        if !snapshot.projects.contains_key(&id)
            && let Some(last) = project.query_row([id.0 as i64], |row| unsigned(row, 0)).optional()?
        {
            snapshot.projects.insert(id, last);
        }
    }

    // SQLite keeps the highest id ever given out here, also when that issue is gone.
    let mut last = connection.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'issue'")?;
    snapshot.last_issue_id = IssueId(last.query_row([], |row| unsigned(row, 0)).optional()?.unwrap_or_default());
    Ok(snapshot)
}

/// For [`position`].
pub(super) fn counted(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection
        .prepare_cached("SELECT topic, partition, \"offset\" FROM counted WHERE project_id = ?1 AND event_id = ?2")
}

/// Where an occurrence was counted, if it was counted from the log.
pub(super) fn position(
    find: &mut CachedStatement<'_>,
    project: ProjectId,
    event: EventId,
) -> Result<Option<Position>, Failure> {
    let mut rows = find.query(params![project.0 as i64, event.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let Some(number) = row.get::<_, Option<i64>>(0)? else { return Ok(None) };
    let topic = topic_of_number(number).ok_or_else(|| corrupt(&format!("an occurrence of topic {number}")))?;
    Ok(Some(Position { topic, partition: row.get(1)?, offset: unsigned(row, 2)? }))
}
