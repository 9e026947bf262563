//! Events of native crashes: what clients send beside a crash dump, put together to one event item
//! (`reference/ingest-protocol.md` §2.5, §2.6, §7.2). The dump itself stays an attachment, and a report of Unreal Engine
//! what it is.

mod dump;
mod form;
mod msgpack;

use std::collections::{BTreeMap, HashSet, VecDeque};

use nuthatch_protocol::{Envelope, Item, ItemType};
use serde_json::{Map, Value, json};

use crate::{IntakeConfig, body::Room, endpoint::JSON_UNFOLDING, refusal::Refusal};

pub(crate) use dump::{check, packing, unpacked_name};

/// Most bytes of all pieces of a crash together. SDKs write a few kilobytes.
const PIECES_MAX_BYTES: usize = 1 << 20;

/// Most pieces of a kind that are put together: two rings of breadcrumbs, one of everything else (§7.2).
const BREADCRUMBS_MAX: usize = 2;
const OTHERS_MAX: usize = 1;

/// Most breadcrumbs of a piece that are kept, the newest. SDKs keep a hundred.
const CRUMBS_MAX: usize = 1000;

/// Memory that a byte of a piece may unfold to: a value of one byte, as msgpack and as JSON.
const UNFOLDING: usize = 128;

/// `attachment_type` of a minidump.
pub(crate) const MINIDUMP: &str = "event.minidump";
/// `attachment_type` of a crash report of Apple's systems, which is text.
const APPLE_REPORT: &str = "event.applecrashreport";
/// `attachment_type` of an event as msgpack.
pub(crate) const PAYLOAD: &str = "event.payload";
/// `attachment_type` of breadcrumbs as msgpack.
pub(crate) const BREADCRUMBS: &str = "event.breadcrumbs";

/// Puts the pieces of a crash together: the envelope then has an event item, and the pieces that went into it are gone.
/// An envelope without pieces is left as it is, as is what cannot be read: it stays an attachment, or what is wrong
/// with the event is found where events are read. Of pieces that are more or larger than those of a crash, the later ones
/// stay too.
pub(crate) async fn complete(
    mut envelope: Envelope,
    room: &mut Room,
    config: &IntakeConfig,
) -> Result<Envelope, Refusal> {
    let Selection { places, bytes } = Selection::of(&envelope, PIECES_MAX_BYTES);
    if places.is_empty() {
        return Ok(envelope);
    }
    let events = envelope.items.iter().filter(|item| item.item_type == ItemType::Event);
    let event_bytes = events.map(|event| event.payload.len()).sum::<usize>().min(config.event_max_bytes);
    room.grow(bytes * UNFOLDING + event_bytes * JSON_UNFOLDING, config).await?;
    let event_max_bytes = config.event_max_bytes;
    let put_together = move || {
        put_together(&mut envelope, &places, event_max_bytes);
        envelope
    };
    // The thread only fails to finish when the runtime is going down.
    tokio::task::spawn_blocking(put_together).await.map_err(|_| Refusal::Closed)
}

/// The items of an envelope that are pieces of a crash, within the bounds of one.
#[derive(Default)]
struct Selection {
    /// Their places.
    places: HashSet<usize>,
    /// Bytes of those that are read.
    bytes: usize,
}

impl Selection {
    /// Nothing when the envelope has an event that nothing can be added to.
    fn of(envelope: &Envelope, pieces_max_bytes: usize) -> Self {
        let mut selection = Self::default();
        let mut events = envelope.items.iter().map(|item| &item.item_type).filter(|one| one.is_event_like());
        // What is refused for a second event must not lose it before.
        if events.next().is_some_and(|event| *event != ItemType::Event) || events.next().is_some() {
            return selection;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, item) in envelope.items.iter().enumerate() {
            let (kind, count_max) = match (&item.item_type, attachment_type(item)) {
                (ItemType::FormData, _) => ("form_data", OTHERS_MAX),
                (_, Some(BREADCRUMBS)) => (BREADCRUMBS, BREADCRUMBS_MAX),
                (_, Some(PAYLOAD)) => (PAYLOAD, OTHERS_MAX),
                // Of a dump nothing is read.
                (ItemType::UnrealReport, _) | (_, Some(_)) => {
                    selection.places.insert(index);
                    continue;
                }
                _ => continue,
            };
            let (count, bytes) = (counts.entry(kind).or_default(), selection.bytes + item.payload.len());
            if *count < count_max && bytes <= pieces_max_bytes {
                *count += 1;
                selection.bytes = bytes;
                selection.places.insert(index);
            }
        }
        selection
    }
}

