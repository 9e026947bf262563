//! Spans, logs and metrics as they are sent: one by one, or in containers (`reference/ingest-protocol.md` §7.12).

use nuthatch_protocol::{IngestRecord, ItemType, TraceItemKind, record::IngestHeader};
use serde_json::{Map, Value};

use super::{attributes, browser_score, log, measurements, metric, span};
use crate::{
    GeoLookup, geo, json,
    meta::{Meta, Path},
    refused::{Reason, Refused},
    shape,
    time::{self, Shift},
    trim,
    user_agent::{ClientHints, Product, UserAgent},
};

/// What SDKs send where the server is to fill in the client's address.
const AUTO: &str = "{{auto}}";

/// Most entries of one container.
pub const MAX_ENTRIES: usize = 10_000;

/// What an item brought.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceItems {
    /// What all entries are.
    pub kind: TraceItemKind,
    /// Those that can be used.
    pub entries: Vec<Entry>,
    /// Those that cannot. The ones beyond [`MAX_ENTRIES`] are one of these together.
    pub broken: Vec<BrokenEntry>,
}

/// A span, a log line or a metric in normal form.
///
/// A span has the form in which it stands in transactions. A log line has `timestamp`, `trace_id`, `level`, `body` and
/// perhaps `span_id`, `severity_number`; a metric `timestamp`, `trace_id`, `name`, `type`, `value` and perhaps `span_id`,
/// `unit`; both have `attributes`, which are plain values. All have `received`, and perhaps `_meta`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the container, from 0.
    pub place: usize,
    /// Bytes of JSON that it was sent as, as estimated by a reader: at least 1.
    pub bytes: u64,
    /// The normal form.
    pub content: Map<String, Value>,
}

/// An entry that cannot be used, or several for one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokenEntry {
    /// How many they are.
    pub entries: u64,
    /// Bytes of JSON that it was sent as, as estimated by a reader: at least 1.
    pub bytes: u64,
    /// Why.
    pub refused: Refused,
}

/// Why an entry cannot be used: the key, and what should be there.
pub(super) enum Fault {
    /// It is not what it should be.
    Invalid(Option<&'static str>, &'static str),
    /// It is too old or in the future.
    OutOfRange,
}

impl From<span::Fault> for Fault {
    fn from(span::Fault { key, expected }: span::Fault) -> Self {
        Self::Invalid(key, expected)
    }
}

/// Reads the payload of an item `span`, `log` or `trace_metric`. How many entries the item's header promises does not
/// matter.
///
/// # Errors
///
/// The payload is no JSON, is no container (nor a span), or is a single broken span.
pub fn trace_items(record: &IngestRecord, geo: Option<&dyn GeoLookup>) -> Result<TraceItems, Refused> {
    let (kind, invalid) = match ItemType::from(record.header.item_type.as_str()) {
        ItemType::Log | ItemType::OtelLog | ItemType::Nel => (TraceItemKind::Log, Reason::InvalidLog),
        ItemType::TraceMetric => (TraceItemKind::Metric, Reason::InvalidTraceMetric),
        _ => (TraceItemKind::Span, Reason::InvalidSpan),
    };
    let Value::Object(mut map) = json::read(&record.payload)? else {
        return Err(Refused::in_json(invalid, "items".to_owned(), "a container of entries"));
    };
    let reader = Reader { kind, invalid, header: &record.header, shift: Shift::of_drift(&record.header), geo };
    let mut items = TraceItems { kind, entries: Vec::new(), broken: Vec::new() };
    match map.remove("items") {
        Some(Value::Array(sent)) => {
            let mut sent = sent.into_iter();
            for (place, value) in sent.by_ref().take(MAX_ENTRIES).enumerate() {
                match reader.entry(place, value, true) {
                    Ok(entry) => items.entries.push(entry),
                    Err(broken) => items.broken.push(broken),
                }
            }
            items.broken.extend(beyond(sent));
        }
        None if kind == TraceItemKind::Span => match reader.entry(0, Value::Object(map), false) {
            Ok(entry) => items.entries.push(entry),
            Err(broken) => return Err(broken.refused),
        },
        _ => return Err(Refused::in_json(invalid, "items".to_owned(), "a list of entries")),
    }
    Ok(items)
}

/// The entries beyond those that are read.
fn beyond(sent: impl ExactSizeIterator<Item = Value>) -> Option<BrokenEntry> {
    let entries = sent.len() as u64;
    let refused = Refused::in_json(Reason::TooManyEntries, format!("items.{MAX_ENTRIES}"), "at most 10000 entries");
    let bytes = sent.map(|value| trim::size_of(&value).max(1) as u64).sum();
    (entries > 0).then_some(BrokenEntry { entries, bytes, refused })
}

struct Reader<'a> {
    kind: TraceItemKind,
    invalid: Reason,
    header: &'a IngestHeader,
    shift: Shift,
    geo: Option<&'a dyn GeoLookup>,
}

