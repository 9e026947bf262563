//! What records of files mean, as tables.

use nuthatch_normalize::scrub::ScrubSettings;
use nuthatch_protocol::{
    BlobId, DataCategory, ItemAttributes, KeyId, Position, ProjectId, StoredPayload, Timestamp, record::IngestHeader,
};
use nuthatch_store::projects::{OrganizationOptions, ProjectOptions};
use serde_json::{Value, json};

use super::*;

const OWNER: EventId = EventId([0xee; 16]);
const ID: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba98-7654-3210-fedc-ba9876543210";

fn record(item_type: &str, blob: Option<StoredPayload>, payload: &[u8]) -> IngestRecord {
    let header = IngestHeader {
        project_id: ProjectId(1),
        key_id: KeyId(1),
        event_id: OWNER,
        item_type: item_type.to_owned(),
        attributes: ItemAttributes::default(),
        blob,
        user_agent: None,
        client_hints: nuthatch_protocol::record::ClientHints::default(),
        letter_id: None,
        received: Timestamp::from_secs(1_769_860_800),
        sent_at: None,
        client_ip: Some([192, 0, 2, 7].into()),
        client: None,
        version: "7".to_owned(),
    };
    IngestRecord { header, payload: Bytes::copy_from_slice(payload) }
}

fn beside(bytes: &[u8]) -> StoredPayload {
    StoredPayload { id: BlobId([7; 16]), bytes: bytes.len() as u64, sha1: checksum(bytes) }
}

fn rules(settings: ScrubSettings) -> ProjectRules {
    let options = ProjectOptions { scrubbing: settings, ..ProjectOptions::default() };
    ProjectRules::new(ProjectId(1), &OrganizationOptions::default(), &options, None)
}

/// What an item means whose payload lies in the blob store: the files with their identities, or the reason.
fn of_blob(item_type: &str, payload: &[u8]) -> Result<Vec<NewFile>, &'static str> {
    let record = record(item_type, Some(beside(payload)), b"");
    let meaning =
        understand(&item_type.into(), &record, &Bytes::copy_from_slice(payload), &rules(ScrubSettings::default()));
    let files = meaning.map_err(|broken| broken.reason)?.effects.into_iter();
    Ok(files
        .map(|effect| match effect.what {
            FileEffect::File(file) => file,
            FileEffect::Report(report) => panic!("{report:?} is no file"),
        })
        .collect())
}

fn identities(files: &[NewFile]) -> Vec<(FileKind, String, &str)> {
    files.iter().map(|file| (file.head.kind, file.head.owner.to_string(), file.head.part.as_str())).collect()
}

fn profile(change: impl FnOnce(&mut Value)) -> Value {
    let sample = |ns: Value, stack: u64| json!({"elapsed_since_start_ns": ns, "stack_id": stack, "thread_id": "1"});
    let mut profile = json!({
        "version": "1", "event_id": ID, "platform": "python", "transaction": {"id": ID},
        "profile": {
            "samples": [sample(json!(0), 0), sample(json!("10000000"), 1)],
            "stacks": [[0, 1], [1]], "frames": [{}, {"function": "main"}], "thread_metadata": {"1": {}},
        },
    });
    change(&mut profile);
    profile
}

