//! Writing updates of sessions. What a batch changes in one count is added up first, so that each is written once.

use std::collections::{BTreeMap, HashMap};

use nuthatch_protocol::{
    EventId, ProjectId, SessionState, SessionUpdate, Timestamp,
    session::{Durations, HealthChange, HealthTally, SessionPlace, SessionStatus, SessionUser, merge},
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::meta::{
    column::unsigned,
    error::{Failure, corrupt},
    releases,
};

/// Merges updates in their order.
pub(super) fn apply(connection: &Connection, updates: impl Iterator<Item = SessionUpdate>) -> Result<(), Failure> {
    let mut places = Places { connection, ids: HashMap::new() };
    let mut states: HashMap<(ProjectId, EventId), SessionState> = HashMap::new();
    let mut versions: HashMap<(ProjectId, String), Timestamp> = HashMap::new();
    let mut changes = Changes::default();
    for update in updates {
        if let Some((place, started)) = update.place_and_start() {
            versions.entry((place.project_id, place.release.clone())).or_insert(started);
        }
        match update {
            SessionUpdate::Counted { changes: counted, .. } => changes.add(&mut places, counted)?,
            SessionUpdate::One { sid, state } => {
                let key = (state.place.project_id, sid);
                let before = match states.remove(&key) {
                    Some(state) => Some(state),
                    None => read(connection, key)?,
                };
                let (state, counted) = merge(before.as_ref(), state);
                changes.add(&mut places, counted)?;
                states.insert(key, state);
            }
        }
    }
    for ((project, version), since) in &versions {
        releases::know(connection, *project, version, *since)?;
    }
    let mut keep = connection
        .prepare_cached("INSERT OR REPLACE INTO session_state VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?;
    for ((project, sid), state) in &states {
        keep.execute(params![
            project.0 as i64,
            sid.0,
            places.id(&state.place)?,
            state.started.0,
            state.timestamp.0,
            state.seq as i64,
            state.status.number(),
            state.errors as i64,
            state.duration_ms.map(|ms| ms as i64),
            state.user.map(|user| user.0 as i64),
            state.is_anr,
        ])?;
    }
    changes.write(connection)
}

fn read(connection: &Connection, (project_id, sid): (ProjectId, EventId)) -> Result<Option<SessionState>, Failure> {
    let mut find = connection.prepare_cached(
        "SELECT release, environment, started, at, seq, status, errors, duration_ms, user_hash, is_anr
           FROM session_state JOIN session_place ON session_place.id = place_id
          WHERE session_state.project_id = ?1 AND sid = ?2",
    )?;
    let mut rows = find.query(params![project_id.0 as i64, sid.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let status: u8 = row.get(5)?;
    Ok(Some(SessionState {
        place: SessionPlace { project_id, release: row.get(0)?, environment: row.get(1)? },
        started: Timestamp(row.get(2)?),
        timestamp: Timestamp(row.get(3)?),
        seq: unsigned(row, 4)?,
        status: SessionStatus::of_number(status).ok_or_else(|| corrupt(&format!("a session of status {status}")))?,
        errors: unsigned(row, 6)?,
        duration_ms: row.get::<_, Option<i64>>(7)?.map(|ms| ms as u64),
        user: row.get::<_, Option<i64>>(8)?.map(|hash| SessionUser(hash as u64)),
        is_anr: row.get(9)?,
    }))
}

/// The ids of places, made when first needed.
struct Places<'c> {
    connection: &'c Connection,
    ids: HashMap<SessionPlace, i64>,
}

impl Places<'_> {
    fn id(&mut self, place: &SessionPlace) -> Result<i64, Failure> {
        if let Some(id) = self.ids.get(place) {
            return Ok(*id);
        }
        let key = params![place.project_id.0 as i64, place.release, place.environment];
        let found = self
            .connection
            .prepare_cached("SELECT id FROM session_place WHERE (project_id, release, environment) = (?1, ?2, ?3)")?
            .query_row(key, |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => self
                .connection
                .prepare_cached("INSERT INTO session_place (project_id, release, environment) VALUES (?1, ?2, ?3)")?
                .insert(key)?,
        };
        self.ids.insert(place.clone(), id);
        Ok(id)
    }
}

/// What changes in the counts, by place and hour.
#[derive(Default)]
struct Changes {
    hours: BTreeMap<(i64, i64), HealthTally>,
    users: BTreeMap<(i64, i64, SessionUser), HealthTally>,
}

impl Changes {
    fn add(&mut self, places: &mut Places<'_>, changes: Vec<HealthChange>) -> Result<(), Failure> {
        for HealthChange { place, hour, user, tally } in changes {
            let place = places.id(&place)?;
            *self.hours.entry((place, hour)).or_default() += &tally;
            if let Some(user) = user {
                let tally = HealthTally { durations: Durations::default(), ..tally };
                *self.users.entry((place, hour, user)).or_default() += &tally;
            }
        }
        Ok(())
    }

    /// Adds the changes to the counts. What has no sessions any more is removed.
    fn write(&self, connection: &Connection) -> Result<(), Failure> {
        let mut hour = connection.prepare_cached(
            "INSERT INTO session_hour VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions, errored = errored + excluded.errored,
                crashed = crashed + excluded.crashed, abnormal = abnormal + excluded.abnormal,
                unhandled = unhandled + excluded.unhandled, anr = anr + excluded.anr,
                duration_ms = duration_ms + excluded.duration_ms",
        )?;
        let mut empty_hour =
            connection.prepare_cached("DELETE FROM session_hour WHERE (place_id, hour) = (?1, ?2) AND sessions = 0")?;
        let mut class = connection.prepare_cached(
            "INSERT INTO session_duration VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions",
        )?;
        let mut empty_class = connection.prepare_cached(
            "DELETE FROM session_duration WHERE (place_id, hour, class) = (?1, ?2, ?3) AND sessions = 0",
        )?;
        for ((place, at), tally) in &self.hours {
            let HealthTally { sessions, errored, crashed, abnormal, unhandled, anr, durations } = tally;
            let sum = durations.sum_ms;
            hour.execute(params![place, at, sessions, errored, crashed, abnormal, unhandled, anr, sum])?;
            if *sessions <= 0 {
                empty_hour.execute(params![place, at])?;
            }
            for (number, sessions) in &durations.classes {
                class.execute(params![place, at, number, sessions])?;
                if *sessions < 0 {
                    empty_class.execute(params![place, at, number])?;
                }
            }
        }
        let mut user = connection.prepare_cached(
            "INSERT INTO session_user VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions, errored = errored + excluded.errored,
                crashed = crashed + excluded.crashed, abnormal = abnormal + excluded.abnormal,
                unhandled = unhandled + excluded.unhandled, anr = anr + excluded.anr",
        )?;
        let mut empty_user = connection.prepare_cached(
            "DELETE FROM session_user WHERE (place_id, hour, user_hash) = (?1, ?2, ?3) AND sessions = 0",
        )?;
        for ((place, at, hash), tally) in &self.users {
            let HealthTally { sessions, errored, crashed, abnormal, unhandled, anr, durations: _ } = tally;
            let hash = hash.0 as i64;
            user.execute(params![place, at, hash, sessions, errored, crashed, abnormal, unhandled, anr])?;
            if *sessions <= 0 {
                empty_user.execute(params![place, at, hash])?;
            }
        }
        Ok(())
    }
}
