//! What a project wants scrubbed, and what its organization requires (`reference/ingest-protocol.md` §13.1).

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

/// Settings of scrubbing, of a project or an organization, under the names that the API gives them; those of a project's
/// configuration are read, too. The default is what a project usually has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScrubSettings {
    /// Scrub at all by the simple settings.
    #[serde(alias = "scrubData")]
    pub data_scrubber: bool,
    /// Scrub by the rules for what is nearly always a secret.
    #[serde(alias = "scrubDefaults")]
    pub data_scrubber_defaults: bool,
    /// Remove addresses of users, and addresses inside texts.
    #[serde(rename = "scrubIPAddresses", alias = "scrubIpAddresses")]
    pub scrub_ip_addresses: bool,
    /// Words: what has one of them in its name or text is removed.
    pub sensitive_fields: Vec<String>,
    /// Names or selectors that the rules of these settings leave alone.
    #[serde(alias = "excludeFields")]
    pub safe_fields: Vec<String>,
    /// The advanced rules (§13.4), as an object or as its JSON text; `None` without any.
    #[serde(alias = "piiConfig", deserialize_with = "read_config", skip_serializing_if = "Option::is_none")]
    pub relay_pii_config: Option<Map<String, Value>>,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        Self {
            data_scrubber: true,
            data_scrubber_defaults: true,
            scrub_ip_addresses: false,
            sensitive_fields: Vec::new(),
            safe_fields: Vec::new(),
            relay_pii_config: None,
        }
    }
}

impl ScrubSettings {
    /// What an organization requires unless somebody chose: nothing.
    pub fn nothing() -> Self {
        Self { data_scrubber: false, data_scrubber_defaults: false, ..Self::default() }
    }

    /// Reads what an organization requires: a switch that is absent is off.
    pub fn read_required(value: Value) -> serde_json::Result<Self> {
        let is_said = |names: [&str; 2]| names.iter().any(|name| value.get(name).is_some());
        let scrubs = is_said(["dataScrubber", "scrubData"]);
        let by_defaults = is_said(["dataScrubberDefaults", "scrubDefaults"]);
        let mut settings: Self = serde_json::from_value(value)?;
        settings.data_scrubber &= scrubs;
        settings.data_scrubber_defaults &= by_defaults;
        Ok(settings)
    }
}

/// Reads advanced rules: an object, its JSON text, or nothing.
pub fn read_pii_config(value: Value) -> Result<Option<Map<String, Value>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Object(map) => Ok((!map.is_empty()).then_some(map)),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => Ok((!map.is_empty()).then_some(map)),
            Ok(_) => Err("expected a JSON object with `rules` and `applications`".to_owned()),
            Err(error) => Err(format!("not JSON: {error}")),
        },
        _ => Err("expected an object, or its JSON text".to_owned()),
    }
}

fn read_config<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Map<String, Value>>, D::Error> {
    read_pii_config(Value::deserialize(deserializer)?).map_err(D::Error::custom)
}