#[test]
fn profiles_are_known_by_their_id_when_they_can_be_shown() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change, Option<&str>); 14] = [
        ("sound", |_| {}, None),
        ("several transactions", |p| (p["transaction"], p["transactions"]) = (Value::Null, json!([{}])), None),
        ("android's own form", |p| *p = json!({"profile_id": ID, "platform": "android"}), None),
        ("no id", |p| p["event_id"] = Value::Null, Some("profiling_invalid_json")),
        ("no form", |p| p["version"] = Value::Null, Some("profiling_platform_not_supported")),
        ("unknown form", |p| p["version"] = json!("3"), Some("profiling_platform_not_supported")),
        ("no transaction", |p| p["transaction"] = Value::Null, Some("profiling_no_transaction_associated")),
        ("nothing", |p| p["profile"] = Value::Null, Some("profiling_malformed_samples")),
        ("no samples", |p| p["profile"]["samples"] = json!([]), Some("profiling_not_enough_samples")),
        ("one a thread", |p| p["profile"]["samples"][0]["thread_id"] = json!(2), Some("profiling_not_enough_samples")),
        ("stack that is not there", |p| p["profile"]["stacks"] = json!([[0]]), Some("profiling_malformed_samples")),
        ("frame that is not there", |p| p["profile"]["frames"] = json!([{}]), Some("profiling_malformed_stacks")),
        ("no frames", |p| p["profile"]["stacks"] = json!([[], []]), Some("profiling_malformed_stacks")),
        (
            "too long",
            |p| p["profile"]["samples"][1]["elapsed_since_start_ns"] = json!(30_000_000_001_u64),
            Some("profiling_duration_is_too_long"),
        ),
    ];
    for (name, change, reason) in cases {
        let found = of_blob("profile", profile(change).to_string().as_bytes());
        match reason {
            None => assert_eq!(identities(&found.unwrap()), [(FileKind::Profile, ID.to_owned(), "")], "{name}"),
            Some(reason) => assert_eq!(found, Err(reason), "{name}"),
        }
    }
    assert_eq!(of_blob("profile", b"{"), Err("profiling_invalid_json"));
    assert_eq!(of_blob("profile", &b"[".repeat(100_000)), Err("profiling_invalid_json"));
}

#[test]
fn chunks_are_known_by_profiler_and_chunk() {
    let chunk_as = |item_type: &str, version: &str, stack: u64| {
        let sample = json!({"timestamp": 1_769_860_800.25, "stack_id": stack, "thread_id": 1});
        let chunk = json!({
            "version": version, "profiler_id": ID, "chunk_id": OTHER, "platform": "python",
            "profile": {"samples": [sample], "stacks": [[0]], "frames": [{}]},
        });
        of_blob(item_type, chunk.to_string().as_bytes())
    };
    let chunk = |version: &str, stack: u64| chunk_as("profile_chunk", version, stack);
    let kept = chunk("2", 0).unwrap();
    assert_eq!(identities(&kept), [(FileKind::ProfileChunk, ID.to_owned(), "fedcba9876543210fedcba9876543210")]);
    assert_eq!(kept[0].head.content_type, "application/json");
    assert_eq!(identities(&chunk_as("profile_chunk_ui", "2", 0).unwrap()), identities(&kept));
    assert_eq!(chunk("1", 0), Err("profiling_platform_not_supported"));
    assert_eq!(chunk("2", 1), Err("profiling_malformed_samples"));
}

fn replay_event(payload: &Value) -> Result<Value, (&'static str, Option<String>)> {
    let rules = rules(ScrubSettings { sensitive_fields: vec!["secret".to_owned()], ..ScrubSettings::default() });
    let payload = payload.to_string();
    let record = record("replay_event", None, payload.as_bytes());
    let meaning = understand(&ItemType::ReplayEvent, &record, &record.payload, &rules)
        .map_err(|Broken { reason, place, .. }| (reason, place))?;
    let [Counted { what: FileEffect::File(file), units }] = &meaning.effects[..] else { panic!("one file") };
    assert_eq!(units.counts, [(DataCategory::Replay, 1)]);
    assert_eq!((file.head.owner, file.head.blob), (OWNER, None));
    let content = file.content.clone().unwrap();
    assert_eq!((file.head.bytes, file.head.sha1), (content.len() as u64, checksum(&content)));
    Ok(serde_json::from_slice(&content).unwrap())
}

