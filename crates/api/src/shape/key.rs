//! Client keys and DSNs (`reference/web-api.md` §3.3).

use std::collections::BTreeMap;

use nuthatch_store::{projects, quotas};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::{error::ApiError, query::present};

/// A client key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    /// The public half; names the key in paths.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) public: String,
    /// Always empty: nothing asks for it any more.
    pub(crate) secret: String,
    pub(crate) project_id: u64,
    pub(crate) is_active: bool,
    pub(crate) rate_limit: Option<KeyRateLimit>,
    pub(crate) date_created: String,
    pub(crate) dsn: Dsn,
    pub(crate) browser_sdk_version: String,
    pub(crate) browser_sdk: BrowserSdk,
    pub(crate) dynamic_sdk_loader_options: LoaderOptions,
}

/// At most `count` errors in `window` seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub(crate) struct KeyRateLimit {
    /// From 1 second to 31 days.
    pub(crate) window: u32,
    /// 0: none at all.
    pub(crate) count: u64,
}

/// Addresses for SDKs and for what sends without one. Empty: not served. `crons` has `___MONITOR_SLUG___` where the slug goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dsn {
    /// What goes into an SDK.
    pub(crate) public: String,
    pub(crate) secret: String,
    pub(crate) csp: String,
    pub(crate) security: String,
    pub(crate) minidump: String,
    pub(crate) nel: String,
    pub(crate) unreal: String,
    pub(crate) crons: String,
    pub(crate) cdn: String,
    pub(crate) playstation: String,
    pub(crate) integration: String,
    pub(crate) otlp_traces: String,
    pub(crate) otlp_logs: String,
}

/// Versions of the browser SDK to choose from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrowserSdk {
    pub(crate) choices: Vec<(String, String)>,
}

/// What a loader script would include.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoaderOptions {
    pub(crate) has_replay: bool,
    pub(crate) has_performance: bool,
    pub(crate) has_debug: bool,
    pub(crate) has_feedback: bool,
    pub(crate) has_logs_and_metrics: bool,
}

impl Key {
    pub(crate) fn new(key: &projects::ProjectKey, public_url: &Url) -> Self {
        let dsn = dsn(public_url, key);
        let root = format!("{}/api/{}", public_url.as_str().trim_end_matches('/'), key.project_id);
        let with_key = |endpoint: &str| format!("{root}/{endpoint}/?sentry_key={}", key.public);
        Self {
            id: key.public.to_string(),
            name: key.name.clone(),
            label: key.name.clone(),
            public: key.public.to_string(),
            secret: String::new(),
            project_id: key.project_id.0,
            is_active: key.is_active,
            rate_limit: key.rate_limit.map(|limit| KeyRateLimit { window: limit.window_secs, count: limit.count }),
            date_created: key.created.to_string(),
            dsn: Dsn {
                secret: dsn.clone(),
                public: dsn,
                csp: with_key("csp-report"),
                security: with_key("security"),
                minidump: with_key("minidump"),
                nel: with_key("nel"),
                unreal: format!("{root}/unreal/{}/", key.public),
                crons: format!("{root}/cron/___MONITOR_SLUG___/{}/", key.public),
                cdn: String::new(),
                playstation: with_key("playstation"),
                integration: format!("{root}/integration/"),
                otlp_traces: format!("{root}/integration/otlp/v1/traces"),
                otlp_logs: format!("{root}/integration/otlp/v1/logs"),
            },
            browser_sdk_version: "latest".to_owned(),
            browser_sdk: BrowserSdk { choices: vec![("latest".to_owned(), "latest".to_owned())] },
            dynamic_sdk_loader_options: LoaderOptions {
                has_replay: false,
                has_performance: false,
                has_debug: false,
                has_feedback: false,
                has_logs_and_metrics: false,
            },
        }
    }
}

/// The DSN of a key: the public address of the server with the key as user name and the project as last path
/// segment (`reference/ingest-protocol.md` §1).
pub fn dsn(public_url: &Url, key: &projects::ProjectKey) -> String {
    let scheme = public_url.scheme();
    let host = public_url.host_str().unwrap_or("localhost");
    let port = public_url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = public_url.path().trim_end_matches('/');
    format!("{scheme}://{}@{host}{port}{path}/{}", key.public, key.project_id)
}

/// A key to create or change. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyRequest {
    pub(crate) name: Option<String>,
    pub(crate) is_active: Option<bool>,
    /// Null: no limit.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<KeyRateLimit>)]
    pub(crate) rate_limit: Option<Option<KeyRateLimit>>,
}

impl KeyRequest {
    /// The limit that is asked for, `None` when none is.
    pub(crate) fn checked_limit(&self) -> Result<Option<Option<quotas::KeyRateLimit>>, ApiError> {
        let Some(Some(KeyRateLimit { window, count })) = self.rate_limit else {
            return Ok(self.rate_limit.map(|_| None));
        };
        let mut wrong = BTreeMap::new();
        if !(1..=quotas::WINDOW_MAX_SECS).contains(&window) {
            wrong.insert("rateLimit.window".to_owned(), window_bounds());
        }
        if i64::try_from(count).is_err() {
            wrong.insert("rateLimit.count".to_owned(), "the number is too large".to_owned());
        }
        if !wrong.is_empty() {
            return Err(ApiError::InvalidFields(wrong));
        }
        Ok(Some(Some(quotas::KeyRateLimit { window_secs: window, count })))
    }
}

/// What is said about a window that is none.
pub(crate) fn window_bounds() -> String {
    format!("expected seconds, from 1 to {}", quotas::WINDOW_MAX_SECS)
}
