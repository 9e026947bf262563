//! Reports that browsers have given up and old ones still send: Expect-CT, Expect-Staple, HPKP.

use serde_json::{Map, Value, json};

use super::{broken, put_request};
use crate::{Refused, shape};

#[derive(Clone, Copy)]
pub(super) enum Kind {
    ExpectCt,
    ExpectStaple,
    Hpkp,
}

impl Kind {
    /// The interface, which is also the type and the logger.
    fn interface(self) -> &'static str {
        match self {
            Self::ExpectCt => "expectct",
            Self::ExpectStaple => "expectstaple",
            Self::Hpkp => "hpkp",
        }
    }

    fn message(self, host: &str) -> String {
        match self {
            Self::ExpectCt => format!("Expect-CT failed for '{host}'"),
            Self::ExpectStaple => format!("Expect-Staple failed for '{host}'"),
            Self::Hpkp => format!("Public key pinning validation failed for '{host}'"),
        }
    }
}

/// Takes the fields out of a report that is one of these.
pub(super) fn recognize(report: &mut Map<String, Value>) -> Option<(Kind, Map<String, Value>)> {
    for (key, kind) in [("expect-ct-report", Kind::ExpectCt), ("expect-staple-report", Kind::ExpectStaple)] {
        if let Some(Value::Object(fields)) = report.remove(key) {
            return Some((kind, fields));
        }
    }
    report.contains_key("known-pins").then(|| (Kind::Hpkp, std::mem::take(report)))
}

pub(super) fn event(kind: Kind, fields: Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    let fields: Map<String, Value> = fields
        .into_iter()
        .filter(|(_, value)| !shape::is_empty(value))
        .map(|(key, value)| (key.replace('-', "_"), value))
        .collect();
    let Some(host) = fields.get("hostname").and_then(Value::as_str).map(str::to_owned) else {
        return Err(broken("the report names no host", "report.hostname"));
    };
    let port = fields.get("port").and_then(Value::as_u64);
    let mut event = Map::new();
    let port_of_url = port.filter(|port| *port != 443).map(|port| format!(":{port}")).unwrap_or_default();
    put_request(&mut event, Some(format!("https://{host}{port_of_url}").into()), None);
    event.insert("logger".to_owned(), kind.interface().into());
    event.insert("logentry".to_owned(), json!({ "formatted": kind.message(&host) }));
    event.insert("culprit".to_owned(), host.as_str().into());
    let mut tags = vec![json!(["hostname", host])];
    tags.extend(port.map(|port| json!(["port", port])));
    event.insert("tags".to_owned(), Value::Array(tags));
    event.insert(kind.interface().to_owned(), Value::Object(fields));
    Ok(event)
}
