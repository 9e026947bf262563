//! The ledger of outcomes.

use async_trait::async_trait;
use nuthatch_protocol::{DataCategory, KeyId, Outcome, OutcomeKey, Outcomes, ProjectId, Timestamp};
use nuthatch_store::{
    OutcomeStore, StoreError,
    issues::ConsumerPosition,
    outcomes::{Account, Books, OutcomeGroup, OutcomeQuery, OutcomeSum, Total, countable},
};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};

use super::{
    EmbeddedMeta,
    column::{IS_COUNTED, unsigned},
    error::{Failure, corrupt},
};

/// Minutes of an hour.
const HOUR: i64 = 60;

/// Adds outcomes of records that a consumer is about to move behind.
pub(super) fn add(
    connection: &Connection,
    outcomes: &Outcomes,
    records: u64,
    consumer: &ConsumerPosition,
) -> Result<(), Failure> {
    let mut minute = connection.prepare_cached(
        "INSERT INTO outcome (minute, project_id, category, outcome, key_id, reason, quantity)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity",
    )?;
    let mut total = connection.prepare_cached(
        "INSERT INTO outcome_total (project_id, category, outcome, quantity) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity",
    )?;
    let mut counted = connection
        .prepare_cached("SELECT quantity FROM outcome_total WHERE (project_id, category, outcome) = (?1, ?2, ?3)")?;
    let mut units = 0_i64;
    for (key, quantity) in outcomes.iter() {
        let OutcomeKey { minute: at, project_id, key_id, category, outcome, reason } = key;
        let project = project_id.map_or(0, |id| id.0 as i64);
        let key = key_id.map_or(0, |id| id.0 as i64);
        let (category, outcome) = (category.number(), outcome.number());
        let before = counted.query_row(params![project, category, outcome], |row| row.get(0)).optional()?;
        let quantity = countable(quantity, before.unwrap_or_default());
        units = units.saturating_add(quantity);
        minute.execute(params![at, project, category, outcome, key, reason, quantity])?;
        total.execute(params![project, category, outcome, quantity])?;
    }
    let ConsumerPosition { consumer, position } = consumer;
    let mut account = connection.prepare_cached(
        "INSERT INTO outcome_account (consumer, topic, partition, opening, records, quantity)
         VALUES (?1, ?2, ?3,
                 coalesce((SELECT \"offset\" FROM position WHERE (consumer, topic, partition) = (?1, ?2, ?3)), 0), ?4, ?5)
         ON CONFLICT DO UPDATE SET records = records + excluded.records, quantity = quantity + excluded.quantity",
    )?;
    account.execute(params![consumer, position.topic.as_str(), position.partition, records as i64, units])?;
    Ok(())
}

/// Notes that the metadata does not remember any more which messages brought so many events.
pub(super) fn forget(connection: &Connection, project: i64, of_event: bool, messages: i64) -> Result<(), Failure> {
    let category = if of_event { DataCategory::Error } else { DataCategory::Occurrence };
    connection
        .prepare_cached(
            "INSERT INTO outcome_total (project_id, category, outcome, forgotten) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET forgotten = forgotten + excluded.forgotten",
        )?
        .execute(params![project, category.number(), Outcome::Accepted.number(), messages])?;
    Ok(())
}

/// Notes that what a settlement accepts as feedback is a user report, and no event of an issue.
pub(super) fn add_report(connection: &Connection, project: ProjectId) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO outcome_total (project_id, category, outcome, reports) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT DO UPDATE SET reports = reports + 1",
        )?
        .execute(params![project.0 as i64, DataCategory::Feedback.number(), Outcome::Accepted.number()])?;
    Ok(())
}

fn sums(connection: &Connection, query: &OutcomeQuery) -> Result<Vec<OutcomeSum>, Failure> {
    let list = |numbers: Vec<u64>| Value::from(serde_json::json!(numbers).to_string());
    let mut values = vec![
        query.from_minute.into(),
        query.until_minute.into(),
        query.interval_minutes.max(1).into(),
        list(query.projects.iter().map(|id| id.0).collect()),
    ];
    let mut conditions = String::new();
    let mut only = |column: &str, wanted: Value| {
        values.push(wanted);
        conditions += &format!(" AND {column} IN (SELECT value FROM json_each(?{}))", values.len());
    };
    if !query.keys.is_empty() {
        only("key_id", list(query.keys.iter().map(|id| id.0).collect()));
    }
    if !query.categories.is_empty() {
        only("category", list(query.categories.iter().map(|one| one.number().into()).collect()));
    }
    if !query.outcomes.is_empty() {
        only("outcome", list(query.outcomes.iter().map(|one| one.number().into()).collect()));
    }
    if !query.reasons.is_empty() {
        only("reason", serde_json::json!(query.reasons).to_string().into());
    }
    let by = query.by;
    let column = |wanted, name| if wanted { name } else { "NULL" };
    let columns = [
        column(by.project, "project_id"),
        column(by.key, "key_id"),
        column(by.category, "category"),
        column(by.outcome, "outcome"),
        column(by.reason, "reason"),
    ];
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, minute / ?3 * ?3, sum(quantity) FROM outcome
          WHERE minute >= ?1 AND minute < ?2 AND project_id IN (SELECT value FROM json_each(?4)){conditions}
          GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6",
        columns.join(", ")
    ))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut sums = Vec::new();
    while let Some(row) = rows.next()? {
        let number = |index| row.get::<_, Option<i64>>(index).map(|number| number.map(|number| number as u64));
        let group = OutcomeGroup {
            project: number(0)?.map(ProjectId),
            key: number(1)?.map(KeyId),
            category: row.get::<_, Option<u8>>(2)?.map(category).transpose()?,
            outcome: row.get::<_, Option<u8>>(3)?.map(outcome).transpose()?,
            reason: row.get(4)?,
        };
        sums.push(OutcomeSum { group, start_minute: row.get(5)?, quantity: unsigned(row, 6)? });
    }
    Ok(sums)
}

