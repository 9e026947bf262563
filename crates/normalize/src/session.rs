//! Session items (`reference/ingest-protocol.md` §7.4, §7.5): what they say, in one form.
//!
//! Other than with events, what cannot be counted right is refused: a session in a wrong hour or release would be worse
//! than none.

use std::{collections::BTreeMap, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use nuthatch_protocol::{
    Event, IngestRecord, ItemType, ProjectId, SessionState, SessionUpdate, Timestamp,
    record::IngestHeader,
    session::{DURATION_MAX_MS, HealthChange, HealthTally, SessionPlace, SessionStatus, SessionUser},
    time::FUTURE_MAX,
    version::is_release_name,
};
use serde_json::{Map, Value, json};
use sha1::Sha1;

use crate::{
    json,
    refused::{Reason, Refused},
    release::is_environment,
    shape, time,
};

/// A session may have begun so long before it is received.
const MAX_AGE: Duration = Duration::from_hours(5 * 24);
/// Most buckets of one item.
const MAX_AGGREGATES: usize = 10_000;
/// Most sessions that one number of a bucket can stand for: with the bound above, sums stay far from overflowing.
const MAX_COUNT: u64 = 1_000_000;
/// This order marks an update that the SDK takes back.
const WITHDRAWN: u64 = u64::MAX;

/// A session item.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// What it says.
    pub update: SessionUpdate,
    /// What filters look at, where an event has it: release, environment, address of the user, user agent.
    pub context: Event,
}

/// Reads a `session` or `sessions` item.
///
/// Refuses what is no JSON object, names no valid release, has a status that nobody knows, or lies outside of the last
/// five days.
pub fn read_session(record: &IngestRecord) -> Result<Session, Refused> {
    let header = &record.header;
    let Value::Object(item) = json::read(&record.payload)? else {
        return Err(invalid("a session item is a JSON object", ""));
    };
    let empty = Map::new();
    let attrs = item.get("attrs").and_then(Value::as_object).unwrap_or(&empty);
    let place = place(header.project_id, attrs)?;
    let context = context(&place, attrs, header);
    let times = Times { drift: time::clock_drift(header).unwrap_or_default(), received: header.received };
    let update = match ItemType::from(header.item_type.as_str()) {
        ItemType::Sessions => {
            SessionUpdate::Counted { record: header.event_id, changes: aggregates(&item, &place, &times)? }
        }
        _ => one(&item, place, &times, header)?,
    };
    Ok(Session { update, context })
}

/// The hash that stands for a user, so that nobody learns the id from what is stored, nor that two projects share one.
pub fn session_user(project: ProjectId, id: &str) -> Option<SessionUser> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("session user of project {project}").as_bytes()).ok()?;
    mac.update(id.as_bytes());
    let hash = mac.finalize().into_bytes();
    Some(SessionUser(u64::from_be_bytes(hash.first_chunk().copied()?)))
}

fn one(
    item: &Map<String, Value>,
    place: SessionPlace,
    times: &Times,
    header: &IngestHeader,
) -> Result<SessionUpdate, Refused> {
    let started = times.read(item.get("started"), "started")?;
    let timestamp = match item.get("timestamp").filter(|value| !value.is_null()) {
        // What is said about a time before the session was said at its start (§7.4).
        Some(sent) => times.within(times.corrected(Some(sent), "timestamp")?.max(started), "timestamp")?,
        None => header.received.max(started),
    };
    let seq = match item.get("seq").and_then(Value::as_u64) {
        Some(WITHDRAWN) => return Err(invalid("the SDK takes this update back", "$.seq")),
        _ if item.get("init").and_then(Value::as_bool).unwrap_or_default() => 0,
        Some(seq) => seq,
        None => u64::try_from(header.received.millis()).unwrap_or_default(),
    };
    let status = match item.get("status") {
        None | Some(Value::Null) => SessionStatus::Ok,
        Some(word) => word
            .as_str()
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| invalid("expected ok, exited, crashed, abnormal, errored or unhandled", "$.status"))?,
    };
    let sid = match item.get("sid") {
        // The record's own id is random, and the same when it is read again.
        None | Some(Value::Null) => header.event_id,
        Some(sid) => {
            sid.as_str().and_then(|sid| sid.trim().parse().ok()).ok_or_else(|| invalid("expected a UUID", "$.sid"))?
        }
    };
    let duration = item.get("duration").and_then(Value::as_f64).filter(|secs| secs.is_finite() && *secs >= 0.0);
    let mechanism = item.get("abnormal_mechanism").and_then(Value::as_str);
    let state = SessionState {
        started,
        timestamp,
        seq,
        status,
        errors: item.get("errors").and_then(Value::as_u64).unwrap_or_default(),
        duration_ms: duration.map(|secs| ((secs * 1000.0).round() as u64).min(DURATION_MAX_MS)),
        user: user(place.project_id, item),
        is_anr: matches!(mechanism, Some("anr_foreground" | "anr_background")),
        place,
    };
    Ok(SessionUpdate::One { sid, state })
}

