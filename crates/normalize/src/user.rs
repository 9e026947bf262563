//! The user, and the address of their machine (`reference/ingest-protocol.md` §11.8, §12.4).

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::{
    geo::{self, GeoLookup},
    meta::{Meta, Path},
    shape::{self, FREE, Field, Shape},
    trim::{self, Limit},
};

/// What SDKs send where the server is to fill in the client's address.
const AUTO: &str = "{{auto}}";
/// Platforms that run on the user's own machine, so that the client is the user.
const CLIENT_PLATFORMS: [&str; 3] = ["javascript", "cocoa", "objc"];

const USER: &[Field] = &[
    ("data", Shape::Inner),
    ("email", Shape::Text(Limit::new(75))),
    ("geo", Shape::Object(FREE)),
    ("id", Shape::Lenient(Limit::new(128))),
    ("ip_address", Shape::Text(Limit::new(64))),
    ("name", Shape::Text(Limit::new(128))),
    ("segment", Shape::Text(Limit::new(128))),
    ("username", Shape::Lenient(Limit::new(128))),
];

/// Reads the user; unknown keys move into `data`. The request must have been read before.
pub(crate) fn normalize(
    event: &mut Map<String, Value>,
    client_ip: Option<IpAddr>,
    geo: Option<&dyn GeoLookup>,
    meta: &mut Meta,
) {
    let at = Path::top("user");
    let mut user = match event.remove("user") {
        Some(Value::Object(map)) => map,
        None | Some(Value::Null) => Map::new(),
        Some(other) => {
            meta.invalid(&at, "an object", other);
            Map::new()
        }
    };
    let mut data = match user.remove("data") {
        Some(Value::Object(map)) => map,
        None | Some(Value::Null) => Map::new(),
        Some(other) => {
            meta.invalid(&at.key("data"), "an object", other);
            Map::new()
        }
    };
    // The server's own word for the user, which readers make of the fields above.
    user.remove("sentry_user");
    shape::fields(&mut user, USER, &at, meta);
    let extra: Vec<String> = user.keys().filter(|key| USER.iter().all(|(name, _)| name != key)).cloned().collect();
    for key in extra {
        if let Some(value) = user.remove(&key) {
            meta.rename(&at.key(&key), &at.key("data").key(&key));
            data.entry(key).or_insert(value);
        }
    }
    data.retain(|_, value| !value.is_null());
    if !data.is_empty() {
        let mut data = Value::Object(data);
        trim::bag(&mut data, FREE, &at.key("data"), meta);
        user.insert("data".to_owned(), data);
    }
    address(event, &mut user, client_ip, meta);
    if let Some(geo) = geo {
        geo::fill(&mut user, geo);
    }
    if !user.is_empty() {
        event.insert("user".to_owned(), Value::Object(user));
    }
}

fn address(event: &mut Map<String, Value>, user: &mut Map<String, Value>, client_ip: Option<IpAddr>, meta: &mut Meta) {
    let client = client_ip.map(|ip| Value::String(ip.to_string()));
    if let Some(env) =
        event.get_mut("request").and_then(|request| request.get_mut("env")).and_then(Value::as_object_mut)
    {
        resolve_auto(env, "REMOTE_ADDR", client.as_ref());
    }
    resolve_auto(user, "ip_address", client.as_ref());
    if let Some(value) = user.get("ip_address")
        && !is_address(value)
        && let Some(value) = user.remove("ip_address")
    {
        meta.invalid(&Path::top("user").key("ip_address"), "an IP address", value);
    }
    if user.contains_key("ip_address") {
        return;
    }
    let remote = event.get("request").and_then(|request| request.get("env")?.get("REMOTE_ADDR"));
    let infer = event.get("sdk").and_then(|sdk| sdk.get("settings")?.get("infer_ip")?.as_str());
    let on_client = event.get("platform").and_then(Value::as_str).is_some_and(|name| CLIENT_PLATFORMS.contains(&name));
    let found = match remote.filter(|value| is_address(value)) {
        Some(remote) => Some(remote.clone()),
        None if infer == Some("never") => None,
        None if on_client || infer == Some("auto") => client,
        None => None,
    };
    if let Some(found) = found {
        user.insert("ip_address".to_owned(), found);
    }
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok())
}

fn resolve_auto(map: &mut Map<String, Value>, key: &str, client: Option<&Value>) {
    if map.get(key).and_then(Value::as_str) == Some(AUTO) {
        match client {
            Some(client) => map.insert(key.to_owned(), client.clone()),
            None => map.remove(key),
        };
    }
}
