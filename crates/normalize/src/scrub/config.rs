//! Reading the advanced rules (`reference/ingest-protocol.md` §13.4): rules by id, and for each selector the ids of the
//! rules that apply there.

use std::{collections::HashMap, sync::Arc};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{
    Application, defaults,
    patterns::{self, Pattern},
    rule::{FILTERED, Kind, Redaction, Rule},
    selector::Selector,
};
use crate::Problem;

/// Largest compiled pattern, in bytes.
pub(super) const REGEX_MAX_BYTES: usize = 256 << 10;
/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4096;
/// Longest id of a rule, in bytes.
const MAX_ID_BYTES: usize = 200;
/// Most rules of a project's own, most rules that one names, and most selectors.
const MAX_ENTRIES: usize = 100;
/// Most rules that all selectors together apply: what bounds the time that an event can take.
const MAX_APPLIED: usize = 300;
/// Rules may name rules that name rules so deep.
const MAX_NESTING: usize = 8;
/// How often rules may be looked up for all that name them: rules that name many rules that name many would never end.
const MAX_EXPANSIONS: usize = 20_000;
/// Most faults that are told; who mends these finds the others.
const MAX_PROBLEMS: usize = 100;
/// Longest replacement, in bytes.
const MAX_REPLACEMENT_BYTES: usize = 200;

/// The name of the setting, where problems are.
const PLACE: &str = "relayPiiConfig";

/// Reads a configuration, in which `owner` stands before the names of its own rules. What cannot be used is left out and
/// told.
pub(super) fn read(config: &Map<String, Value>, owner: &str, problems: &mut Vec<Problem>) -> Vec<Application> {
    let empty = Map::new();
    let mut reader = Reader {
        rules: HashMap::new(),
        kinds: HashMap::new(),
        owner,
        hash_key: "".into(),
        applied: 0,
        expansions: 0,
        problems: Vec::new(),
    };
    let rules = reader.object(config, "rules").unwrap_or(&empty);
    reader.rules = rules.iter().take(MAX_ENTRIES).map(|(id, spec)| (id.as_str(), spec)).collect();
    if let Some(vars) = reader.object(config, "vars")
        && let Some(key) = vars.get("hashKey").filter(|key| !key.is_null())
    {
        match key.as_str() {
            Some(key) => reader.hash_key = key.into(),
            None => reader.problem("vars.hashKey", "expected a text"),
        }
    }
    for key in config.keys().filter(|key| !["rules", "vars", "applications"].contains(&key.as_str())) {
        reader.problem(key, "unknown; there are `rules`, `vars` and `applications`");
    }
    for id in rules.keys().take(MAX_ENTRIES).filter(|id| !id.starts_with('@')) {
        // Read by itself, so that a rule that nothing applies is checked, too.
        if let Some(fault) = reader.expand(id, id, None, MAX_NESTING, &mut Vec::new()) {
            reader.problem("rules", &fault);
        }
    }
    let applications = reader.object(config, "applications").unwrap_or(&empty);
    let mut read = Vec::new();
    for (text, ids) in applications.iter().take(MAX_ENTRIES) {
        let place = format!("applications.{text}");
        let selector = match Selector::parse(text) {
            Ok(selector) => selector,
            Err(error) => {
                reader.problem(&place, &error);
                continue;
            }
        };
        let Some(ids) = ids.as_array() else {
            reader.problem(&place, "expected a list of rule ids");
            continue;
        };
        let mut rules = Vec::new();
        for (number, id) in ids.iter().enumerate() {
            let place = format!("{place}.{number}");
            match id.as_str() {
                Some(id) if id.starts_with('@') || reader.rules.contains_key(id) => {
                    if let Some(fault) = reader.expand(id, id, None, MAX_NESTING, &mut rules) {
                        reader.problem(&place, &fault);
                    }
                }
                Some(id) => reader.problem(&place, &format!("there is no rule {id:?} under `rules`")),
                None => reader.problem(&place, "expected the id of a rule"),
            }
        }
        reader.applied += rules.len();
        if reader.applied > MAX_APPLIED {
            reader.problem(&place, &format!("all selectors together apply more than {MAX_APPLIED} rules"));
            break;
        }
        read.push(Application { selector, rules });
    }
    problems.append(&mut reader.problems);
    read
}

