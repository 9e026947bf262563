//! The bounds of what an envelope holds (`reference/ingest-protocol.md` §5.2). One that is exceeded refuses the whole
//! envelope.

use std::collections::BTreeMap;

use nuthatch_protocol::{Envelope, Item, ItemType, item_type::attachment_type};

use crate::{IntakeConfig, endpoint::SPANS, refusal::Refusal};

/// Items that share bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// An event, or what takes the place of one.
    Event,
    Text,
    File,
    TraceFile,
    Profile,
    ProfileChunk,
    Recording,
    Video,
    CheckIn,
    Session,
    ClientReport,
    Logs,
    Metrics,
    Spans,
    Span,
    Statsd,
    MetricBuckets,
    MetricMeta,
}

/// The bounds of one kind in one envelope.
struct Bounds {
    /// Bytes of one item.
    each: usize,
    /// Bytes of all of them.
    together: usize,
    /// How many of them.
    items: usize,
}

/// What an envelope holds of one kind.
#[derive(Default)]
struct Sum {
    items: usize,
    bytes: usize,
}

impl Kind {
    /// `None` for items without bounds of their own.
    fn of(item: &Item) -> Option<Self> {
        Some(match &item.item_type {
            item_type if item_type.is_event_like() => Self::Event,
            ItemType::RawSecurity => Self::Event,
            ItemType::FormData | ItemType::UserReport | ItemType::Nel => Self::Text,
            ItemType::Attachment if item.is_of_trace() => Self::TraceFile,
            ItemType::Attachment | ItemType::UnrealReport => Self::File,
            ItemType::Profile => Self::Profile,
            ItemType::ProfileChunk | ItemType::ProfileChunkUi => Self::ProfileChunk,
            ItemType::ReplayRecording => Self::Recording,
            ItemType::ReplayVideo => Self::Video,
            ItemType::CheckIn => Self::CheckIn,
            ItemType::Session | ItemType::Sessions => Self::Session,
            ItemType::ClientReport => Self::ClientReport,
            ItemType::Log => Self::Logs,
            ItemType::TraceMetric => Self::Metrics,
            // A container of spans has other bounds than spans by themselves.
            ItemType::Span if item.attributes.content_type.as_deref() == Some(SPANS) => Self::Spans,
            ItemType::Span | ItemType::OtelSpan | ItemType::OtelLog => Self::Span,
            ItemType::Statsd => Self::Statsd,
            ItemType::MetricBuckets => Self::MetricBuckets,
            ItemType::MetricMeta => Self::MetricMeta,
            _ => return None,
        })
    }

    fn bounds(self, config: &IntakeConfig) -> Bounds {
        const KIB: usize = 1 << 10;
        const MIB: usize = 1 << 20;
        let each = |each| Bounds { each, together: usize::MAX, items: 1 };
        let together = |items, together| Bounds { each: together, together, items };
        match self {
            Self::Event => each(config.event_max_bytes),
            Self::Text => Bounds { items: usize::MAX, ..each(config.event_max_bytes) },
            Self::File | Self::TraceFile => together(30, config.envelope_max_bytes),
            Self::Profile | Self::ProfileChunk => each(50 * MIB),
            Self::Recording | Self::Video => each(10 * MIB),
            Self::CheckIn => each(100 * KIB),
            Self::Session => together(100, 10 * MIB),
            Self::ClientReport => together(100, 100 * KIB),
            Self::Logs | Self::Metrics | Self::Spans => each(12 * MIB),
            Self::Span => Bounds { each: 10 * MIB, ..together(25, 12 * MIB) },
            Self::Statsd | Self::MetricBuckets | Self::MetricMeta => each(MIB),
        }
    }
}

/// Checks all items of an envelope.
pub(crate) fn check(envelope: &Envelope, config: &IntakeConfig) -> Result<(), Refusal> {
    let mut sums: BTreeMap<Kind, Sum> = BTreeMap::new();
    for (index, item) in envelope.items.iter().enumerate() {
        let Some(kind) = Kind::of(item) else { continue };
        let Bounds { each, together, items } = kind.bounds(config);
        let bytes = item.payload.len();
        if bytes > each {
            return Err(Refusal::ItemTooLarge { index, label: label(item), bytes, bytes_max: each });
        }
        let sum = sums.entry(kind).or_default();
        sum.items += 1;
        sum.bytes += bytes;
        if sum.bytes > together {
            return Err(Refusal::ItemsTooLarge { index, label: label(item), bytes_max: together });
        }
        if sum.items > items {
            return Err(match kind {
                Kind::Event => Refusal::SecondEvent { index },
                _ => Refusal::TooManyItems { index, label: label(item), items_max: items },
            });
        }
    }
    Ok(())
}

/// What a too large item is called in the ledger: bounded words, whatever its header says.
fn label(item: &Item) -> String {
    match &item.item_type {
        ItemType::Attachment if item.is_of_trace() => "attachment:trace".to_owned(),
        ItemType::Attachment => {
            let known = attachment_type(item.attributes.attachment_type.as_deref());
            format!("attachment:{}", known.unwrap_or("other"))
        }
        item_type => item_type.label().to_owned(),
    }
}