fn category(number: u8) -> Result<DataCategory, Failure> {
    DataCategory::of_number(number).ok_or_else(|| corrupt(&format!("an outcome of category {number}")).into())
}

fn outcome(number: u8) -> Result<Outcome, Failure> {
    Outcome::of_number(number).ok_or_else(|| corrupt(&format!("an outcome of number {number}")).into())
}

/// Puts the first hour with minutes behind `after` and before `before` together; that hour.
fn roll_up(connection: &Connection, after: i64, before: i64) -> Result<Option<i64>, Failure> {
    let first = connection
        .prepare_cached(
            "SELECT minute FROM outcome WHERE minute >= ?1 AND minute < ?2 AND minute % 60 <> 0 ORDER BY minute LIMIT 1",
        )?
        .query_row([after, before], |row| row.get::<_, i64>(0));
    let Some(first) = first.optional()? else { return Ok(None) };
    let start = first.div_euclid(HOUR) * HOUR;
    let hour = [start, start + HOUR];
    connection
        .prepare_cached(
            "INSERT INTO outcome (minute, project_id, category, outcome, key_id, reason, quantity)
             SELECT ?1, project_id, category, outcome, key_id, reason, sum(quantity) FROM outcome
              WHERE minute > ?1 AND minute < ?2 GROUP BY project_id, category, outcome, key_id, reason
             ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity",
        )?
        .execute(hour)?;
    connection.prepare_cached("DELETE FROM outcome WHERE minute > ?1 AND minute < ?2")?.execute(hour)?;
    Ok(Some(start))
}

/// Forgets the first hour before `before`; whether there was one.
fn expire(connection: &Connection, before: i64) -> Result<bool, Failure> {
    let first: Option<i64> = connection
        .prepare_cached("SELECT min(minute) FROM outcome WHERE minute < ?1")?
        .query_row([before], |row| row.get(0))?;
    let Some(first) = first else { return Ok(false) };
    let until = (first.div_euclid(HOUR) + 1) * HOUR;
    connection
        .prepare_cached(
            "INSERT INTO outcome_total (project_id, category, outcome, expired)
             SELECT project_id, category, outcome, sum(quantity) FROM outcome WHERE minute < ?1
              GROUP BY project_id, category, outcome
             ON CONFLICT DO UPDATE SET expired = expired + excluded.expired",
        )?
        .execute([until])?;
    connection.prepare_cached("DELETE FROM outcome WHERE minute < ?1")?.execute([until])?;
    Ok(true)
}

