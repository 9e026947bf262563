//! The event as a whole: which keys there are, and in which order they are read
//! (`reference/ingest-protocol.md` §11.2, §12).

use nuthatch_protocol::{Event, Level, record::IngestHeader};
use serde_json::{Map, Value, json};

use crate::{
    GeoLookup, Refused, breadcrumbs, contexts, debug_meta, exception, logentry, mechanism,
    meta::{Meta, Path},
    release, replay, request, sdk,
    shape::{self, FREE, Field, Shape},
    stacktrace, tags, threads,
    time::{self, Shift},
    trim::{self, Bag, Limit},
    user,
};

/// Names of the interfaces in old protocols; the modern name wins when both are there, then the one that is first here.
const ALIASES: &[(&str, &str)] = &[
    ("sentry.interfaces.Breadcrumbs", "breadcrumbs"),
    ("sentry.interfaces.Contexts", "contexts"),
    ("sentry.interfaces.Csp", "csp"),
    ("sentry.interfaces.Exception", "exception"),
    ("sentry.interfaces.ExpectCT", "expectct"),
    ("sentry.interfaces.ExpectStaple", "expectstaple"),
    ("sentry.interfaces.Hpkp", "hpkp"),
    ("sentry.interfaces.Http", "request"),
    ("sentry.interfaces.Message", "logentry"),
    ("message", "logentry"),
    ("sentry.interfaces.Stacktrace", "stacktrace"),
    ("sentry.interfaces.Template", "template"),
    ("sentry.interfaces.User", "user"),
];

const FIELDS: &[Field] = &[
    ("breadcrumbs", Shape::Inner),
    ("checksum", Shape::Text(Limit::new(128))),
    ("contexts", Shape::Inner),
    ("csp", Shape::Object(FREE)),
    ("culprit", Shape::Text(Limit::new(200))),
    ("debug_meta", Shape::Inner),
    ("dist", Shape::Lenient(Limit::new(250))),
    ("environment", Shape::Lenient(Limit::new(250))),
    ("exception", Shape::Inner),
    ("expectct", Shape::Object(FREE)),
    ("expectstaple", Shape::Object(FREE)),
    ("extra", Shape::Inner),
    ("fingerprint", Shape::Inner),
    ("hpkp", Shape::Object(FREE)),
    ("level", Shape::Level),
    ("logentry", Shape::Inner),
    ("logger", Shape::Inner),
    ("modules", Shape::Inner),
    ("platform", Shape::Text(Limit::new(64))),
    ("release", Shape::Lenient(Limit::new(1000))),
    ("request", Shape::Inner),
    ("sdk", Shape::Inner),
    ("server_name", Shape::Text(tags::MOVED_VALUE)),
    ("site", Shape::Text(tags::MOVED_VALUE)),
    ("stacktrace", Shape::Inner),
    ("start_timestamp", Shape::Time),
    ("tags", Shape::Inner),
    ("template", Shape::Inner),
    ("threads", Shape::Inner),
    ("time_spent", Shape::Integer),
    ("timestamp", Shape::Time),
    ("transaction", Shape::Text(Limit::new(200))),
    ("transaction_info", Shape::Object(FREE)),
    ("user", Shape::Inner),
];

const LOGGER: Limit = Limit::new(64);
const MODULE: Limit = Limit::new(200);
const MAX_MODULES_BYTES: usize = 64 << 10;
const EXTRA: Bag = Bag { depth: 7, bytes: 16 << 10 };
const MAX_EXTRA_BYTES: usize = 256 << 10;
const FINGERPRINT: Limit = Limit::new(1024);
/// Most parts of a fingerprint.
const MAX_FINGERPRINT: usize = 50;

/// Platforms that tools of this field know (`reference/ingest-protocol.md` §11.15); others are `other`.
const PLATFORMS: &[&str] = &[
    "as3",
    "c",
    "cfml",
    "clojure",
    "cocoa",
    "cpp",
    "csharp",
    "dart",
    "elixir",
    "go",
    "groovy",
    "haskell",
    "java",
    "javascript",
    "kotlin",
    "native",
    "node",
    "objc",
    "other",
    "perl",
    "php",
    "powershell",
    "python",
    "ruby",
    "rust",
    "scala",
    "swift",
];

/// Who says what type an event has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What is in it.
    Inferred,
    /// The item that brought it: somebody's feedback.
    Feedback,
}

