//! What has to be known of profiles before their records are written: the id, by which the transaction that came with one
//! names it (`reference/ingest-protocol.md` §7.10).

use nuthatch_protocol::{Envelope, EventId, Item, ItemType};

use crate::{peek::Peek, refusal::Refusal};

/// Most bytes of profiles that are looked through on the thread that serves requests: well under a millisecond.
const INLINE_BYTES: usize = 256 << 10;

/// The envelope with the ids of its profiles in their headers, as far as their payloads say them.
pub(crate) async fn identified(mut envelope: Envelope) -> Result<Envelope, Refusal> {
    let bytes: usize = envelope.items.iter().filter(|item| is_profile(item)).map(|item| item.payload.len()).sum();
    let identify = move || {
        for item in envelope.items.iter_mut().filter(|item| is_profile(item)) {
            item.attributes.profile_id = id(&item.payload);
        }
        envelope
    };
    if bytes <= INLINE_BYTES {
        return Ok(identify());
    }
    // The thread only fails to finish when the runtime is going down.
    tokio::task::spawn_blocking(identify).await.map_err(|_| Refusal::Closed)
}

/// The profile that came with the transaction of an envelope.
pub(crate) fn of_transaction(items: &[Item]) -> Option<EventId> {
    items.iter().find(|item| is_profile(item))?.attributes.profile_id
}

fn is_profile(item: &Item) -> bool {
    item.item_type == ItemType::Profile
}

fn id(payload: &[u8]) -> Option<EventId> {
    let peek = Peek::at(payload).ok()?;
    serde_json::from_str(peek.event_id.or(peek.profile_id)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_known_by_either_name_of_its_id() {
        let wanted = Some(EventId([0xab; 16]));
        for (payload, expected) in [
            (r#"{"event_id":"abababababababababababababababab","profile":{"samples":[]}}"#, wanted),
            (r#"{"profile":{},"profile_id":"ABABABAB-abab-abab-abab-abababababab"}"#, wanted),
            (r#"{"profile":{"event_id":"abababababababababababababababab"}}"#, None),
            (r#"{"event_id":7}"#, None),
            ("profile", None),
        ] {
            assert_eq!(id(payload.as_bytes()), expected, "{payload}");
        }
    }
}
