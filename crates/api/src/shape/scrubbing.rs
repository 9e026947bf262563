//! Settings of scrubbing, and what they would do (`reference/ingest-protocol.md` §13.1).

use std::collections::BTreeMap;

use nuthatch_normalize::{
    Problem,
    scrub::{Change, ScrubSettings, Scrubber, read_pii_config},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::query::present;

/// Settings of scrubbing. What is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ScrubbingRequest {
    /// Scrub by these settings at all.
    data_scrubber: Option<bool>,
    /// Scrub by the rules for what is nearly always a secret.
    data_scrubber_defaults: Option<bool>,
    /// Remove addresses of users, and addresses inside texts.
    #[serde(rename = "scrubIPAddresses")]
    scrub_ip_addresses: Option<bool>,
    /// Words: what has one of them in its name or text is removed.
    sensitive_fields: Option<Vec<String>>,
    /// Names or selectors that these settings leave alone.
    safe_fields: Option<Vec<String>>,
    /// The advanced rules, as an object or its JSON text; null: none.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    relay_pii_config: Option<Value>,
}

impl ScrubbingRequest {
    /// Changes settings and tells what is wrong with those that change, each by its path.
    pub(crate) fn change(self, settings: &mut ScrubSettings, wrong: &mut BTreeMap<String, String>) {
        let before = settings.clone();
        settings.data_scrubber = self.data_scrubber.unwrap_or(settings.data_scrubber);
        settings.data_scrubber_defaults = self.data_scrubber_defaults.unwrap_or(settings.data_scrubber_defaults);
        settings.scrub_ip_addresses = self.scrub_ip_addresses.unwrap_or(settings.scrub_ip_addresses);
        for (list, new) in
            [(&mut settings.sensitive_fields, self.sensitive_fields), (&mut settings.safe_fields, self.safe_fields)]
        {
            if let Some(words) = new {
                *list = words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
            }
        }
        match self.relay_pii_config.map(read_pii_config) {
            None => {}
            Some(Ok(config)) => settings.relay_pii_config = config,
            Some(Err(fault)) => {
                wrong.insert("relayPiiConfig".to_owned(), fault);
            }
        }
        if *settings != before {
            // Words are checked although they do nothing yet: of an organization they count where a project scrubs.
            let (_, problems) = Scrubber::new(&ScrubSettings { data_scrubber: true, ..settings.clone() });
            wrong.extend(problems.into_iter().map(|Problem { place, message }| (place, message)));
        }
    }
}

/// An event and settings to try on it: of the project, but for those that are given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScrubbingPreviewRequest {
    /// An event as an SDK would send it.
    #[schema(value_type = Option<Object>)]
    pub(crate) event: Option<Value>,
    /// Or the id of one that is stored; it was scrubbed before it was.
    #[serde(rename = "eventID")]
    pub(crate) event_id: Option<String>,
    #[serde(flatten)]
    pub(crate) settings: ScrubbingRequest,
}

/// What settings would do to an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScrubbingPreview {
    /// What would be taken out, at most a thousand.
    pub(crate) changes: Vec<ScrubbingChange>,
    /// How many there are.
    pub(crate) count: usize,
    /// The inbound filter of the project that drops the event; null when it stays.
    pub(crate) filtered: Option<String>,
    /// The event as it would be stored.
    #[schema(value_type = Object)]
    pub(crate) event: Value,
}

/// Something that a rule takes out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScrubbingChange {
    /// Where, in the language of selectors.
    pub(crate) path: String,
    pub(crate) rule: String,
    /// `x` removed, `s` substituted, `m` masked, `p` hashed.
    pub(crate) kind: String,
    /// The value before.
    #[schema(value_type = Value)]
    pub(crate) before: Value,
    /// The value afterwards; null when it is gone.
    #[schema(value_type = Value)]
    pub(crate) after: Value,
}

impl From<Change> for ScrubbingChange {
    fn from(change: Change) -> Self {
        let Change { path, rule, kind, before, after } = change;
        Self { path, rule, kind: kind.to_owned(), before, after }
    }
}
