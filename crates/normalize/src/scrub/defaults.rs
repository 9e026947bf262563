//! The rules of the simple settings (`reference/ingest-protocol.md` §13.3).

use std::sync::Arc;

use regex::RegexBuilder;

use super::{
    Application, OF_ORGANIZATION, ScrubSettings,
    config::REGEX_MAX_BYTES,
    patterns::{self, Pattern},
    rule::{FILTERED, Kind, Redaction, Rule},
    selector::{Item, Selector},
    types::Type,
};
use crate::Problem;

/// Most words or names in a setting.
const MAX_FIELDS: usize = 200;
/// Longest word or name, in bytes.
const MAX_FIELD_BYTES: usize = 200;

/// What the simple settings never touch. `User-Agent` holds versions that look like addresses.
const SPARED: &str = "$frame.filename || $frame.abs_path || headers.'User-Agent' || 'user_agent.original'";
/// What they never touch at these very places; the application may call something so, too.
const SPARED_WHOLE: [&str; 2] = ["debug_meta.**", "exception.values.*.value"];
/// Where addresses of users stand by themselves.
const ADDRESSES: &str = "request.env.REMOTE_ADDR || user.ip_address || sdk.client_ip || 'client.address' || 'user.ip' \
                         || 'user.ip_address'";
/// Where attributes are.
const ATTRIBUTES: &str = "$span.data.* || trace.data.* || $log.attributes.* || $trace_metric.attributes.*";

/// What one of both switches on is on, and the words and names of both count.
pub(super) fn applications(
    organization: &ScrubSettings,
    project: &ScrubSettings,
    problems: &mut Vec<Problem>,
) -> Vec<Application> {
    let mut applications = Vec::new();
    let is_on = |switch: fn(&ScrubSettings) -> bool| switch(organization) || switch(project);
    let mut safe = safe_fields(&organization.safe_fields, problems);
    safe.extend(safe_fields(&project.safe_fields, problems));
    let prose = Selector::Path(vec![Item::Type(Type::Prose)]);
    let places = SPARED_WHOLE.into_iter().filter_map(constant).map(Selector::whole);
    let spared = constant(SPARED).into_iter().chain(places).chain([prose.clone()]);
    let spared = Selector::Or(spared.chain(safe.iter().cloned()).collect());
    let not = |selector: Selector| Selector::Not(Box::new(selector));
    let outside_safe = |selector: Option<Selector>| {
        Selector::And(selector.into_iter().chain([not(Selector::Or(safe.clone()))]).collect())
    };
    let unsafe_only = |selector: &str| outside_safe(constant(selector));
    let scrubs = is_on(|settings| settings.data_scrubber);
    if scrubs && is_on(|settings| settings.data_scrubber_defaults) {
        applications.push(Application { selector: not(spared.clone()), rules: common() });
        let cookie = Kind::Pair { key: patterns::session_cookie(), value: None };
        applications
            .push(Application { selector: unsafe_only("cookies.*"), rules: vec![filter("@cookie:filter", cookie)] });
        let header = Kind::Pair { key: patterns::cookie_attribute(), value: None };
        applications
            .push(Application { selector: unsafe_only(ATTRIBUTES), rules: vec![filter("@cookie:filter", header)] });
        applications.push(Application { selector: outside_safe(Some(prose)), rules: in_prose() });
    }
    if scrubs {
        // A rule for each, so that words that can be used by themselves can be used together.
        let own = sensitive_fields("strip-fields", &project.sensitive_fields, problems);
        let required = format!("{OF_ORGANIZATION}strip-fields");
        let required = sensitive_fields(&required, &organization.sensitive_fields, problems);
        let rules: Vec<_> = required.into_iter().chain(own).collect();
        if !rules.is_empty() {
            applications.push(Application { selector: not(spared), rules });
        }
    }
    if is_on(|settings| settings.scrub_ip_addresses) {
        let remove = Rule { id: "@anything:remove".into(), kind: Kind::Anything, redaction: Redaction::Remove };
        let addresses = constant(ADDRESSES).into_iter();
        applications.extend(addresses.map(|selector| Application { selector, rules: vec![Arc::new(remove.clone())] }));
        let in_texts = Kind::Patterns(patterns::ip().into());
        let rules = vec![replace("@ip:replace", in_texts, "[ip]")];
        applications.push(Application { selector: unsafe_only("!headers.'User-Agent'"), rules });
    }
    applications
}