fn put_together(envelope: &mut Envelope, places: &HashSet<usize>, event_max_bytes: usize) {
    let Some(pieces) = Pieces::read(envelope, places, event_max_bytes) else { return };
    let Some(event) = pieces.assemble() else { return };
    // The id is that of the most explicit piece, so it has to be known before the payload is written.
    let said = event.get("event_id").and_then(|id| id.as_str()?.parse().ok());
    envelope.header.event_id = envelope.header.event_id.or(said);
    let payload = Value::Object(event).to_string();
    let mut index = 0;
    envelope.items.retain(|item| {
        index += 1;
        item.item_type != ItemType::Event && !pieces.consumed.contains(&(index - 1))
    });
    envelope.items.insert(0, Item::new(ItemType::Event, payload));
}

/// What an attachment is to a crash, if anything. Of one that was uploaded apart nothing can be read, so it stays a file.
fn attachment_type(item: &Item) -> Option<&'static str> {
    let said = item.attributes.attachment_type.as_deref()?;
    let is_apart = item.upload.is_some() || item.is_reference();
    let known: &[_] =
        if is_apart { &[MINIDUMP, APPLE_REPORT] } else { &[MINIDUMP, APPLE_REPORT, PAYLOAD, BREADCRUMBS] };
    let known = known.iter().copied().find(|known| *known == said);
    known.filter(|_| item.item_type == ItemType::Attachment && !item.is_of_trace())
}

/// The pieces of one crash, read.
#[derive(Default)]
struct Pieces {
    form: Option<Map<String, Value>>,
    payload: Option<Map<String, Value>>,
    breadcrumbs: Vec<Vec<Value>>,
    event: Option<Map<String, Value>>,
    /// Kind of the dump: what the exception is called, and its mechanism.
    dump: Option<(&'static str, &'static str)>,
    /// Places of the items that go into the event.
    consumed: Vec<usize>,
}

impl Pieces {
    /// `None` when there is an event that nothing can be added to, because it is not a JSON object.
    fn read(envelope: &Envelope, places: &HashSet<usize>, event_max_bytes: usize) -> Option<Self> {
        let mut pieces = Self::default();
        for (index, item) in envelope.items.iter().enumerate() {
            let (kind, bytes) = (attachment_type(item), &item.payload);
            let is_read = match (&item.item_type, kind) {
                (ItemType::Event, _) if bytes.len() <= event_max_bytes => {
                    pieces.event = Some(serde_json::from_slice(bytes).ok()?);
                    false
                }
                (ItemType::Event, _) => return None,
                _ if !places.contains(&index) => false,
                (_, Some(MINIDUMP)) => {
                    pieces.dump = Some(("Minidump", "minidump"));
                    false
                }
                (_, Some(APPLE_REPORT)) => {
                    pieces.dump = pieces.dump.or(Some(("AppleCrashReport", "applecrashreport")));
                    false
                }
                (ItemType::UnrealReport, _) => {
                    pieces.dump = pieces.dump.or(Some(("UnrealCrash", "unreal")));
                    false
                }
                (ItemType::FormData, _) => match form::event(bytes) {
                    Some(form) => {
                        merge(pieces.form.get_or_insert_default(), form);
                        true
                    }
                    None => false,
                },
                (_, Some(PAYLOAD)) => match msgpack::last_values(bytes, 1).and_then(|mut values| values.pop_front()) {
                    Some(Value::Object(payload)) => {
                        merge(pieces.payload.get_or_insert_default(), payload);
                        true
                    }
                    _ => false,
                },
                (_, Some(BREADCRUMBS)) => match msgpack::last_values(bytes, CRUMBS_MAX) {
                    Some(values) => {
                        pieces.breadcrumbs.push(crumbs(values));
                        true
                    }
                    None => false,
                },
                _ => false,
            };
            if is_read {
                pieces.consumed.push(index);
            }
        }
        Some(pieces)
    }

