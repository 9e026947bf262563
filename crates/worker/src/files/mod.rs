//! The consumer of files and user reports: what came as bytes beside events.
//!
//! Most payloads lie in the blob store. What has to be known of their content ([`profile`], [`replay`]) is read from
//! there one record after the other, so that at most one payload is in memory, however large a batch is.
//!
//! Of a replay its events and videos count, one for each segment; recordings do not, as each comes with the event of its
//! segment ([`nuthatch_protocol::DataCategory::of`]).

mod profile;
mod replay;
#[cfg(test)]
mod tests;
mod trace_attachment;
mod user_report;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_normalize::filter::FilterReason;
use nuthatch_protocol::{
    BlobKey, EventId, IngestRecord, ItemType, Outcome, Sha1, StoredPayload, Topic, Units,
    item_type::{PLAIN_ATTACHMENT, attachment_type},
    trace_attachment::is_of_trace,
};
use nuthatch_store::{
    BlobStore, FileStore, StoreError,
    files::{FileEffect, FileHead, FileKind, NewFile},
    log::{ReadBatch, StoredRecord},
    settlements::{Counted, Settlement},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use sha1::{Digest as _, Sha1 as Hasher};

use crate::{
    FILES_CONSUMER, ProjectRules, Worker, compute,
    follow::Consumer,
    guard::guarded,
    items::{self, Broken, Meaning},
    replays::Replays,
};

/// Most bytes of a payload that are read to look into it: the largest profile that is kept, and a replay's video.
const LOOKED_INTO_MAX_BYTES: u64 = 64 << 20;

/// Most bytes of contents that are kept at once, in memory and in the database. A batch that may bring more is kept in
/// parts.
const CONTENTS_MAX_BYTES: u64 = 16 << 20;

/// Most bytes that are read of a recording: its first line says which segment it is.
const RECORDING_HEAD_BYTES: u64 = 4096;

/// Largest attached text out of which rules take anything, in bytes.
const SCRUBBED_MAX_BYTES: u64 = 1 << 20;

/// So many bytes longer such a text may become by what is put in place; the rest is cut.
const SCRUBBED_GROWTH_BYTES: u64 = 64 << 10;

/// Longest name or media type of a file, in characters.
const WORD_MAX_CHARS: usize = 255;

/// Name of an attachment that comes without one.
const UNNAMED: &str = "unnamed";

/// Keeps files and user reports.
pub(crate) struct FilesConsumer {
    pub(crate) files: Arc<dyn FileStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
}

#[async_trait]
impl Consumer for FilesConsumer {
    const NAME: &'static str = FILES_CONSUMER;
    const TOPIC: Topic = Topic::IngestAttachments;

    fn parts(read: ReadBatch) -> Vec<ReadBatch> {
        read.split(CONTENTS_MAX_BYTES, contents_max_bytes)
    }

    async fn take(&self, worker: &Worker, read: &ReadBatch, settlement: Settlement) -> Result<Settlement, StoreError> {
        let now = worker.clock.now();
        let mut fates = Vec::with_capacity(read.records.len());
        let mut replaced = Vec::new();
        let decoded: Vec<_> = read.records.iter().map(|record| (record, IngestRecord::decode(&record.value))).collect();
        let replays = Replays::among(&decoded).known(&*worker.settlements).await?;
        for (record, decoded) in decoded {
            let decoded = match decoded {
                Ok(decoded) => decoded,
                Err(error) => {
                    fates.push(Err(items::unreadable(record, &error, now)));
                    continue;
                }
            };
            if replays.repeats(&decoded.header, record.position) {
                fates.push(Ok(Meaning::repetition(&decoded)));
                continue;
            }
            let rules = worker.rules.of(decoded.header.project_id).await?;
            let meaning = self.meaning(&decoded, &rules).await?;
            replaced.extend(meaning.as_ref().ok().and_then(|meaning| replaced_blob(&decoded, meaning)));
            fates.push(meaning.map_err(|broken| items::refused(record, &decoded, broken, now)));
        }
        let mut settlement = settlement;
        settlement.replays = replays.taken(now);
        let effects = items::collect(read, fates, &mut settlement, now);
        self.files.keep_files(effects, settlement.clone()).await?;
        for key in replaced {
            // Only now, as a batch that failed is read again. What stays for want of the store goes with its day.
            if let Err(error) = self.blobs.delete(key).await {
                tracing::warn!(%error, ?key, "the unscrubbed bytes of an attachment stay until their day goes");
            }
        }
        Ok(settlement)
    }
}

impl FilesConsumer {
    /// What a record means, after a look into its payload where that is needed.
    async fn meaning(
        &self,
        record: &IngestRecord,
        rules: &ProjectRules,
    ) -> Result<Result<Meaning<FileEffect>, Broken>, StoreError> {
        let item_type = ItemType::from(record.header.item_type.as_str());
        let limit = match item_type {
            ItemType::Profile | ItemType::ProfileChunk | ItemType::ProfileChunkUi | ItemType::ReplayVideo => {
                LOOKED_INTO_MAX_BYTES
            }
            ItemType::ReplayRecording => RECORDING_HEAD_BYTES,
            ItemType::Attachment if rules.scrubs_attachments() => SCRUBBED_MAX_BYTES,
            _ => 0,
        };
        let seen = match stored(record).and_then(|_| BlobKey::of(record)) {
            None => record.payload.clone(),
            Some(key) => match self.blobs.head(key, limit).await {
                Ok(Some(head)) => head,
                Ok(None) => return Ok(Err(broken("missing_payload", "its bytes are not in the blob store any more"))),
                Err(StoreError::Corrupt { .. }) => {
                    return Ok(Err(broken("unreadable_payload", "its bytes cannot be read from the disk any more")));
                }
                Err(error) => return Err(error),
            },
        };
        let meaning = compute(|| guarded(|| understand(&item_type, record, &seen, rules)));
        Ok(meaning.unwrap_or_else(|panicked| Err(panicked.into())))
    }
}

/// What lies beside a record. A replay of its dead letter may have brought another payload, which then counts; what is said
/// in front of a trace's attachment is in its record always.
fn stored(record: &IngestRecord) -> Option<StoredPayload> {
    let header = &record.header;
    let is_of_trace = || is_of_trace(&header.item_type.as_str().into(), &header.attributes);
    header.blob.filter(|_| record.payload.is_empty() || is_of_trace())
}

/// Most bytes of contents that a record can bring beside its blob. A function of the record alone, so that a batch has the
/// same parts whenever it is read.
fn contents_max_bytes(record: &StoredRecord) -> u64 {
    let in_record = record.value.len() as u64;
    let Ok(IngestRecord { header, .. }) = IngestRecord::decode(&record.value) else { return in_record };
    match ItemType::from(header.item_type.as_str()) {
        ItemType::ReplayVideo => replay::EVENT_MAX_BYTES as u64,
        // What rules may leave of a text.
        ItemType::Attachment => {
            let beside = header.blob.map_or(0, |blob| blob.bytes);
            in_record + if beside <= SCRUBBED_MAX_BYTES { beside + SCRUBBED_GROWTH_BYTES } else { 0 }
        }
        _ => in_record,
    }
}

/// What a record means. `seen` is the payload, or as much of a payload in the blob store as has to be known.
fn understand(
    item_type: &ItemType,
    record: &IngestRecord,
    seen: &Bytes,
    rules: &ProjectRules,
) -> Result<Meaning<FileEffect>, Broken> {
    let event_id = record.header.event_id;
    let one = |what| Ok(Meaning::one(record, what));
    let dropped = |reason: FilterReason| {
        let outcomes = record.units().became(Outcome::Filtered, reason.as_str().to_owned());
        Ok(Meaning { effects: Vec::new(), outcomes })
    };
    let file = |kind, owner, part: String| FileEffect::File(file(record, kind, owner, part));
    match item_type {
        ItemType::Attachment => one(FileEffect::File(attachment(record, seen, rules)?)),
        ItemType::UnrealReport => one(file(FileKind::UnrealReport, event_id, own_part(record))),
        ItemType::FormData => {
            let fields = serde_json::from_slice::<Vec<IgnoredAny>>(seen);
            fields.map_err(|error| broken("invalid_json", error.to_string()))?;
            one(file(FileKind::FormData, event_id, String::new()))
        }
        ItemType::UserReport => one(FileEffect::Report(user_report::read(record, seen, rules)?)),
        ItemType::Profile => one(file(FileKind::Profile, profile::id_of_profile(seen)?, String::new())),
        ItemType::ProfileChunk | ItemType::ProfileChunkUi => {
            let chunk = profile::ids_of_chunk(seen)?;
            one(file(FileKind::ProfileChunk, chunk.profiler_id, chunk.chunk_id.to_string()))
        }
        ItemType::ReplayEvent => {
            let wanted = replay::read_event(seen, &record.header, rules)?;
            wanted.map_or_else(dropped, |segment| one(FileEffect::File(replay_event(record, event_id, segment))))
        }
        ItemType::ReplayRecording => {
            // Nothing is read of a recording, so what filters ask of its event is not known here.
            if let Some(reason) = rules.filter_sender(&record.header) {
                return dropped(reason);
            }
            let segment = replay::segment_of_recording(seen)?;
            one(file(FileKind::ReplayRecording, event_id, segment.to_string()))
        }
        ItemType::ReplayVideo => {
            let segment = match replay::event_of_video(seen, &record.header, rules)? {
                Ok(segment) => segment,
                Err(reason) => return dropped(reason),
            };
            let owner = segment.replay_id;
            let video = file(FileKind::ReplayVideo, owner, segment.number.to_string());
            let mut meaning = Meaning::one(record, video);
            // The event is kept as one that came by itself, so that replays of both kinds are found in one way.
            let units = Units { counts: Vec::new(), ..record.units() };
            meaning.effects.push(Counted { what: FileEffect::File(replay_event(record, owner, segment)), units });
            Ok(meaning)
        }
        _ => Err(broken("unsupported_item_type", format!("files of type {item_type} are not kept"))),
    }
}

/// An attachment of an event or a trace. Out of a text that is not too large goes what rules that name attachments say.
fn attachment(record: &IngestRecord, seen: &Bytes, rules: &ProjectRules) -> Result<NewFile, Broken> {
    let mut file = if is_of_trace(&ItemType::Attachment, &record.header.attributes) {
        trace_attachment::read(record, rules)?
    } else {
        file(record, FileKind::Attachment, record.header.event_id, own_part(record))
    };
    let is_whole = seen.len() as u64 == file.head.bytes && file.head.bytes <= SCRUBBED_MAX_BYTES;
    let text = str::from_utf8(seen).ok().filter(|text| is_whole && !text.contains('\0'));
    if let Some(mut scrubbed) = text.and_then(|text| rules.scrub_attachment(&file.head.name, text)) {
        let bytes_max = (file.head.bytes + SCRUBBED_GROWTH_BYTES) as usize;
        scrubbed.truncate(scrubbed.floor_char_boundary(bytes_max));
        let content = Bytes::from(scrubbed);
        (file.head.bytes, file.head.sha1, file.head.blob) = (content.len() as u64, checksum(&content), None);
        file.content = Some(content);
    }
    Ok(file)
}

/// The blob of an attachment that is kept without it, because something was taken out.
fn replaced_blob(record: &IngestRecord, meaning: &Meaning<FileEffect>) -> Option<BlobKey> {
    let is_kept_without = |effect: &Counted<FileEffect>| match &effect.what {
        FileEffect::File(file) => {
            matches!(file.head.kind, FileKind::Attachment | FileKind::TraceAttachment) && file.head.blob.is_none()
        }
        FileEffect::Report(_) => false,
    };
    BlobKey::of(record).filter(|_| stored(record).is_some() && meaning.effects.iter().any(is_kept_without))
}

/// What tells an attachment from the others of its event: what is in it and its name, so that one that is sent again after
/// a lost answer is the same.
fn own_part(record: &IngestRecord) -> String {
    let sha1 = stored(record).map_or_else(|| checksum(&record.payload), |stored| stored.sha1);
    format!("{sha1} {}", word(record.header.attributes.filename.as_deref(), UNNAMED))
}

/// The file that a record brings.
fn file(record: &IngestRecord, kind: FileKind, owner: EventId, part: String) -> NewFile {
    let attributes = &record.header.attributes;
    let (bytes, sha1, blob, content) = match stored(record) {
        Some(stored) => (stored.bytes, stored.sha1, Some(stored.id), None),
        None => (record.payload.len() as u64, checksum(&record.payload), None, Some(record.payload.clone())),
    };
    let json = matches!(kind, FileKind::FormData | FileKind::Profile | FileKind::ProfileChunk);
    let content_type = if json { "application/json" } else { "application/octet-stream" };
    let attachment_type = (kind == FileKind::Attachment)
        .then(|| attachment_type(attributes.attachment_type.as_deref()).unwrap_or(PLAIN_ATTACHMENT).to_owned());
    let head = FileHead {
        project_id: record.header.project_id,
        kind,
        owner,
        part,
        name: word(attributes.filename.as_deref(), if kind == FileKind::Attachment { UNNAMED } else { kind.as_str() }),
        content_type: word(attributes.content_type.as_deref(), content_type),
        attachment_type,
        in_trace: None,
        bytes,
        sha1,
        blob,
        received: record.header.received,
    };
    NewFile { head, content }
}

/// The event of a replay's segment, in the form that it is kept in.
fn replay_event(record: &IngestRecord, owner: EventId, segment: replay::Segment) -> NewFile {
    let mut file = file(record, FileKind::ReplayEvent, owner, segment.number.to_string());
    FileKind::ReplayEvent.as_str().clone_into(&mut file.head.name);
    "application/json".clone_into(&mut file.head.content_type);
    (file.head.bytes, file.head.sha1, file.head.blob) = (segment.json.len() as u64, checksum(&segment.json), None);
    file.content = Some(segment.json);
    file
}

fn checksum(bytes: &[u8]) -> Sha1 {
    Sha1(Hasher::digest(bytes).into())
}

/// A word of an item's header, bounded; the default when there is none.
fn word(given: Option<&str>, default: &str) -> String {
    let given = given.filter(|text| !text.trim().is_empty()).unwrap_or(default);
    given.chars().take(WORD_MAX_CHARS).collect()
}

/// Reads a JSON object; white space around it does not matter.
fn object<T: DeserializeOwned>(payload: &[u8], reason: &'static str) -> Result<T, Broken> {
    let text = payload.trim_ascii();
    // Lists would be taken for the members of an object in their order.
    if text.first() != Some(&b'{') {
        return Err(broken(reason, "expected a JSON object"));
    }
    serde_json::from_slice(text).map_err(|error| broken(reason, error.to_string()))
}

fn broken(reason: &'static str, message: impl Into<String>) -> Broken {
    Broken { reason, message: message.into(), place: None }
}