struct Reader<'a> {
    rules: HashMap<&'a str, &'a Value>,
    /// What rules look for, by their places: a pattern is compiled once, however often its rule is named.
    kinds: HashMap<String, Option<Kind>>,
    owner: &'a str,
    hash_key: Arc<str>,
    applied: usize,
    /// Rules that were looked up.
    expansions: usize,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, place: &str, message: &str) {
        if self.problems.len() == MAX_PROBLEMS {
            return;
        }
        let problem = Problem { place: format!("{PLACE}.{place}"), message: message.to_owned() };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn object(&mut self, config: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
        match config.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) if map.len() > MAX_ENTRIES => {
                self.problem(key, &format!("at most {MAX_ENTRIES} entries, these are {}", map.len()));
                Some(map)
            }
            Some(Value::Object(map)) => Some(map),
            Some(_) => {
                self.problem(key, "expected an object");
                None
            }
        }
    }

    /// Adds what a rule id stands for. `shown` is what remarks call it, `redaction` what a rule around it asks for. A
    /// fault of the id itself is returned, one of the rule it names is told at the rule.
    fn expand(
        &mut self,
        id: &str,
        shown: &str,
        redaction: Option<&Redaction>,
        depth: usize,
        out: &mut Vec<Arc<Rule>>,
    ) -> Option<String> {
        if out.len() >= MAX_APPLIED {
            return Some(format!("stands for more than {MAX_APPLIED} rules"));
        }
        if id.len() > MAX_ID_BYTES {
            return Some(format!("the id of a rule has at most {MAX_ID_BYTES} bytes"));
        }
        if self.expansions == MAX_EXPANSIONS {
            return Some(format!("rules name rules more than {MAX_EXPANSIONS} times"));
        }
        self.expansions += 1;
        if let Some(name) = id.strip_prefix('@') {
            let Some(rules) = self.built_in(name) else { return Some(format!("there is no built-in rule {id:?}")) };
            out.extend(rules.into_iter().map(|mut rule| {
                if id != shown {
                    rule.id = self.name(shown);
                }
                rule.redaction = redaction.cloned().unwrap_or(rule.redaction);
                Arc::new(rule)
            }));
            return None;
        }
        let Some(depth) = depth.checked_sub(1) else { return Some("rules name each other without an end".to_owned()) };
        let Some(spec) = self.rules.get(id).copied() else {
            return Some(format!("there is no rule {id:?} under `rules`"));
        };
        let place = format!("rules.{id}");
        let Some(spec) = spec.as_object() else {
            self.problem(&place, "expected an object with `type` and `redaction`");
            return None;
        };
        let own = self.redaction(spec.get("redaction"), &place);
        let redaction = redaction.cloned().or(own);
        let word = spec.get("type").and_then(Value::as_str).unwrap_or_default();
        let inner: Vec<&str> = match word {
            "multiple" => match spec.get("rules").and_then(Value::as_array) {
                Some(ids) => {
                    if ids.len() > MAX_ENTRIES {
                        let message = format!("at most {MAX_ENTRIES} entries, these are {}", ids.len());
                        self.problem(&format!("{place}.rules"), &message);
                    }
                    ids.iter().take(MAX_ENTRIES).filter_map(Value::as_str).collect()
                }
                None => {
                    self.problem(&format!("{place}.rules"), "expected a list of rule ids");
                    return None;
                }
            },
            "alias" => match spec.get("rule").and_then(Value::as_str) {
                Some(id) => vec![id],
                None => {
                    self.problem(&format!("{place}.rule"), "expected the id of a rule");
                    return None;
                }
            },
            _ => {
                if let Some(kind) = self.compiled(word, spec, &place) {
                    let redaction = redaction.unwrap_or(Redaction::Remove);
                    out.push(Arc::new(Rule { id: self.name(shown), kind, redaction }));
                }
                return None;
            }
        };
        let hides = spec.get("hideInner") == Some(&Value::Bool(true));
        for id in inner {
            let shown = if hides || shown != id_of(&place) { shown } else { id };
            if let Some(fault) = self.expand(id, shown, redaction.as_ref(), depth, out) {
                self.problem(&place, &fault);
            }
        }
        None
    }

    /// What remarks call a rule.
    fn name(&self, id: &str) -> Arc<str> {
        if id.starts_with('@') { id.into() } else { format!("{}{id}", self.owner).into() }
    }

    fn compiled(&mut self, word: &str, spec: &Map<String, Value>, place: &str) -> Option<Kind> {
        if let Some(kind) = self.kinds.get(place) {
            return kind.clone();
        }
        let kind = self.kind(word, spec, place);
        self.kinds.insert(place.to_owned(), kind.clone());
        kind
    }

    fn kind(&mut self, word: &str, spec: &Map<String, Value>, place: &str) -> Option<Kind> {
        if let Some(kind) = kind_of(word) {
            return Some(kind);
        }
        match word {
            "pattern" => {
                let regex = self.regex(spec, "pattern", place)?;
                let groups: Vec<usize> = match spec.get("replaceGroups") {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(groups)) => {
                        groups.iter().filter_map(Value::as_u64).map(|group| group as usize).collect()
                    }
                    Some(_) => {
                        self.problem(&format!("{place}.replaceGroups"), "expected a list of group numbers");
                        Vec::new()
                    }
                };
                if let Some(missing) = groups.iter().find(|group| **group >= regex.captures_len()) {
                    self.problem(&format!("{place}.replaceGroups"), &format!("the pattern has no group {missing}"));
                    return None;
                }
                Some(Kind::Patterns(vec![Pattern::custom(regex, groups)]))
            }
            "redact_pair" => {
                let key = self.regex(spec, "keyPattern", place)?;
                Some(Kind::Pair { value: Some(key.clone()), key })
            }
            _ => {
                self.problem(&format!("{place}.type"), &format!("unknown type {word:?}; there are {TYPES}"));
                None
            }
        }
    }

    fn regex(&mut self, spec: &Map<String, Value>, key: &str, place: &str) -> Option<Regex> {
        let place = format!("{place}.{key}");
        let Some(text) = spec.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()) else {
            self.problem(&place, "expected a regular expression");
            return None;
        };
        if text.len() > MAX_PATTERN_BYTES {
            self.problem(&place, &format!("at most {MAX_PATTERN_BYTES} bytes"));
            return None;
        }
        match RegexBuilder::new(text).size_limit(REGEX_MAX_BYTES).build() {
            Ok(regex) => Some(regex),
            Err(regex::Error::CompiledTooBig(_)) => {
                self.problem(&place, &format!("compiled, it is larger than {REGEX_MAX_BYTES} bytes"));
                None
            }
            Err(error) => {
                self.problem(&place, &format!("not a regular expression: {error}"));
                None
            }
        }
    }

    /// `None` for the default.
    fn redaction(&mut self, spec: Option<&Value>, place: &str) -> Option<Redaction> {
        let place = format!("{place}.redaction");
        let spec = match spec {
            None | Some(Value::Null) => return None,
            Some(Value::Object(spec)) => spec,
            Some(_) => {
                self.problem(&place, "expected an object with `method`");
                return None;
            }
        };
        match spec.get("method").and_then(Value::as_str).unwrap_or("default") {
            "default" => None,
            "remove" => Some(Redaction::Remove),
            "mask" => Some(Redaction::Mask),
            "hash" => Some(Redaction::Hash(self.hash_key.clone())),
            "replace" => {
                let text = spec.get("text").and_then(Value::as_str).unwrap_or(FILTERED);
                if text.len() > MAX_REPLACEMENT_BYTES {
                    self.problem(&format!("{place}.text"), &format!("at most {MAX_REPLACEMENT_BYTES} bytes"));
                }
                let fits = text.len() <= MAX_REPLACEMENT_BYTES;
                Some(Redaction::Replace(if fits { text } else { FILTERED }.into()))
            }
            other => {
                let message = format!("unknown method {other:?}; there are remove, replace, mask, hash and default");
                self.problem(&format!("{place}.method"), &message);
                None
            }
        }
    }

    /// `ip`, `ip:hash`, `common`, …
    fn built_in(&self, name: &str) -> Option<Vec<Rule>> {
        let (word, method) = name.split_once(':').map_or((name, None), |(word, method)| (word, Some(method)));
        if word == "common" {
            return match method {
                Some("filter") => Some(defaults::common().iter().map(|rule| (**rule).clone()).collect()),
                Some(_) => None,
                None => {
                    COMMON.iter().map(|word| self.built_in(word)).collect::<Option<Vec<_>>>().map(|all| all.concat())
                }
            };
        }
        let (_, type_word, with) = BUILT_IN.iter().find(|(known, _, _)| *known == word)?;
        let replace = |text: &str| Redaction::Replace(text.into());
        let redaction = match method {
            None => match *with {
                "" => Redaction::Remove,
                "*" => Redaction::Mask,
                text => replace(text),
            },
            Some("remove") => Redaction::Remove,
            Some("replace") => replace(if ["", "*"].contains(with) { FILTERED } else { with }),
            Some("filter") => replace(FILTERED),
            Some("mask") => Redaction::Mask,
            Some("hash") => Redaction::Hash(self.hash_key.clone()),
            Some("legacy") if word == "urlauth" => {
                let kind = Kind::Patterns(vec![patterns::url_password()]);
                return Some(vec![Rule { id: "@urlauth:legacy".into(), kind, redaction: replace(FILTERED) }]);
            }
            Some(_) => return None,
        };
        Some(vec![Rule { id: format!("@{name}").into(), kind: kind_of(type_word)?, redaction }])
    }
}

