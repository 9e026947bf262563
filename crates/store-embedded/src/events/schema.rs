//! How a row lies in an index. A change here is a new [`Layout::FORMAT`].

use std::sync::OnceLock;

use bytes::Bytes;
use nuthatch_protocol::{EventId, EventRow, Hash, Level, ProjectId, Timestamp};
use nuthatch_query::{Column, Text};
use nuthatch_store::{
    StoreError,
    events::{EventSummary, StoredEvent},
};
use tantivy::{
    TantivyDocument, Term,
    schema::{
        BytesOptions, FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
        Value,
    },
};

use super::STORE;
use crate::index::{
    Layout, StoreName,
    page::{ID_HALVES, TIME},
    words::TOKENIZER,
};

/// Name of the column with project and primary hash.
pub(super) const HASH: &str = "hash";
/// Name of the column with tags, as `key NUL value`.
pub(super) const TAG: &str = "tag";
/// Name of the column with keys of tags.
pub(super) const TAG_KEY: &str = "tag_key";

/// Longest term, in bytes; what is longer is cut and equal to all that begins like it. Tags are far shorter than that.
const TERM_BYTES_MAX: usize = 16 * 1024;

/// Events in an index.
pub(super) struct EventLayout;

impl Layout for EventLayout {
    type Row = EventRow;
    type Key = (ProjectId, EventId);

    const STORE: StoreName = STORE;
    const THREAD: &'static str = "event-writer";
    const FORMAT: u32 = 1;

    fn schema() -> &'static Schema {
        &Fields::get().schema
    }

    fn key_field() -> Field {
        Fields::get().key
    }

    fn key_term((project, id): Self::Key) -> Term {
        Fields::get().key_term(project, id)
    }

    fn key(row: &EventRow) -> Self::Key {
        (row.project_id, row.event_id)
    }

    fn time(row: &EventRow) -> Timestamp {
        row.timestamp
    }

    fn bytes(row: &EventRow) -> usize {
        row.body.len()
    }

    fn document(row: &EventRow) -> TantivyDocument {
        Fields::get().document(row)
    }
}

/// The fields of every index.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    schema: Schema,
    /// Project and event id, 24 bytes.
    key: Field,
    /// Project and id of the event that the row shows, 24 bytes.
    pub(super) shows: Field,
    pub(super) project: Field,
    /// Project and primary hash, 24 bytes.
    pub(super) hash: Field,
    pub(super) time: Field,
    id_halves: [Field; 2],
    /// `name NUL value` of each [`Column`] that has a value, and the plain `name` of each column and text that is there.
    pub(super) value: Field,
    pub(super) tag: Field,
    pub(super) tag_key: Field,
    texts: [Field; Text::ALL.len()],
    summary: Field,
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
        let words = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(TOKENIZER)
                .set_fieldnorms(false)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        );
        let text = |schema: &mut tantivy::schema::SchemaBuilder, name: &str| schema.add_text_field(name, words.clone());
        Self {
            key: schema.add_bytes_field("key", BytesOptions::default().set_indexed()),
            shows: schema.add_bytes_field("shows", BytesOptions::default().set_indexed()),
            project: schema.add_u64_field("project", INDEXED),
            hash: schema.add_bytes_field(HASH, BytesOptions::default().set_indexed().set_fast()),
            time: schema.add_i64_field(TIME, FAST),
            id_halves: ID_HALVES.map(|name| schema.add_u64_field(name, FAST)),
            value: schema.add_text_field("value", STRING),
            tag: schema.add_text_field(TAG, STRING | FAST),
            tag_key: schema.add_text_field(TAG_KEY, STRING | FAST),
            texts: Text::ALL.map(|which| text(&mut schema, marker(which))),
            summary: schema.add_bytes_field("summary", STORED),
            body: schema.add_bytes_field("body", STORED),
            schema: schema.build(),
        }
    }

    /// The field with the words of a text.
    pub(super) fn text(&self, text: Text) -> Field {
        self.texts[text as usize]
    }

    /// The term that finds an event.
    pub(super) fn key_term(&self, project: ProjectId, id: EventId) -> Term {
        Term::from_field_bytes(self.key, &joined(project, id.0))
    }

    /// The term that finds the rows that show an event.
    pub(super) fn shows_term(&self, project: ProjectId, id: EventId) -> Term {
        Term::from_field_bytes(self.shows, &joined(project, id.0))
    }

    /// The term that finds the events of a primary hash.
    pub(super) fn hash_term(&self, project: ProjectId, hash: Hash) -> Term {
        Term::from_field_bytes(self.hash, &joined(project, hash.0))
    }

    /// What is indexed of a row.
    fn document(&self, row: &EventRow) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_bytes(self.key, &joined(row.project_id, row.event_id.0));
        if let Some(shown) = row.shows {
            document.add_bytes(self.shows, &joined(row.project_id, shown.0));
        }
        document.add_u64(self.project, row.project_id.0);
        if let Some(hash) = row.hashes.first() {
            document.add_bytes(self.hash, &joined(row.project_id, hash.0));
        }
        document.add_i64(self.time, row.timestamp.0);
        let id = u128::from_be_bytes(row.event_id.0);
        document.add_u64(self.id_halves[0], (id >> 64) as u64);
        document.add_u64(self.id_halves[1], id as u64);
        for column in Column::ALL {
            if let Some(value) = column.of(row) {
                document.add_text(self.value, column.name());
                document.add_text(self.value, pair(column.name(), value));
            }
        }
        for (n, (key, value)) in row.tags.iter().enumerate() {
            if row.tags[..n].iter().all(|(earlier, _)| earlier != key) {
                document.add_text(self.tag_key, key_text(key));
                document.add_text(self.tag, pair(key, value));
            }
        }
        for text in Text::ALL {
            let content = text.of(row);
            if !content.is_empty() {
                document.add_text(self.value, marker(text));
                document.add_text(self.text(text), content);
            }
        }
        document.add_bytes(self.summary, &encode_summary(row));
        document.add_bytes(self.body, &row.body);
        document
    }

    /// What lists show of a document.
    pub(super) fn summary(&self, document: &TantivyDocument) -> Result<EventSummary, StoreError> {
        decode_summary(stored(document, self.summary)?)
    }

    /// A document with its body.
    pub(super) fn event(&self, document: &TantivyDocument) -> Result<StoredEvent, StoreError> {
        let body = Bytes::copy_from_slice(stored(document, self.body)?);
        Ok(StoredEvent { summary: self.summary(document)?, body })
    }
}