/// What the buckets of an item say, those of one hour and user together. Buckets outside of the range are left out.
fn aggregates(item: &Map<String, Value>, place: &SessionPlace, times: &Times) -> Result<Vec<HealthChange>, Refused> {
    let buckets = item.get("aggregates").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if buckets.len() > MAX_AGGREGATES {
        return Err(invalid(&format!("at most {MAX_AGGREGATES} buckets"), "$.aggregates"));
    }
    let mut sums: BTreeMap<(i64, Option<SessionUser>), HealthTally> = BTreeMap::new();
    let mut refused = invalid("there is no bucket", "$.aggregates");
    for (number, bucket) in buckets.iter().enumerate() {
        let at = format!("aggregates[{number}]");
        let Some(bucket) = bucket.as_object() else {
            refused = invalid("expected an object", format!("$.{at}"));
            continue;
        };
        let started = match times.read(bucket.get("started"), &format!("{at}.started")) {
            Ok(started) => started,
            Err(outside) => {
                refused = outside;
                continue;
            }
        };
        let tally = tally(bucket);
        if !tally.is_zero() {
            *sums.entry((started.hours(), user(place.project_id, bucket))).or_default() += &tally;
        }
    }
    if sums.is_empty() {
        return Err(refused);
    }
    let change = |((hour, user), tally)| HealthChange { place: place.clone(), hour, user, tally };
    Ok(sums.into_iter().map(change).collect())
}

fn tally(bucket: &Map<String, Value>) -> HealthTally {
    let count = |key: &str| bucket.get(key).and_then(Value::as_u64).unwrap_or_default().min(MAX_COUNT) as i64;
    let (crashed, abnormal, unhandled) = (count("crashed"), count("abnormal"), count("unhandled"));
    let errored = count("errored") + crashed + abnormal + unhandled;
    HealthTally { sessions: count("exited") + errored, errored, crashed, abnormal, unhandled, ..HealthTally::default() }
}

fn user(project: ProjectId, holder: &Map<String, Value>) -> Option<SessionUser> {
    let id = match holder.get("did")? {
        Value::String(id) => id.trim().to_owned(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    if id.is_empty() { None } else { session_user(project, &id) }
}

fn place(project_id: ProjectId, attrs: &Map<String, Value>) -> Result<SessionPlace, Refused> {
    let text = |key: &str| attrs.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let release = text("release").filter(|release| is_release_name(release));
    let release = release.ok_or_else(|| invalid("expected a release such as app@1.2.3", "$.attrs.release"))?;
    let environment = text("environment").filter(|name| is_environment(name)).unwrap_or_default();
    Ok(SessionPlace { project_id, release: release.to_owned(), environment: environment.to_owned() })
}

fn context(place: &SessionPlace, attrs: &Map<String, Value>, header: &IngestHeader) -> Event {
    let text = |key: &str| attrs.get(key).and_then(Value::as_str);
    let mut context = Map::new();
    context.insert("release".to_owned(), json!(place.release));
    if !place.environment.is_empty() {
        context.insert("environment".to_owned(), json!(place.environment));
    }
    let address = match text("ip_address") {
        Some("{{auto}}") => header.client_ip,
        address => address.and_then(|address| address.parse().ok()),
    };
    if let Some(address) = address {
        context.insert("user".to_owned(), json!({ "ip_address": address.to_string() }));
    }
    if let Some(agent) = text("user_agent").or(header.user_agent.as_deref()) {
        context.insert("request".to_owned(), json!({ "headers": [["User-Agent", agent]] }));
    }
    Event(context)
}

/// How the times of an item are read.
struct Times {
    /// What the client's clock is behind, in microseconds.
    drift: i64,
    received: Timestamp,
}

impl Times {
    fn read(&self, value: Option<&Value>, key: &str) -> Result<Timestamp, Refused> {
        self.within(self.corrected(value, key)?, key)
    }

    /// A time by the server's clock.
    fn corrected(&self, value: Option<&Value>, key: &str) -> Result<Timestamp, Refused> {
        let sent = value.and_then(shape::timestamp);
        let sent = sent.ok_or_else(|| invalid("expected a time such as 2026-01-31T12:00:00Z", format!("$.{key}")))?;
        Ok(Timestamp(sent.0.saturating_add(self.drift)))
    }

    /// The time, if it is in the range that is kept.
    fn within(&self, time: Timestamp, key: &str) -> Result<Timestamp, Refused> {
        if time < self.received.minus(MAX_AGE) || time > self.received.plus(FUTURE_MAX) {
            let message = format!("{time} is not within the five days before {}", self.received);
            return Err(Refused { reason: Reason::Timestamp, message, place: Some(format!("$.{key}")) });
        }
        Ok(time)
    }
}

fn invalid(message: &str, place: impl Into<String>) -> Refused {
    let place = Some(place.into()).filter(|place| !place.is_empty());
    Refused { reason: Reason::InvalidSession, message: message.to_owned(), place }
}
