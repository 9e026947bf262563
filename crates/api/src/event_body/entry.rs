//! The parts of an event body that have a shape of their own: `entries` (`reference/web-api.md` §3.9).

#![expect(clippy::struct_field_names, reason = "the names are those on the wire")]

use nuthatch_protocol::{Event, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    frame::{Stacktrace, flag, integer, text},
    request::RequestData,
};

/// A part of an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
pub(crate) enum Entry {
    Exception(Exceptions),
    Threads(Threads),
    Stacktrace(Stacktrace),
    Message(Message),
    /// What a browser blocked by a policy, in snake case.
    #[schema(value_type = Object)]
    Csp(Value),
    /// A certificate without the transparency that its host asks for, as sent.
    #[schema(value_type = Object)]
    Expectct(Value),
    /// A certificate without the stapled answer that its host asks for, as sent.
    #[schema(value_type = Object)]
    Expectstaple(Value),
    /// A certificate chain without the keys that its host pins, as sent.
    #[schema(value_type = Object)]
    Hpkp(Value),
    Request(RequestData),
    Breadcrumbs(Breadcrumbs),
    /// The template of a page that failed, as sent.
    #[schema(value_type = Object)]
    Template(Value),
    Debugmeta(DebugImages),
    /// The spans of a transaction, as sent.
    #[schema(value_type = Vec<Object>)]
    Spans(Vec<Value>),
}

/// Exceptions in the order they were sent: the root cause first, the raised one last.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exceptions {
    pub(crate) values: Vec<Exception>,
    pub(crate) has_system_frames: bool,
    /// First and last left out, when some were.
    pub(crate) exc_omitted: Option<Vec<u64>>,
}

/// An exception.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exception {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) module: Option<String>,
    pub(crate) thread_id: Option<Value>,
    pub(crate) mechanism: Option<Mechanism>,
    pub(crate) stacktrace: Option<Stacktrace>,
    pub(crate) raw_stacktrace: Option<Stacktrace>,
}

/// How an exception was caught.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mechanism {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) handled: Option<bool>,
    pub(crate) description: Option<String>,
    pub(crate) help_link: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub(crate) data: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub(crate) meta: Option<Value>,
    pub(crate) exception_id: Option<i64>,
    pub(crate) parent_id: Option<i64>,
    pub(crate) is_exception_group: Option<bool>,
    pub(crate) source: Option<String>,
    pub(crate) synthetic: Option<bool>,
}

/// Threads of the process.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Threads {
    pub(crate) values: Vec<Thread>,
}

/// A thread.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Thread {
    pub(crate) id: Option<Value>,
    pub(crate) name: Option<String>,
    pub(crate) crashed: Option<bool>,
    pub(crate) current: Option<bool>,
    pub(crate) main: Option<bool>,
    pub(crate) state: Option<String>,
    pub(crate) stacktrace: Option<Stacktrace>,
    pub(crate) raw_stacktrace: Option<Stacktrace>,
    #[schema(value_type = Option<Object>)]
    pub(crate) held_locks: Option<Value>,
}

/// A log message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    pub(crate) formatted: Option<String>,
    /// With placeholders.
    pub(crate) message: Option<String>,
    /// What stands for the placeholders: a list or an object.
    pub(crate) params: Option<Value>,
}

/// What happened before, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Breadcrumbs {
    pub(crate) values: Vec<Breadcrumb>,
}

/// Something that happened before.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Breadcrumb {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) level: String,
    pub(crate) category: Option<String>,
    pub(crate) message: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub(crate) data: Option<Value>,
    pub(crate) timestamp: Option<String>,
    pub(crate) event_id: Option<String>,
}

/// Libraries and source maps that belong to the stack frames.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DebugImages {
    #[schema(value_type = Vec<Object>)]
    pub(crate) images: Vec<Value>,
}

/// The name under which the canonical event keeps an entry, in the order the API shows them.
pub(crate) const ENTRY_KEYS: [&str; 13] = [
    "exception",
    "threads",
    "stacktrace",
    "logentry",
    "csp",
    "expectct",
    "expectstaple",
    "hpkp",
    "request",
    "breadcrumbs",
    "template",
    "debug_meta",
    "spans",
];

