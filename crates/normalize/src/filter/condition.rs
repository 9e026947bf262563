//! The language of custom filters (`reference/ingest-protocol.md` §14).

use std::{cmp::Ordering, net::IpAddr};

use ipnet::IpNet;
use nuthatch_protocol::{Event, TraceItemKind, Version, version};
use serde_json::{Map, Value};

use super::{globs::Globs, is_within, read_network};
use crate::Problem;

/// Conditions may be nested so deep.
const MAX_DEPTH: usize = 16;
/// Most conditions in one, and most values that one compares with.
const MAX_INNER: usize = 100;

/// Which order of what is found to what it is compared with is meant.
type Wanted = fn(Ordering) -> bool;

/// When an event is dropped.
#[derive(Debug)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Eq {
        field: String,
        values: Vec<Value>,
        ignores_case: bool,
    },
    Compare {
        field: String,
        wanted: Wanted,
        number: f64,
    },
    Glob {
        field: String,
        globs: Globs,
    },
    /// By the order of versions, whatever the package.
    Semver {
        field: String,
        wanted: Wanted,
        version: String,
    },
    Cidr {
        field: String,
        networks: Vec<IpNet>,
    },
    /// Of a list's entries, any or every one.
    Entries {
        field: String,
        every: bool,
        inner: Box<Condition>,
    },
}

impl Condition {
    /// Reads a condition; `None` when it cannot be used, which is told.
    pub(super) fn read(value: &Value, place: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        read(value, place, MAX_DEPTH).map_err(|(place, message)| problems.push(Problem { place, message })).ok()
    }

    /// Whether it holds for an event. A field that the event does not have never matches; conditions on fields that events
    /// cannot have do not apply.
    pub(super) fn holds(&self, event: &Event, client_ip: Option<IpAddr>) -> bool {
        let client = client_ip.map(|ip| Value::String(ip.to_canonical().to_string()));
        self.holds_by(&|field| match field.split_once('.') {
            Some(("event", path)) => Some(event_field(event, path)),
            Some(("envelope", "client_ip")) => Some(client.as_ref()),
            _ => None,
        }) == Some(true)
    }

    /// Whether it holds for a span, a log line or a metric in normal form: `span.op`, `log.body`,
    /// `log.attributes.<name>.value`, `trace_metric.name`, … Conditions on fields of others do not apply.
    pub(super) fn holds_of_item(
        &self,
        kind: TraceItemKind,
        item: &Map<String, Value>,
        client_ip: Option<IpAddr>,
    ) -> bool {
        let client = client_ip.map(|ip| Value::String(ip.to_canonical().to_string()));
        let whose = match kind {
            TraceItemKind::Span => "span",
            TraceItemKind::Log => "log",
            TraceItemKind::Metric => "trace_metric",
        };
        self.holds_by(&|field| match field.split_once('.') {
            Some((prefix, path)) if prefix == whose => Some(item_field(item, path)),
            Some(("envelope", "client_ip")) => Some(client.as_ref()),
            _ => None,
        }) == Some(true)
    }

    /// `None` when it does not apply, and then neither does its opposite: what is looked at cannot have the field, for
    /// which `field_of` gives `None`.
    fn holds_by<'v>(&self, field_of: &dyn Fn(&str) -> Option<Option<&'v Value>>) -> Option<bool> {
        match self {
            Self::And(inner) => decide(inner, field_of, false),
            Self::Or(inner) => decide(inner, field_of, true),
            Self::Not(inner) => inner.holds_by(field_of).map(|holds| !holds),
            Self::Eq { field, values, ignores_case } => Some(field_of(field)?.is_some_and(|found| {
                values.iter().any(|value| match (value.as_str(), found.as_str()) {
                    (Some(value), Some(found)) if *ignores_case => value.to_lowercase() == found.to_lowercase(),
                    _ => value == found,
                })
            })),
            Self::Compare { field, wanted, number } => {
                let found = field_of(field)?.and_then(Value::as_f64);
                Some(found.and_then(|found| found.partial_cmp(number)).is_some_and(wanted))
            }
            Self::Glob { field, globs } => {
                Some(field_of(field)?.and_then(Value::as_str).is_some_and(|text| globs.match_any(text)))
            }
            Self::Semver { field, wanted, version } => {
                let found = field_of(field)?.and_then(|found| Version::read(version::split(found.as_str()?).1));
                Some(found.zip(Version::read(version)).is_some_and(|(found, version)| wanted(found.cmp(&version))))
            }
            Self::Cidr { field, networks } => {
                let found = field_of(field)?.and_then(|found| found.as_str()?.parse::<IpAddr>().ok());
                Some(found.is_some_and(|ip| is_within(ip, networks)))
            }
            Self::Entries { field, every, inner } => {
                let Some(entries) = field_of(field)?.and_then(Value::as_array) else { return Some(false) };
                let holds = |entry: &Value| {
                    inner.holds_by(&|name| Some(entry.get(if name == "ty" { "type" } else { name }))) == Some(true)
                };
                Some(if *every { entries.iter().all(holds) } else { entries.iter().any(holds) })
            }
        }
    }
}

/// Whether conditions hold of which one that is `decisive` decides; when none does, one that does not apply leaves it open.
fn decide<'v>(
    conditions: &[Condition],
    field_of: &dyn Fn(&str) -> Option<Option<&'v Value>>,
    decisive: bool,
) -> Option<bool> {
    let mut found = Some(!decisive);
    for condition in conditions {
        match condition.holds_by(field_of) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => found = None,
        }
    }
    found
}