#[test]
fn events_of_replays_are_scrubbed_and_bounded() {
    let event = json!({
        "replay_id": OTHER, "segment_id": 65_535, "urls": vec!["https://a.example/"; 120], "error_ids": [ID], "trace_ids": null,
        "user": {"ip_address": "{{auto}}"}, "contexts": {"app": {"secret": "abc"}},
    });
    let kept = replay_event(&event).unwrap();
    assert_eq!((&kept["replay_id"], &kept["segment_id"]), (&json!("fedcba9876543210fedcba9876543210"), &json!(65_535)));
    assert_eq!((kept["urls"].as_array().unwrap().len(), &kept["platform"]), (100, &json!("other")));
    assert_eq!(
        (&kept["user"]["ip_address"], &kept["contexts"]["app"]["secret"]),
        (&json!("192.0.2.7"), &json!("[Filtered]"))
    );

    for (place, value) in [
        ("replay_id", json!("x")),
        ("segment_id", json!(65_536)),
        ("segment_id", json!(-1)),
        ("segment_id", Value::Null),
        ("error_ids", json!([ID, "x"])),
        ("trace_ids", json!(7)),
    ] {
        let mut event = json!({"replay_id": ID, "segment_id": 0});
        event[place] = value;
        assert_eq!(replay_event(&event), Err(("invalid_replay", Some(place.to_owned()))), "{event}");
    }
    assert!(replay_event(&json!({"event_id": ID, "segment_id": 0})).is_ok(), "both ids are the same");
    assert_eq!(replay_event(&json!([])), Err(("invalid_replay", Some("byte 0".to_owned()))));
}

#[test]
fn replays_that_the_project_filters_are_not_kept() {
    const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let condition = json!({"op": "eq", "name": "event.environment", "value": "test"});
    let on = |filters: Value| {
        let filters = serde_json::from_value(filters).unwrap();
        let options = ProjectOptions { filters, ..ProjectOptions::default() };
        ProjectRules::new(ProjectId(1), &OrganizationOptions::default(), &options, None)
    };
    let custom = json!([{"id": "tests", "isEnabled": true, "condition": condition}]);
    let event = json!({"replay_id": ID, "segment_id": 2, "release": "app@1", "environment": "test"}).to_string();
    let recording = &b"{\"segment_id\":2}\n[]"[..];
    let clip = video([("replay_event", event.as_bytes()), ("replay_recording", recording), ("replay_video", b"mp4")]);
    for (filters, reason, drops_recording) in [
        (json!({}), None, false),
        (json!({"client-ips": ["192.0.2.0/24"]}), Some("ip-address"), true),
        (json!({"web-crawlers": true}), Some("web-crawlers"), true),
        (json!({"releases": ["app@*"]}), Some("release-version"), false),
        (json!({"custom": custom}), Some("custom-inbound-filter:tests"), false),
    ] {
        let rules = on(filters.clone());
        let dropped = |item_type: &str, payload: &[u8]| {
            let mut record = record(item_type, Some(beside(payload)), b"");
            record.header.user_agent = Some(CRAWLER.to_owned());
            let meaning =
                understand(&item_type.into(), &record, &Bytes::copy_from_slice(payload), &rules).ok().unwrap();
            let outcomes: Vec<_> =
                meaning.outcomes.iter().map(|(key, count)| (key.reason.to_string(), count)).collect();
            (meaning.effects.is_empty(), outcomes)
        };
        let expected = (reason.is_some(), reason.map(|reason| (reason.to_owned(), 1)).into_iter().collect::<Vec<_>>());
        assert_eq!(dropped("replay_event", event.as_bytes()), expected, "{filters}");
        assert_eq!(dropped("replay_video", &clip), expected, "{filters}");
        assert_eq!(dropped("replay_recording", recording), (drops_recording, vec![]), "{filters}");
    }
}

#[test]
fn recordings_name_their_segment() {
    let zlib = [0x78, 0x9c, 1, 2, 3];
    for (head, body, segment) in [
        ("{\"segment_id\":7}", &b"[]"[..], Some("7")),
        ("{\"segment_id\":7}", &zlib, Some("7")),
        ("{\"segment_id\":7}", b"", None),
        ("{\"segment_id\":7}", b"\x1f\x8bgzip", None),
        ("{\"segment_id\":70000}", b"[]", None),
        ("{}", b"[]", None),
    ] {
        let found = of_blob("replay_recording", &[head.as_bytes(), b"\n", body].concat());
        match segment {
            Some(segment) => {
                assert_eq!(identities(&found.unwrap()), [(FileKind::ReplayRecording, OWNER.to_string(), segment)]);
            }
            None => assert_eq!(found, Err("invalid_replay_recording"), "{head} {body:?}"),
        }
    }
    assert_eq!(of_blob("replay_recording", b"{\"segment_id\":7}"), Err("invalid_replay_recording"));
}

