//! Client keys and DSNs (`reference/web-api.md` §3.3).

use nuthatch_store::projects;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

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

/// At most `count` events in `window` seconds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyRateLimit {
    pub(crate) window: u32,
    pub(crate) count: u32,
}

/// Addresses for SDKs. Empty: not served.
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
        Self {
            id: key.public.to_string(),
            name: key.name.clone(),
            label: key.name.clone(),
            public: key.public.to_string(),
            secret: String::new(),
            project_id: key.project_id.0,
            is_active: key.is_active,
            rate_limit: None,
            date_created: key.created.to_string(),
            dsn: Dsn {
                secret: dsn.clone(),
                public: dsn,
                csp: String::new(),
                security: String::new(),
                minidump: String::new(),
                nel: String::new(),
                unreal: String::new(),
                crons: String::new(),
                cdn: String::new(),
                playstation: String::new(),
                integration: String::new(),
                otlp_traces: String::new(),
                otlp_logs: String::new(),
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

/// A key to create or change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyRequest {
    pub(crate) name: Option<String>,
    pub(crate) is_active: Option<bool>,
}