impl Reader<'_> {
    fn entry(&self, place: usize, value: Value, in_container: bool) -> Result<Entry, BrokenEntry> {
        let bytes = trim::size_of(&value).max(1) as u64;
        let path = if in_container { format!("items.{place}") } else { String::new() };
        let broken = |refused| BrokenEntry { entries: 1, bytes, refused };
        let found = match value {
            Value::Object(map) => self.content(map, in_container),
            _ => Err(Fault::Invalid(None, "an object")),
        };
        match found {
            Ok(content) => Ok(Entry { place, bytes, content }),
            Err(Fault::Invalid(key, expected)) => {
                let dot = if path.is_empty() || key.is_none() { "" } else { "." };
                let path = format!("{path}{dot}{}", key.unwrap_or_default());
                Err(broken(Refused::in_json(self.invalid, path, expected)))
            }
            Err(Fault::OutOfRange) => {
                let expected = "a time of the last 30 days";
                Err(broken(Refused::in_json(Reason::Timestamp, path, expected)))
            }
        }
    }

    fn content(&self, mut entry: Map<String, Value>, in_container: bool) -> Result<Map<String, Value>, Fault> {
        let mut notes = Meta::new(entry.remove("_meta"));
        let (at, meta) = (Path::root(), &mut notes);
        // A single span has its data as plain values.
        if in_container {
            let key = if self.kind == TraceItemKind::Span { "data" } else { "attributes" };
            let mut attributes = attributes::read(entry.remove("attributes"), &at.key(key), meta);
            self.complete(&mut attributes);
            if self.kind == TraceItemKind::Span {
                span::of_entry(&mut entry, attributes);
            } else {
                entry.insert(key.to_owned(), Value::Object(attributes));
            }
        }
        match self.kind {
            TraceItemKind::Span => self.span(&mut entry, meta)?,
            TraceItemKind::Log => log::normalize(&mut entry, &at, meta)?,
            TraceItemKind::Metric => metric::normalize(&mut entry, &at, meta)?,
        }
        if self.kind != TraceItemKind::Span {
            self.settle_time(&mut entry, meta);
        }
        entry.insert("received".to_owned(), shape::seconds(self.header.received));
        entry.retain(|_, value| !shape::is_empty(value));
        notes.prune(&entry);
        if let Some(tree) = notes.finish(|_| true) {
            entry.insert("_meta".to_owned(), tree);
        }
        Ok(entry)
    }

    /// What the server knows and the client does not (§7.13).
    fn complete(&self, attributes: &mut Map<String, Value>) {
        if attributes.get("client.address").is_some_and(|address| address == AUTO) {
            match self.header.client_ip {
                Some(ip) => attributes.insert("client.address".to_owned(), Value::String(ip.to_string())),
                None => attributes.remove("client.address"),
            };
        }
        if !attributes.contains_key("browser.name")
            && let Some(Product { name, version }) = self.browser(Some(attributes))
        {
            attributes.insert("browser.name".to_owned(), Value::String(name));
            if let Some(version) = version {
                attributes.insert("browser.version".to_owned(), Value::String(version));
            }
        }
        if self.kind == TraceItemKind::Log {
            if let Some(geo) = self.geo {
                geo::fill_attributes(attributes, geo);
            }
            let nanos = i128::from(self.header.received.0) * 1000;
            attributes.entry("sentry.observed_timestamp_nanos").or_insert_with(|| Value::String(nanos.to_string()));
        }
    }

    /// The browser that sent it, if one did.
    fn browser(&self, attributes: Option<&Map<String, Value>>) -> Option<Product> {
        let told = attributes.and_then(|attributes| attributes.get("user_agent.original")?.as_str());
        // The hints are those of the request, so they say nothing about another agent.
        let (agent, hints) = match told {
            Some(told) => (told, ClientHints::default()),
            None => (self.header.user_agent.as_deref()?, ClientHints::from(&self.header.client_hints)),
        };
        agent.starts_with("Mozilla/").then(|| UserAgent::read(Some(agent), &hints).browser).flatten()
    }

    fn span(&self, span: &mut Map<String, Value>, meta: &mut Meta) -> Result<(), Fault> {
        let at = Path::root();
        span::normalize(span, self.shift, &at, meta)?;
        if !span::is_timely(span, self.header.received) {
            return Err(Fault::OutOfRange);
        }
        let data = |key: &str| span.get("data").and_then(|data| data.get(key)?.as_str());
        let tag = |key: &str| span.get("sentry_tags").and_then(|tags| tags.get(key)?.as_str());
        let browser = tag("browser.name").or_else(|| data("browser.name")).map(str::to_owned);
        let attributes = span.get("data").and_then(Value::as_object);
        let browser = browser.or_else(|| Some(self.browser(attributes)?.name));
        let (platform, sdk) = (tag("platform").or_else(|| data("sentry.platform")), data("sentry.sdk.name"));
        let (platform, sdk) = (platform.map(str::to_owned), sdk.map(str::to_owned));
        let mut measured = measurements::read(span.remove("measurements"), &at.key("measurements"), meta);
        browser_score::add(&mut measured, browser.as_deref());
        if !measured.is_empty() {
            span.insert("measurements".to_owned(), Value::Object(measured));
        }
        span::describe(span, platform.as_deref(), sdk.as_deref());
        Ok(())
    }

    /// Corrects the time of a log line or metric. One that cannot be is the time of arrival: what was written is worth
    /// more than when.
    fn settle_time(&self, entry: &mut Map<String, Value>, meta: &mut Meta) {
        let at = Path::root();
        self.shift.apply(entry, "timestamp", &at, meta);
        let time = entry.get("timestamp").and_then(shape::timestamp);
        if let Some(kind) = time.map_or(Some("past_timestamp"), |time| time::out_of_range(time, self.header.received)) {
            meta.error(&at.key("timestamp"), serde_json::json!([kind]));
            entry.insert("timestamp".to_owned(), shape::seconds(self.header.received));
        }
    }
}
