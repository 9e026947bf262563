//! Where an event comes from: the developers' own machines, and crawlers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use nuthatch_protocol::Event;
use regex::Regex;
use url::Url;

use super::header;

const LOCAL_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

pub(super) fn is_local_address(address: Option<IpAddr>) -> bool {
    address.is_some_and(|ip| LOOPBACK.contains(&ip.to_canonical()))
}

pub(super) fn is_localhost(event: &Event, client_ip: Option<IpAddr>) -> bool {
    let is_loopback = |text: &str| is_local_address(text.trim().parse().ok());
    if is_local_address(client_ip)
        || event.text(&["user", "ip_address"]).is_some_and(is_loopback)
        || header(event, "X-Forwarded-For").is_some_and(is_loopback)
    {
        return true;
    }
    match event.text(&["request", "url"]) {
        Some(url) => {
            Url::parse(url).is_ok_and(|url| url.scheme() == "file" || url.host_str().is_some_and(is_local_host))
        }
        None => ["Host", "X-Forwarded-Host"]
            .iter()
            .filter_map(|name| header(event, name))
            .any(|host| LOCAL_NAMES.contains(&host.split(':').next().unwrap_or_default())),
    }
}

/// One of the names, or below one of them.
fn is_local_host(host: &str) -> bool {
    LOCAL_NAMES.iter().any(|name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

static CRAWLERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        "(?i)AdsBot-Google|Baiduspider|Better Uptime|BingBot|BingPreview|Bytespider|Calypso AppCrawler|\
         AWS Security Scanner|FeedFetcher-Google|Googlebot|HubSpot Crawler|Mediapartners-Google|Slack|Slurp|Sogou|\
         facebook|ia_archiver|lyticsbot|pingdom|(?:bots?|spider)[/ ;)]",
    )
    .expect("a constant pattern, compiled by the tests")
});

/// Slack's program that fetches links in messages that people write; it is asked for.
static WANTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)Slackbot\s1\.\d+").expect("a constant pattern, compiled by the tests"));

pub(super) fn is_crawler(agent: Option<&str>) -> bool {
    agent.is_some_and(|agent| CRAWLERS.is_match(agent) && !WANTED.is_match(agent))
}
