//! What intake would do with an envelope, item by item, and why. Touches nothing.

use axum::http::StatusCode;
use bytes::Bytes;
use nuthatch_protocol::{Dsn, Envelope, EventId, ItemType, Timestamp};
use serde::Serialize;

use crate::{
    IntakeConfig, limits,
    plan::{self, IdSource, Plan, Verdict},
    refusal::Refusal,
};

/// What intake would do with an envelope that comes with a valid key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Length of the envelope, in bytes.
    pub bytes: usize,
    /// The HTTP status it is answered with.
    pub status: u16,
    /// Why it is refused, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The id of its event, if it is known before the server invents one.
    pub event_id: Option<EventId>,
    /// Where the id comes from: `header`, `payload`, `random` or `none`.
    pub event_id_source: &'static str,
    /// When the client says it sent it.
    pub sent_at: Option<Timestamp>,
    /// The DSN in its header.
    pub dsn: Option<Dsn>,
    /// Its items, in order; none when it is malformed.
    pub items: Vec<ItemExplanation>,
}

/// Why an envelope is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// As in the answer.
    pub detail: String,
    /// As in the answer: what and where.
    pub causes: Vec<String>,
}

/// What becomes of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemExplanation {
    /// Its type.
    #[serde(rename = "type")]
    pub item_type: ItemType,
    /// Where its header starts in the envelope, in bytes.
    pub offset: usize,
    /// Length of its payload, in bytes.
    pub bytes: usize,
    /// `appended`, `counted`, `skipped` or, when the envelope is refused, `refused`.
    pub outcome: &'static str,
    /// The topic it is appended to, or why it is not.
    pub reason: String,
}

/// Explains an envelope (uncompressed), by the same rules that requests go by.
pub fn explain(envelope: &Bytes, config: &IntakeConfig) -> Explanation {
    let parsed = if envelope.is_empty() {
        Err(Refusal::Empty)
    } else if envelope.len() > config.envelope_max_bytes {
        Err(Refusal::BodyTooLarge { bytes_max: config.envelope_max_bytes })
    } else {
        Envelope::parse(envelope).map_err(Refusal::from)
    };
    let (parsed, refusal) = match parsed {
        Ok(parsed) => {
            let refusal = limits::check(&parsed, config).err();
            (parsed, refusal)
        }
        Err(refusal) => (Envelope::default(), Some(refusal)),
    };
    let (event_id_source, event_id) = match plan::event_id(&parsed) {
        IdSource::Header(id) => ("header", Some(id)),
        IdSource::Payload(id) => ("payload", Some(id)),
        IdSource::Random => ("random", None),
        IdSource::None => ("none", None),
    };
    let plan = Plan::of(&parsed.items);
    let items = parsed.items.iter().map(|item| {
        let (outcome, reason) = match (&refusal, plan.verdict(item)) {
            (Some(_), _) => ("refused", "the whole envelope is refused".to_owned()),
            (None, Verdict::Append(topic)) => ("appended", format!("topic {topic}")),
            (None, Verdict::Report) => ("counted", "what it says was not sent".to_owned()),
            (None, Verdict::Skip(skip)) => ("skipped", skip.to_string()),
        };
        let (item_type, offset, bytes) = (item.item_type.clone(), item.offset, item.payload.len());
        ItemExplanation { item_type, offset, bytes, outcome, reason }
    });
    Explanation {
        bytes: envelope.len(),
        status: refusal.as_ref().map_or(StatusCode::OK, Refusal::status).as_u16(),
        event_id,
        event_id_source,
        sent_at: parsed.header.sent_at,
        items: items.collect(),
        dsn: parsed.header.dsn,
        refused: refusal.map(|refusal| Refused { detail: refusal.to_string(), causes: refusal.causes() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(text: &str) -> Explanation {
        explain(&Bytes::copy_from_slice(text.as_bytes()), &IntakeConfig { event_max_bytes: 50, ..Default::default() })
    }

    fn outcomes(explanation: &Explanation) -> Vec<(&str, &str)> {
        explanation.items.iter().map(|item| (item.item_type.as_str(), item.outcome)).collect()
    }

    #[test]
    fn each_item_has_an_outcome() {
        let id = "0123456789abcdef0123456789abcdef";
        let text = format!(
            "{{}}\n{{\"type\":\"session\"}}\n{{}}\n{{\"type\":\"event\"}}\n{{\"event_id\":\"{id}\"}}\n{{\"type\":\"x\"}}"
        );
        let explanation = explained(&text);
        assert_eq!(outcomes(&explanation), [("session", "appended"), ("event", "appended"), ("x", "skipped")]);
        assert_eq!((explanation.status, explanation.event_id_source), (200, "payload"));
        assert_eq!(explanation.items[1].offset, 25);
    }

    #[test]
    fn a_refusal_says_where() {
        let long = format!("{{}}\n{{\"type\":\"event\"}}\n{}", "x".repeat(51));
        let explanation = explained(&long);
        assert_eq!((explanation.status, outcomes(&explanation)), (413, vec![("event", "refused")]));
        let explanation = explained("{}\n{\"type\":\"event\",\"length\":9}\nxyz");
        assert_eq!(explanation.status, 400);
        let causes = explanation.refused.expect("refused").causes;
        assert_eq!(causes, ["unexpected end: payload of 9 bytes expected, 3 left at byte 31"]);
    }
}
