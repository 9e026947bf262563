//! The body of `/store/`: one event as JSON, as base64 of it, or as base64 of its zlib stream
//! (`reference/ingest-protocol.md` §2.2).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use nuthatch_protocol::{Envelope, EnvelopeHeader, EventId, Item, ItemType};

use crate::{
    decode::{Decoding, Encoding},
    peek,
    refusal::Refusal,
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The envelope that says the same: one item, and the event's id if it has one.
pub(crate) fn envelope(body: &Bytes, limit: usize) -> Result<Envelope, Refusal> {
    let payload = unpack(body, limit)?;
    let seen = peek::look(&payload, |peek| {
        let event_id: serde_json::Result<Option<EventId>> =
            peek.event_id.map_or(Ok(None), |raw| serde_json::from_str(raw.get()));
        (event_id, peek.event_type.is_some_and(|raw| raw.get() == "\"transaction\""))
    });
    let (event_id, is_transaction) = seen.map_err(|error| Refusal::Store(error.to_string()))?;
    let event_id = event_id.map_err(|error| Refusal::Store(format!("event_id: {error}")))?;
    let item_type = if is_transaction { ItemType::Transaction } else { ItemType::Event };
    let header = EnvelopeHeader { event_id, ..EnvelopeHeader::default() };
    Ok(Envelope { header, items: vec![Item::new(item_type, payload)] })
}

fn unpack(body: &Bytes, limit: usize) -> Result<Bytes, Refusal> {
    let text = body.trim_ascii();
    match text.first() {
        None => return Err(Refusal::Empty),
        Some(b'{') => return Ok(body.slice_ref(text)),
        Some(_) => {}
    }
    let decoded = BASE64.decode(text).map_err(|error| Refusal::Store(format!("neither JSON nor base64: {error}")))?;
    let decoded = Bytes::from(decoded);
    if decoded.first() == Some(&b'{') {
        return Ok(decoded);
    }
    Ok(Decoding::run(Encoding::Deflate, decoded, limit)?)
}
