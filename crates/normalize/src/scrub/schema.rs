//! What the parts of an event are, and which rules may touch them (`reference/ingest-protocol.md` §13.2).

use super::patterns;

/// Which rules may touch a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pii {
    /// All of them.
    Yes,
    /// Those whose selector names the place.
    WhenNamed,
    /// Those whose selector names attached files.
    OfFiles,
    /// None: the server needs it.
    No,
}

/// The interfaces that are lists of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Exception,
    Thread,
    Breadcrumb,
}

/// Where errors, signals and the like are named.
const SYSTEM_WORDS: [&str; 4] = ["errno", "mach_exception", "ns_error", "signal"];
const SYSTEM_WORD: &[&str] = &["code", "code_name", "domain", "exception", "name", "number", "subcode"];
const TEMPLATE: &[&str] = &["abs_path", "colno", "context_line", "filename", "lineno", "post_context", "pre_context"];
const LOCK: &[&str] = &["address", "class_name", "package_name", "thread_id", "type"];
/// Of browsers, systems and runtimes.
const SOFTWARE: &[&str] = &[
    "browser",
    "build",
    "client_os",
    "distribution",
    "kernel_version",
    "name",
    "os",
    "pretty_name",
    "raw_description",
    "rooted",
    "runtime",
    "theme",
    "type",
    "version",
];

/// A part of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Event,
    /// The event of a segment of a replay.
    Replay,
    /// `{"values": […]}`
    List(Entry),
    /// The list under `values`.
    Entries(Entry),
    Entry(Entry),
    Mechanism,
    /// Errors and signals of the system, by their kind.
    SystemWords,
    /// Locks, by their addresses.
    Locks,
    Stacktrace,
    Frames,
    Frame,
    Request,
    User,
    Logentry,
    Tags,
    Contexts,
    Context,
    TraceContext,
    /// What somebody says about the application, and who it is.
    Feedback,
    Sdk,
    /// The list of a transaction's spans.
    Spans,
    Span,
    /// Other spans that one names.
    Links,
    Link,
    /// What the server says about a span.
    SpanTags,
    Log,
    Metric,
    /// Data of a span, attributes of a log line or a metric.
    Attributes,
    /// Attached files, by name.
    Attachments,
    /// The text of one.
    Attachment,
    /// What people wrote to be read, and what machines that talk answered.
    Prose,
    /// Content of the application, all the way down.
    Free,
    /// Content that is mostly not about people, all the way down.
    Named,
    /// An object whose listed keys are `Named`; what else is in it is content of the application.
    Known(&'static [&'static str]),
    /// What must stay as it is, all the way down.
    Fixed,
}

