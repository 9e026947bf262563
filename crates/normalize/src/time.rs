//! Times of an event (`reference/ingest-protocol.md` §12.3): no stored event lies outside
//! (received − 30 days, received + 60 s], and a client's wrong clock is corrected.

use std::time::Duration;

use nuthatch_protocol::{Timestamp, record::IngestHeader, time::FUTURE_MAX};
use serde_json::{Map, Value, json};

use crate::{
    meta::{Meta, Path},
    shape,
};

/// From so much difference between sending and receiving on, the client's clock is taken to be wrong.
const MIN_CLOCK_DRIFT: Duration = Duration::from_mins(55);
/// An event may be so old.
const MAX_AGE: Duration = Duration::from_hours(30 * 24);

/// By how much every time of the event moves, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Shift(i64);

impl Shift {
    /// By how much the times of something that comes without a time of its own move: the drift of the client's clock.
    pub(crate) fn of_drift(header: &IngestHeader) -> Self {
        Self(clock_drift(header).unwrap_or_default())
    }

    /// Moves the time under `key`; one before 1970 is removed.
    pub(crate) fn apply(self, map: &mut Map<String, Value>, key: &str, at: &Path<'_>, meta: &mut Meta) {
        let Some(value) = map.get_mut(key) else { return };
        let moved = shape::timestamp(value).map(|time| Timestamp(time.0.saturating_add(self.0)));
        match moved {
            Some(time) if time.0 >= 0 => *value = shape::seconds(time),
            _ => {
                meta.invalid(&at.key(key), "a time after 1970", value.take());
                map.remove(key);
            }
        }
    }
}

/// Settles `timestamp`, `start_timestamp` and `received`.
pub(crate) fn normalize(event: &mut Map<String, Value>, header: &IngestHeader, meta: &mut Meta) -> Shift {
    let received = header.received;
    let sent = event.get("timestamp").and_then(shape::timestamp).filter(|time| time.0 >= 0);
    let mut shift = 0;
    if let (Some(drift), Some(sent_at)) = (clock_drift(header), header.sent_at) {
        shift = drift;
        note("clock_drift", sent_at, received, meta);
    }
    if let Some(time) = sent {
        let corrected = Timestamp(time.0.saturating_add(shift));
        if let Some(kind) = out_of_range(corrected, received) {
            shift = received.0.saturating_sub(time.0);
            note(kind, corrected, received, meta);
        }
    }
    let shift = Shift(shift);
    match sent {
        Some(time) => {
            let time = Timestamp(time.0.saturating_add(shift.0));
            event.insert("timestamp".to_owned(), shape::seconds(time));
        }
        None => {
            if let Some(before_1970) = event.insert("timestamp".to_owned(), shape::seconds(received)) {
                meta.invalid(&Path::top("timestamp"), "a time after 1970", before_1970);
            }
        }
    }
    if let Some(start) = event.get("start_timestamp").and_then(shape::timestamp) {
        let moved = Timestamp(start.0.saturating_add(shift.0));
        event.insert("start_timestamp".to_owned(), shape::seconds(moved));
    }
    event.insert("received".to_owned(), shape::seconds(received));
    shift
}

/// By how many microseconds the client's clock is behind, if it is taken to be wrong.
pub(crate) fn clock_drift(header: &IngestHeader) -> Option<i64> {
    let drift = header.received.0.saturating_sub(header.sent_at?.0);
    (drift.unsigned_abs() >= micros(MIN_CLOCK_DRIFT) as u64).then_some(drift)
}

/// Why a time cannot be kept, in the words of `_meta`.
pub(crate) fn out_of_range(time: Timestamp, received: Timestamp) -> Option<&'static str> {
    if time > received.plus(FUTURE_MAX) {
        Some("future_timestamp")
    } else if time <= received.minus(MAX_AGE) {
        Some("past_timestamp")
    } else {
        None
    }
}

fn note(kind: &str, sdk: Timestamp, server: Timestamp, meta: &mut Meta) {
    let details = json!([kind, { "sdk_time": sdk.to_string(), "server_time": server.to_string() }]);
    meta.error(&Path::top("timestamp"), details);
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
