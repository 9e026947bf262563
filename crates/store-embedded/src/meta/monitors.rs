//! Monitors and their runs.

use async_trait::async_trait;
use nuthatch_protocol::{
    EventId, Outcome, Outcomes, ProjectId, Timestamp, TraceId,
    check_in::{CheckInStatus, MonitorConfig},
};
use nuthatch_store::{
    MonitorStore, StoreError,
    issues::ConsumerPosition,
    monitors::{
        CheckInQuery, Known, MONITOR_ENVIRONMENTS_MAX, MONITORS_MAX, Monitor, MonitorEnvironment, PAGE_MAX,
        PROJECT_MONITORS_MAX, Placed, ReceivedCheckIn, Run, TOO_MANY_MONITORS, UNKNOWN_MONITOR, WAITING_CHECK_INS_MAX,
        minute, place,
    },
    settlements::{Counted, Settlement},
};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};

use super::{
    EmbeddedMeta,
    column::{JsonText, json, unsigned},
    error::{Failure, corrupt},
    outcomes, settlements,
};

/// Columns of a run, in the order of [`run`].
const RUN: &str = "id, environment, status, duration_ms, added, updated, begun, release, trace_id";

/// Rows that one step of [`MonitorStore::expire_check_ins`] removes, so that other writes wait a few milliseconds only.
const EXPIRE_ROWS: i64 = 5_000;

fn status(number: u8) -> Result<CheckInStatus, Failure> {
    CheckInStatus::of_number(number).ok_or_else(|| corrupt(&format!("a run of a monitor has status {number}")).into())
}

fn run(row: &Row<'_>) -> Result<Run, Failure> {
    Ok(Run {
        id: EventId(row.get(0)?),
        environment: row.get(1)?,
        status: status(row.get(2)?)?,
        duration_ms: row.get::<_, Option<i64>>(3)?.map(|millis| millis as u64),
        added: Timestamp(row.get(4)?),
        updated: Timestamp(row.get(5)?),
        begun: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        release: row.get(7)?,
        trace_id: row.get::<_, Option<[u8; 16]>>(8)?.map(TraceId),
    })
}

/// The monitor of a check-in.
enum MonitorOf {
    /// It was there before; it is changed if the check-in says how.
    Known(EventId),
    /// The check-in made it.
    Made(EventId),
    /// There is none, and the check-in does not say what to expect of it.
    Unknown,
    /// There is none, and the project has as many as it may.
    Refused,
}

fn monitor_of(connection: &Connection, received: &ReceivedCheckIn) -> Result<MonitorOf, Failure> {
    let ReceivedCheckIn { project_id, record_id, received: now, check_in, .. } = received;
    let project = project_id.0 as i64;
    let known = connection
        .prepare_cached("SELECT id FROM monitor WHERE project_id = ?1 AND slug = ?2")?
        .query_row(params![project, check_in.slug], |row| row.get(0).map(EventId))
        .optional()?;
    match (known, &check_in.config) {
        (Some(id), Some(config)) => {
            connection
                .prepare_cached("UPDATE monitor SET config = ?2 WHERE id = ?1")?
                .execute(params![id.0, JsonText(config)])?;
            Ok(MonitorOf::Known(id))
        }
        (Some(id), None) => Ok(MonitorOf::Known(id)),
        (None, None) => Ok(MonitorOf::Unknown),
        (None, Some(config)) => {
            let monitors = connection
                .prepare_cached("SELECT count(*) FROM monitor WHERE project_id = ?1")?
                .query_row([project], |row| unsigned(row, 0))?;
            if monitors >= PROJECT_MONITORS_MAX {
                return Ok(MonitorOf::Refused);
            }
            connection.prepare_cached("INSERT INTO monitor VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                record_id.0,
                project,
                check_in.slug,
                JsonText(config),
                now.0
            ])?;
            Ok(MonitorOf::Made(*record_id))
        }
    }
}

