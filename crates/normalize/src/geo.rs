//! Where in the world the user is (`reference/ingest-protocol.md` §12.4).

use std::{fmt, net::IpAddr};

use serde_json::{Map, Value};

/// A place, as far as an address tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// ISO 3166-1: `AT`.
    pub country_code: Option<String>,
    /// The country's English name.
    pub region: Option<String>,
    /// State or province, in English.
    pub subdivision: Option<String>,
    /// The city, in English.
    pub city: Option<String>,
}

/// Knows where addresses are. Must be quick and never wait: it is asked for each event.
pub trait GeoLookup: fmt::Debug + Send + Sync {
    /// The place of an address, if it is known.
    fn place(&self, address: IpAddr) -> Option<Place>;
}

impl Place {
    /// What is known, by the names that events have for it.
    fn facts(self) -> impl Iterator<Item = (&'static str, String)> {
        let facts = [
            ("country_code", self.country_code),
            ("region", self.region),
            ("subdivision", self.subdivision),
            ("city", self.city),
        ];
        facts.into_iter().filter_map(|(key, fact)| Some((key, fact?)))
    }
}

/// Fills in `user.geo.*` of a log line that has the client's address and no place (§7.13).
pub(crate) fn fill_attributes(attributes: &mut Map<String, Value>, geo: &dyn GeoLookup) {
    if attributes.keys().any(|key| key.starts_with("user.geo.")) {
        return;
    }
    let address = attributes.get("client.address").and_then(|address| address.as_str()?.parse().ok());
    let Some(place) = address.and_then(|address| geo.place(address)) else { return };
    attributes.extend(place.facts().map(|(key, fact)| (format!("user.geo.{key}"), fact.into())));
}

/// Fills in the place of a user that has an address and no place.
pub(crate) fn fill(user: &mut Map<String, Value>, geo: &dyn GeoLookup) {
    if user.contains_key("geo") {
        return;
    }
    let address = user.get("ip_address").and_then(|address| address.as_str()?.parse().ok());
    let Some(place) = address.and_then(|address| geo.place(address)) else { return };
    let facts: Map<String, Value> = place.facts().map(|(key, fact)| (key.to_owned(), fact.into())).collect();
    if !facts.is_empty() {
        user.insert("geo".to_owned(), Value::Object(facts));
    }
}
