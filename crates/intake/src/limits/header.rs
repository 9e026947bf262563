//! What clients are told about limits (`reference/ingest-protocol.md` §9.3).

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};
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
        if self.0.iter().all(|known| known.key != quota.key) {
            self.0.push(RateLimit { key: quota.key, retry_secs, rule: quota.rule.clone() });
        }
    }

    /// Says them, if there are any.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        if let Some(value) = Some(self.to_string()).filter(|text| !text.is_empty())
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(RATE_LIMITS, value);
        }
    }

    /// Says also when to come again: for requests of which nothing was taken.
    pub(crate) fn write_refused(&self, headers: &mut HeaderMap) {
        self.write(headers);
        if let Some(retry_secs) = self.0.iter().map(|limit| limit.retry_secs).max() {
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