    /// The event, where a piece that is more explicit wins over others: the event itself, the msgpack, the form. `None`
    /// when the pieces make none.
    fn assemble(&self) -> Option<Map<String, Value>> {
        let is_crash = self.dump.is_some() || self.payload.is_some() || self.form.is_some();
        // Breadcrumbs alone say nothing.
        if !is_crash && (self.event.is_none() || self.breadcrumbs.is_empty()) {
            return None;
        }
        let mut event = Map::new();
        for piece in [&self.form, &self.payload, &self.event].into_iter().flatten() {
            merge(&mut event, piece.clone());
        }
        if let Some(crumbs) = last_crumbs(&self.breadcrumbs) {
            event.insert("breadcrumbs".to_owned(), json!({ "values": crumbs }));
        }
        if let Some((exception, mechanism)) = self.dump {
            event.insert("platform".to_owned(), "native".into());
            let mut add = |name: &str, value: Value| {
                if event.get(name).is_none_or(Value::is_null) {
                    event.insert(name.to_owned(), value);
                }
            };
            add("level", "fatal".into());
            let mechanism = json!({ "type": mechanism, "handled": false, "synthetic": true });
            add("exception", json!({ "values": [{ "type": exception, "mechanism": mechanism }] }));
        }
        Some(event)
    }
}

/// Breadcrumbs of one piece: a sequence of maps, or a list of them. The last [`CRUMBS_MAX`].
fn crumbs(values: VecDeque<Value>) -> Vec<Value> {
    let each = values.into_iter().flat_map(|value| match value {
        Value::Array(list) => list,
        other => vec![other],
    });
    let mut crumbs: Vec<Value> = each.filter(Value::is_object).collect();
    crumbs.drain(..crumbs.len().saturating_sub(CRUMBS_MAX));
    crumbs
}

/// Of several pieces, which are rings of one length that overlap in time, the newest crumbs (§7.2).
fn last_crumbs(pieces: &[Vec<Value>]) -> Option<Vec<Value>> {
    let kept = pieces.iter().map(Vec::len).max()?;
    let mut pieces: Vec<&Vec<Value>> = pieces.iter().collect();
    pieces.sort_by_key(|piece| piece.last().and_then(time));
    let all: Vec<&Value> = pieces.into_iter().flatten().collect();
    let skipped = all.len().saturating_sub(kept);
    Some(all.into_iter().skip(skipped).cloned().collect())
}

/// When a crumb was left, in microseconds.
fn time(crumb: &Value) -> Option<i64> {
    let time = match crumb.get("timestamp")? {
        Value::String(text) => text.parse().ok(),
        Value::Number(secs) => secs.as_f64().and_then(nuthatch_protocol::Timestamp::from_secs_f64),
        _ => None,
    };
    time.map(|time| time.0)
}