#[test]
fn a_segment_of_a_replay_counts_once() {
    let payload = Bytes::from_static(b"{\"segment_id\":7}\n[]");
    let record = record("replay_recording", Some(beside(&payload)), b"");
    let meaning = understand(&ItemType::ReplayRecording, &record, &payload, &rules(ScrubSettings::default()));
    assert_eq!(meaning.ok().unwrap().effects[0].units.counts, []);
    assert!(replay_event(&json!({"replay_id": ID, "segment_id": 7})).is_ok(), "which counts one");
}

/// A msgpack map of binary values.
fn video(parts: [(&str, &[u8]); 3]) -> Vec<u8> {
    let mut bytes = vec![0x83];
    for (name, value) in parts {
        bytes.push(0xa0 | name.len() as u8);
        bytes.extend(name.as_bytes());
        bytes.extend([0xc4, value.len() as u8]);
        bytes.extend(value);
    }
    bytes
}

#[test]
fn videos_bring_their_event_along() {
    let event = json!({"replay_id": ID, "segment_id": 2}).to_string();
    let part = |event: &str, recording: &[u8], picture: &[u8]| {
        let parts = [("replay_event", event.as_bytes()), ("replay_recording", recording), ("replay_video", picture)];
        of_blob("replay_video", &video(parts))
    };
    let recording = b"{\"segment_id\":2}\n[]";
    let kept = part(&event, recording, b"mp4").unwrap();
    assert_eq!(
        identities(&kept),
        [(FileKind::ReplayVideo, ID.to_owned(), "2"), (FileKind::ReplayEvent, ID.to_owned(), "2")]
    );
    assert!(kept[0].head.blob.is_some() && kept[1].content.is_some());
    assert_eq!(part(&event, recording, b""), Err("invalid_replay_video"));
    assert_eq!(part("{}", recording, b"mp4"), Err("invalid_replay"));
    assert_eq!(part(&event, b"", b"mp4"), Err("invalid_replay_recording"));
    let large = json!({"replay_id": ID, "segment_id": 2, "x": "x".repeat(replay::EVENT_MAX_BYTES)}).to_string();
    assert_eq!(part(&large, recording, b"mp4"), Err("invalid_replay_video"));
    assert_eq!(of_blob("replay_video", b"{}"), Err("invalid_replay_video"));
    assert_eq!(of_blob("replay_video", &[0x81; 5_000]), Err("invalid_replay_video"));
}

#[test]
fn a_batch_of_videos_is_kept_in_parts_of_bounded_contents() {
    let position = |offset| Position { topic: Topic::IngestAttachments, partition: 0, offset };
    let stored = |offset: u64, item_type: &str| StoredRecord {
        position: position(offset),
        key: [0; 16],
        value: record(item_type, Some(beside(b"x")), b"").encode(),
    };
    let records: Vec<_> = (0..40).map(|offset| stored(offset, "replay_video")).collect();
    let parts = FilesConsumer::parts(ReadBatch { records, damaged: Vec::new(), next: position(40) });
    let ends: Vec<u64> = parts.iter().map(|part| part.next.offset).collect();
    assert_eq!(ends, [16, 32, 40]);
    let records: Vec<_> = (0..40).map(|offset| stored(offset, "attachment")).collect();
    assert_eq!(FilesConsumer::parts(ReadBatch { records, damaged: Vec::new(), next: position(40) }).len(), 1);
}