/// Lets a check-in wait for its monitor; whether there was room.
fn wait(connection: &Connection, counted: &Counted<ReceivedCheckIn>) -> Result<bool, Failure> {
    let ReceivedCheckIn { project_id, handled, check_in, .. } = &counted.what;
    let project = project_id.0 as i64;
    let waiting = connection
        .prepare_cached("SELECT count(*) FROM waiting_check_in WHERE project_id = ?1")?
        .query_row([project], |row| unsigned(row, 0))?;
    if waiting >= WAITING_CHECK_INS_MAX {
        return Ok(false);
    }
    connection
        .prepare_cached("INSERT INTO waiting_check_in (project_id, slug, since, check_in) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![project, check_in.slug, handled.0, JsonText(counted)])?;
    Ok(true)
}

/// Takes away those that wait for a monitor, in the order they came.
fn end_wait(connection: &Connection, project: ProjectId, slug: &str) -> Result<Vec<Counted<ReceivedCheckIn>>, Failure> {
    let mut waiting = connection
        .prepare_cached("SELECT check_in FROM waiting_check_in WHERE project_id = ?1 AND slug = ?2 ORDER BY number")?;
    let mut rows = waiting.query(params![project.0 as i64, slug])?;
    let mut check_ins = Vec::new();
    while let Some(row) = rows.next()? {
        check_ins.extend(json(row, 0)?);
    }
    if !check_ins.is_empty() {
        connection
            .prepare_cached("DELETE FROM waiting_check_in WHERE project_id = ?1 AND slug = ?2")?
            .execute(params![project.0 as i64, slug])?;
    }
    Ok(check_ins)
}

fn give_up(connection: &Connection, before: Timestamp, consumer: &ConsumerPosition) -> Result<(), Failure> {
    let mut late = connection.prepare_cached("DELETE FROM waiting_check_in WHERE since < ?1 RETURNING check_in")?;
    let mut rows = late.query([before.0])?;
    let mut outcomes = Outcomes::default();
    while let Some(row) = rows.next()? {
        let check_in: Option<Counted<ReceivedCheckIn>> = json(row, 0)?;
        outcomes.extend(check_in.map(|waited| unknown(&waited)).unwrap_or_default());
    }
    if outcomes.is_empty() { Ok(()) } else { outcomes::add(connection, &outcomes, 0, consumer) }
}

fn unknown(counted: &Counted<ReceivedCheckIn>) -> Outcomes {
    counted.units.became(Outcome::Invalid, UNKNOWN_MONITOR)
}

/// Whether a monitor has no run in an environment, but runs in as many others as it may.
fn is_crowded(connection: &Connection, monitor: EventId, environment: &str) -> Result<bool, Failure> {
    let has_run = connection
        .prepare_cached("SELECT 1 FROM monitor_run WHERE monitor_id = ?1 AND environment = ?2 LIMIT 1")?
        .exists(params![monitor.0, environment])?;
    Ok(!has_run && environments(connection, monitor)?.len() >= MONITOR_ENVIRONMENTS_MAX)
}

fn known(connection: &Connection, monitor: EventId, received: &ReceivedCheckIn) -> Result<Known, Failure> {
    let (check_in, project) = (&received.check_in, received.project_id.0 as i64);
    let found = match check_in.id {
        Some(id) => {
            let sql = format!("SELECT {RUN}, monitor_id FROM monitor_run WHERE project_id = ?1 AND id = ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![project, id.0])?;
            rows.next()?.map(|row| Ok::<_, Failure>((EventId(row.get(9)?), run(row)?))).transpose()?
        }
        None => {
            // A number in the text, so that the index of those in progress is used.
            let in_progress = CheckInStatus::InProgress.number();
            let sql = format!(
                "SELECT {RUN} FROM monitor_run WHERE monitor_id = ?1 AND environment = ?2 AND status = {in_progress}
                  ORDER BY added DESC, id DESC LIMIT 1"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![monitor.0, check_in.environment])?;
            rows.next()?.map(|row| Ok::<_, Failure>((monitor, run(row)?))).transpose()?
        }
    };
    match found {
        Some((of, run)) if of == monitor && run.environment == check_in.environment => Ok(Known::Run(run)),
        Some(_) => Ok(Known::Foreign),
        None => {
            let since = minute(received.received);
            let in_minute = connection
                .prepare_cached(
                    "SELECT count(*) FROM monitor_run
                      WHERE monitor_id = ?1 AND environment = ?2 AND added >= ?3 AND added < ?3 + 60000000",
                )?
                .query_row(params![monitor.0, check_in.environment, since.0], |row| unsigned(row, 0))?;
            Ok(Known::New { in_minute, is_crowded: is_crowded(connection, monitor, &check_in.environment)? })
        }
    }
}

fn check_in(
    connection: &Connection,
    counted: &Counted<ReceivedCheckIn>,
    outcomes: &mut Outcomes,
) -> Result<(), Failure> {
    let received = &counted.what;
    let monitor = match monitor_of(connection, received)? {
        MonitorOf::Known(monitor) => monitor,
        MonitorOf::Made(monitor) => {
            for waited in end_wait(connection, received.project_id, &received.check_in.slug)? {
                run_of(connection, monitor, &waited, outcomes)?;
            }
            monitor
        }
        MonitorOf::Unknown => {
            if !wait(connection, counted)? {
                outcomes.extend(unknown(counted));
            }
            return Ok(());
        }
        MonitorOf::Refused => {
            outcomes.extend(counted.units.became(Outcome::Invalid, TOO_MANY_MONITORS));
            return Ok(());
        }
    };
    run_of(connection, monitor, counted, outcomes)
}

/// Has the effect of a check-in on its run.
fn run_of(
    connection: &Connection,
    monitor: EventId,
    counted: &Counted<ReceivedCheckIn>,
    outcomes: &mut Outcomes,
) -> Result<(), Failure> {
    let received = &counted.what;
    match place(received, known(connection, monitor, received)?) {
        Placed::Run(run) => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO monitor_run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    received.project_id.0 as i64,
                    run.id.0,
                    monitor.0,
                    run.environment,
                    run.status.number(),
                    run.duration_ms.map(|millis| millis as i64),
                    run.added.0,
                    run.updated.0,
                    run.begun.map(|begun| begun.0),
                    run.release,
                    run.trace_id.map(|id| id.0),
                ])?;
            outcomes.extend(counted.accepted());
        }
        Placed::Dropped(outcome, reason) => outcomes.extend(counted.units.became(outcome, reason)),
    }
    Ok(())
}

