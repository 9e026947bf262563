//! The web API under `/api/0/` (`reference/web-api.md`), accounts, and the OpenAPI description of both.
//!
//! A request goes through three steps. Extractors say who asks ([`auth::caller`]) and whose data it is about
//! ([`auth::access`]); a route reads the stores; [`shape`] and [`event_body`] turn the model into what goes over the
//! wire. Every failure is one [`error::ApiError`].

mod auth;
mod error;
mod event_body;
mod event_table;
mod health;
mod message;
mod page;
mod period;
mod query;
mod release_search;
mod routes;
mod search;
mod series;
mod shape;
mod telemetry;
mod trace_items;

use std::{pin::Pin, sync::Arc};

use nuthatch_protocol::{Clock, Timestamp};
use nuthatch_store::{
    BlobStore, EventStore, Log, MetaStore, StoreError, TraceStore,
    events::StoredEvent,
    log::StoredRecord,
    quotas::{Quota, QuotaUsage},
};
use url::Url;

use crate::{
    auth::{password::Passwords, throttle::Throttle},
    error::ApiError,
};
pub use crate::{
    auth::{
        password::{PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS, PasswordError, check_password, hash_password},
        scope::SCOPES,
        secret::{SECRET_BYTES, last_characters, project_token_text, secret_hash, token_text},
    },
    routes::{openapi, router},
    shape::{
        issue_type::{Definition, issue_type_json, read_issue_type},
        key::dsn,
    },
};

/// The event that a record of the log will become: how an event is shown that was accepted and not yet applied.
pub type Canonicalise = Arc<dyn Fn(StoredRecord) -> Canonical + Send + Sync>;

/// The answer of [`Canonicalise`]: the event, or `None` when the record becomes none.
pub type Canonical = Pin<Box<dyn Future<Output = Result<Option<StoredEvent>, StoreError>> + Send>>;

/// How much of a quota is used now.
pub type UsageOfQuota = Arc<dyn Fn(&Quota) -> QuotaUsage + Send + Sync>;

/// Fills a buffer with random bytes that nobody can guess.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What the API needs.
pub struct ApiDeps {
    /// Organizations, projects, accounts, issues.
    pub meta: Arc<dyn MetaStore>,
    /// Events.
    pub events: Arc<dyn EventStore>,
    /// Spans, log lines and metrics.
    pub traces: Arc<dyn TraceStore>,
    /// The bytes of files.
    pub blobs: Arc<dyn BlobStore>,
    /// What was accepted and not yet applied.
    pub log: Arc<dyn Log>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for secrets and salts.
    pub random: Random,
    /// What a record of the log will become.
    pub canonicalise: Canonicalise,
    /// What is used of quotas; none where another process counts.
    pub quota_usage: Option<UsageOfQuota>,
    /// Address under which clients reach the server: part of DSNs and links; cookies are for https only when it is.
    pub public_url: Url,
}

/// The state of the API; cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<State>);

struct State {
    deps: ApiDeps,
    passwords: Passwords,
    throttle: Throttle,
}

impl Api {
    /// The API over these stores.
    pub fn new(deps: ApiDeps) -> Self {
        Self(Arc::new(State { deps, passwords: Passwords::new(), throttle: Throttle::new() }))
    }

    /// Refuses what would have to wait in a log that has no room for more.
    fn check_room(&self) -> Result<(), ApiError> {
        if self.0.deps.log.has_room() {
            return Ok(());
        }
        Err(ApiError::Unavailable(StoreError::Unavailable { store: "log", cause: "it is full".to_owned() }))
    }

    fn now(&self) -> Timestamp {
        self.0.deps.clock.now()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0.deps.random)(&mut bytes);
        bytes
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }
}

impl std::ops::Deref for Api {
    type Target = ApiDeps;

    fn deref(&self) -> &ApiDeps {
        &self.0.deps
    }
}
