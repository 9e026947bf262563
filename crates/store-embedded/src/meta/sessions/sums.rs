//! Summing up the counts of sessions.

use std::collections::{BTreeMap, BTreeSet};

use nuthatch_protocol::{ProjectId, session::SessionPlace};
use nuthatch_store::sessions::{SessionGroup, SessionQuery, SessionSum, UserTally};
use rusqlite::{Connection, Row, params};

use crate::meta::{column::unsigned, error::Failure};

/// The counts in a table of the places that are summed up (`?1`: pairs of id and number of the group), from hour `?2`
/// until hour `?3`, with the first hour of their interval of `?4` hours (0: the whole time).
const COUNTS: &str = "SELECT number, iif(?4 > 0, hour / max(?4, 1) * ?4, ?2) AS start, counts.*
      FROM (SELECT value->>0 AS id, value->>1 AS number FROM json_each(?1)) place
     CROSS JOIN {table} counts ON place_id = place.id AND hour >= ?2 AND hour < ?3";

pub(super) fn sums(connection: &Connection, query: &SessionQuery) -> Result<Vec<SessionSum>, Failure> {
    let (groups, places) = places(connection, query)?;
    let mut sums: BTreeMap<(usize, i64), SessionSum> = BTreeMap::new();
    let mut add = |table: &str, select: &str, read: fn(&mut SessionSum, &Row<'_>) -> rusqlite::Result<()>| {
        let select = select.replace("{counts}", &COUNTS.replace("{table}", table));
        let mut statement = connection.prepare_cached(&select)?;
        let interval = query.interval_hours.map_or(0, |hours| hours.max(1));
        let mut rows = statement.query(params![places, query.from_hour, query.until_hour, interval])?;
        while let Some(row) = rows.next()? {
            let number = row.get::<_, u32>(0)? as usize;
            read(sums.entry((number, row.get(1)?)).or_default(), row)?;
        }
        Ok::<_, Failure>(())
    };
    add(
        "session_hour",
        "SELECT number, start, sum(sessions), sum(errored), sum(crashed), sum(abnormal), sum(unhandled), sum(anr),
                sum(duration_ms) FROM ({counts}) GROUP BY number, start",
        |sum, row| {
            let health = &mut sum.health;
            (health.sessions, health.errored, health.crashed) = (row.get(2)?, row.get(3)?, row.get(4)?);
            (health.abnormal, health.unhandled, health.anr) = (row.get(5)?, row.get(6)?, row.get(7)?);
            health.durations.sum_ms = row.get(8)?;
            Ok(())
        },
    )?;
    if query.with_durations {
        add(
            "session_duration",
            "SELECT number, start, class, sum(sessions) FROM ({counts}) GROUP BY number, start, class",
            |sum, row| {
                sum.health.durations.add_class(row.get(2)?, row.get(3)?);
                Ok(())
            },
        )?;
    }
    if query.with_users {
        add(
            "session_user",
            "SELECT number, start, count(*), sum(errored), sum(errored AND NOT (crashed OR abnormal OR unhandled)),
                    sum(crashed), sum(abnormal), sum(unhandled), sum(anr)
               FROM (SELECT number, start, max(errored) > 0 AS errored, max(crashed) > 0 AS crashed,
                            max(abnormal) > 0 AS abnormal, max(unhandled) > 0 AS unhandled, max(anr) > 0 AS anr
                       FROM ({counts}) GROUP BY number, start, user_hash)
              GROUP BY number, start",
            |sum, row| {
                sum.users = UserTally {
                    users: unsigned(row, 2)?,
                    errored: unsigned(row, 3)?,
                    only_errored: unsigned(row, 4)?,
                    crashed: unsigned(row, 5)?,
                    abnormal: unsigned(row, 6)?,
                    unhandled: unsigned(row, 7)?,
                    anr: unsigned(row, 8)?,
                };
                Ok(())
            },
        )?;
    }
    Ok(sums
        .into_iter()
        .filter_map(|((number, start_hour), mut sum)| {
            if !query.with_durations {
                sum.health.durations.sum_ms = 0;
            }
            (sum.group, sum.start_hour) = (groups.get(number)?.clone(), start_hour);
            Some(sum)
        })
        .collect())
}

/// The groups in order, and as JSON the ids of the places that the query means, each with the number of its group.
fn places(connection: &Connection, query: &SessionQuery) -> Result<(Vec<SessionGroup>, String), Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, project_id, release, environment FROM session_place
          WHERE project_id IN (SELECT value FROM json_each(?1))",
    )?;
    let projects: Vec<u64> = query.projects.iter().map(|id| id.0).collect();
    let mut rows = statement.query([serde_json::json!(projects).to_string()])?;
    let mut places = Vec::new();
    while let Some(row) = rows.next()? {
        let place =
            SessionPlace { project_id: ProjectId(unsigned(row, 1)?), release: row.get(2)?, environment: row.get(3)? };
        if query.means(&place) {
            places.push((row.get::<_, i64>(0)?, query.group(&place)));
        }
    }
    let groups: BTreeSet<&SessionGroup> = places.iter().map(|(_, group)| group).collect();
    let groups: Vec<SessionGroup> = groups.into_iter().cloned().collect();
    let number = |group| groups.binary_search(group).unwrap_or_default();
    let pairs: Vec<(i64, usize)> = places.iter().map(|(id, group)| (*id, number(group))).collect();
    let pairs = serde_json::json!(pairs).to_string();
    Ok((groups, pairs))
}
