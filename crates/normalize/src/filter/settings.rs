//! What a project does not want (`reference/ingest-protocol.md` §14).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Settings of the inbound filters. Switches are under the ids that the API gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct FilterSettings {
    /// Errors that browser extensions cause.
    pub browser_extensions: bool,
    /// Browsers that nobody wants to support any more.
    pub legacy_browsers: LegacyBrowsers,
    /// What comes from the developers' own machines.
    pub localhost: bool,
    /// What crawlers cause.
    pub web_crawlers: bool,
    /// Transactions of health checks.
    pub filtered_transaction: bool,
    /// Errors of React's hydration.
    pub react_hydration_errors: bool,
    /// Errors of loading a chunk of a page's program.
    pub chunk_load_error: bool,
    /// Addresses and networks of clients.
    pub client_ips: Vec<String>,
    /// Globs of releases.
    pub releases: Vec<String>,
    /// Globs of messages, and of `Type: value` of errors.
    pub error_messages: Vec<String>,
    /// Globs of the bodies of log lines.
    pub log_messages: Vec<String>,
    /// Globs of the names of trace metrics.
    pub trace_metric_names: Vec<String>,
    /// Origins that violations of a content security policy are dropped for, as in [`nuthatch_protocol::DomainPattern`].
    pub csp_sources: Vec<String>,
    /// Whether they are dropped for the usual origins too: those of extensions and of programs on readers' machines.
    pub csp_default_sources: bool,
    /// Filters with conditions of their own.
    pub custom: Vec<CustomFilter>,
}

/// Which old browsers are filtered: all by default, none, or those listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LegacyBrowsers {
    /// All of the defaults, or none.
    All(bool),
    /// The listed ones.
    Listed(Vec<String>),
}

impl LegacyBrowsers {
    /// Whether any is filtered.
    pub fn is_active(&self) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Listed(names) => !names.is_empty(),
        }
    }
}

/// A filter with a condition of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomFilter {
    /// Part of its reason.
    pub id: String,
    /// Whether it is applied.
    #[serde(default = "yes")]
    pub is_enabled: bool,
    /// When an event is dropped.
    pub condition: Value,
}

fn yes() -> bool {
    true
}

impl Default for FilterSettings {
    fn default() -> Self {
        Self {
            browser_extensions: false,
            legacy_browsers: LegacyBrowsers::All(false),
            localhost: false,
            web_crawlers: false,
            filtered_transaction: true,
            react_hydration_errors: true,
            chunk_load_error: true,
            client_ips: Vec::new(),
            releases: Vec::new(),
            error_messages: Vec::new(),
            log_messages: Vec::new(),
            trace_metric_names: Vec::new(),
            csp_sources: Vec::new(),
            csp_default_sources: true,
            custom: Vec::new(),
        }
    }
}
