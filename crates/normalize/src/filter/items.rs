//! Which spans, log lines and metrics are not wanted: filters apply to them where they have what is looked at
//! (`reference/ingest-protocol.md` §14).

use std::{borrow::Cow, net::IpAddr};

use nuthatch_protocol::{TraceItemKind, record::IngestHeader};
use serde_json::{Map, Value};

use super::{FilterReason, Filters, browser, noise, origin};

impl Filters {
    /// Why a span, a log line or a metric in normal form is not wanted; `None` when it is.
    pub fn reason_of_item(
        &self,
        kind: TraceItemKind,
        item: &Map<String, Value>,
        header: &IngestHeader,
    ) -> Option<FilterReason> {
        let attributes = item.get(if kind == TraceItemKind::Span { "data" } else { "attributes" });
        let text = |names: &[&str]| names.iter().find_map(|name| attributes?.get(*name)?.as_str());
        let address = text(&["client.address", "user.ip_address"]).and_then(|text| text.parse::<IpAddr>().ok());
        let agent = text(&["user_agent.original"]).or(header.user_agent.as_deref());
        let release = text(&["sentry.release", "release"]);
        let message = item.get("body").and_then(Value::as_str).filter(|_| kind == TraceItemKind::Log);
        let metric = item.get("name").and_then(Value::as_str).filter(|_| kind == TraceItemKind::Metric);
        let simple = [
            ("ip-address", self.is_blocked_address([header.client_ip, address])),
            ("release-version", release.is_some_and(|release| self.releases.match_any(release))),
            ("legacy-browsers", browser::is_among(&self.legacy_browsers, agent)),
            ("web-crawlers", self.switches.web_crawlers && origin::is_crawler(agent)),
            (
                "filtered-transaction",
                self.switches.filtered_transaction && kind == TraceItemKind::Span && noise::is_of_health_check(item),
            ),
            ("log-message", message.is_some_and(|message| self.log_messages.match_any(message))),
            ("trace-metric-name", metric.is_some_and(|name| self.trace_metric_names.match_any(name))),
        ];
        if let Some((reason, _)) = simple.into_iter().find(|(_, applies)| *applies) {
            return Some(FilterReason(Cow::Borrowed(reason)));
        }
        let holds =
            |(_, condition): &&(String, super::Condition)| condition.holds_of_item(kind, item, header.client_ip);
        let (id, _) = self.custom.iter().find(holds)?;
        Some(FilterReason(Cow::Owned(format!("custom-inbound-filter:{id}"))))
    }
}