/// Brings the tree into the normal form.
pub(crate) fn normalize(
    mut event: Map<String, Value>,
    header: &IngestHeader,
    kind: Kind,
    geo: Option<&dyn GeoLookup>,
) -> Result<Event, Refused> {
    let mut meta = Meta::new(event.remove("_meta"));
    interfaces(&mut event, header, Level::default(), geo, &mut meta);
    let word = match kind {
        Kind::Inferred => event_type(&event),
        Kind::Feedback => {
            contexts::normalize_feedback(&mut event, &mut meta)?;
            event.retain(|_, value| !shape::is_empty(value));
            "userreportv2"
        }
    };
    Ok(finish(event, word, meta))
}

/// Brings everything into the normal form that events of all types have. Tells by how much their times move.
pub(crate) fn interfaces(
    event: &mut Map<String, Value>,
    header: &IngestHeader,
    default_level: Level,
    geo: Option<&dyn GeoLookup>,
    meta: &mut Meta,
) -> Shift {
    resolve_aliases(event, meta);
    event.retain(|key, value| {
        let Some((name, shape)) = FIELDS.iter().find(|(name, _)| name == key) else { return false };
        shape::apply(*shape, value, &Path::top(name), meta);
        !value.is_null()
    });

    sdk::normalize(event, meta);
    defaults(event, header, default_level);
    let shift = time::normalize(event, header, meta);
    stacktrace::normalize_top(event, meta);
    exception::normalize(event, meta);
    threads::normalize(event, meta);
    move_stacktrace(event, meta);
    stacktrace::normalize_template(event, meta);
    logentry::normalize(event, meta);
    breadcrumbs::normalize(event, shift, meta);
    request::normalize(event, meta);
    debug_meta::normalize(event, meta);
    contexts::normalize(event, header.attributes.replay_id, meta);
    mechanism::name_numbers(event);
    user::normalize(event, header.client_ip, geo, meta);
    tags::normalize(event, meta);
    release::normalize(event, meta);
    fingerprint(event, meta);
    logger(event, meta);
    modules(event, meta);
    extra(event, meta);
    if let Some(Value::String(name)) = event.get_mut("transaction") {
        *name = name.trim().to_owned();
    }
    event.retain(|_, value| !shape::is_empty(value));
    shift
}

/// The event of a type, with the notes about its fields.
pub(crate) fn finish(mut event: Map<String, Value>, kind: &str, mut meta: Meta) -> Event {
    event.insert("type".to_owned(), kind.into());
    let is_own = |name: &str| match kind {
        "transaction" => ["spans", "measurements"].contains(&name),
        replay::KIND => replay::is_own(name),
        _ => false,
    };
    let is_known = |name: &str| FIELDS.iter().any(|(known, _)| *known == name) || is_own(name);
    meta.prune(&event);
    if let Some(tree) = meta.finish(is_known) {
        event.insert("_meta".to_owned(), tree);
    }
    Event(event)
}

fn resolve_aliases(event: &mut Map<String, Value>, meta: &mut Meta) {
    for (old, modern) in ALIASES {
        let value = event.remove(*old);
        if event.get(*modern).is_none_or(Value::is_null) {
            meta.rename(&Path::top(old), &Path::top(modern));
            if let Some(value) = value {
                event.insert((*modern).to_owned(), value);
            }
        }
    }
}

/// What the server knows better, and what an event without a word about it has.
fn defaults(event: &mut Map<String, Value>, header: &IngestHeader, level: Level) {
    event.insert("event_id".to_owned(), Value::String(header.event_id.to_string()));
    event.insert("project".to_owned(), Value::from(header.project_id.0));
    event.insert("key_id".to_owned(), Value::String(header.key_id.to_string()));
    event.insert("version".to_owned(), Value::from(header.version.as_str()));
    event.entry("level").or_insert_with(|| level.as_str().into());
    let platform = event.get("platform").and_then(Value::as_str).unwrap_or_default();
    if !PLATFORMS.contains(&platform) {
        event.insert("platform".to_owned(), "other".into());
    }
    if let Some((name, version)) = header.client.as_deref().and_then(name_and_version) {
        event.entry("sdk").or_insert_with(|| json!({ "name": name, "version": version }));
    }
}

/// What a client calls itself: `name/version`, or with a space between (§4).
fn name_and_version(client: &str) -> Option<(&str, &str)> {
    client.split_once('/').or_else(|| client.trim().split_once(' '))
}

