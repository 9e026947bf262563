//! How an item lies in an index. A change here is a new [`Layout::FORMAT`].

use std::{collections::BTreeMap, sync::OnceLock};

use bytes::Bytes;
use nuthatch_protocol::{AttributeValue, EventId, ProjectId, Timestamp, TraceId, TraceItem, TraceItemKind};
use nuthatch_query::item_field::{attributes, cut};
use nuthatch_store::{StoreError, traces::described_bytes};
use tantivy::{
    TantivyDocument, Term,
    schema::{
        BytesOptions, FAST, Field, IndexRecordOption, JsonObjectOptions, OwnedValue, STORED, Schema, TextFieldIndexing,
        TextOptions, Value,
    },
};

use super::{
    STORE,
    row::{decode, encode, kind_number, short},
};
use crate::index::{
    Layout, StoreName,
    page::{ID_HALVES, PROJECT, TIME},
    words::TOKENIZER,
};

/// Name of the column with traces.
pub(super) const TRACE: &str = "trace";
/// Name of the column with durations, in microseconds.
pub(super) const DURATION: &str = "duration";
/// Name of the column with the ids of spans.
pub(super) const SPAN: &str = "span";
/// Name of the column with the ids of the spans around them.
pub(super) const PARENT: &str = "parent";
/// Name of the column that says which spans are roots.
pub(super) const SEGMENT: &str = "segment";
/// Name of the column with names, as long as they are compared.
pub(super) const NAME: &str = "name";
/// Name that the columns of attributes begin with.
pub(super) const ATTRIBUTES: &str = "attributes";

/// Trace items in an index.
pub(super) struct TraceLayout;

impl Layout for TraceLayout {
    type Row = TraceItem;
    type Key = (ProjectId, TraceItemKind, EventId);

    const STORE: StoreName = STORE;
    const THREAD: &'static str = "trace-writer";
    const FORMAT: u32 = 1;

    fn schema() -> &'static Schema {
        &Fields::get().schema
    }

    fn key_field() -> Field {
        Fields::get().key
    }

    fn key_term((project, kind, id): Self::Key) -> Term {
        let mut bytes = scope(project, kind);
        bytes.extend_from_slice(&id.0);
        Term::from_field_bytes(Fields::get().key, &bytes)
    }

    fn key(item: &TraceItem) -> Self::Key {
        (item.project_id, item.kind, item.id)
    }

    fn time(item: &TraceItem) -> Timestamp {
        item.timestamp
    }

    fn bytes(item: &TraceItem) -> usize {
        item.body.len() + described_bytes(item)
    }

    fn document(item: &TraceItem) -> TantivyDocument {
        Fields::get().document(item)
    }
}

/// The fields of every index.
pub(super) struct Fields {
    schema: Schema,
    /// Project, kind and id.
    key: Field,
    /// Project and kind.
    scope: Field,
    trace: Field,
    /// Project and id of the transaction event.
    event: Field,
    pub(super) time: Field,
    id_halves: [Field; 2],
    project: Field,
    duration: Field,
    span: Field,
    parent: Field,
    segment: Field,
    name: Field,
    /// The words of the whole name.
    pub(super) words: Field,
    attributes: Field,
    row: Field,
    body: Field,
}

