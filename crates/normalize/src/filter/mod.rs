//! Inbound filters: which events a project does not want (`reference/ingest-protocol.md` §14).
//!
//! [`FilterSettings`] become [`Filters`], which look at a canonical event before it is scrubbed and tell the
//! [`FilterReason`] of the first filter that wants it dropped.

mod browser;
mod condition;
mod csp;
mod globs;
mod items;
mod noise;
mod origin;
mod settings;

use std::{borrow::Cow, fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};
use nuthatch_protocol::{DomainPattern, Event, record::IngestHeader};
use serde_json::Value;

use self::{browser::OldBrowser, condition::Condition, globs::Globs};
use crate::{Problem, http};

pub use self::{
    browser::LEGACY_BROWSERS,
    settings::{CustomFilter, FilterSettings, LegacyBrowsers},
};

/// Most entries of a list in the settings.
const MAX_ENTRIES: usize = 200;
/// Most custom filters.
const MAX_CUSTOM: usize = 50;
/// Longest id of a custom filter, in bytes.
const MAX_ID_BYTES: usize = 64;

/// Why an event is dropped: a stable word for outcomes and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilterReason(Cow<'static, str>);

impl FilterReason {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilterReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The filters of a project, ready to be applied.
#[derive(Debug)]
pub struct Filters {
    client_ips: Vec<IpNet>,
    releases: Globs,
    error_messages: Globs,
    log_messages: Globs,
    trace_metric_names: Globs,
    legacy_browsers: Vec<&'static OldBrowser>,
    csp_sources: Vec<DomainPattern>,
    custom: Vec<(String, Condition)>,
    switches: FilterSettings,
}

impl Filters {
    /// Prepares settings. What cannot be used is left out and told.
    pub fn new(settings: &FilterSettings) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut client_ips = Vec::new();
        check_length("client-ips", settings.client_ips.len(), MAX_ENTRIES, &mut problems);
        for (number, text) in settings.client_ips.iter().take(MAX_ENTRIES).enumerate() {
            match read_network(text) {
                Some(network) => client_ips.push(network),
                None => problems.push(Problem {
                    place: format!("client-ips.{number}"),
                    message: format!("{text:?} is no address such as 203.0.113.7 and no network such as 10.0.0.0/8"),
                }),
            }
        }
        let mut csp_sources = Vec::new();
        check_length("csp-sources", settings.csp_sources.len(), MAX_ENTRIES, &mut problems);
        for (number, text) in settings.csp_sources.iter().take(MAX_ENTRIES).enumerate() {
            match text.parse::<DomainPattern>() {
                Ok(pattern) => csp_sources.push(pattern),
                Err(error) => {
                    problems.push(Problem { place: format!("csp-sources.{number}"), message: error.to_string() });
                }
            }
        }
        check_length("custom", settings.custom.len(), MAX_CUSTOM, &mut problems);
        let mut custom = Vec::new();
        for (number, filter) in settings.custom.iter().take(MAX_CUSTOM).enumerate() {
            let is_legal = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            if filter.id.is_empty() || filter.id.len() > MAX_ID_BYTES || !filter.id.chars().all(is_legal) {
                let message = format!("expected 1 to {MAX_ID_BYTES} of a-z, A-Z, 0-9, _, . and -");
                problems.push(Problem { place: format!("custom.{number}.id"), message });
                continue;
            }
            let place = format!("custom.{number}.condition");
            if let Some(condition) =
                Condition::read(&filter.condition, &place, &mut problems).filter(|_| filter.is_enabled)
            {
                custom.push((filter.id.clone(), condition));
            }
        }
        let filters = Self {
            client_ips,
            releases: Globs::new("releases", &settings.releases, &mut problems),
            error_messages: Globs::new("error-messages", &settings.error_messages, &mut problems),
            log_messages: Globs::new("log-messages", &settings.log_messages, &mut problems),
            trace_metric_names: Globs::new("trace-metric-names", &settings.trace_metric_names, &mut problems),
            legacy_browsers: browser::chosen(&settings.legacy_browsers, &mut problems),
            csp_sources,
            custom,
            switches: settings.clone(),
        };
        (filters, problems)
    }

