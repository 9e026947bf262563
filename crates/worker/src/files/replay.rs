//! Replays: events, recordings and videos of their segments (`reference/ingest-protocol.md` §7.7 to §7.9).

use bytes::Bytes;
use nuthatch_normalize::{ReplayEvent, filter::FilterReason, replay_event};
use nuthatch_protocol::{EventId, record::IngestHeader};
use serde::Deserialize;

use super::{broken, object};
use crate::{ProjectRules, items::Broken};

const INVALID_RECORDING: &str = "invalid_replay_recording";
const INVALID_VIDEO: &str = "invalid_replay_video";

/// Largest event, in bytes: of one that comes by itself, intake says so (`reference/ingest-protocol.md` §5.2).
pub(super) const EVENT_MAX_BYTES: usize = 1 << 20;

/// What is known of a segment of a replay.
pub(super) struct Segment {
    pub(super) replay_id: EventId,
    pub(super) number: u16,
    /// The event as it is kept: scrubbed.
    pub(super) json: Bytes,
}

/// A segment, or why the project does not want it.
pub(super) type Wanted = Result<Segment, FilterReason>;

/// Reads the event of a segment, and takes out what the project does not want to keep.
pub(super) fn read_event(payload: &[u8], header: &IngestHeader, rules: &ProjectRules) -> Result<Wanted, Broken> {
    let ReplayEvent { replay_id, segment, mut event } = replay_event(payload, header, rules.geo())?;
    if let Some(reason) = rules.filter(&event, header.client_ip) {
        return Ok(Err(reason));
    }
    rules.scrub(&mut event);
    Ok(Ok(Segment { replay_id, number: segment, json: event.to_json().into() }))
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
pub(super) fn event_of_video(payload: &[u8], header: &IngestHeader, rules: &ProjectRules) -> Result<Wanted, Broken> {
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
