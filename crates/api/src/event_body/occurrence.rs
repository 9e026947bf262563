//! What a detector reported with the event, from the occurrence that is stored in it.

use serde_json::{Map, Value};

use super::frame::{flag, text};
use crate::shape::event::{EventEvidence, EventOccurrence};

/// The occurrence of an event; `None` when it is none's, as with errors.
pub(super) fn occurrence(value: &Value) -> Option<EventOccurrence> {
    let members = value.as_object()?;
    let number = |key: &str| members.get(key).and_then(Value::as_u64);
    let list = |key: &str| members.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Some(EventOccurrence {
        id: text(value, "id")?,
        project_id: number("project_id").unwrap_or_default(),
        event_id: text(value, "event_id").unwrap_or_default(),
        fingerprint: list("fingerprint").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        issue_title: text(value, "issue_title").unwrap_or_default(),
        subtitle: text(value, "subtitle").unwrap_or_default(),
        resource_id: text(value, "resource_id"),
        evidence_data: members.get("evidence_data").and_then(Value::as_object).map(camel_case).unwrap_or_default(),
        evidence_display: list("evidence_display").iter().filter_map(evidence).collect(),
        issue_type: number("type").unwrap_or_default(),
        detection_time: members.get("detection_time").and_then(seconds),
        level: text(value, "level").unwrap_or_default(),
        culprit: text(value, "culprit").unwrap_or_default(),
        priority: number("priority"),
        assignee: text(value, "assignee"),
    })
}

fn evidence(entry: &Value) -> Option<EventEvidence> {
    Some(EventEvidence {
        name: text(entry, "name")?,
        value: text(entry, "value").unwrap_or_default(),
        important: flag(entry, "important").unwrap_or_default(),
    })
}

fn seconds(time: &Value) -> Option<f64> {
    let parse =
        |text: &str| text.parse::<nuthatch_protocol::Timestamp>().ok().map(nuthatch_protocol::Timestamp::as_secs_f64);
    time.as_f64().or_else(|| time.as_str().and_then(parse))
}

/// The same members under names as clients expect them (`parent_span` is `parentSpan`); what is inside stays as it is.
fn camel_case(members: &Map<String, Value>) -> Map<String, Value> {
    members.iter().map(|(key, value)| (camel_case_name(key), value.clone())).collect()
}

fn camel_case_name(name: &str) -> String {
    let begin = name.len() - name.trim_start_matches('_').len();
    let (lead, rest) = name.split_at(begin);
    let mut out = lead.to_owned();
    let mut raise = false;
    for letter in rest.chars() {
        let fits = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        match (letter, raise) {
            ('_', _) => {
                if raise {
                    out.push('_');
                }
                raise = true;
            }
            (letter, true) if fits => {
                out.push(letter.to_ascii_uppercase());
                raise = false;
            }
            (letter, raised) => {
                if raised {
                    out.push('_');
                }
                out.push(letter);
                raise = false;
            }
        }
    }
    if raise {
        out.push('_');
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_become_those_of_clients() {
        for (given, shown) in [
            ("parent_span_ids", "parentSpanIds"),
            ("op", "op"),
            ("_private", "_private"),
            ("a_B", "a_B"),
            ("end_", "end_"),
            ("", ""),
        ] {
            assert_eq!(camel_case_name(given), shown, "{given}");
        }
    }

    #[test]
    fn an_occurrence_is_read_whatever_its_shape() {
        let whole = json!({
            "id": "a", "project_id": 7, "event_id": "b", "fingerprint": ["c"], "issue_title": "T", "subtitle": "S",
            "resource_id": "r", "evidence_data": {"parent_span": {"span_id": 1}}, "type": 1006, "culprit": "here",
            "evidence_display": [{"name": "n", "value": "v", "important": true}], "detection_time": 1.5,
            "level": "info", "priority": 25, "assignee": null,
        });
        let read = serde_json::to_value(occurrence(&whole)).unwrap();
        assert_eq!(read["evidenceData"], json!({"parentSpan": {"span_id": 1}}));
        assert_eq!((&read["type"], &read["detectionTime"], &read["priority"]), (&json!(1006), &json!(1.5), &json!(25)));
        assert_eq!(read["evidenceDisplay"], whole["evidence_display"]);
        for odd in [json!(null), json!([1]), json!({}), json!({"id": {}})] {
            assert!(occurrence(&odd).is_none(), "{odd}");
        }
        let odd = json!({"id": "a", "evidence_data": [1], "evidence_display": [1, {"name": 2}], "fingerprint": "x"});
        assert!(occurrence(&odd).is_some());
    }
}
