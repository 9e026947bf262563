//! What has to be known of profiles before they are counted and their records are written: the id, by which the transaction
//! that came with one names it, and the platform, by which they are counted (`reference/ingest-protocol.md` §7.10).

use nuthatch_protocol::{Envelope, EventId, Item, ItemType};

use crate::{peek::Peek, refusal::Refusal};

/// Most bytes of profiles that are looked through on the thread that serves requests: well under a millisecond.
const INLINE_BYTES: usize = 256 << 10;

/// Longest name of a platform, in bytes. Longer ones name none.
const PLATFORM_MAX_BYTES: usize = 64;

/// The envelope with the ids and platforms of its profiles in their headers, as far as their payloads say them.
pub(crate) async fn identified(mut envelope: Envelope) -> Result<Envelope, Refusal> {
    let bytes: usize = envelope.items.iter().filter(|item| is_profile(item)).map(|item| item.payload.len()).sum();
    let identify = move || {
        for item in envelope.items.iter_mut().filter(|item| is_profile(item)) {
            (item.attributes.profile_id, item.attributes.platform) = id_and_platform(&item.payload);
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

fn id_and_platform(payload: &[u8]) -> (Option<EventId>, Option<String>) {
    let peek = Peek::at(payload).unwrap_or_default();
    let id = peek.event_id.or(peek.profile_id).and_then(|raw| serde_json::from_str(raw.get()).ok());
    let platform: Option<String> = peek.platform.and_then(|raw| serde_json::from_str(raw.get()).ok());
    (id, platform.filter(|platform| platform.len() <= PLATFORM_MAX_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_known_by_either_name_of_its_id_and_counted_by_its_platform() {
        let wanted = Some(EventId([0xab; 16]));
        let long = format!(r#"{{"platform":"{}"}}"#, "x".repeat(PLATFORM_MAX_BYTES + 1));
        for (payload, id, platform) in [
            (r#"{"event_id":"abababababababababababababababab","profile":{"samples":[]}}"#, wanted, None),
            (
                r#"{"profile":{},"profile_id":"ABABABAB-abab-abab-abab-abababababab","platform":"go"}"#,
                wanted,
                Some("go"),
            ),
            (r#"{"profile":{"event_id":"abababababababababababababababab"},"platform":{}}"#, None, None),
            (r#"{"event_id":7,"platform":"cocoa"}"#, None, Some("cocoa")),
            (&long, None, None),
            ("profile", None, None),
        ] {
            assert_eq!(id_and_platform(payload.as_bytes()), (id, platform.map(str::to_owned)), "{payload}");
        }
    }
}