impl Fields {
    /// The fields; the same for all indexes.
    pub(super) fn get() -> &'static Self {
        static FIELDS: OnceLock<Fields> = OnceLock::new();
        FIELDS.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut schema = Schema::builder();
        let indexed = || BytesOptions::default().set_indexed();
        let words = TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        Self {
            key: schema.add_bytes_field("key", indexed()),
            scope: schema.add_bytes_field("scope", indexed()),
            trace: schema.add_bytes_field(TRACE, indexed().set_fast()),
            event: schema.add_bytes_field("event", indexed()),
            time: schema.add_i64_field(TIME, FAST),
            id_halves: ID_HALVES.map(|name| schema.add_u64_field(name, FAST)),
            project: schema.add_u64_field(PROJECT, FAST),
            duration: schema.add_u64_field(DURATION, FAST),
            span: schema.add_u64_field(SPAN, FAST),
            parent: schema.add_u64_field(PARENT, FAST),
            segment: schema.add_bool_field(SEGMENT, FAST),
            name: schema.add_text_field(NAME, TextOptions::default().set_fast("raw")),
            words: schema.add_text_field("words", TextOptions::default().set_indexing_options(words)),
            attributes: schema.add_json_field(ATTRIBUTES, JsonObjectOptions::default().set_fast("raw")),
            row: schema.add_bytes_field("row", STORED),
            body: schema.add_bytes_field("body", STORED),
            schema: schema.build(),
        }
    }

    /// The term that finds the items of a kind in a project.
    pub(super) fn scope_term(&self, project: ProjectId, kind: TraceItemKind) -> Term {
        Term::from_field_bytes(self.scope, &scope(project, kind))
    }

    /// The term that finds the items of a trace.
    pub(super) fn trace_term(&self, trace: TraceId) -> Term {
        Term::from_field_bytes(self.trace, &trace.0)
    }

    /// The term that finds the root span of a transaction event.
    pub(super) fn event_term(&self, project: ProjectId, event: EventId) -> Term {
        Term::from_field_bytes(self.event, &[&project.0.to_be_bytes()[..], &event.0].concat())
    }

    fn document(&self, item: &TraceItem) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        let key = TraceLayout::key_term(TraceLayout::key(item));
        document.add_bytes(self.key, key.serialized_value_bytes());
        document.add_bytes(self.scope, &scope(item.project_id, item.kind));
        document.add_bytes(self.trace, &item.trace_id.0);
        if let Some(event) = item.event_id {
            document.add_bytes(self.event, self.event_term(item.project_id, event).serialized_value_bytes());
        }
        document.add_i64(self.time, item.timestamp.0);
        let id = u128::from_be_bytes(item.id.0);
        document.add_u64(self.id_halves[0], (id >> 64) as u64);
        document.add_u64(self.id_halves[1], id as u64);
        document.add_u64(self.project, item.project_id.0);
        if let Some(us) = item.duration_us {
            document.add_u64(self.duration, us);
        }
        if let Some(span) = item.span_id {
            document.add_u64(self.span, short(span));
        }
        if let Some(parent) = item.parent_span_id {
            document.add_u64(self.parent, short(parent));
        }
        document.add_bool(self.segment, item.is_segment);
        if !item.name.is_empty() {
            document.add_text(self.name, cut(&item.name));
            document.add_text(self.words, &item.name);
        }
        document.add_object(self.attributes, columns(item));
        document.add_bytes(self.row, &encode(item));
        document.add_bytes(self.body, &item.body);
        document
    }

    /// The item of a document.
    pub(super) fn item(&self, document: &TantivyDocument) -> Result<TraceItem, StoreError> {
        let stored = |field: Field| {
            let bytes = document.get_first(field).and_then(|value| value.as_bytes());
            bytes.ok_or_else(|| STORE.damaged("a row lacks a stored field"))
        };
        decode(stored(self.row)?, Bytes::copy_from_slice(stored(self.body)?))
    }
}

fn scope(project: ProjectId, kind: TraceItemKind) -> Vec<u8> {
    let mut bytes = project.0.to_be_bytes().to_vec();
    bytes.push(kind_number(kind));
    bytes
}

fn columns(item: &TraceItem) -> BTreeMap<String, OwnedValue> {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => OwnedValue::Str(cut(text).to_owned()),
        AttributeValue::Integer(number) => OwnedValue::I64(*number),
        AttributeValue::Double(number) => OwnedValue::F64(*number),
        AttributeValue::Boolean(value) => OwnedValue::Bool(*value),
    };
    attributes(item).map(|(key, given)| (key.to_owned(), value(given))).collect()
}
