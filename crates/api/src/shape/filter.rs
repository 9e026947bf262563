//! Inbound filters (`reference/web-api.md` §4, `reference/ingest-protocol.md` §14).

use std::collections::BTreeMap;

use nuthatch_normalize::filter::{FilterSettings, Filters, LegacyBrowsers};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// An inbound filter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InboundFilter {
    /// For instance `web-crawlers`.
    pub(crate) id: String,
    pub(crate) active: FilterState,
}

/// Whether a filter is on, or which of its parts are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum FilterState {
    Switch(bool),
    Parts(Vec<String>),
}

/// How a filter is to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct InboundFilterRequest {
    active: Option<bool>,
    /// Names of old browsers; of the filter `legacy-browsers` alone.
    subfilters: Option<Vec<String>>,
}

const LEGACY: &str = "legacy-browsers";

/// The switches, by the ids of their filters.
fn switches(settings: &mut FilterSettings) -> [(&'static str, &mut bool); 6] {
    [
        ("browser-extensions", &mut settings.browser_extensions),
        ("localhost", &mut settings.localhost),
        ("filtered-transaction", &mut settings.filtered_transaction),
        ("web-crawlers", &mut settings.web_crawlers),
        ("react-hydration-errors", &mut settings.react_hydration_errors),
        ("chunk-load-error", &mut settings.chunk_load_error),
    ]
}

/// All filters that can be switched.
pub(crate) fn filters(mut settings: FilterSettings) -> Vec<InboundFilter> {
    let legacy = match &settings.legacy_browsers {
        LegacyBrowsers::All(all) => FilterState::Switch(*all),
        LegacyBrowsers::Listed(names) => FilterState::Parts(names.clone()),
    };
    let switches = switches(&mut settings).into_iter();
    let mut all: Vec<InboundFilter> =
        switches.map(|(id, on)| InboundFilter { id: id.to_owned(), active: FilterState::Switch(*on) }).collect();
    all.push(InboundFilter { id: LEGACY.to_owned(), active: legacy });
    all
}

impl InboundFilterRequest {
    /// Changes the filter of an id; `None` when there is none, else what is wrong.
    pub(crate) fn change(self, id: &str, settings: &mut FilterSettings) -> Option<BTreeMap<String, String>> {
        let mut wrong = BTreeMap::new();
        if id == LEGACY {
            match (self.subfilters, self.active) {
                (_, Some(false)) => settings.legacy_browsers = LegacyBrowsers::All(false),
                (Some(names), _) => settings.legacy_browsers = LegacyBrowsers::Listed(names),
                (None, Some(active)) => settings.legacy_browsers = LegacyBrowsers::All(active),
                (None, None) => _ = wrong.insert("active".to_owned(), "this or `subfilters` is needed".to_owned()),
            }
            let (_, problems) = Filters::new(settings);
            let unknown = problems.into_iter().find(|problem| problem.place == LEGACY);
            wrong.extend(unknown.map(|problem| ("subfilters".to_owned(), problem.message)));
            return Some(wrong);
        }
        let (_, on) = switches(settings).into_iter().find(|(known, _)| *known == id)?;
        match self.active {
            Some(active) => *on = active,
            None => _ = wrong.insert("active".to_owned(), "expected true or false".to_owned()),
        }
        Some(wrong)
    }
}

/// Names of the lists in a project's `options`, and in the settings.
const LISTS: [(&str, &str); 6] = [
    ("filters:blacklisted_ips", "client-ips"),
    ("filters:releases", "releases"),
    ("filters:error_messages", "error-messages"),
    ("filters:log_messages", "log-messages"),
    ("filters:trace_metric_names", "trace-metric-names"),
    ("sentry:csp_ignored_sources", "csp-sources"),
];
const CUSTOM: &str = "filters:custom";
/// Whether violations by the usual sources are dropped.
const CSP_DEFAULTS: &str = "sentry:csp_ignored_sources_defaults";

fn list<'s>(settings: &'s mut FilterSettings, name: &str) -> &'s mut Vec<String> {
    match name {
        "filters:blacklisted_ips" => &mut settings.client_ips,
        "filters:releases" => &mut settings.releases,
        "filters:log_messages" => &mut settings.log_messages,
        "filters:trace_metric_names" => &mut settings.trace_metric_names,
        "sentry:csp_ignored_sources" => &mut settings.csp_sources,
        _ => &mut settings.error_messages,
    }
}

/// The lists as `options` shows them.
pub(crate) fn filter_lists(settings: &FilterSettings) -> Map<String, Value> {
    let mut settings = settings.clone();
    let mut options = Map::new();
    for (name, _) in LISTS {
        options.insert(name.to_owned(), Value::String(list(&mut settings, name).join("\n")));
    }
    options.insert(CSP_DEFAULTS.to_owned(), settings.csp_default_sources.into());
    options.insert(CUSTOM.to_owned(), json!(settings.custom));
    options
}

/// Changes the lists that `options` has; other members are ignored. Tells what is wrong, each by its path.
pub(crate) fn change_lists(
    settings: &mut FilterSettings,
    options: &Map<String, Value>,
    wrong: &mut BTreeMap<String, String>,
) {
    for (name, _) in LISTS {
        let Some(value) = options.get(name) else { continue };
        match value {
            Value::String(text) => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                *list(settings, name) = lines.map(str::to_owned).collect();
            }
            _ => _ = wrong.insert(format!("options.{name}"), "expected a text with one entry a line".to_owned()),
        }
    }
    match options.get(CSP_DEFAULTS) {
        Some(Value::Bool(on)) => settings.csp_default_sources = *on,
        Some(_) => _ = wrong.insert(format!("options.{CSP_DEFAULTS}"), "expected true or false".to_owned()),
        None => {}
    }
    if let Some(value) = options.get(CUSTOM) {
        match serde_json::from_value(value.clone()) {
            Ok(custom) => settings.custom = custom,
            Err(error) => _ = wrong.insert(format!("options.{CUSTOM}"), error.to_string()),
        }
    }
    let (_, problems) = Filters::new(settings);
    for problem in problems {
        let (setting, rest) = problem.place.split_once('.').unwrap_or((&problem.place, ""));
        let shown = LISTS.iter().find(|(_, known)| *known == setting).map(|(name, _)| *name);
        let shown = shown.or((setting == "custom").then_some(CUSTOM));
        if let Some(name) = shown.filter(|name| options.contains_key(*name)) {
            let dot = if rest.is_empty() { "" } else { "." };
            wrong.insert(format!("options.{name}{dot}{rest}"), problem.message);
        }
    }
}
