//! Spans, log lines and metrics that come by themselves: each becomes a row.

use nuthatch_normalize::{self as normalize, BrokenEntry};
use nuthatch_protocol::{DataCategory, IngestRecord, Outcome, Outcomes, Topic, TraceItemKind, Units};
use nuthatch_store::settlements::Counted;

use crate::{
    TRACE_ITEMS_CONSUMER,
    items::{Broken, Meaning},
    rules::ProjectRules,
    traces::{TraceConsumer, Traced},
};

/// The consumer of spans, log lines and metrics.
pub(crate) struct TraceItems;

impl TraceConsumer for TraceItems {
    const NAME: &'static str = TRACE_ITEMS_CONSUMER;
    const TOPIC: Topic = Topic::TraceItems;

    fn prepare(record: &IngestRecord, rules: &ProjectRules) -> Result<Meaning<Traced>, Broken> {
        let header = &record.header;
        let normalize::TraceItems { kind, entries, broken } = normalize::trace_items(record, rules.geo())?;
        let origin = record.units().origin;
        let units = |entries: u64, bytes: u64| Units { origin, counts: counts(kind, entries, bytes) };
        let mut outcomes = Outcomes::default();
        for BrokenEntry { entries, bytes, refused } in &broken {
            tracing::debug!(project = %header.project_id, reason = %refused.reason, %refused, "entry left out");
            outcomes.extend(units(*entries, *bytes).became(Outcome::Invalid, refused.reason.as_str()));
        }
        let mut rows = Vec::with_capacity(entries.len());
        let mut kept_bytes = 0;
        for mut entry in entries {
            if let Some(reason) = rules.filter_item(kind, &entry.content, header) {
                let filtered = units(1, entry.bytes).became(Outcome::Filtered, reason.as_str().to_owned());
                outcomes.extend(filtered);
                continue;
            }
            rules.scrub_item(kind, &mut entry.content);
            rows.extend(nuthatch_grouping::trace_item(header, kind, entry.place, &entry.content));
            kept_bytes += entry.bytes;
        }
        let units = units(rows.len() as u64, kept_bytes);
        let effects = vec![Counted { what: Traced { rows, once: None, release: None }, units }];
        Ok(Meaning { effects, outcomes })
    }
}

/// What entries count as.
fn counts(kind: TraceItemKind, entries: u64, bytes: u64) -> Vec<(DataCategory, u64)> {
    match kind {
        TraceItemKind::Span => vec![(DataCategory::Span, entries)],
        TraceItemKind::Log => vec![(DataCategory::LogItem, entries), (DataCategory::LogByte, bytes)],
        TraceItemKind::Metric => vec![(DataCategory::TraceMetric, entries)],
    }
}