/// What is nearly always a secret.
pub(super) fn common() -> Vec<Arc<Rule>> {
    let text = |id: &str, pattern: Pattern| filter(id, Kind::Patterns(vec![pattern]));
    let sensitive = Kind::Pair { key: patterns::sensitive_key(), value: Some(patterns::sensitive_value()) };
    vec![
        filter("@password:filter", sensitive),
        filter("@token:filter", Kind::Pair { key: patterns::token_key(), value: None }),
        text("@creditcard:filter", patterns::credit_card()),
        text("@iban:filter", patterns::iban()),
        text("@pemkey:filter", patterns::pem_key()),
        text("@urlauth:legacy", patterns::url_password()),
        text("@usssn:filter", patterns::us_ssn()),
        text("@bearer:filter", patterns::bearer()),
    ]
}

/// What is taken out of what people wrote to be read.
fn in_prose() -> Vec<Arc<Rule>> {
    let text = |id: &str, pattern: Pattern, with: &str| replace(id, Kind::Patterns(vec![pattern]), with);
    vec![
        text("@email:replace", patterns::email(), "[email]"),
        text("@creditcard:replace", patterns::credit_card(), "[creditcard]"),
        text("@iban:replace", patterns::iban(), "[iban]"),
        text("@usssn:replace", patterns::us_ssn(), "[us-ssn]"),
        text("@bearer:replace", patterns::bearer(), "[token]"),
    ]
}

fn filter(id: &str, kind: Kind) -> Arc<Rule> {
    replace(id, kind, FILTERED)
}

fn replace(id: &str, kind: Kind, with: &str) -> Arc<Rule> {
    Arc::new(Rule { id: id.into(), kind, redaction: Redaction::Replace(with.into()) })
}

fn sensitive_fields(id: &str, words: &[String], problems: &mut Vec<Problem>) -> Option<Arc<Rule>> {
    let words = usable(words, "sensitiveFields", problems);
    let alternatives: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
    if alternatives.is_empty() {
        return None;
    }
    let regex = RegexBuilder::new(&alternatives.join("|")).case_insensitive(true).size_limit(REGEX_MAX_BYTES).build();
    match regex {
        Ok(regex) => Some(filter(id, Kind::Pair { key: regex.clone(), value: Some(regex) })),
        Err(_) => {
            let message = "the words are too long together; take some out".to_owned();
            problems.push(Problem { place: "sensitiveFields".to_owned(), message });
            None
        }
    }
}

/// Each is a selector, or else the name of a key.
fn safe_fields(fields: &[String], problems: &mut Vec<Problem>) -> Vec<Selector> {
    let fields = usable(fields, "safeFields", problems);
    fields.iter().map(|field| Selector::parse(field).unwrap_or_else(|_| Selector::key(field))).collect()
}

/// The words that keep the bounds. Empty ones are left out: they would be in everything.
fn usable<'a>(words: &'a [String], setting: &str, problems: &mut Vec<Problem>) -> Vec<&'a str> {
    if words.len() > MAX_FIELDS {
        let message = format!("at most {MAX_FIELDS} entries, these are {}", words.len());
        problems.push(Problem { place: setting.to_owned(), message });
    }
    let mut usable = Vec::new();
    for (number, word) in words.iter().take(MAX_FIELDS).map(|word| word.trim()).enumerate() {
        if word.len() > MAX_FIELD_BYTES {
            let message = format!("at most {MAX_FIELD_BYTES} bytes, this has {}", word.len());
            problems.push(Problem { place: format!("{setting}.{number}"), message });
        } else if !word.is_empty() {
            usable.push(word);
        }
    }
    usable
}

/// The parts of a constant selector; the tests read it.
fn constant(text: &str) -> Option<Selector> {
    Selector::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_selectors_can_be_read() {
        for text in
            SPARED_WHOLE.into_iter().chain([SPARED, ADDRESSES, "cookies.*", ATTRIBUTES, "!headers.'User-Agent'"])
        {
            Selector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }
}
