//! What people say about the application (`reference/ingest-protocol.md` §7.1).

use serde_json::{Map, Value};

use super::TEXT;
use crate::{
    Reason, Refused,
    meta::{Meta, Path},
    shape::{self, Field, Shape},
    trim::Limit,
};

const FIELDS: &[Field] = &[
    ("associated_event_id", Shape::Uuid),
    ("contact_email", Shape::Text(Limit::new(75))),
    ("message", Shape::Text(Limit::new(4096))),
    ("name", Shape::Text(Limit::new(128))),
    ("replay_id", Shape::Uuid),
    ("source", TEXT),
    ("url", Shape::Text(Limit::new(2048))),
];

/// Fields of the feedback that the user fills in when it leaves them out.
const FROM_USER: [(&str, &str); 2] = [("contact_email", "email"), ("name", "name")];

/// Brings the feedback of a feedback item into shape. Contexts and user must have been read before.
pub(crate) fn normalize(event: &mut Map<String, Value>, meta: &mut Meta) -> Result<(), Refused> {
    let at = Path::top("contexts");
    let user = event.get("user").and_then(Value::as_object).cloned().unwrap_or_default();
    let feedback = event.get_mut("contexts").and_then(|contexts| contexts.get_mut("feedback"));
    let Some(feedback) = feedback.and_then(Value::as_object_mut) else { return Err(without_message()) };
    shape::listed(feedback, FIELDS, &at.key("feedback"), meta);
    if feedback.get("message").and_then(Value::as_str).is_none_or(|message| message.trim().is_empty()) {
        return Err(without_message());
    }
    for (field, of_user) in FROM_USER {
        if let Some(value) = user.get(of_user).filter(|_| !feedback.contains_key(field)) {
            feedback.insert(field.to_owned(), value.clone());
        }
    }
    Ok(())
}

fn without_message() -> Refused {
    let message = "feedback without a text in contexts.feedback.message".to_owned();
    Refused { reason: Reason::EmptyFeedback, message, place: Some("contexts.feedback.message".to_owned()) }
}
