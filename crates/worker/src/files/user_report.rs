//! What users say about events, as SDKs and the form of crashed pages send it (`reference/ingest-protocol.md` §7.3).

use nuthatch_protocol::{Event, IngestRecord};
use nuthatch_store::files::UserReport;
use serde::Deserialize;
use serde_json::json;

use super::{broken, object};
use crate::{ProjectRules, items::Broken};

/// Longest text of a report, in characters.
const COMMENTS_MAX_CHARS: usize = 4096;

/// Longest name and address, in characters; longer ones are cut.
const NAME_MAX_CHARS: usize = 255;

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    comments: Option<String>,
}

/// Reads a report. How old its event is does not matter: what a user says late is said all the same.
pub(super) fn read(record: &IngestRecord, payload: &[u8], rules: &ProjectRules) -> Result<UserReport, Broken> {
    let payload: Payload = object(payload, "invalid_json")?;
    let comments = payload.comments.unwrap_or_default();
    if comments.chars().count() > COMMENTS_MAX_CHARS {
        let message = format!("the comments have more than {COMMENTS_MAX_CHARS} characters");
        return Err(Broken { place: Some("comments".to_owned()), ..broken("too_large:user_report", message) });
    }
    let cut = |text: Option<String>| text.unwrap_or_default().chars().take(NAME_MAX_CHARS).collect::<String>();
    // The rules know events, so the texts are put where an event has such texts.
    let members = json!({
        "logentry": {"formatted": comments},
        "user": {"name": cut(payload.name), "email": cut(payload.email)},
    });
    let mut event = Event(members.as_object().cloned().unwrap_or_default());
    rules.scrub(&mut event);
    let text = |path: [&str; 2]| event.text(&path).unwrap_or_default().to_owned();
    Ok(UserReport {
        project_id: record.header.project_id,
        event_id: record.header.event_id,
        name: text(["user", "name"]),
        email: text(["user", "email"]),
        comments: text(["logentry", "formatted"]),
        received: record.header.received,
    })
}