fn monitors(connection: &Connection, projects: &[ProjectId]) -> Result<Vec<Monitor>, Failure> {
    let projects = serde_json::json!(projects).to_string();
    let mut statement = connection.prepare_cached(
        "SELECT id, project_id, slug, config, created FROM monitor
          WHERE project_id IN (SELECT value FROM json_each(?1)) ORDER BY project_id, slug LIMIT ?2",
    )?;
    let mut rows = statement.query(params![projects, MONITORS_MAX as i64])?;
    let mut monitors = Vec::new();
    while let Some(row) = rows.next()? {
        let config: Option<MonitorConfig> = json(row, 3)?;
        let id = EventId(row.get(0)?);
        monitors.push(Monitor {
            id,
            project_id: ProjectId(unsigned(row, 1)?),
            slug: row.get(2)?,
            config: config.ok_or_else(|| corrupt(&"a monitor without configuration"))?,
            created: Timestamp(row.get(4)?),
            environments: environments(connection, id)?,
        });
    }
    Ok(monitors)
}

/// Environments of a monitor. Each is found by a seek behind the one before, however many runs it has.
fn environments(connection: &Connection, monitor: EventId) -> Result<Vec<MonitorEnvironment>, Failure> {
    let mut next = connection
        .prepare_cached("SELECT min(environment) FROM monitor_run WHERE monitor_id = ?1 AND environment > ?2")?;
    let mut edges = connection.prepare_cached(
        "SELECT (SELECT min(added) FROM monitor_run WHERE monitor_id = ?1 AND environment = ?2), updated, status
           FROM monitor_run WHERE monitor_id = ?1 AND environment = ?2 ORDER BY added DESC, id DESC LIMIT 1",
    )?;
    let mut environments = Vec::new();
    let mut behind = String::new();
    while let Some(name) = next.query_row(params![monitor.0, behind], |row| row.get::<_, Option<String>>(0))? {
        let mut rows = edges.query(params![monitor.0, name])?;
        let Some(row) = rows.next()? else { break };
        environments.push(MonitorEnvironment {
            name: name.clone(),
            created: Timestamp(row.get(0)?),
            last_check_in: Timestamp(row.get(1)?),
            status: status(row.get(2)?)?,
        });
        behind = name;
    }
    Ok(environments)
}