#[test]
fn attachments_have_names_and_types_whatever_the_client_says() {
    let mut record = record("attachment", Some(beside(b"abc")), b"");
    let told = |record: &IngestRecord| {
        let NewFile { head, content } = file(record, FileKind::Attachment, OWNER, own_part(record));
        (head, content)
    };
    let (head, content) = told(&record);
    assert_eq!((head.name.as_str(), head.content_type.as_str()), ("unnamed", "application/octet-stream"));
    assert_eq!((head.attachment_type.as_deref(), head.bytes, content), (Some("event.attachment"), 3, None));
    // One that is sent again has another blob, and one that has another name is another.
    let mut again = record.clone();
    again.header.blob = Some(StoredPayload { id: BlobId([8; 16]), ..beside(b"abc") });
    assert_eq!(told(&again).0.part, head.part);
    again.header.blob = Some(beside(b"abd"));
    assert_ne!(told(&again).0.part, head.part);
    let mut named = record.clone();
    named.header.attributes.filename = Some("named".to_owned());
    assert_ne!(told(&named).0.part, head.part);

    let attributes = &mut record.header.attributes;
    (attributes.filename, attributes.attachment_type) = (Some("x".repeat(1000)), Some("event.minidump".to_owned()));
    let (head, _) = told(&record);
    assert_eq!((head.name.len(), head.attachment_type.as_deref()), (WORD_MAX_CHARS, Some("event.minidump")));
    record.header.attributes.attachment_type = Some("made.up".to_owned());
    assert_eq!(told(&record).0.attachment_type.as_deref(), Some("event.attachment"));

    // The replay of a dead letter may bring other bytes.
    record.payload = Bytes::from_static(b"other");
    let (head, content) = told(&record);
    assert_eq!((head.blob, head.bytes, content.as_deref()), (None, 5, Some(&b"other"[..])));
}

