//! The types that a selector finds values by (`reference/ingest-protocol.md` §13.5).

use super::schema::{Entry, Node};

/// What a selector may ask a value to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    String,
    Number,
    Boolean,
    Array,
    Object,
    Event,
    Replay,
    Exception,
    Stacktrace,
    Frame,
    Request,
    User,
    Logentry,
    Thread,
    Breadcrumb,
    Sdk,
    Span,
    Log,
    TraceMetric,
    /// Has no name: the simple settings alone ask for it.
    Prose,
    Attachments,
    Binary,
    /// What is scrubbed in no tree: dumps, memory, …
    Elsewhere,
}

impl Type {
    /// The type of a name, without its `$`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "array" => Self::Array,
            "object" => Self::Object,
            "event" => Self::Event,
            "error" | "exception" => Self::Exception,
            "stack" | "stacktrace" => Self::Stacktrace,
            "frame" => Self::Frame,
            "http" | "request" => Self::Request,
            "user" => Self::User,
            "logentry" | "message" => Self::Logentry,
            "thread" => Self::Thread,
            "breadcrumb" => Self::Breadcrumb,
            "sdk" => Self::Sdk,
            "span" => Self::Span,
            "log" => Self::Log,
            "trace_metric" => Self::TraceMetric,
            "attachments" => Self::Attachments,
            "binary" => Self::Binary,
            "replay" => Self::Replay,
            "datetime" | "heap_memory" | "minidump" | "stack_memory" => Self::Elsewhere,
            _ => return None,
        })
    }

    /// Whether a part of the event has this type; types of JSON values are none of its business.
    pub(super) fn is_of(self, node: Node) -> bool {
        match self {
            Self::Event => node == Node::Event,
            Self::Replay => node == Node::Replay,
            Self::Exception => node == Node::Entry(Entry::Exception),
            Self::Stacktrace => node == Node::Stacktrace,
            Self::Frame => node == Node::Frame,
            Self::Request => node == Node::Request,
            Self::User => node == Node::User,
            Self::Logentry => node == Node::Logentry,
            Self::Thread => node == Node::Entry(Entry::Thread),
            Self::Breadcrumb => node == Node::Entry(Entry::Breadcrumb),
            Self::Sdk => node == Node::Sdk,
            Self::Span => node == Node::Span,
            Self::Log => node == Node::Log,
            Self::TraceMetric => node == Node::Metric,
            Self::Prose => node == Node::Prose,
            Self::Attachments => node == Node::Attachments,
            Self::Binary => node == Node::Attachment,
            _ => false,
        }
    }

    /// Whether it is a part of the event rather than a type of JSON values: such a type names a place.
    pub(super) fn names_a_part(self) -> bool {
        !matches!(
            self,
            Self::String
                | Self::Number
                | Self::Boolean
                | Self::Array
                | Self::Object
                | Self::Attachments
                | Self::Binary
                | Self::Elsewhere
                | Self::Event
                | Self::Replay
        )
    }
}