/// What a place under `rules` calls its rule.
fn id_of(place: &str) -> &str {
    place.strip_prefix("rules.").unwrap_or(place)
}

const TYPES: &str = "anything, pattern, imei, mac, uuid, email, ip, creditcard, iban, userpath, pemkey, url_auth, us_ssn, \
                     bearer, password, redact_pair, multiple and alias";

/// Built-in rules: name, type, and what they put in place by default (empty: nothing, `*`: a mask).
const BUILT_IN: &[(&str, &str, &str)] = &[
    ("anything", "anything", FILTERED),
    ("bearer", "bearer", "[token]"),
    ("creditcard", "creditcard", "[creditcard]"),
    ("email", "email", "[email]"),
    ("iban", "iban", "[iban]"),
    ("imei", "imei", "[imei]"),
    ("ip", "ip", "[ip]"),
    ("mac", "mac", "*"),
    ("password", "password", ""),
    ("pemkey", "pemkey", "[pemkey]"),
    ("urlauth", "url_auth", "[auth]"),
    ("userpath", "userpath", "[user]"),
    ("usssn", "us_ssn", "*"),
    ("uuid", "uuid", "*"),
];

/// What `@common` stands for.
const COMMON: [&str; 9] = ["iban", "ip", "email", "creditcard", "pemkey", "urlauth", "userpath", "password", "usssn"];

/// What a type without parameters looks for.
fn kind_of(word: &str) -> Option<Kind> {
    let pattern = match word {
        "anything" => return Some(Kind::Anything),
        "password" => {
            return Some(Kind::Pair { key: patterns::sensitive_key(), value: Some(patterns::sensitive_value()) });
        }
        "ip" => return Some(Kind::Patterns(patterns::ip().into())),
        "bearer" => patterns::bearer(),
        "creditcard" => patterns::credit_card(),
        "email" => patterns::email(),
        "iban" => patterns::iban(),
        "imei" => patterns::imei(),
        "mac" => patterns::mac(),
        "pemkey" => patterns::pem_key(),
        "url_auth" => patterns::url_auth(),
        "us_ssn" => patterns::us_ssn(),
        "userpath" => patterns::user_path(),
        "uuid" => patterns::uuid(),
        _ => return None,
    };
    Some(Kind::Patterns(vec![pattern]))
}
