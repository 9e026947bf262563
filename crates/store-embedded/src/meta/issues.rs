//! Issues, their counters, the positions of consumers.

use async_trait::async_trait;
use nuthatch_issues::{
    Activity, ActivityKind, Cause, Changes, Issue, Job, MessageKey, Needs,
    changes::{EventFate, Handled},
    history::{HistoryEntry, HistoryState},
    open_period::OpenPeriod,
};
use nuthatch_protocol::{EventId, Hash, IssueId, Position, ProjectId, Timestamp, UserId};
use nuthatch_store::{
    IssueStore, StoreError,
    issues::{ConsumerPosition, Decide, HASHES_MAX, IssuePage, IssueQuery, PERIODS_MAX},
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::{
    EmbeddedMeta, apply,
    column::{IS_COUNTED, IS_STORED, json, topic_of_number, unsigned},
    due,
    error::{Failure, corrupt},
    issue_row, listing, outcomes, snapshot,
};

/// Rows of `handled` one step of [`IssueStore::expire`] looks at, so that other writes wait a few milliseconds only.
const EXPIRE_ROWS: i64 = 20_000;

/// Existing hours from `?1` on, each with the counters of the issues in the JSON list `?2`. The hours are found by
/// jumping from one to the next.
const HOURLY_COUNTS: &str = "
    WITH RECURSIVE hours (hour) AS (
        SELECT min(hour) FROM issue_hour WHERE hour >= ?1
        UNION ALL
        SELECT (SELECT min(hour) FROM issue_hour WHERE issue_hour.hour > hours.hour) FROM hours
         WHERE hours.hour IS NOT NULL
    )
    SELECT issue_hour.issue_id, issue_hour.hour, issue_hour.count
      FROM hours CROSS JOIN (SELECT DISTINCT value FROM json_each(?2)) ids
      CROSS JOIN issue_hour ON issue_hour.hour = hours.hour AND issue_hour.issue_id = ids.value
     ORDER BY 1, 2";

fn one_issue(connection: &Connection, condition: &str, values: impl Params) -> Result<Option<Issue>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{} WHERE {condition}", issue_row::SELECT))?;
    let mut rows = statement.query(values)?;
    rows.next()?.map(issue_row::read).transpose()
}

/// Deletes expired rows among the next [`EXPIRE_ROWS`] behind a key; the key to go on behind.
fn expire_handled(
    connection: &Connection,
    behind: (i64, [u8; 16]),
    before: Timestamp,
) -> Result<Option<(i64, [u8; 16])>, Failure> {
    let mut last = connection.prepare_cached(
        "SELECT project_id, id FROM handled WHERE (project_id, id) > (?1, ?2) ORDER BY project_id, id LIMIT 1 OFFSET ?3",
    )?;
    let last = last.query_row(params![behind.0, behind.1, EXPIRE_ROWS], |row| Ok((row.get(0)?, row.get(1)?)));
    let last: Option<(i64, [u8; 16])> = last.optional()?;
    let (project, id) = last.unwrap_or((i64::MAX, [0xff; 16]));
    let mut counted = connection.prepare_cached(&format!(
        "SELECT project_id, of_event, count(*) FROM handled
          WHERE (project_id, id) > (?1, ?2) AND (project_id, id) <= (?3, ?4) AND at < ?5 AND {IS_COUNTED} GROUP BY 1, 2"
    ))?;
    let mut rows = counted.query(params![behind.0, behind.1, project, id, before.0])?;
    while let Some(row) = rows.next()? {
        outcomes::forget(connection, row.get(0)?, row.get(1)?, row.get(2)?)?;
    }
    connection
        .prepare_cached(
            "DELETE FROM handled
              WHERE (project_id, id) > (?1, ?2) AND (project_id, id) <= (?3, ?4) AND at < ?5",
        )?
        .execute(params![behind.0, behind.1, project, id, before.0])?;
    Ok(last)
}

fn handled(key: MessageKey, row: &Row<'_>) -> Result<Handled, Failure> {
    let topic: Option<i64> = row.get(0)?;
    let position = match topic {
        Some(number) => {
            let topic = topic_of_number(number).ok_or_else(|| corrupt(&format!("a message of topic {number}")))?;
            Some(Position { topic, partition: row.get(1)?, offset: unsigned(row, 2)? })
        }
        None => None,
    };
    let number: u8 = row.get(3)?;
    let fate = EventFate::ALL.into_iter().find(|fate| fate.number() == number);
    let fate = fate.ok_or_else(|| corrupt(&format!("an event has fate {number}")))?;
    Ok(Handled { key, position, fate, at: Timestamp(row.get(4)?) })
}