#[test]
fn reports_are_read_leniently_and_scrubbed() {
    let read = |payload: &str| {
        let record = record("user_report", None, payload.as_bytes());
        user_report::read(&record, payload.as_bytes(), &rules(ScrubSettings::default())).map_err(|broken| broken.reason)
    };
    let report =
        read(" {\"name\":\"Ada\",\"email\":null,\"comments\":\"my card is 4111 1111 1111 1111\",\"x\":1}\n").unwrap();
    assert_eq!((report.name.as_str(), report.email.as_str(), report.event_id), ("Ada", "", OWNER));
    assert_eq!(report.comments, "my card is [creditcard]");
    assert_eq!(read("{}").unwrap().comments, "");
    let ada = read(r#"{"name":"Ada","email":"ada@example.org"}"#).unwrap();
    assert_eq!((ada.name.as_str(), ada.email.as_str()), ("Ada", "ada@example.org"), "who signs wants to be known");
    assert_eq!(read("[]"), Err("invalid_json"));
    assert!(read(&json!({"comments": "ü".repeat(4096)}).to_string()).is_ok());
    assert_eq!(read(&json!({"comments": "ü".repeat(4097)}).to_string()), Err("too_large:user_report"));
}

#[test]
fn what_is_left_of_attached_texts_is_bounded_whatever_is_put_in_place() {
    let long = "x".repeat(200);
    let rules = json!({
        "rules": {"a": {"type": "pattern", "pattern": "a", "redaction": {"method": "replace", "text": long}}},
        "applications": {"$attachments.*": ["a"]},
    });
    let settings = ScrubSettings { relay_pii_config: rules.as_object().cloned(), ..ScrubSettings::default() };
    let rules = self::rules(settings);
    for (bytes, expected) in [(10, 2_000), (64 << 10, 128 << 10), ((1 << 20) + 1, (1 << 20) + 1)] {
        let text = Bytes::from("a".repeat(bytes));
        let record = record("attachment", Some(beside(&text)), b"");
        let file = attachment(&record, &text, &rules).ok().unwrap();
        assert_eq!(file.head.bytes, expected, "{bytes}");
        let position = nuthatch_protocol::Position { topic: Topic::IngestAttachments, partition: 0, offset: 0 };
        let stored = StoredRecord { position, key: [0; 16], value: record.encode() };
        let brought = file.content.map_or(0, |content| content.len() as u64);
        assert!(brought <= contents_max_bytes(&stored), "{bytes}: a part of a batch brings no more than was counted");
    }
}

/// What an attachment of a trace means, with its place in the trace, or the reason and place of what is wrong.
fn of_trace(meta: &str, span_id: Option<&str>) -> Result<NewFile, (&'static str, Option<String>)> {
    let mut record = record("attachment", Some(beside(b"file")), meta.as_bytes());
    let attributes = &mut record.header.attributes;
    attributes.content_type = Some(nuthatch_protocol::trace_attachment::TRACE_ATTACHMENT.to_owned());
    attributes.span_id = span_id.map(str::to_owned);
    let rules = rules(ScrubSettings { sensitive_fields: vec!["secret".to_owned()], ..ScrubSettings::default() });
    let meaning = understand(&ItemType::Attachment, &record, &Bytes::new(), &rules)
        .map_err(|Broken { reason, place, .. }| (reason, place))?;
    let [Counted { what: FileEffect::File(file), units }] = &meaning.effects[..] else { panic!("one file") };
    assert_eq!(units.counts, [(DataCategory::Attachment, 4), (DataCategory::AttachmentItem, 1)]);
    Ok(file.clone())
}

#[test]
fn an_attachment_of_a_trace_is_known_by_its_id_and_has_a_place_in_the_trace() {
    let meta = json!({
        "trace_id": ID, "attachment_id": OTHER, "timestamp": 1_769_860_700.5, "filename": "a.png", "content_type": "image/png",
        "attributes": {"n": {"type": "integer", "value": 1}, "secret": {"type": "string", "value": "hush"}, "bad": 1},
    });
    let NewFile { head, content } = of_trace(&meta.to_string(), Some("0123456789abcdef")).unwrap();
    assert_eq!((head.kind, head.owner.to_string().as_str()), (FileKind::TraceAttachment, ID));
    assert_eq!(head.part, "fedcba9876543210fedcba9876543210");
    assert_eq!((head.name.as_str(), head.content_type.as_str()), ("a.png", "image/png"));
    assert_eq!((head.bytes, head.sha1, head.blob, content), (4, checksum(b"file"), Some(BlobId([7; 16])), None));
    let place = head.in_trace.unwrap();
    assert_eq!(place.span_id.unwrap().to_string(), "0123456789abcdef");
    assert_eq!(place.timestamp, Timestamp(1_769_860_700_500_000));
    assert_eq!(Value::Object(place.attributes), json!({"n": 1, "secret": "[Filtered]"}));
}

#[test]
fn of_an_attachment_of_a_trace_ids_and_time_are_needed_and_all_else_has_a_default() {
    let sound = json!({"trace_id": ID, "attachment_id": OTHER, "timestamp": "2026-01-31T11:00:00Z"});
    let head = of_trace(&sound.to_string(), Some("none")).unwrap().head;
    assert_eq!((head.name.as_str(), head.content_type.as_str()), ("unnamed", "application/octet-stream"));
    let place = head.in_trace.unwrap();
    assert_eq!((place.span_id, place.attributes.len()), (None, 0));
    let with = |key: &str, value: Value| {
        let mut meta = sound.clone();
        meta[key] = value;
        of_trace(&meta.to_string(), None)
    };
    for (key, value) in [
        ("trace_id", Value::Null),
        ("trace_id", json!("0".repeat(32))),
        ("attachment_id", json!("x")),
        ("attachment_id", json!(7)),
        ("timestamp", json!("yesterday")),
        ("timestamp", Value::Null),
    ] {
        let broken = with(key, value.clone()).unwrap_err();
        assert_eq!(broken, ("invalid_trace_attachment", Some(key.to_owned())), "{key} {value}");
    }
    for meta in ["", "[]", "{\"trace_id\":", "null"] {
        assert_eq!(of_trace(meta, None).unwrap_err().0, "invalid_trace_attachment", "{meta}");
    }
    let received = Timestamp::from_secs(1_769_860_800);
    for (written, kept) in [
        (json!(1_769_860_700), Timestamp::from_secs(1_769_860_700)),
        (json!(1_000_000_000), received),
        (json!(-5), received),
        (json!(2_000_000_000), received),
    ] {
        let head = with("timestamp", written.clone()).unwrap().head;
        assert_eq!(head.in_trace.unwrap().timestamp, kept, "{written}");
    }
}
