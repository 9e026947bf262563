//! Events as rows and groups of tables (`reference/web-api.md` §4.1): what the names of fields mean for them. Pure.

use nuthatch_issues::{Issue, issue::short_id_text};
use nuthatch_protocol::Event;
use nuthatch_query::{Field, FieldValue};
use nuthatch_store::{event_groups::EventCount, events::EventSummary, projects::Project, traces::Aggregate};
use serde_json::{Value, json};

/// Most values of a field that an event has many of.
const LIST_MAX: usize = 100;

/// What the events of a group share, by the name of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shared {
    /// Their project.
    Project,
    /// Something of their issue.
    OfIssue(IssueFact),
    /// A tag.
    Tag(String),
}

/// Something of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssueFact {
    ShortId,
    Id,
    Title,
    Culprit,
    EventType,
    Platform,
}

impl Shared {
    /// What a field is for groups; `None`: events are not grouped by it.
    pub(crate) fn named(field: &str) -> Option<Self> {
        Some(match field {
            "project" | "project.id" | "project.name" | "project.slug" => Self::Project,
            "issue" => Self::OfIssue(IssueFact::ShortId),
            "issue.id" => Self::OfIssue(IssueFact::Id),
            "title" => Self::OfIssue(IssueFact::Title),
            "culprit" | "location" => Self::OfIssue(IssueFact::Culprit),
            "event.type" | "type" => Self::OfIssue(IssueFact::EventType),
            "platform" | "platform.name" => Self::OfIssue(IssueFact::Platform),
            "user" | "user.display" => Self::Tag("user".to_owned()),
            "timestamp" | "trace" | "http.method" | "error.type" => return None,
            field if field.starts_with("user.") || field.starts_with("stack.") => return None,
            field => match Field::named(field) {
                Field::Tag(key) => Self::Tag(key.to_owned()),
                Field::Value(column) => Self::Tag(column.name().to_owned()),
                Field::Texts(_) | Field::Time | Field::Id => return None,
            },
        })
    }
}

impl IssueFact {
    /// Its value of an issue.
    pub(crate) fn of(self, issue: &Issue, project: &Project) -> FieldValue {
        FieldValue::Text(match self {
            Self::Id => return FieldValue::Number(issue.id.0 as f64),
            Self::ShortId => short_id_text(&project.slug, issue.short_id),
            Self::Title => issue.title.clone(),
            Self::Culprit => issue.culprit.clone(),
            Self::EventType => issue.event_type.clone(),
            Self::Platform => issue.platform.clone(),
        })
    }
}

/// The tag whose values a `count_unique` of a field tells apart. Of the user the one text is, whichever part is named.
pub(crate) fn unique_tag(field: &str) -> Option<String> {
    match Shared::named(if field.starts_with("user.") { "user" } else { field }) {
        Some(Shared::Tag(key)) => Some(key),
        _ => None,
    }
}

/// The value of a tag in the column of a field.
pub(crate) fn of_tag(field: &str, value: &str) -> FieldValue {
    match field {
        "error.handled" => FieldValue::Boolean(value == "yes"),
        "user.display" => FieldValue::Text(value.split_once(':').map_or(value, |(_, user)| user).to_owned()),
        _ => FieldValue::Text(value.to_owned()),
    }
}

/// What was measured of a group; `unique` are the tags whose values were told apart.
pub(crate) fn measured(aggregate: &Aggregate, counted: &EventCount, unique: &[String]) -> Option<f64> {
    Some(match aggregate {
        Aggregate::Count => counted.count as f64,
        Aggregate::LastSeen if counted.count > 0 => counted.last_seen.as_secs_f64(),
        Aggregate::CountUnique(field) => {
            let tag = unique_tag(field)?;
            counted.unique.get(unique.iter().position(|key| *key == tag)?)?.len() as f64
        }
        _ => return None,
    })
}

/// Type of the values of a field that has always the same.
pub(crate) fn described(field: &str) -> Option<&'static str> {
    Some(match field {
        "timestamp" => "date",
        "issue.id" | "project.id" => "integer",
        "error.handled" => "boolean",
        "error.type" | "error.value" => "array",
        field if field.starts_with("stack.") => "array",
        "id" | "title" | "message" | "culprit" | "event.type" | "level" | "issue" | "project" | "project.name"
        | "release" | "environment" | "user" | "user.display" | "url" | "transaction" | "trace" => "string",
        _ => return None,
    })
}

/// Whether a field is told by the body of an event alone.
pub(crate) fn needs_body(field: &str) -> bool {
    matches!(field, "trace" | "http.method" | "error.type" | "error.value")
        || field.starts_with("user.")
        || field.starts_with("stack.")
}