/// Lays one object over another: objects inside are merged, everything else is replaced.
fn merge(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nuthatch_protocol::{BlobId, ItemAttributes, Sha1, StoredPayload, Timestamp, Upload};

    use super::*;

    const LIMIT: usize = 1000;

    fn complete_now(envelope: &mut Envelope) {
        let Selection { places, .. } = Selection::of(envelope, LIMIT);
        if !places.is_empty() {
            put_together(envelope, &places, LIMIT);
        }
    }

    fn piece(kind: &str, payload: Vec<u8>) -> Item {
        let attributes = ItemAttributes { attachment_type: Some(kind.to_owned()), ..ItemAttributes::default() };
        Item { attributes, ..Item::new(ItemType::Attachment, payload) }
    }

    fn msgpack(values: &[Value]) -> Vec<u8> {
        let mut out = Vec::new();
        for value in values {
            rmpv::encode::write_value(&mut out, &packed(value)).unwrap();
        }
        out
    }

    fn packed(value: &Value) -> rmpv::Value {
        match value {
            Value::Object(map) => {
                rmpv::Value::Map(map.iter().map(|(key, value)| (key.as_str().into(), packed(value))).collect())
            }
            Value::Array(list) => rmpv::Value::Array(list.iter().map(packed).collect()),
            Value::Number(number) => number.as_f64().unwrap().into(),
            Value::String(text) => text.as_str().into(),
            Value::Bool(truth) => (*truth).into(),
            Value::Null => rmpv::Value::Nil,
        }
    }

    /// Types of the items afterwards, and the event.
    fn completed(items: Vec<Item>) -> (Vec<String>, Value) {
        let mut envelope = Envelope { items, ..Envelope::default() };
        complete_now(&mut envelope);
        let event = envelope.items.iter().find(|item| item.item_type == ItemType::Event);
        let event = event.and_then(|event| serde_json::from_slice(&event.payload).ok()).unwrap_or_default();
        (envelope.items.iter().map(|item| item.item_type.to_string()).collect(), event)
    }

    #[test]
    fn a_dump_alone_makes_a_fatal_event_and_stays() {
        for (kind, exception) in [(MINIDUMP, "Minidump"), (APPLE_REPORT, "AppleCrashReport")] {
            let (items, event) = completed(vec![piece(kind, b"MDMP".to_vec())]);
            assert_eq!(items, ["event", "attachment"]);
            let crash = &event["exception"]["values"][0];
            assert_eq!((&event["platform"], &event["level"]), (&json!("native"), &json!("fatal")));
            assert_eq!((&crash["type"], &crash["mechanism"]["handled"]), (&json!(exception), &json!(false)));
        }
    }

    #[test]
    fn a_report_of_unreal_engine_makes_a_fatal_event_and_stays() {
        let report = Item::new(ItemType::UnrealReport, "CR1");
        let (items, event) = completed(vec![report.clone()]);
        assert_eq!(items, ["event", "unreal_report"]);
        let crash = &event["exception"]["values"][0];
        assert_eq!((&event["platform"], &event["level"]), (&json!("native"), &json!("fatal")));
        assert_eq!((&crash["type"], &crash["mechanism"]["handled"]), (&json!("UnrealCrash"), &json!(false)));
        let (items, event) =
            completed(vec![report.clone(), Item::new(ItemType::Event, r#"{"level":"error","release":"1"}"#)]);
        assert_eq!(items, ["event", "unreal_report"]);
        assert_eq!((&event["level"], &event["release"]), (&json!("error"), &json!("1")));
        let (_, event) = completed(vec![report, piece(MINIDUMP, b"MDMP".to_vec())]);
        assert_eq!(event["exception"]["values"][0]["type"], "Minidump");
    }

    #[test]
    fn the_more_explicit_piece_wins() {
        let form = br#"[["sentry", "{\"release\": \"form\", \"dist\": \"form\", \"tags\": {\"a\": 1, \"b\": 1}}"]]"#;
        let items = vec![
            piece(MINIDUMP, b"MDMP".to_vec()),
            Item::new(ItemType::FormData, form.to_vec()),
            piece(PAYLOAD, msgpack(&[json!({"release": "msgpack", "tags": {"b": 2, "c": 2}, "level": "error"})])),
            Item::new(ItemType::Event, r#"{"tags": {"c": 3}, "exception": {"values": []}}"#),
        ];
        let (items, event) = completed(items);
        assert_eq!(items, ["event", "attachment"]);
        assert_eq!((&event["release"], &event["dist"]), (&json!("msgpack"), &json!("form")));
        assert_eq!(event["tags"], json!({"a": 1, "b": 2.0, "c": 3}));
        assert_eq!((&event["level"], &event["exception"]), (&json!("error"), &json!({"values": []})));
    }

    #[test]
    fn two_rings_of_breadcrumbs_give_the_newest() {
        let crumb = |secs: f64| json!({"timestamp": secs});
        let newer = piece(BREADCRUMBS, msgpack(&[crumb(3.0), crumb(4.0)]));
        let older = piece(BREADCRUMBS, msgpack(&[crumb(0.0), crumb(1.0), crumb(2.0)]));
        let (items, event) = completed(vec![newer, older, Item::new(ItemType::Event, "{\"breadcrumbs\": [1]}")]);
        assert_eq!(items, ["event"]);
        assert_eq!(event["breadcrumbs"]["values"], json!([crumb(2.0), crumb(3.0), crumb(4.0)]));
    }

    #[test]
    fn more_pieces_than_a_crash_has_stay_attachments() {
        let ring = |crumbs: usize| piece(BREADCRUMBS, vec![0x80; crumbs]);
        let event = Item::new(ItemType::Event, "{}");
        let (items, event_of_three) = completed(vec![event.clone(), ring(2), ring(3), ring(4)]);
        assert_eq!(items, ["event", "attachment"]);
        assert_eq!(event_of_three["breadcrumbs"]["values"].as_array().map(Vec::len), Some(3));
        // Together they are too large.
        let (items, event_of_one) = completed(vec![event, ring(LIMIT - 1), ring(2)]);
        assert_eq!(items, ["event", "attachment"]);
        assert_eq!(event_of_one["breadcrumbs"]["values"].as_array().map(Vec::len), Some(LIMIT - 1));
        let dump = piece(MINIDUMP, b"MDMP".to_vec());
        let payload = |word: &str| piece(PAYLOAD, msgpack(&[json!({ "message": word })]));
        let (items, event) = completed(vec![dump, payload("first"), payload("second")]);
        assert_eq!((items.len(), &event["message"]), (3, &json!("first")));
    }

    #[test]
    fn a_piece_that_was_uploaded_apart_stays_an_attachment() {
        let file = StoredPayload { id: BlobId([1; 16]), bytes: 9, sha1: Sha1([0; 20]) };
        let upload = Upload { receipt: BlobId([2; 16]), received: Timestamp(1), file };
        for kind in [PAYLOAD, BREADCRUMBS] {
            let found = Item { upload: Some(upload), ..piece(kind, Vec::new()) };
            let mut missing = piece(kind, br#"{"location":"/api/1/upload/1.2.3/"}"#.to_vec());
            missing.attributes.content_type = Some("application/vnd.sentry.attachment-ref+json".to_owned());
            let event = Item::new(ItemType::Event, r#"{"breadcrumbs":[{"message":"own"}]}"#);
            let (items, event) = completed(vec![piece(MINIDUMP, Vec::new()), event, found, missing]);
            assert_eq!(items, ["event", "attachment", "attachment", "attachment"], "{kind}");
            assert_eq!(event["breadcrumbs"], json!([{"message": "own"}]), "{kind}");
        }
    }

    #[test]
    fn the_newest_breadcrumbs_are_kept_of_a_piece_with_too_many() {
        for piece in [vec![0x80; CRUMBS_MAX + 5], [b"\xdd\0\0\x04\0".to_vec(), vec![0x80; 1024]].concat()] {
            let values = msgpack::last_values(&piece, CRUMBS_MAX).expect("msgpack");
            assert_eq!(crumbs(values).len(), CRUMBS_MAX);
        }
        let numbered: Vec<Value> = (0..CRUMBS_MAX + 5).map(|number| json!({ "n": number })).collect();
        let kept = crumbs(msgpack::last_values(&msgpack(&numbered), CRUMBS_MAX).expect("msgpack"));
        assert_eq!((kept.first(), kept.len()), (Some(&json!({ "n": 5.0 })), CRUMBS_MAX));
    }

    #[test]
    fn what_is_no_crash_or_cannot_be_read_is_left_as_it_is() {
        let plain = Item::new(ItemType::Attachment, "x");
        for items in [
            vec![plain.clone(), Item::new(ItemType::Event, "{ }")],
            vec![plain.clone()],
            vec![piece(PAYLOAD, b"\xc1".to_vec())],
            vec![piece(PAYLOAD, msgpack(&[json!({"message": "x".repeat(LIMIT)})]))],
            vec![piece(BREADCRUMBS, msgpack(&[json!({})]))],
            vec![piece(MINIDUMP, b"MDMP".to_vec()), Item::new(ItemType::Event, "not json")],
            vec![piece(MINIDUMP, b"MDMP".to_vec()), Item::new(ItemType::Transaction, "{}")],
            // Refused for the second event, which must not vanish before that.
            vec![piece(MINIDUMP, b"MDMP".to_vec()), Item::new(ItemType::Event, "{}"), Item::new(ItemType::Event, "{}")],
        ] {
            let mut envelope = Envelope { items: items.clone(), ..Envelope::default() };
            complete_now(&mut envelope);
            assert_eq!(envelope.items, items);
        }
    }
}
