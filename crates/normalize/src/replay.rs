//! The event of a segment of a replay (`reference/ingest-protocol.md` §7.7): like any other event, with keys of its own.

use nuthatch_protocol::{Event, EventId, Level, record::IngestHeader};
use serde_json::{Map, Value};

use crate::{
    GeoLookup, event, http, json as reader,
    meta::{Meta, Path},
    pairs,
    refused::{Reason, Refused},
    request::URL,
    shape::{self, Field, Shape},
    trim::{Bag, Limit},
};

/// The type of such an event.
pub(crate) const KIND: &str = "replay_event";

/// Most entries of a list of pages or ids.
const LIST_MAX: usize = 100;

/// What no other event has. Ids are read first: a segment that names wrong ones is refused.
const OWN: &[Field] = &[
    ("error_ids", Shape::Inner),
    ("replay_id", Shape::Inner),
    ("replay_start_timestamp", Shape::Time),
    ("replay_type", Shape::Text(Limit::new(64))),
    ("segment_id", Shape::Inner),
    ("trace_ids", Shape::Inner),
    ("traces_by_timestamp", Shape::Any(Bag { depth: 3, bytes: 16 << 10 })),
    ("urls", Shape::Lines(URL)),
];

/// Whether an event of a replay has a key that no other event has.
pub(crate) fn is_own(key: &str) -> bool {
    OWN.iter().any(|(name, _)| *name == key)
}

/// The event of a segment of a replay, in normal form.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayEvent {
    /// The replay.
    pub replay_id: EventId,
    /// The number of the segment, from 0 on.
    pub segment: u16,
    /// The canonical event, of type `replay_event`, with the keys of replays.
    pub event: Event,
}

/// Reads the event of a segment, and brings it into the normal form of [`Event`]. `geo` tells where users are, if anybody
/// knows.
///
/// # Errors
///
/// What is no JSON object, or names no replay, no segment or ids that are none.
pub fn replay_event(
    payload: &[u8],
    header: &IngestHeader,
    geo: Option<&dyn GeoLookup>,
) -> Result<ReplayEvent, Refused> {
    let sent = reader::read(payload).and_then(|value| match value {
        Value::Object(map) => Ok(map),
        other => Err(Refused::not_an_object(&other)),
    });
    let mut event = sent.map_err(|refused| Refused { reason: Reason::InvalidReplay, ..refused })?;
    let mut own: Map<String, Value> =
        OWN.iter().filter_map(|(key, _)| event.remove_entry(*key)).filter(|(_, value)| !value.is_null()).collect();
    let replay_id = own.get("replay_id").or_else(|| event.get("event_id")).and_then(read_id);
    let replay_id = replay_id.ok_or_else(|| invalid("replay_id", "a UUID"))?;
    let segment = own.get("segment_id").and_then(Value::as_u64).and_then(|segment| u16::try_from(segment).ok());
    let segment = segment.ok_or_else(|| invalid("segment_id", "a number from 0 to 65535"))?;
    for (key, expected) in [("urls", "a list"), ("error_ids", "a list of UUIDs"), ("trace_ids", "a list of UUIDs")] {
        let Some(list) = own.get_mut(key) else { continue };
        let entries = list.as_array_mut().ok_or_else(|| invalid(key, expected))?;
        entries.truncate(LIST_MAX);
        for entry in entries.iter_mut().filter(|_| key != "urls") {
            *entry = read_id(entry).ok_or_else(|| invalid(key, expected))?.to_string().into();
        }
    }

    let mut notes = Meta::new(event.remove("_meta"));
    let meta = &mut notes;
    shape::listed(&mut own, OWN, &Path::root(), meta);
    tell_client(&mut event, header);
    let shift = event::interfaces(&mut event, header, Level::default(), geo, meta);
    shift.apply(&mut own, "replay_start_timestamp", &Path::root(), meta);
    // What happened in a replay is not the server's to grade.
    event.remove("level");
    event.append(&mut own);
    event.insert("event_id".to_owned(), replay_id.to_string().into());
    event.insert("replay_id".to_owned(), replay_id.to_string().into());
    Ok(ReplayEvent { replay_id, segment, event: event::finish(event, KIND, notes) })
}

fn invalid(key: &str, expected: &str) -> Refused {
    Refused::in_json(Reason::InvalidReplay, key.to_owned(), expected)
}

fn read_id(value: &Value) -> Option<EventId> {
    value.as_str()?.parse().ok()
}

/// The request that brought the event stands in for its own when that does not name an agent (§5.3).
fn tell_client(event: &mut Map<String, Value>, header: &IngestHeader) {
    let request = shape::non_null(event, "request", || Value::Object(Map::new()));
    let Some(request) = request.as_object_mut() else { return };
    let headers = shape::non_null(request, "headers", || Value::Array(Vec::new()));
    let is_told = match headers {
        Value::Object(map) => map.keys().any(|name| name.trim().eq_ignore_ascii_case("User-Agent")),
        Value::Array(pairs) => http::header(pairs, "User-Agent").is_some(),
        _ => return,
    };
    if is_told {
        return;
    }
    let agent = header.user_agent.as_deref().map(|agent| ("User-Agent", agent));
    for (name, value) in agent.into_iter().chain(header.client_hints.headers()) {
        match headers {
            Value::Object(map) => _ = map.insert(name.to_owned(), value.into()),
            Value::Array(pairs) => pairs.push(pairs::pair(name.into(), value.into())),
            _ => {}
        }
    }
}
