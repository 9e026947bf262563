//! The metrics of intake.

use metrics::{Counter, Histogram, counter, histogram};
use nuthatch_protocol::ItemType;

/// Requests by status (counter). Healthy: nearly all `200`.
const REQUESTS: &str = "nuthatch_intake_requests_total";
/// Time from the head of a request to its answer, in seconds (histogram). Healthy: little more than a group commit.
const REQUEST_SECONDS: &str = "nuthatch_intake_request_seconds";
/// Events that were appended to the log and acknowledged (counter).
const EVENTS_ACCEPTED: &str = "nuthatch_intake_events_accepted_total";
/// Events of these whose project sent more than its share, so that they went to the backlog (counter).
const EVENTS_OVERFLOWED: &str = "nuthatch_intake_events_overflowed_total";
/// Bytes of the payloads of those events (counter).
const EVENT_BYTES: &str = "nuthatch_intake_event_bytes_total";
/// Items of accepted envelopes that were dropped, by type, all unknown types as `other` (counter).
const ITEMS_SKIPPED: &str = "nuthatch_intake_items_skipped_total";

/// Items that quotas did not let through, by type (counter). Zero until a limit is met.
const ITEMS_LIMITED: &str = "nuthatch_intake_items_limited_total";

/// Handles of the metrics that every request touches.
pub(crate) struct Telemetry {
    accepted: Counter,
    overflowed: Counter,
    bytes: Counter,
    latency: Histogram,
}

impl Telemetry {
    /// Registers with the recorder that is installed now.
    pub(crate) fn new() -> Self {
        Self {
            accepted: counter!(EVENTS_ACCEPTED),
            overflowed: counter!(EVENTS_OVERFLOWED),
            bytes: counter!(EVENT_BYTES),
            latency: histogram!(REQUEST_SECONDS),
        }
    }

    pub(crate) fn answered(&self, status: http::StatusCode, seconds: f64) {
        counter!(REQUESTS, "status" => status.as_u16().to_string()).increment(1);
        self.latency.record(seconds);
    }

    pub(crate) fn accepted(&self, payload_bytes: usize) {
        self.accepted.increment(1);
        self.bytes.increment(payload_bytes as u64);
    }

    pub(crate) fn overflowed(&self) {
        self.overflowed.increment(1);
    }

    /// Not kept as a handle: most servers have few limits.
    pub(crate) fn limited(item_type: &ItemType) {
        counter!(ITEMS_LIMITED, "type" => item_type.label()).increment(1);
    }

    /// Not kept as a handle: most servers see few types.
    pub(crate) fn skipped(item_type: &ItemType) {
        counter!(ITEMS_SKIPPED, "type" => item_type.label()).increment(1);
    }
}