/// An event as a row of a table.
pub(crate) struct Row<'a> {
    pub(crate) event: &'a EventSummary,
    /// Its project.
    pub(crate) project: Option<&'a Project>,
    /// Its issue.
    pub(crate) issue: Option<&'a Issue>,
    /// Its body, where a column needs it.
    pub(crate) body: Option<&'a Event>,
}

impl Row<'_> {
    /// What the row shows in the column of a field.
    pub(crate) fn cell(&self, field: &str) -> Value {
        let Self { event, project, issue, body } = self;
        let of_body = |path: &[&str]| body.and_then(|body| body.get(path)).cloned().unwrap_or_default();
        match field {
            "id" => json!(event.event_id.to_string()),
            "title" => json!(event.title),
            "message" => json!(event.message),
            "culprit" | "location" => json!(event.culprit),
            "event.type" | "type" => json!(event.event_type),
            "platform" | "platform.name" => json!(event.platform),
            "level" => json!(event.level.as_str()),
            "timestamp" | "event.timestamp" => json!(event.timestamp.to_string()),
            "project" | "project.name" | "project.slug" => json!(project.map(|project| &project.slug)),
            "project.id" => json!(event.project_id.0),
            "issue" => json!(project.zip(*issue).map(|(at, issue)| short_id_text(&at.slug, issue.short_id))),
            "issue.id" => json!(issue.map(|issue| issue.id.0)),
            "user" => json!(event.user),
            "trace" => of_body(&["contexts", "trace", "trace_id"]),
            "http.method" => of_body(&["request", "method"]),
            "user.display" => {
                let parts = ["email", "username", "id", "ip_address"];
                parts.iter().map(|part| of_body(&["user", part])).find(|part| !part.is_null()).unwrap_or_default()
            }
            "user.ip" => of_body(&["user", "ip_address"]),
            "error.type" => self.listed("type", |exception, key| vec![exception.get(key).cloned()]),
            "error.value" => self.listed("value", |exception, key| vec![exception.get(key).cloned()]),
            field => match (field.strip_prefix("user."), field.strip_prefix("stack.")) {
                (Some(part), _) => of_body(&["user", part]),
                (_, Some(part)) => self.listed(part, of_frames),
                (None, None) => match Shared::named(field) {
                    Some(Shared::Tag(key)) => {
                        let tag = event.tags.iter().find(|(name, _)| *name == key);
                        tag.map_or(Value::Null, |(_, value)| shown(of_tag(field, value)))
                    }
                    _ => Value::Null,
                },
            },
        }
    }

    /// What the exceptions have for a name, at most [`LIST_MAX`] values.
    fn listed(&self, name: &str, values: impl Fn(&Value, &str) -> Vec<Option<Value>>) -> Value {
        let exceptions = self.body.map(|body| body.values("exception")).unwrap_or_default();
        let all = exceptions.iter().flat_map(|exception| values(exception, name)).flatten();
        Value::Array(all.filter(|value| !value.is_null()).take(LIST_MAX).collect())
    }
}

/// What the frames of an exception have for a name.
fn of_frames(exception: &Value, name: &str) -> Vec<Option<Value>> {
    let frames = exception.get("stacktrace").and_then(|stack| stack.get("frames")?.as_array());
    frames.into_iter().flatten().map(|frame| frame.get(name).cloned()).collect()
}

fn shown(value: FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => json!(text),
        FieldValue::Number(number) => json!(number),
        FieldValue::Boolean(value) => json!(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_shared_by_groups_or_not() {
        let tag = |key: &str| Some(Shared::Tag(key.to_owned()));
        for (field, shared) in [
            ("project.name", Some(Shared::Project)),
            ("issue", Some(Shared::OfIssue(IssueFact::ShortId))),
            ("level", tag("level")),
            ("release", tag("release")),
            ("user.display", tag("user")),
            ("error.handled", tag("handled")),
            ("tags[level]", tag("level")),
            ("browser.name", tag("browser.name")),
            ("timestamp", None),
            ("id", None),
            ("message", None),
            ("user.email", None),
            ("stack.function", None),
        ] {
            assert_eq!(Shared::named(field), shared, "{field}");
        }
        assert_eq!(unique_tag("user.id").as_deref(), Some("user"));
        assert_eq!(unique_tag("title"), None);
    }

    #[test]
    fn what_only_the_body_tells_is_marked() {
        for field in ["trace", "error.type", "stack.filename", "user.email", "user.display"] {
            assert!(needs_body(field), "{field}");
        }
        for field in ["id", "title", "user", "release", "browser"] {
            assert!(!needs_body(field), "{field}");
        }
    }
}