#[async_trait]
impl IssueStore for EmbeddedMeta {
    async fn transact(
        &self,
        needs: Needs,
        position: Option<ConsumerPosition>,
        decide: Decide,
    ) -> Result<Changes, StoreError> {
        self.writer
            .write(move |connection| {
                let snapshot = snapshot::read(connection, &needs)?;
                let changes = decide(&snapshot);
                apply::apply(connection, &snapshot, &changes)?;
                if let Some(position) = &position {
                    if !changes.outcomes.is_empty() {
                        outcomes::add(connection, &changes.outcomes, changes.outcomes.quantity(), position)?;
                    }
                    apply::move_to(connection, position)?;
                }
                Ok(changes)
            })
            .await
    }

    async fn position(&self, consumer: &str, start: Position) -> Result<Position, StoreError> {
        let consumer = consumer.to_owned();
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT \"offset\" FROM position WHERE consumer = ?1 AND topic = ?2 AND partition = ?3",
                )?;
                let offset = statement
                    .query_row(params![consumer, start.topic.as_str(), start.partition], |row| unsigned(row, 0));
                Ok(offset.optional()?.map_or(start, |offset| Position { offset, ..start }))
            })
            .await
    }

    async fn handled(&self, keys: &[MessageKey]) -> Result<Vec<Handled>, StoreError> {
        let keys = keys.to_vec();
        self.readers
            .read(move |connection| {
                let mut find = connection.prepare_cached(
                    "SELECT topic, partition, \"offset\", fate, at FROM handled
                      WHERE project_id = ?1 AND id = ?2 AND of_event = ?3",
                )?;
                let mut found = Vec::new();
                for key in keys {
                    let mut rows = find.query(params![key.project_id.0 as i64, key.id.0, key.of_event])?;
                    if let Some(row) = rows.next()? {
                        found.push(handled(key, row)?);
                    }
                }
                Ok(found)
            })
            .await
    }

    async fn kept_events(
        &self,
        after: Option<(ProjectId, EventId)>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Handled>, StoreError> {
        let (project, id) = after.map_or((i64::MIN, [0; 16]), |(project, id)| (project.0 as i64, id.0));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT topic, partition, \"offset\", fate, at, project_id, id FROM handled
                      WHERE (project_id, id) > (?1, ?2) AND of_event AND {IS_STORED} AND at >= ?3
                      ORDER BY project_id, id LIMIT ?4"
                ))?;
                let mut rows = statement.query(params![project, id, since.0, limit])?;
                let mut kept = Vec::new();
                while let Some(row) = rows.next()? {
                    let (project_id, id) = (ProjectId(unsigned(row, 5)?), EventId(row.get(6)?));
                    kept.push(handled(MessageKey { project_id, id, of_event: true }, row)?);
                }
                Ok(kept)
            })
            .await
    }

    async fn due(&self, job: Job, now: Timestamp, after: IssueId, limit: usize) -> Result<Vec<IssueId>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(move |connection| due::find(connection, job, now, after, limit)).await
    }

    async fn open_periods(&self, id: IssueId) -> Result<Vec<OpenPeriod>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT period FROM open_period WHERE issue_id = ?1 ORDER BY number DESC LIMIT ?2",
                )?;
                let mut rows = statement.query([id.0 as i64, PERIODS_MAX as i64])?;
                let mut periods = Vec::new();
                while let Some(row) = rows.next()? {
                    periods.extend(json(row, 0)?);
                }
                periods.reverse();
                Ok(periods)
            })
            .await
    }

    async fn history(&self, id: IssueId, limit: usize) -> Result<Vec<HistoryEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT state, release, user_id, at FROM issue_history WHERE issue_id = ?1 ORDER BY id DESC LIMIT ?2",
                )?;
                let mut rows = statement.query([id.0 as i64, limit])?;
                let mut entries = Vec::new();
                while let Some(row) = rows.next()? {
                    let number: u8 = row.get(0)?;
                    let state = HistoryState::ALL.into_iter().find(|state| state.number() == number);
                    entries.push(HistoryEntry {
                        issue_id: id,
                        state: state.ok_or_else(|| corrupt(&format!("issue {id} was in state {number}")))?,
                        release: row.get(1)?,
                        user_id: row.get::<_, Option<i64>>(2)?.map(|user| UserId(user as u64)),
                        at: Timestamp(row.get(3)?),
                    });
                }
                Ok(entries)
            })
            .await
    }

    async fn issue(&self, id: IssueId) -> Result<Option<Issue>, StoreError> {
        self.readers.read(move |connection| one_issue(connection, "issue.id = ?1", [id.0 as i64])).await
    }

    async fn issue_by_short_id(&self, project: ProjectId, short_id: u64) -> Result<Option<Issue>, StoreError> {
        let key = [project.0 as i64, short_id as i64];
        self.readers.read(move |connection| one_issue(connection, "project_id = ?1 AND short_id = ?2", key)).await
    }

    async fn issue_of_hash(&self, project: ProjectId, hash: Hash) -> Result<Option<IssueId>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut owner = connection.prepare_cached(snapshot::OWNER)?;
                let id = owner.query_row(params![project.0 as i64, hash.0], |row| row.get::<_, Option<i64>>(0));
                Ok(id.optional()?.flatten().map(|id| IssueId(id as u64)))
            })
            .await
    }

    async fn hashes(&self, id: IssueId) -> Result<Vec<Hash>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection
                    .prepare_cached("SELECT hash FROM issue_hash WHERE issue_id = ?1 ORDER BY number LIMIT ?2")?;
                let hashes = statement.query_map([id.0 as i64, HASHES_MAX as i64], |row| row.get(0).map(Hash))?;
                Ok(hashes.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        let query = query.clone();
        self.readers.read(move |connection| listing::page(connection, &query)).await
    }

    async fn hourly_counts(&self, ids: &[IssueId], from_hour: i64) -> Result<Vec<(IssueId, i64, u64)>, StoreError> {
        let ids = ids.iter().map(|id| id.0 as i64).collect::<serde_json::Value>().to_string();
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(HOURLY_COUNTS)?;
                let counts = statement.query_map(params![from_hour, ids], |row| {
                    Ok((IssueId(unsigned(row, 0)?), row.get(1)?, unsigned(row, 2)?))
                })?;
                Ok(counts.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn activities(&self, id: IssueId, limit: usize) -> Result<Vec<Activity>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT kind, data, user_id, at, cause FROM activity WHERE issue_id = ?1 ORDER BY at DESC, id DESC LIMIT ?2",
                )?;
                let mut rows = statement.query([id.0 as i64, limit])?;
                let mut activities = Vec::new();
                while let Some(row) = rows.next()? {
                    let damaged = |what: &str| corrupt(&format!("an activity of issue {id} has an impossible {what}"));
                    let data = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
                    // Only the first format has the person in a column of its own.
                    let user: Option<i64> = row.get(2)?;
                    let user = user.map(|user| Cause::User { id: UserId(user as u64) });
                    activities.push(Activity {
                        issue_id: id,
                        kind: ActivityKind::from_number(row.get(0)?).ok_or_else(|| damaged("kind"))?,
                        data: serde_json::from_str(data).map_err(|_| damaged("detail"))?,
                        cause: json(row, 4)?.or(user).unwrap_or_default(),
                        at: Timestamp(row.get(3)?),
                    });
                }
                Ok(activities)
            })
            .await
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        let before_hour = before.hours();
        let start = Timestamp::from_secs(before_hour * 3600);
        let mut behind = Some((i64::MIN, [0; 16]));
        while let Some(key) = behind {
            behind = self.writer.write(move |connection| expire_handled(connection, key, start)).await?;
        }
        self.writer
            .write(move |connection| {
                connection.prepare_cached("DELETE FROM sighting WHERE expires < ?1")?.execute([before.0])?;
                for table in ["occurrence_usage", "creation_usage"] {
                    let delete = format!("DELETE FROM {table} WHERE start_secs < ?1");
                    connection.prepare_cached(&delete)?.execute([start.secs()])?;
                }
                Ok(())
            })
            .await?;
        let mut rows = 1;
        while rows > 0 {
            rows = self
                .writer
                .write(move |connection| {
                    let mut statement = connection.prepare_cached(
                        "DELETE FROM issue_hour WHERE hour = (SELECT min(hour) FROM issue_hour) AND hour < ?1",
                    )?;
                    Ok(statement.execute([before_hour])?)
                })
                .await?;
        }
        Ok(())
    }
}
