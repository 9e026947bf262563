//! HTTP for SDKs: authenticate, frame, append to the log, answer.
//!
//! A request goes through `routes` (path, CORS, counting), `credentials` (who), `body` (read in time, in bounded
//! memory, through the one capped decoder in `decode`), the envelope parser of `protocol`, `crash`, `entries` and `profiles` (what its items are), `uploads` (files that came before), `keys` (may they), `origin` (from
//! there), `quotas` (so much), `limits` (sizes), `plan` (what becomes of each item), `lanes` (whether it waits behind others), `beside` (files go to the blob store)
//! and `accept` (append, then answer). Nothing is parsed that need
//! not be; payloads are slices of the body until the record of the log is written. What intake itself refuses of a known
//! project is counted: `outcomes` makes that durable before the answer.

mod accept;
mod beside;
mod body;
mod client_report;
mod config;
mod crash;
mod credentials;
mod decode;
mod durable;
mod endpoint;
mod entries;
mod explain;
mod keys;
mod lanes;
mod limits;
mod multipart;
mod origin;
mod outcomes;
mod peek;
mod plan;
mod profiles;
mod quotas;
mod refusal;
mod routes;
mod store_payload;
mod telemetry;
mod uploads;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use nuthatch_protocol::{Clock, EventId};
use nuthatch_store::{
    BlobStore, Log, ProjectStore,
    quotas::{Quota, QuotaUsage},
};

pub use accept::partition_of;
pub use config::IntakeConfig;
pub use explain::{Explanation, ItemExplanation, Refused, explain};
pub use routes::{collapse_slashes, router};

/// What takes events in. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Intake {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn Log>,
    blobs: Arc<dyn BlobStore>,
    keys: keys::Keys,
    clock: Arc<dyn Clock>,
    new_event_id: Arc<dyn Fn() -> EventId + Send + Sync>,
    config: IntakeConfig,
    memory: body::Memory,
    telemetry: telemetry::Telemetry,
    recorder: outcomes::Recorder,
    quotas: quotas::Quotas,
    lanes: lanes::Lanes,
    uploads: uploads::Uploads,
    closed: AtomicBool,
}

impl Intake {
    /// Puts intake together. `new_event_id` makes a random id. Install the recorder of metrics before.
    pub fn new(
        log: Arc<dyn Log>,
        blobs: Arc<dyn BlobStore>,
        projects: Arc<dyn ProjectStore>,
        clock: Arc<dyn Clock>,
        new_event_id: Arc<dyn Fn() -> EventId + Send + Sync>,
        config: IntakeConfig,
    ) -> Self {
        let keys = keys::Keys::new(projects, config.keys_cached_max);
        let memory = body::Memory::new(config.inflight_max_bytes);
        let recorder = outcomes::Recorder::new(log.clone(), config.append_wait);
        let (telemetry, closed) = (telemetry::Telemetry::new(), AtomicBool::new(false));
        let quotas = quotas::Quotas::new();
        let lanes = lanes::Lanes::new(config.lane_events_per_second, config.lane_burst_events);
        let uploads = uploads::Uploads::new(config.uploads_max);
        let inner = Inner {
            log,
            blobs,
            keys,
            clock,
            new_event_id,
            config,
            memory,
            telemetry,
            recorder,
            quotas,
            lanes,
            uploads,
            closed,
        };
        Self { inner: Arc::new(inner) }
    }

    /// How much of a quota is used now.
    pub fn quota_usage(&self, quota: &Quota) -> QuotaUsage {
        self.inner.quotas.usage(quota, self.inner.clock.now())
    }

    /// Refuses requests from now on with 503; those that are under way are finished.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::Relaxed);
    }

    fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Relaxed)
    }
}
