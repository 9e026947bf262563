//! What an event's request says about the client, as contexts.

use serde_json::{Map, Value, json};

use super::{ClientHints, UserAgent};
use crate::http;

/// The contexts of browser, operating system and device, as far as the request tells them and they are not `known`.
pub(crate) fn contexts(event: &Map<String, Value>, known: &Map<String, Value>) -> Vec<(&'static str, Value)> {
    let Some(headers) = event.get("request").and_then(|request| request.get("headers")?.as_array()) else {
        return Vec::new();
    };
    let is_in_browser = event.get("platform").is_some_and(|platform| platform == "javascript");
    let os = if is_in_browser { "os" } else { "client_os" };
    if ["browser", os, "device"].iter().all(|alias| known.contains_key(*alias)) {
        return Vec::new();
    }
    let header = |name: &str| http::header(headers, name);
    let [brands, platform, platform_version, model] = nuthatch_protocol::record::ClientHints::HEADERS.map(header);
    let hints = ClientHints { brands, platform, platform_version, model };
    let UserAgent { browser, os: system, device } = UserAgent::read(header("User-Agent"), &hints);
    let found = [
        ("browser", browser.map(|it| json!({ "type": "browser", "name": it.name, "version": it.version }))),
        (os, system.map(|it| json!({ "type": "os", "name": it.name, "version": it.version }))),
        (
            "device",
            device.map(|it| json!({ "type": "device", "family": it.family, "model": it.model, "brand": it.brand })),
        ),
    ];
    found
        .into_iter()
        .filter(|(alias, _)| !known.contains_key(*alias))
        .filter_map(|(alias, it)| Some((alias, it?)))
        .collect()
}