/// A stack trace beside a single exception without one is that exception's (§12.2).
fn move_stacktrace(event: &mut Map<String, Value>, meta: &mut Meta) {
    let Some(stacktrace) = event.remove("stacktrace") else { return };
    let exceptions = event.get_mut("exception").and_then(|value| value.get_mut("values")).and_then(Value::as_array_mut);
    match exceptions.map(Vec::as_mut_slice) {
        Some([Value::Object(only)]) if !only.contains_key("stacktrace") => {
            only.insert("stacktrace".to_owned(), stacktrace);
            let values = Path::top("exception");
            let values = values.key("values");
            meta.rename(&Path::top("stacktrace"), &values.index(0).key("stacktrace"));
        }
        _ => {
            event.insert("stacktrace".to_owned(), stacktrace);
        }
    }
}

fn fingerprint(event: &mut Map<String, Value>, meta: &mut Meta) {
    let at = Path::top("fingerprint");
    let parts = match event.remove("fingerprint") {
        None | Some(Value::Null) => return,
        Some(Value::Array(parts)) => parts,
        Some(other) => return meta.invalid(&at, "a list of texts", other),
    };
    let before = parts.len();
    let mut kept = Vec::with_capacity(before.min(MAX_FINGERPRINT));
    let mut sent = meta.lift_parts(&at);
    for (index, mut part) in parts.into_iter().take(MAX_FINGERPRINT).enumerate() {
        let at_part = at.index(kept.len());
        meta.lay(&at_part, sent.entry(index));
        shape::apply(Shape::Lenient(FINGERPRINT), &mut part, &at_part, meta);
        if part.is_null() {
            meta.give_up(&at_part, &at);
        } else {
            kept.push(part);
        }
    }
    if before > MAX_FINGERPRINT {
        meta.length(&at, before);
    }
    event.insert("fingerprint".to_owned(), Value::Array(kept));
}

/// One line. Java's logger names are packages: the end of a long one tells more than its start (§12.1).
fn logger(event: &mut Map<String, Value>, meta: &mut Meta) {
    let is_java = event.get("platform").is_some_and(|platform| platform == "java");
    let Some(value) = event.get_mut("logger") else { return };
    let at = Path::top("logger");
    if let Value::String(name) = value
        && is_java
        && name.len() > LOGGER.max()
    {
        let earliest = name.len() - (LOGGER.max() - 1);
        let cut = name.match_indices('.').map(|(dot, _)| dot).find(|dot| *dot >= earliest);
        if let Some(dot) = cut {
            *name = format!("*{}", &name[dot..]);
        }
    }
    if value.as_str().is_some_and(|name| name.contains(['\r', '\n'])) {
        meta.invalid(&at, "a logger name of one line", value.take());
    }
    shape::apply(Shape::Text(LOGGER), value, &at, meta);
}

fn modules(event: &mut Map<String, Value>, meta: &mut Meta) {
    let at = Path::top("modules");
    match event.get_mut("modules") {
        Some(Value::Object(modules)) => {
            modules.retain(|name, version| {
                shape::apply(Shape::Lenient(MODULE), version, &at.key(name), meta);
                !version.is_null()
            });
            trim::total(modules, MAX_MODULES_BYTES, &at, meta);
        }
        Some(other) => meta.invalid(&at, "an object", other.take()),
        None => {}
    }
}

fn extra(event: &mut Map<String, Value>, meta: &mut Meta) {
    let at = Path::top("extra");
    match event.get_mut("extra") {
        Some(Value::Object(extra)) => {
            extra.retain(|_, value| !value.is_null());
            for (key, value) in extra.iter_mut() {
                trim::bag(value, EXTRA, &at.key(key), meta);
            }
            trim::total(extra, MAX_EXTRA_BYTES, &at, meta);
        }
        Some(other) => meta.invalid(&at, "an object", other.take()),
        None => {}
    }
}

/// What kind of event it is, by what is in it (§12.1).
fn event_type(event: &Map<String, Value>) -> &'static str {
    for (interface, kind) in [
        ("exception", "error"),
        ("csp", "csp"),
        ("hpkp", "hpkp"),
        ("expectct", "expectct"),
        ("expectstaple", "expectstaple"),
    ] {
        if event.contains_key(interface) {
            return kind;
        }
    }
    let is_nel = event.get("contexts").is_some_and(|contexts| contexts.get("nel").is_some());
    if is_nel { "nel" } else { "default" }
}