impl Entry {
    /// An entry from what the canonical event keeps under one of [`ENTRY_KEYS`].
    pub(crate) fn read(event: &Event, key: &str) -> Option<Self> {
        let value = event.0.get(key)?;
        Some(match key {
            "exception" => Self::Exception(Exceptions::read(event, value)),
            "threads" => Self::Threads(Threads { values: event.values("threads").iter().map(Thread::read).collect() }),
            "stacktrace" => Self::Stacktrace(Stacktrace::read(value)?),
            "logentry" => Self::Message(Message {
                formatted: text(value, "formatted"),
                message: text(value, "message"),
                params: value.get("params").cloned(),
            }),
            "csp" => Self::Csp(value.clone()),
            "expectct" => Self::Expectct(value.clone()),
            "expectstaple" => Self::Expectstaple(value.clone()),
            "hpkp" => Self::Hpkp(value.clone()),
            "request" => Self::Request(RequestData::read(value)),
            "breadcrumbs" => Self::Breadcrumbs(Breadcrumbs {
                values: event.values("breadcrumbs").iter().map(Breadcrumb::read).collect(),
            }),
            "template" => Self::Template(value.clone()),
            "spans" => Self::Spans(value.as_array().cloned().unwrap_or_default()),
            "debug_meta" => Self::Debugmeta(DebugImages {
                images: value.get("images").and_then(Value::as_array).cloned().unwrap_or_default(),
            }),
            _ => return None,
        })
    }
}

impl Exceptions {
    fn read(event: &Event, value: &Value) -> Self {
        let values: Vec<Exception> = event.values("exception").iter().map(Exception::read).collect();
        let system = |e: &Exception| e.stacktrace.as_ref().is_some_and(|s| s.has_system_frames);
        let omitted = value.get("exc_omitted").or_else(|| value.get("excOmitted")).and_then(Value::as_array);
        Self {
            has_system_frames: values.iter().any(system),
            values,
            exc_omitted: omitted.map(|range| range.iter().filter_map(Value::as_u64).collect()),
        }
    }
}

impl Exception {
    fn read(value: &Value) -> Self {
        Self {
            kind: text(value, "type"),
            value: text(value, "value"),
            module: text(value, "module"),
            thread_id: value.get("thread_id").cloned(),
            mechanism: value.get("mechanism").filter(|m| m.is_object()).map(Mechanism::read),
            stacktrace: value.get("stacktrace").and_then(Stacktrace::read),
            raw_stacktrace: value.get("raw_stacktrace").and_then(Stacktrace::read),
        }
    }
}

impl Mechanism {
    fn read(value: &Value) -> Self {
        Self {
            kind: text(value, "type"),
            handled: flag(value, "handled"),
            description: text(value, "description"),
            help_link: text(value, "help_link"),
            data: value.get("data").cloned(),
            meta: value.get("meta").cloned(),
            exception_id: integer(value, "exception_id"),
            parent_id: integer(value, "parent_id"),
            is_exception_group: flag(value, "is_exception_group"),
            source: text(value, "source"),
            synthetic: flag(value, "synthetic"),
        }
    }
}

impl Thread {
    fn read(value: &Value) -> Self {
        Self {
            id: value.get("id").cloned(),
            name: text(value, "name"),
            crashed: flag(value, "crashed"),
            current: flag(value, "current"),
            main: flag(value, "main"),
            state: text(value, "state"),
            stacktrace: value.get("stacktrace").and_then(Stacktrace::read),
            raw_stacktrace: value.get("raw_stacktrace").and_then(Stacktrace::read),
            held_locks: value.get("held_locks").cloned(),
        }
    }
}

impl Breadcrumb {
    fn read(value: &Value) -> Self {
        let seconds = value.get("timestamp").and_then(Value::as_f64);
        Self {
            kind: text(value, "type").unwrap_or_else(|| "default".to_owned()),
            level: text(value, "level").unwrap_or_else(|| "info".to_owned()),
            category: text(value, "category"),
            message: text(value, "message"),
            data: value.get("data").filter(|data| !data.as_object().is_some_and(Map::is_empty)).cloned(),
            timestamp: seconds
                .and_then(Timestamp::from_secs_f64)
                .map(|time| time.to_string())
                .or_else(|| text(value, "timestamp")),
            event_id: text(value, "event_id"),
        }
    }
}