impl Node {
    /// The part under a key. A key that no interface knows holds content of the application.
    pub(super) fn child(self, key: &str) -> Self {
        match self {
            Self::Event | Self::Replay => match key {
                "exception" => Self::List(Entry::Exception),
                "threads" => Self::List(Entry::Thread),
                "breadcrumbs" => Self::List(Entry::Breadcrumb),
                "stacktrace" => Self::Stacktrace,
                "request" => Self::Request,
                "user" => Self::User,
                "logentry" => Self::Logentry,
                "contexts" => Self::Contexts,
                "sdk" => Self::Sdk,
                "spans" => Self::Spans,
                "tags" => Self::Tags,
                "template" => Self::Known(TEMPLATE),
                // Of detectors; canonical events have it as `logentry`.
                "message" => Self::Prose,
                // `urls` are of replays.
                "csp" | "expectct" | "expectstaple" | "extra" | "hpkp" | "server_name" | "urls" => Self::Free,
                "_meta" | "breakdowns" | "dist" | "environment" | "event_id" | "key_id" | "level" | "measurements"
                | "platform" | "project" | "received" | "release" | "start_timestamp" | "time_spent" | "timestamp"
                | "transaction_info" | "type" | "version" => Self::Fixed,
                _ => Self::Named,
            },
            Self::List(entry) if key == "values" => Self::Entries(entry),
            // A bare list, as detectors send it: its entries have no names.
            Self::List(entry) if key.is_empty() => Self::Entry(entry),
            Self::Entries(entry) => Self::Entry(entry),
            Self::Entry(Entry::Exception) => match key {
                "mechanism" => Self::Mechanism,
                "stacktrace" | "raw_stacktrace" => Self::Stacktrace,
                "thread_id" | "type" => Self::Fixed,
                "module" => Self::Named,
                _ => Self::Free,
            },
            Self::Entry(Entry::Thread) => match key {
                "stacktrace" | "raw_stacktrace" => Self::Stacktrace,
                "id" => Self::Fixed,
                "held_locks" => Self::Locks,
                "crashed" | "current" | "main" | "name" | "state" => Self::Named,
                _ => Self::Free,
            },
            Self::Entry(Entry::Breadcrumb) => match key {
                "timestamp" | "level" | "type" | "event_id" => Self::Fixed,
                "category" => Self::Named,
                _ => Self::Free,
            },
            Self::Mechanism => match key {
                "type" => Self::Fixed,
                "meta" => Self::SystemWords,
                "exception_id" | "handled" | "help_link" | "is_exception_group" | "parent_id" | "source"
                | "synthetic" => Self::Named,
                _ => Self::Free,
            },
            Self::SystemWords if SYSTEM_WORDS.contains(&key) => Self::Known(SYSTEM_WORD),
            Self::Locks => Self::Known(LOCK),
            Self::Stacktrace => match key {
                "frames" => Self::Frames,
                "instruction_addr_adjustment" | "lang" | "registers" | "snapshot" => Self::Named,
                _ => Self::Free,
            },
            Self::Frames => Self::Frame,
            Self::Frame => match key {
                "lock" => Self::Known(LOCK),
                "abs_path" | "addr_mode" | "colno" | "context_line" | "data" | "filename" | "function"
                | "function_id" | "image_addr" | "in_app" | "instruction_addr" | "lang" | "lineno" | "module"
                | "package" | "platform" | "post_context" | "pre_context" | "raw_function" | "stack_start"
                | "symbol" | "symbol_addr" | "trust" => Self::Named,
                _ => Self::Free,
            },
            Self::Request => match key {
                "api_target" | "body_size" | "inferred_content_type" | "method" | "protocol" | "url" => Self::Named,
                _ => Self::Free,
            },
            Self::Contexts => match key {
                // Names and versions of software; a version is easily taken for an address.
                "browser" | "client_os" | "os" | "runtime" => Self::Known(SOFTWARE),
                "trace" => Self::TraceContext,
                "feedback" => Self::Feedback,
                _ => Self::Context,
            },
            // Who signs wants to be answered.
            Self::Feedback if ["contact_email", "name"].contains(&key) => Self::Named,
            Self::Feedback if key == "message" => Self::Prose,
            Self::Feedback if key == "associated_event_id" => Self::Fixed,
            Self::Feedback => Self::Context.child(key),
            Self::Context => match key {
                "type" | "profile_id" | "profiler_id" | "replay_id" => Self::Fixed,
                _ => Self::Free,
            },
            Self::TraceContext => match key {
                "data" => Self::Attributes,
                "links" => Self::Links,
                "op" | "parent_span_id" | "sampled" | "span_id" | "status" | "trace_id" | "type" => Self::Fixed,
                "client_sample_rate" | "exclusive_time" | "origin" | "tags" => Self::Named,
                _ => Self::Free,
            },
            Self::Spans => Self::Span,
            Self::Span => match key {
                "data" => Self::Attributes,
                "links" => Self::Links,
                "sentry_tags" => Self::SpanTags,
                "tags" => Self::Named,
                "_meta"
                | "exclusive_time"
                | "fingerprint"
                | "hash"
                | "is_segment"
                | "kind"
                | "measurements"
                | "op"
                | "origin"
                | "parent_span_id"
                | "platform"
                | "profile_id"
                | "received"
                | "same_process_as_parent"
                | "segment_id"
                | "span_id"
                | "start_timestamp"
                | "status"
                | "timestamp"
                | "trace_id" => Self::Fixed,
                _ => Self::Free,
            },
            Self::Links => Self::Link,
            Self::Link => match key {
                "attributes" => Self::Attributes,
                "sampled" | "span_id" | "trace_id" => Self::Named,
                _ => Self::Free,
            },
            Self::SpanTags if key == "description" => Self::Free,
            Self::Log => match key {
                "body" => Self::Prose,
                "attributes" => Self::Attributes,
                _ => Self::Fixed,
            },
            Self::Metric if key == "attributes" => Self::Attributes,
            Self::Attributes if is_technical(key) => Self::Named,
            Self::Attributes if is_prose(key) => Self::Prose,
            Self::Logentry if key == "formatted" => Self::Prose,
            // A field of the event that is kept as a tag, and content as before.
            Self::Tags if key == "server_name" => Self::Free,
            // The parts of a list; what has a name may be a secret's.
            Self::Prose if key.is_empty() => Self::Prose,
            Self::Sdk if ["features", "integrations", "name", "packages", "settings", "version"].contains(&key) => {
                Self::Fixed
            }
            Self::Known(keys) if keys.contains(&key) => Self::Named,
            Self::List(_)
            | Self::User
            | Self::Logentry
            | Self::Prose
            | Self::Free
            | Self::Sdk
            | Self::SystemWords
            | Self::Known(_)
            | Self::Attributes => Self::Free,
            Self::Attachments => Self::Attachment,
            Self::Fixed | Self::Metric | Self::Attachment => Self::Fixed,
            Self::Tags | Self::Named | Self::SpanTags => Self::Named,
        }
    }

