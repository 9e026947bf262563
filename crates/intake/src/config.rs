//! What intake takes and for how long it waits.

use std::time::Duration;

use url::Url;

/// Bounds of intake (`reference/ingest-protocol.md` §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeConfig {
    /// Largest envelope, in bytes after decompression; also the largest compressed body.
    pub envelope_max_bytes: usize,
    /// Largest file that is uploaded before its envelope, in bytes. A compressed one may have as many as an envelope.
    pub upload_max_bytes: usize,
    /// Uploads that are received at once. Others wait, see [`Self::room_wait`].
    pub uploads_max: usize,
    /// Largest event-like item and largest `/store/` body, in bytes.
    pub event_max_bytes: usize,
    /// Bytes of bodies held at once over all requests, compressed and decompressed. Requests wait for room, see
    /// [`Self::room_wait`]; a single request may exceed it, as long as it is the only one.
    pub inflight_max_bytes: usize,
    /// Time a client has to send a body; of an upload, the longest wait for more of it.
    pub body_timeout: Duration,
    /// Longest wait for room under [`Self::inflight_max_bytes`].
    pub room_wait: Duration,
    /// Longest wait for the log to have made a record durable, over all attempts.
    pub append_wait: Duration,
    /// Address under which SDKs reach the server: where they are told that what they have begun goes on. None: they are told
    /// paths.
    pub public_url: Option<Url>,
    /// Whether the client's address may come from proxy headers.
    pub trust_forwarded_for: bool,
    /// Events a second that a project may send for good before its events go to the backlog; 0: they never do.
    pub lane_events_per_second: u64,
    /// Events that a project may send at once before its events go to the backlog.
    pub lane_burst_events: u64,
    /// Keys whose lookup is remembered, found or not.
    pub keys_cached_max: usize,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            envelope_max_bytes: 200 << 20,
            upload_max_bytes: 1 << 30,
            uploads_max: 32,
            event_max_bytes: 1 << 20,
            inflight_max_bytes: 256 << 20,
            body_timeout: Duration::from_secs(30),
            room_wait: Duration::from_secs(10),
            append_wait: Duration::from_secs(20),
            public_url: None,
            trust_forwarded_for: true,
            lane_events_per_second: 500,
            lane_burst_events: 2000,
            keys_cached_max: 20_000,
        }
    }
}
