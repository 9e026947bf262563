//! Transactions: each counts once, and becomes the rows of its spans.

use nuthatch_normalize::{self as normalize, Reason, Refused, Transaction};
use nuthatch_protocol::{DataCategory, IngestRecord, Outcome, Outcomes, Topic, Units};
use nuthatch_store::settlements::{Counted, ItemKey};

use crate::{
    TRANSACTIONS_CONSUMER,
    items::{Broken, Meaning},
    rules::ProjectRules,
    traces::{TraceConsumer, Traced},
};

/// The reason of spans that were cut off because all of them together are too large.
const TOO_LARGE: &str = "too_large:span";

/// The consumer of transactions.
pub(crate) struct Transactions;

impl TraceConsumer for Transactions {
    const NAME: &'static str = TRANSACTIONS_CONSUMER;
    const TOPIC: Topic = Topic::IngestTransactions;

    fn prepare(record: &IngestRecord, rules: &ProjectRules) -> Result<Meaning<Traced>, Broken> {
        let header = &record.header;
        let read = match normalize::transaction(record, rules.geo()) {
            // No replay makes it younger.
            Err(Refused { reason: Reason::Timestamp, .. }) => {
                let outcomes = record.units().became(Outcome::Invalid, Reason::Timestamp.as_str());
                return Ok(Meaning { effects: Vec::new(), outcomes });
            }
            read => read?,
        };
        let Transaction { mut event, untimely_spans, cut_spans } = read;
        let spans = event.get(&["spans"]).and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        let origin = record.units().origin;
        let units = |category, quantity: usize| Units { origin, counts: vec![(category, quantity as u64)] };
        let mut meaning = Meaning { effects: Vec::new(), outcomes: Outcomes::default() };
        for (lost, reason) in [(untimely_spans, Reason::Timestamp.as_str()), (cut_spans, TOO_LARGE)] {
            meaning.outcomes.extend(units(DataCategory::Span, lost).became(Outcome::Invalid, reason));
        }
        let mut units = units(DataCategory::Transaction, 1);
        units.counts.push((DataCategory::Span, spans as u64));
        if let Some(reason) = rules.filter(&event, header.client_ip) {
            meaning.outcomes.extend(units.became(Outcome::Filtered, reason.as_str().to_owned()));
            return Ok(meaning);
        }
        rules.scrub(&mut event);
        let category = DataCategory::Transaction;
        let key = ItemKey { project_id: header.project_id, category, id: header.event_id };
        let rows = nuthatch_grouping::transaction_items(header, &event);
        let release = event.text(&["release"]).map(|version| (header.project_id, version.to_owned()));
        meaning.effects.push(Counted { what: Traced { rows, once: Some(key), release }, units });
        Ok(meaning)
    }
}
