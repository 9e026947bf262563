//! What clients are told about limits (`reference/ingest-protocol.md` §9.3).

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use nuthatch_store::quotas::QuotaRule;

use super::counters::{Exceeded, QuotaKey};

/// The header that all SDKs read, on every status.
const RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");

/// The limits that a request met, each once, in the order it met them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RateLimits(Vec<RateLimit>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct RateLimit {
    key: QuotaKey,
    retry_secs: u64,
    rule: QuotaRule,
}

impl RateLimits {
    pub(super) fn add(&mut self, Exceeded { quota, retry_secs }: Exceeded<'_>) {
        self.push(RateLimit { key: quota.key, retry_secs, rule: quota.rule.clone() });
    }

    fn push(&mut self, limit: RateLimit) {
        if self.0.iter().all(|known| known.key != limit.key) {
            self.0.push(limit);
        }
    }
}

/// Takes the limits that a request meets to its answer, whichever endpoint gives that. All clones are one.
#[derive(Clone, Default)]
pub(crate) struct LimitsMet(Arc<Mutex<RateLimits>>);

impl LimitsMet {
    /// Notes them in a request that [`Self`] was put into.
    pub(crate) fn note(request: &Parts, limits: RateLimits) {
        if let Some(Self(met)) = request.extensions.get() {
            let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
            for limit in limits.0 {
                met.push(limit);
            }
        }
    }

    /// Says them, if there are any; where nothing was taken, also when to come again.
    pub(crate) fn tell(&self, response: &mut Response) {
        let met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(retry_secs) = met.0.iter().map(|limit| limit.retry_secs).max() else { return };
        let is_refused = response.status() == StatusCode::TOO_MANY_REQUESTS;
        let headers = response.headers_mut();
        headers.extend(HeaderValue::from_str(&met.to_string()).ok().map(|value| (RATE_LIMITS, value)));
        if is_refused {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_secs));
        }
    }
}

/// `<retry>:<cat>;<cat>…:<scope>[:<reason>], …`
impl fmt::Display for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, RateLimit { retry_secs, rule, .. }) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let categories: Vec<&str> = rule.categories.iter().map(|category| category.as_str()).collect();
            write!(f, "{comma}{retry_secs}:{}:{}", categories.join(";"), rule.scope)?;
            if !rule.reason_code.is_empty() {
                write!(f, ":{}", rule.reason_code)?;
            }
        }
        Ok(())
    }
}