fn check_ins(connection: &Connection, query: &CheckInQuery) -> Result<Vec<Run>, Failure> {
    let mut values: Vec<Value> = vec![
        query.monitor.0.to_vec().into(),
        query.from.0.into(),
        query.until.0.into(),
        (query.limit.min(PAGE_MAX) as i64).into(),
    ];
    let mut conditions = String::new();
    if !query.environments.is_empty() {
        values.push(serde_json::json!(query.environments).to_string().into());
        conditions += &format!(" AND environment IN (SELECT value FROM json_each(?{}))", values.len());
    }
    if let Some((added, id)) = query.after {
        values.push(added.0.into());
        values.push(id.0.to_vec().into());
        conditions += &format!(" AND (added, id) < (?{}, ?{})", values.len() - 1, values.len());
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {RUN} FROM monitor_run WHERE monitor_id = ?1 AND added >= ?2 AND added < ?3{conditions}
          ORDER BY added DESC, id DESC LIMIT ?4"
    ))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(run(row)?);
    }
    Ok(runs)
}

#[async_trait]
impl MonitorStore for EmbeddedMeta {
    async fn apply_check_ins(
        &self,
        check_ins: Vec<Counted<ReceivedCheckIn>>,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                settlements::settle(connection, &settlement, |connection, outcomes| {
                    check_ins.iter().try_for_each(|counted| check_in(connection, counted, outcomes))
                })
            })
            .await
    }

    async fn give_up_check_ins(&self, before: Timestamp, consumer: ConsumerPosition) -> Result<(), StoreError> {
        self.writer.write(move |connection| give_up(connection, before, &consumer)).await
    }

    async fn monitors(&self, projects: &[ProjectId]) -> Result<Vec<Monitor>, StoreError> {
        let projects = projects.to_vec();
        self.readers.read(move |connection| monitors(connection, &projects)).await
    }

    async fn check_ins(&self, query: &CheckInQuery) -> Result<Vec<Run>, StoreError> {
        let query = query.clone();
        self.readers.read(move |connection| check_ins(connection, &query)).await
    }

    async fn delete_monitor(&self, id: EventId) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let removed = connection.prepare_cached("DELETE FROM monitor WHERE id = ?1")?.execute([id.0])?;
                if removed == 0 { Err(StoreError::NotFound("the monitor").into()) } else { Ok(()) }
            })
            .await
    }

    async fn expire_check_ins(&self, before: Timestamp) -> Result<(), StoreError> {
        let step = move |connection: &Connection| {
            let removed = connection
                .prepare_cached(
                    "DELETE FROM monitor_run WHERE (project_id, id) IN
                     (SELECT project_id, id FROM monitor_run WHERE added < ?1 LIMIT ?2)",
                )?
                .execute([before.0, EXPIRE_ROWS])?;
            Ok(removed > 0)
        };
        while self.writer.write(step).await? {}
        Ok(())
    }
}
