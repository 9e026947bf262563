//! Attachments of traces (`reference/ingest-protocol.md` §7.2): the record holds what is said of the file, which lies beside.

use nuthatch_normalize::trace_attachment;
use nuthatch_protocol::{EventId, IngestRecord, TraceItemKind};
use nuthatch_store::files::{FileKind, InTrace, NewFile};
use serde_json::{Map, Value};

use super::{UNNAMED, file, word};
use crate::{ProjectRules, items::Broken};

/// The media type of a file that says none.
const ANY_TYPE: &str = "application/octet-stream";

/// Where attributes stand in what has them.
const ATTRIBUTES: &str = "attributes";

/// Reads what is said of the file, and takes out of its attributes what must not be stored: the same as out of those of a log
/// line.
pub(super) fn read(record: &IngestRecord, rules: &ProjectRules) -> Result<NewFile, Broken> {
    let said = trace_attachment(&record.payload, &record.header)?;
    let header = &record.header.attributes;
    let mut attributed = Map::from_iter([(ATTRIBUTES.to_owned(), Value::Object(said.attributes))]);
    rules.scrub_item(TraceItemKind::Log, &mut attributed);
    let attributes = match attributed.remove(ATTRIBUTES) {
        Some(Value::Object(attributes)) => attributes,
        _ => Map::new(),
    };
    let owner = EventId(said.trace_id.0);
    let mut file = file(record, FileKind::TraceAttachment, owner, said.attachment_id.to_string());
    file.head.name = word(said.filename.as_deref().or(header.filename.as_deref()), UNNAMED);
    file.head.content_type = word(said.content_type.as_deref(), ANY_TYPE);
    // A span id that is none is no reason to lose the file.
    let span_id = header.span_id.as_deref().and_then(|id| id.parse().ok());
    file.head.in_trace = Some(InTrace { span_id, timestamp: said.timestamp, attributes });
    Ok(file)
}
