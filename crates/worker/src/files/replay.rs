//! Replays: events, recordings and videos of their segments (`reference/ingest-protocol.md` §7.7 to §7.9).

use bytes::Bytes;
use nuthatch_normalize::user_agent;
use nuthatch_protocol::{Event, EventId, record::IngestHeader};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{broken, object};
use crate::{ProjectRules, items::Broken};

const INVALID_EVENT: &str = "invalid_replay";
const INVALID_RECORDING: &str = "invalid_replay_recording";
const INVALID_VIDEO: &str = "invalid_replay_video";

/// Largest event, in bytes: of one that comes by itself, intake says so (`reference/ingest-protocol.md` §5.2).
pub(super) const EVENT_MAX_BYTES: usize = 1 << 20;

/// Most entries of each list of a replay's event.
const LIST_MAX: usize = 100;

/// What is known of a segment of a replay.
pub(super) struct ReplayEvent {
    pub(super) replay_id: EventId,
    pub(super) segment: u16,
    /// The event as it is kept: scrubbed.
    pub(super) json: Bytes,
}

/// Reads the event of a segment, and takes out what the project does not want to keep.
pub(super) fn read_event(payload: &[u8], header: &IngestHeader, rules: &ProjectRules) -> Result<ReplayEvent, Broken> {
    let mut event: Map<String, Value> = object(payload, INVALID_EVENT)?;
    let at = |place: &str, message: &str| Broken { place: Some(place.to_owned()), ..broken(INVALID_EVENT, message) };
    let id = event.get("replay_id").or_else(|| event.get("event_id")).and_then(read_id);
    let replay_id = id.ok_or_else(|| at("replay_id", "expected a UUID"))?;
    let segment = event.get("segment_id").and_then(Value::as_u64).and_then(|segment| u16::try_from(segment).ok());
    let segment = segment.ok_or_else(|| at("segment_id", "expected a number from 0 to 65535"))?;
    for list in ["urls", "error_ids", "trace_ids"] {
        match event.get_mut(list) {
            Some(Value::Array(entries)) => {
                entries.truncate(LIST_MAX);
                if list != "urls" && entries.iter().any(|entry| read_id(entry).is_none()) {
                    return Err(at(list, "expected UUIDs"));
                }
            }
            Some(Value::Null) | None => {}
            Some(_) => return Err(at(list, "expected a list")),
        }
    }
    event.insert("replay_id".to_owned(), replay_id.to_string().into());
    event.insert("event_id".to_owned(), replay_id.to_string().into());
    event.entry("platform").or_insert_with(|| "other".into());
    fill_address(&mut event, header);
    user_agent::complete_replay(&mut event, header);
    let mut event = Event(event);
    rules.scrub(&mut event);
    Ok(ReplayEvent { replay_id, segment, json: event.to_json().into() })
}

fn read_id(value: &Value) -> Option<EventId> {
    value.as_str()?.parse().ok()
}

/// Puts the address of the client where the SDK asks for it.
fn fill_address(event: &mut Map<String, Value>, header: &IngestHeader) {
    let Some(user) = event.get_mut("user").and_then(Value::as_object_mut) else { return };
    if user.get("ip_address").and_then(Value::as_str) == Some("{{auto}}") {
        match header.client_ip {
            Some(address) => user.insert("ip_address".to_owned(), address.to_string().into()),
            None => user.remove("ip_address"),
        };
    }
}

#[derive(Deserialize)]
struct RecordingHeader {
    segment_id: u16,
}

/// The segment of a recording, which its first line names; what follows is kept as it came and only looked at for what
/// it begins with: a list, or a zlib stream.
pub(super) fn segment_of_recording(head: &[u8]) -> Result<u16, Broken> {
    let end = head.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| broken(INVALID_RECORDING, "the recording has no header line"))?;
    let (line, body) = (&head[..end], &head[end + 1..]);
    let header: RecordingHeader = object(line, INVALID_RECORDING)?;
    let is_list = body.trim_ascii_start().first() == Some(&b'[');
    // The first two bytes of a zlib stream are a multiple of 31, and name the method 8 (RFC 1950 §2.2).
    let is_zlib =
        matches!(body, [cmf, flg, ..] if cmf & 0x0f == 8 && u16::from_be_bytes([*cmf, *flg]).is_multiple_of(31));
    if is_list || is_zlib {
        Ok(header.segment_id)
    } else {
        Err(broken(INVALID_RECORDING, "the recording is neither a JSON list nor a zlib stream"))
    }
}

#[derive(Deserialize)]
struct Video<'v> {
    #[serde(borrow, rename = "replay_event")]
    event: &'v [u8],
    #[serde(borrow, rename = "replay_recording")]
    recording: &'v [u8],
    #[serde(borrow, rename = "replay_video")]
    images: &'v [u8],
}

/// The event in a segment of a mobile replay, if all three parts of the segment are sound.
pub(super) fn event_of_video(
    payload: &[u8],
    header: &IngestHeader,
    rules: &ProjectRules,
) -> Result<ReplayEvent, Broken> {
    let video: Video<'_> = rmp_serde::from_slice(payload).map_err(|error| broken(INVALID_VIDEO, error.to_string()))?;
    if video.images.is_empty() {
        return Err(broken(INVALID_VIDEO, "the video is empty"));
    }
    if video.event.len() > EVENT_MAX_BYTES {
        return Err(broken(INVALID_VIDEO, format!("the event has more than {EVENT_MAX_BYTES} bytes")));
    }
    let event = read_event(video.event, header, rules)?;
    segment_of_recording(video.recording)?;
    Ok(event)
}
