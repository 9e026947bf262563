//! What becomes of each item of an envelope. Decided here only, for requests and for `explain` alike.

use nuthatch_protocol::{Envelope, EventId, Item, ItemType, Topic};

use crate::peek;

/// What becomes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes to the log.
    Append(Topic),
    /// It says what was not sent, which is counted.
    Report,
    /// It is dropped and counted; the rest of the envelope is processed (`reference/ingest-protocol.md` §6).
    Skip(Skip),
}

/// Why an item is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Skip {
    #[error("unknown item type")]
    Unknown,
    #[error("withdrawn item type")]
    Withdrawn,
    /// A profile is found by its transaction only (§7.10).
    #[error("profile without its transaction")]
    NoTransaction,
    /// Nobody can tell where its file begins (§7.2).
    #[error("trace attachment without a meta_length that fits its payload")]
    TraceAttachment,
    /// Only the server that took it knows the upload; `explain` asks none.
    #[error("attachment that refers to an upload which is not there")]
    Upload,
}

impl Skip {
    /// The stable word of the ledger.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_item_type",
            Self::Withdrawn => "withdrawn_item_type",
            Self::TraceAttachment => "invalid_trace_attachment",
            Self::Upload => "missing_upload",
            Self::NoTransaction => "profiling_no_transaction_associated",
        }
    }
}

/// What decides over the items of an envelope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    has_transaction: bool,
}

impl Plan {
    /// Of the items of an envelope, all of them.
    pub(crate) fn of(items: &[Item]) -> Self {
        Self { has_transaction: items.iter().any(|item| item.item_type == ItemType::Transaction) }
    }

    /// Decides over one of them.
    pub(crate) fn verdict(self, item: &Item) -> Verdict {
        match item.item_type {
            ItemType::Profile if !self.has_transaction => Verdict::Skip(Skip::NoTransaction),
            ItemType::Attachment if item.is_of_trace() && item.trace_attachment().is_none() => {
                Verdict::Skip(Skip::TraceAttachment)
            }
            _ if item.is_reference() => Verdict::Skip(Skip::Upload),
            _ => verdict_of_type(&item.item_type),
        }
    }
}

fn verdict_of_type(item_type: &ItemType) -> Verdict {
    match item_type {
        ItemType::Event | ItemType::Feedback | ItemType::Security | ItemType::RawSecurity => {
            Verdict::Append(Topic::IngestEvents)
        }
        ItemType::Transaction => Verdict::Append(Topic::IngestTransactions),
        ItemType::Span
        | ItemType::OtelSpan
        | ItemType::Log
        | ItemType::OtelLog
        | ItemType::Nel
        | ItemType::TraceMetric => Verdict::Append(Topic::TraceItems),
        ItemType::Attachment
        | ItemType::FormData
        | ItemType::UserReport
        | ItemType::UnrealReport
        | ItemType::Profile
        | ItemType::ProfileChunk
        | ItemType::ProfileChunkUi
        | ItemType::ReplayEvent
        | ItemType::ReplayRecording
        | ItemType::ReplayVideo => Verdict::Append(Topic::IngestAttachments),
        ItemType::Session | ItemType::Sessions => Verdict::Append(Topic::IngestSessions),
        ItemType::CheckIn => Verdict::Append(Topic::IngestMonitors),
        ItemType::ClientReport => Verdict::Report,
        ItemType::Statsd | ItemType::MetricBuckets | ItemType::MetricMeta => Verdict::Skip(Skip::Withdrawn),
        // Those that this server knows are above.
        _ => Verdict::Skip(Skip::Unknown),
    }
}

/// Where the id of an envelope's event comes from (`reference/ingest-protocol.md` §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdSource {
    /// The envelope header says it.
    Header(EventId),
    /// The event's payload says it.
    Payload(EventId),
    /// Nobody says it and an item needs one.
    Random,
    /// No item needs one.
    None,
}

/// Finds the id: header, else payload of the event or of what a user says about one, else random. The payload is looked at
/// only when it has to be.
pub(crate) fn event_id(envelope: &Envelope) -> IdSource {
    if let Some(id) = envelope.header.event_id {
        return IdSource::Header(id);
    }
    let item = |wanted: fn(&ItemType) -> bool| envelope.items.iter().find(|item| wanted(&item.item_type));
    let event = item(ItemType::is_event_like).or_else(|| item(|item_type| *item_type == ItemType::UserReport));
    let id = |peek: &peek::Peek<'_>| serde_json::from_str(peek.event_id?.get()).ok();
    match event.and_then(|item| peek::look(&item.payload, id).ok()?) {
        Some(id) => IdSource::Payload(id),
        None if envelope.items.iter().any(Item::needs_event_id) => IdSource::Random,
        None => IdSource::None,
    }
}