fn stored(document: &TantivyDocument, field: Field) -> Result<&[u8], StoreError> {
    document
        .get_first(field)
        .and_then(|value| value.as_bytes())
        .ok_or_else(|| STORE.damaged("a row lacks a stored field"))
}

/// The name that says in the field `value` that a text is there, and names the field of its words.
pub(super) fn marker(text: Text) -> &'static str {
    match text {
        Text::Title => "title",
        Text::Message => "message",
        Text::Culprit => "culprit",
        Text::Stack => "stack",
    }
}

/// The term of a tag or column with its value.
pub(super) fn pair(key: &str, value: &str) -> String {
    let mut text = pair_prefix(key);
    text.push_str(cut(value));
    text
}

/// What the terms of all values of a tag or column begin with.
pub(super) fn pair_prefix(key: &str) -> String {
    let mut text = key_text(key);
    text.push('\0');
    text
}

/// A key as it is in terms: NUL, which ends it there, is replaced.
pub(super) fn key_text(key: &str) -> String {
    cut(key).replace('\0', "\u{fffd}")
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(TERM_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn joined(project: ProjectId, rest: [u8; 16]) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&project.0.to_be_bytes());
    bytes[8..].copy_from_slice(&rest);
    bytes
}

/// The summary as it is stored: JSON of a tuple, so that it compresses with the body beside it.
type Summary<'a> = (
    (ProjectId, EventId, i64, i64, Vec<Hash>, u8),
    (Str<'a>, Str<'a>, Str<'a>, Str<'a>, Str<'a>, Option<Str<'a>>),
    Vec<(Str<'a>, Str<'a>)>,
);

type Str<'a> = std::borrow::Cow<'a, str>;

fn encode_summary(row: &EventRow) -> Vec<u8> {
    let ids = (row.project_id, row.event_id, row.timestamp.0, row.received.0, row.hashes.clone(), row.level.number());
    let texts = (
        Str::from(&row.event_type),
        Str::from(&row.platform),
        Str::from(&row.title),
        Str::from(&row.culprit),
        Str::from(&row.message),
        row.user.as_deref().map(Str::from),
    );
    let tags: Vec<(Str<'_>, Str<'_>)> = row.tags.iter().map(|(key, value)| (key.into(), value.into())).collect();
    let summary: Summary<'_> = (ids, texts, tags);
    // Texts and numbers always serialise; an empty summary would be reported as damage when read.
    serde_json::to_vec(&summary).unwrap_or_default()
}

fn decode_summary(bytes: &[u8]) -> Result<EventSummary, StoreError> {
    let (ids, texts, tags): Summary<'_> =
        serde_json::from_slice(bytes).map_err(|error| STORE.damaged(format!("the summary of a row: {error}")))?;
    let (project_id, event_id, timestamp, received, hashes, level) = ids;
    let (event_type, platform, title, culprit, message, user) = texts;
    Ok(EventSummary {
        project_id,
        event_id,
        timestamp: Timestamp(timestamp),
        received: Timestamp(received),
        hashes,
        event_type: event_type.into_owned(),
        level: Level::from_number(level).unwrap_or_default(),
        platform: platform.into_owned(),
        title: title.into_owned(),
        culprit: culprit.into_owned(),
        message: message.into_owned(),
        user: user.map(Str::into_owned),
        tags: tags.into_iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
    })
}