    /// Which rules may touch the value itself, whatever is in it.
    pub(super) fn pii(self) -> Pii {
        match self {
            Self::Free | Self::Prose | Self::User | Self::Context | Self::Feedback | Self::Attributes => Pii::Yes,
            Self::Attachment => Pii::OfFiles,
            Self::Attachments
            | Self::Event
            | Self::Replay
            | Self::Fixed
            | Self::Sdk
            | Self::Span
            | Self::Spans
            | Self::Log
            | Self::Metric => Pii::No,
            _ => Pii::WhenNamed,
        }
    }

    /// Whether a null may stand where something was removed from it: readers of interfaces expect a key to be absent.
    pub(super) fn keeps_nulls(self) -> bool {
        matches!(self, Self::Free | Self::Prose | Self::Attributes)
    }
}

/// Attributes about software rather than people, which the server reads; a version is easily taken for an address.
fn is_technical(attribute: &str) -> bool {
    const NAMES: [&str; 5] = ["browser.version", "os.version", "platform", "release", "user_agent.original"];
    let is_of_server = attribute.starts_with("sentry.")
        && !attribute.starts_with("sentry.message.")
        && !attribute.starts_with("sentry.description");
    is_of_server || NAMES.contains(&attribute) || counts_tokens(attribute)
}

/// Where attributes about machines that talk begin: the conventions of today and the older ones.
const OF_MODELS: [&str; 2] = ["gen_ai.", "ai."];

/// Attributes that count the tokens of a text, which are no secrets: `gen_ai.usage.input_tokens`, `ai.usage.promptTokens`.
fn counts_tokens(attribute: &str) -> bool {
    let is_count = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("usage.") || name.ends_with("tokens") || name.contains("tokens.")
    };
    OF_MODELS.iter().filter_map(|prefix| attribute.strip_prefix(prefix)).any(is_count)
}

/// Attributes that hold what was said to machines that talk and to their tools, and what these answered.
fn is_prose(attribute: &str) -> bool {
    /// By themselves, and with more behind a dot: the number of a message, the name of an argument.
    const NAMES: [&str; 37] = [
        "ai.completion",
        "ai.documents",
        "ai.input_messages",
        "ai.preamble",
        "ai.prompt",
        "ai.response.object",
        "ai.response.text",
        "ai.response.toolCalls",
        "ai.responses",
        "ai.search_queries",
        "ai.search_results",
        "ai.texts",
        "ai.toolCall.args",
        "ai.toolCall.result",
        "ai.tool_calls",
        "gen_ai.completion",
        "gen_ai.embeddings.input",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt",
        "gen_ai.request.available_tools",
        "gen_ai.request.messages",
        "gen_ai.response.object",
        "gen_ai.response.text",
        "gen_ai.response.tool_calls",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.definitions",
        "gen_ai.tool.description",
        "gen_ai.tool.input",
        "gen_ai.tool.message",
        "gen_ai.tool.output",
        "mcp.logging.message",
        "mcp.prompt.result",
        "mcp.request.argument",
        "mcp.tool.result",
    ];
    NAMES.iter().any(|name| match attribute.strip_prefix(name) {
        Some("") => true,
        // An argument that is called a password is one.
        Some(more) => more.starts_with('.') && !patterns::names_secret(more),
        None => false,
    })
}
