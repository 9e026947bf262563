//! Items of envelopes that hold what an endpoint of its own takes: network errors of browsers, spans and log records of
//! OpenTelemetry. They become what that endpoint makes of them (`reference/ingest-protocol.md` §2.4, §2.10, §7).

use nuthatch_protocol::{Envelope, Item, ItemType};

use super::{JSON_UNFOLDING, LOGS, SPANS, containers, json, nel, otlp};
use crate::{Intake, body::Room, limits, refusal::Refusal};

/// The envelope without such items, and envelopes of what they became. What cannot be read stays in it, and is found where
/// spans and log lines are read.
pub(crate) async fn translated(intake: &Intake, envelope: Envelope, room: &mut Room) -> Result<Vec<Envelope>, Refusal> {
    let found = envelope.items.iter().filter(|item| is_foreign(item)).map(|item| item.payload.len());
    let Some(bytes) = found.reduce(|all, bytes| all + bytes) else { return Ok(vec![envelope]) };
    let config = &intake.inner.config;
    // Then the whole envelope is refused, for what was sent.
    if limits::check(&envelope, config).is_err() {
        return Ok(vec![envelope]);
    }
    room.grow(bytes * JSON_UNFOLDING, config).await?;
    let for_ids = intake.clone();
    // Large ones take a while. The thread only fails to finish when the runtime is going down.
    tokio::task::spawn_blocking(move || translate(&for_ids, envelope)).await.map_err(|_| Refusal::Closed)
}

fn is_foreign(item: &Item) -> bool {
    matches!(item.item_type, ItemType::Nel | ItemType::OtelSpan | ItemType::OtelLog)
}

fn translate(intake: &Intake, mut envelope: Envelope) -> Vec<Envelope> {
    let (mut spans, mut lines) = (Vec::new(), Vec::new());
    envelope.items.retain(|item| {
        let read = match item.item_type {
            ItemType::Nel => {
                json(&item.payload).and_then(|reported| nel::lines(intake, reported)).map(|more| lines.extend(more))
            }
            ItemType::OtelSpan => otlp::span_of_item(&item.payload).map(|span| spans.push(span)),
            ItemType::OtelLog => otlp::line_of_item(intake, &item.payload).map(|line| lines.push(line)),
            _ => return true,
        };
        read.is_err()
    });
    let mut envelopes = Vec::new();
    for (item_type, content_type, entries) in [(ItemType::Span, SPANS, spans), (ItemType::Log, LOGS, lines)] {
        if !entries.is_empty() {
            let made = containers(&item_type, content_type, entries).into_iter();
            envelopes.extend(made.map(|made| Envelope { header: envelope.header.clone(), ..made }));
        }
    }
    if !envelope.items.is_empty() || envelopes.is_empty() {
        envelopes.insert(0, envelope);
    }
    envelopes
}