type Fault = (String, String);

fn read(value: &Value, place: &str, depth: usize) -> Result<Condition, Fault> {
    let fault = |key: &str, message: String| {
        Err((if key.is_empty() { place.to_owned() } else { format!("{place}.{key}") }, message))
    };
    let Some(depth) = depth.checked_sub(1) else { return fault("", format!("nested deeper than {MAX_DEPTH} levels")) };
    let op = value.get("op").and_then(Value::as_str).unwrap_or_default();
    let inner = || value.get("inner").ok_or_else(|| (format!("{place}.inner"), "expected a condition".to_owned()));
    let list = || -> Result<Vec<Condition>, Fault> {
        let place = format!("{place}.inner");
        match inner()?.as_array() {
            Some(list) if list.len() <= MAX_INNER => {
                let each = list.iter().enumerate();
                each.map(|(number, inner)| read(inner, &format!("{place}.{number}"), depth)).collect()
            }
            _ => Err((place, format!("expected a list of at most {MAX_INNER} conditions"))),
        }
    };
    match op {
        "and" => return Ok(Condition::And(list()?)),
        "or" => return Ok(Condition::Or(list()?)),
        "not" => return Ok(Condition::Not(Box::new(read(inner()?, &format!("{place}.inner"), depth)?))),
        _ => {}
    }
    let Some(field) = value.get("name").and_then(Value::as_str).map(str::to_owned) else {
        return fault("name", "expected the name of a field such as event.release".to_owned());
    };
    let compared = value.get("value");
    let values = match compared {
        Some(Value::Array(list)) => list.iter().take(MAX_INNER).cloned().collect(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let texts = || values.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let wanted: Wanted = match op {
        "gt" => Ordering::is_gt,
        "gte" => Ordering::is_ge,
        "lt" => Ordering::is_lt,
        "lte" => Ordering::is_le,
        "eq" => {
            let ignores_case =
                value.get("options").and_then(|options| options.get("ignoreCase")) == Some(&Value::Bool(true));
            return Ok(Condition::Eq { field, values, ignores_case });
        }
        "glob" => {
            let mut problems = Vec::new();
            let globs = Globs::new(&format!("{place}.value"), &texts(), &mut problems);
            return match problems.pop() {
                Some(problem) => Err((problem.place, problem.message)),
                None => Ok(Condition::Glob { field, globs }),
            };
        }
        "semver" => {
            return match compared.and_then(Value::as_str).and_then(comparison) {
                Some((wanted, version)) => Ok(Condition::Semver { field, wanted, version: version.to_owned() }),
                None => fault("value", "expected a version with how to compare, such as >=1.2.0".to_owned()),
            };
        }
        "cidr" => {
            let networks = texts().iter().map(|text| read_network(text)).collect::<Option<Vec<_>>>();
            return match networks {
                Some(networks) => Ok(Condition::Cidr { field, networks }),
                None => fault("value", "expected addresses or networks such as 10.0.0.0/8".to_owned()),
            };
        }
        "any" | "all" => {
            let inner = Box::new(read(inner()?, &format!("{place}.inner"), depth)?);
            return Ok(Condition::Entries { field, every: op == "all", inner });
        }
        other => {
            let known = "and, or, not, eq, gt, gte, lt, lte, glob, semver, cidr, any and all";
            return fault("op", format!("there is no {other:?}; there are {known}"));
        }
    };
    match compared.and_then(Value::as_f64) {
        Some(number) => Ok(Condition::Compare { field, wanted, number }),
        None => fault("value", "expected a number".to_owned()),
    }
}

/// What a version is compared with, and how: `>=1.2.0`, `<2.0.0-rc.1`, `1.2.3`.
fn comparison(text: &str) -> Option<(Wanted, &str)> {
    const SIGNS: [(&str, Wanted); 5] = [
        (">=", Ordering::is_ge),
        ("<=", Ordering::is_le),
        (">", Ordering::is_gt),
        ("<", Ordering::is_lt),
        ("=", Ordering::is_eq),
    ];
    let text = text.trim();
    let signed = SIGNS.into_iter().find_map(|(sign, wanted)| Some((wanted, text.strip_prefix(sign)?.trim_start())));
    let (wanted, version) = signed.unwrap_or((Ordering::is_eq, text));
    Version::read(version).map(|_| (wanted, version))
}

/// `release`, `tags.browser`, `contexts.os.name`, `exception.values`, …
fn event_field<'e>(event: &'e Event, path: &str) -> Option<&'e Value> {
    if let Some(tag) = path.strip_prefix("tags.") {
        let tags = event.get(&["tags"])?.as_array()?;
        return tags.iter().find(|pair| pair.get(0).is_some_and(|name| name == tag))?.get(1);
    }
    event.get(&path.split('.').collect::<Vec<_>>())
}

/// `body`, `attributes.user.id.value`, `data.user.id`, … Names of attributes have dots of their own.
fn item_field<'v>(item: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    let Some((first, rest)) = path.split_once('.') else { return item.get(path) };
    let inner = item.get(first)?;
    inner.get(rest).or_else(|| inner.get(rest.strip_suffix(".value")?))
}