    /// Why the event is not wanted; `None` when it is. `client_ip` is the address that sent it.
    pub fn reason(&self, event: &Event, client_ip: Option<IpAddr>) -> Option<FilterReason> {
        let on = &self.switches;
        let simple: [(&'static str, bool); 11] = [
            ("ip-address", self.is_blocked(event, client_ip)),
            ("release-version", event.text(&["release"]).is_some_and(|release| self.releases.match_any(release))),
            ("error-message", self.has_unwanted_message(event)),
            ("localhost", on.localhost && origin::is_localhost(event, client_ip)),
            ("browser-extensions", on.browser_extensions && noise::is_of_extension(event)),
            ("legacy-browsers", browser::is_among(&self.legacy_browsers, header(event, "User-Agent"))),
            ("web-crawlers", on.web_crawlers && origin::is_crawler(header(event, "User-Agent"))),
            ("filtered-transaction", on.filtered_transaction && noise::is_health_check(event)),
            ("react-hydration-errors", on.react_hydration_errors && noise::is_hydration_error(event)),
            ("chunk-load-error", on.chunk_load_error && noise::is_chunk_load_error(event)),
            ("invalid-csp", csp::is_invalid(event, &self.csp_sources, on.csp_default_sources)),
        ];
        if let Some((reason, _)) = simple.into_iter().find(|(_, applies)| *applies) {
            return Some(FilterReason(Cow::Borrowed(reason)));
        }
        let (id, _) = self.custom.iter().find(|(_, condition)| condition.holds(event, client_ip))?;
        Some(FilterReason(Cow::Owned(format!("custom-inbound-filter:{id}"))))
    }

    /// Why nothing is wanted from who sent a request, by address and user agent alone: for what is kept unread beside an
    /// event; `None` when it is.
    pub fn reason_of_sender(&self, header: &IngestHeader) -> Option<FilterReason> {
        let (address, agent) = (header.client_ip, header.user_agent.as_deref());
        let simple = [
            ("ip-address", self.is_blocked_address([address, None])),
            ("localhost", self.switches.localhost && origin::is_local_address(address)),
            ("legacy-browsers", browser::is_among(&self.legacy_browsers, agent)),
            ("web-crawlers", self.switches.web_crawlers && origin::is_crawler(agent)),
        ];
        let (reason, _) = simple.into_iter().find(|(_, applies)| *applies)?;
        Some(FilterReason(Cow::Borrowed(reason)))
    }

    fn is_blocked(&self, event: &Event, client_ip: Option<IpAddr>) -> bool {
        if self.client_ips.is_empty() {
            return false;
        }
        let user = event.text(&["user", "ip_address"]).and_then(|text| text.parse().ok());
        self.is_blocked_address([client_ip, user])
    }

    fn is_blocked_address(&self, addresses: [Option<IpAddr>; 2]) -> bool {
        addresses.into_iter().flatten().any(|ip| is_within(ip, &self.client_ips))
    }

    fn has_unwanted_message(&self, event: &Event) -> bool {
        if self.error_messages.is_empty() {
            return false;
        }
        let entry = ["formatted", "message"].iter().find_map(|key| event.text(&["logentry", key]));
        entry.is_some_and(|message| self.error_messages.match_any(message))
            || event.values("exception").iter().any(|exception| {
                let text = |key: &str| exception.get(key).and_then(Value::as_str).unwrap_or_default();
                match (text("type"), text("value")) {
                    ("", "") => false,
                    (kind, "") => self.error_messages.match_any(kind),
                    ("", value) => self.error_messages.match_any(value),
                    (kind, value) => self.error_messages.match_any(&format!("{kind}: {value}")),
                }
            })
    }
}

fn check_length(setting: &str, length: usize, most: usize, problems: &mut Vec<Problem>) {
    if length > most {
        let message = format!("at most {most} entries, these are {length}");
        problems.push(Problem { place: setting.to_owned(), message });
    }
}

/// An address, or a network as address and length. One of the fourth version is one, in whichever form it is written.
fn read_network(text: &str) -> Option<IpNet> {
    const MAPPED_BITS: u8 = 96;
    let text = text.trim();
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let mapped = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped().zip(network.prefix_len().checked_sub(MAPPED_BITS)),
        IpNet::V4(_) => None,
    };
    Some(mapped.and_then(|(address, bits)| Some(Ipv4Net::new(address, bits).ok()?.into())).unwrap_or(network))
}

/// Whether an address is in one of the networks.
fn is_within(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// A header of the request, by its name in any case.
fn header<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    http::header(event.get(&["request", "headers"])?.as_array()?, name)
}