/// First minute of the hour of a time.
fn whole_hour(time: Timestamp) -> i64 {
    time.hours() * HOUR
}

fn books(connection: &Connection) -> Result<Books, Failure> {
    let mut books = Books::default();
    let mut statement = connection.prepare_cached(
        "SELECT consumer, topic, partition, opening, records, quantity, coalesce(position.\"offset\", 0)
           FROM outcome_account LEFT JOIN position USING (consumer, topic, partition) ORDER BY 1, 2, 3",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        books.accounts.push(account(row)?);
    }
    // Every sum of minutes has a total, unless one of the two is damaged.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT project_id, category, outcome, sum(opening), sum(quantity), sum(expired), sum(forgotten),
                sum(in_minutes), sum(remembered), sum(reports)
           FROM (SELECT project_id, category, outcome, opening, quantity, expired, forgotten, 0 AS in_minutes,
                        0 AS remembered, reports FROM outcome_total
                 UNION ALL
                 SELECT project_id, category, outcome, 0, 0, 0, 0, sum(quantity), 0, 0 FROM outcome GROUP BY 1, 2, 3
                 UNION ALL
                 SELECT project_id, iif(of_event, ?1, ?2), ?3, 0, 0, 0, 0, 0, count(*), 0 FROM handled WHERE {IS_COUNTED}
                  GROUP BY 1, 2, 3)
          GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ))?;
    let accepted = [DataCategory::Error.number(), DataCategory::Occurrence.number(), Outcome::Accepted.number()];
    let mut rows = statement.query(accepted)?;
    while let Some(row) = rows.next()? {
        books.totals.push(Total {
            project: ProjectId(unsigned(row, 0)?),
            category: category(row.get(1)?)?,
            outcome: outcome(row.get(2)?)?,
            opening: row.get(3)?,
            quantity: row.get(4)?,
            expired: row.get(5)?,
            forgotten: row.get(6)?,
            in_minutes: row.get(7)?,
            remembered: row.get(8)?,
            reports: row.get(9)?,
        });
    }
    let mut statement = connection
        .prepare_cached("SELECT project_id, sum(times_seen) FROM issue GROUP BY project_id ORDER BY project_id")?;
    let counted = statement.query_map([], |row| Ok((ProjectId(unsigned(row, 0)?), unsigned(row, 1)?)))?;
    books.issue_events = counted.collect::<Result<_, _>>()?;
    books.waiting_check_ins = connection.query_row("SELECT count(*) FROM waiting_check_in", [], |row| row.get(0))?;
    Ok(books)
}

fn account(row: &Row<'_>) -> Result<Account, Failure> {
    let topic: String = row.get(1)?;
    let topic = topic.parse().map_err(|()| corrupt(&format!("an account of topic {topic}")))?;
    Ok(Account {
        consumer: row.get(0)?,
        topic,
        partition: row.get(2)?,
        opening: row.get(3)?,
        records: row.get(4)?,
        quantity: row.get(5)?,
        applied: row.get(6)?,
    })
}

#[async_trait]
impl OutcomeStore for EmbeddedMeta {
    async fn outcome_sums(&self, query: &OutcomeQuery) -> Result<Vec<OutcomeSum>, StoreError> {
        let query = query.clone();
        self.readers.read(move |connection| sums(connection, &query)).await
    }

    async fn roll_up_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        let (mut after, before) = (i64::MIN, whole_hour(before));
        // An hour at a time, so that other writes wait a few milliseconds only.
        while let Some(hour) = self.writer.write(move |connection| roll_up(connection, after, before)).await? {
            after = hour + HOUR;
        }
        Ok(())
    }

    async fn expire_outcomes(&self, before: Timestamp) -> Result<(), StoreError> {
        let before = whole_hour(before);
        while self.writer.write(move |connection| expire(connection, before)).await? {}
        Ok(())
    }

    async fn books(&self) -> Result<Books, StoreError> {
        self.readers.read(books).await
    }
}
