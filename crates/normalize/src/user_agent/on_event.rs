//! What an event's request says about the client, as contexts.

use nuthatch_protocol::record::IngestHeader;
use serde_json::{Map, Value, json};

use super::{ClientHints, UserAgent};
use crate::http;

/// The contexts of browser, operating system and device, as far as the request tells them and they are not `known`.
pub(crate) fn contexts(event: &Map<String, Value>, known: &Map<String, Value>) -> Vec<(&'static str, Value)> {
    let Some(headers) = event.get("request").and_then(|request| request.get("headers")?.as_array()) else {
        return Vec::new();
    };
    let header = |name: &str| http::header(headers, name);
    let [brands, platform, platform_version, model] = nuthatch_protocol::record::ClientHints::HEADERS.map(header);
    let hints = ClientHints { brands, platform, platform_version, model };
    told(event, known, header("User-Agent"), &hints)
}

/// Fills in the contexts of browser, operating system and device of a replay's event: from its own request, else from the
/// one that brought it (`reference/ingest-protocol.md` §5.3, §7.7). What it says itself stays.
pub fn complete_replay(event: &mut Map<String, Value>, header: &IngestHeader) {
    let headers = event.get("request").and_then(|request| request.get("headers"));
    let own = |name: &str| match headers? {
        Value::Object(map) => map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str(),
        Value::Array(pairs) => http::header(pairs, name),
        _ => None,
    };
    let [brands, platform, platform_version, model] = nuthatch_protocol::record::ClientHints::HEADERS.map(own);
    let (agent, hints) = match own("User-Agent") {
        Some(agent) => (Some(agent), ClientHints { brands, platform, platform_version, model }),
        None => (header.user_agent.as_deref(), ClientHints::from(&header.client_hints)),
    };
    let none = Map::new();
    let known = match event.get("contexts") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(known)) => known,
        Some(_) => return,
    };
    let found = told(event, known, agent, &hints);
    if found.is_empty() {
        return;
    }
    let contexts = known.clone().into_iter().chain(found.into_iter().map(|(alias, it)| (alias.to_owned(), it)));
    let contexts = Value::Object(contexts.collect());
    event.insert("contexts".to_owned(), contexts);
}

fn told(
    event: &Map<String, Value>,
    known: &Map<String, Value>,
    agent: Option<&str>,
    hints: &ClientHints<'_>,
) -> Vec<(&'static str, Value)> {
    let is_in_browser = event.get("platform").is_some_and(|platform| platform == "javascript");
    let os = if is_in_browser { "os" } else { "client_os" };
    if ["browser", os, "device"].iter().all(|alias| known.contains_key(*alias)) {
        return Vec::new();
    }
    let UserAgent { browser, os: system, device } = UserAgent::read(agent, hints);
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
