//! Stack traces and their frames.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A stack trace, oldest call first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stacktrace {
    pub(crate) frames: Vec<Frame>,
    /// First and last left out, when some were.
    pub(crate) frames_omitted: Option<Vec<u64>>,
    #[schema(value_type = Option<Object>)]
    pub(crate) registers: Option<Value>,
    /// Whether a frame is not the application's own.
    pub(crate) has_system_frames: bool,
}

/// A frame of a stack trace.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Frame {
    pub(crate) filename: Option<String>,
    pub(crate) abs_path: Option<String>,
    pub(crate) module: Option<String>,
    pub(crate) package: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) function: Option<String>,
    pub(crate) raw_function: Option<String>,
    pub(crate) symbol: Option<String>,
    pub(crate) symbol_addr: Option<String>,
    pub(crate) instruction_addr: Option<String>,
    pub(crate) line_no: Option<i64>,
    pub(crate) col_no: Option<i64>,
    /// Source lines around the failing one, each with its number.
    pub(crate) context: Vec<(i64, String)>,
    pub(crate) in_app: bool,
    /// Local variables.
    #[schema(value_type = Option<Object>)]
    pub(crate) vars: Option<Value>,
    pub(crate) trust: Option<String>,
    pub(crate) errors: Option<Value>,
    pub(crate) lock: Option<Value>,
    pub(crate) source_link: Option<String>,
    pub(crate) min_grouping_level: Option<i64>,
    pub(crate) symbolicator_status: Option<String>,
    pub(crate) addr_mode: Option<String>,
}

/// Names of frame members that differ between the canonical event and the API.
pub(crate) const RENAMED: [(&str, &str); 14] = [
    ("abs_path", "absPath"),
    ("raw_function", "rawFunction"),
    ("symbol_addr", "symbolAddr"),
    ("instruction_addr", "instructionAddr"),
    ("lineno", "lineNo"),
    ("colno", "colNo"),
    ("in_app", "inApp"),
    ("addr_mode", "addrMode"),
    ("source_link", "sourceLink"),
    ("thread_id", "threadId"),
    ("raw_stacktrace", "rawStacktrace"),
    ("held_locks", "heldLocks"),
    ("frames_omitted", "framesOmitted"),
    ("query_string", "query"),
];

impl Stacktrace {
    /// `None` when it is not a stack trace.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let frames: Vec<Frame> = value.get("frames")?.as_array()?.iter().map(Frame::read).collect();
        let omitted = value.get("frames_omitted").and_then(Value::as_array);
        Some(Self {
            has_system_frames: frames.iter().any(|frame| !frame.in_app),
            frames,
            frames_omitted: omitted.map(|range| range.iter().filter_map(Value::as_u64).collect()),
            registers: value.get("registers").filter(|r| !r.as_object().is_some_and(Map::is_empty)).cloned(),
        })
    }
}

impl Frame {
    fn read(frame: &Value) -> Self {
        let line_no = integer(frame, "lineno");
        Self {
            filename: text(frame, "filename"),
            abs_path: text(frame, "abs_path"),
            module: text(frame, "module"),
            package: text(frame, "package"),
            platform: text(frame, "platform"),
            function: text(frame, "function"),
            raw_function: text(frame, "raw_function"),
            symbol: text(frame, "symbol"),
            symbol_addr: text(frame, "symbol_addr"),
            instruction_addr: text(frame, "instruction_addr"),
            line_no,
            col_no: integer(frame, "colno"),
            context: source_lines(frame, line_no),
            in_app: flag(frame, "in_app").unwrap_or(false),
            vars: frame.get("vars").filter(|vars| !vars.is_null()).cloned(),
            trust: text(frame, "trust"),
            errors: frame.get("errors").cloned(),
            lock: frame.get("lock").cloned(),
            source_link: text(frame, "source_link"),
            min_grouping_level: frame.get("data").and_then(|data| integer(data, "min_grouping_level")),
            symbolicator_status: frame.get("data").and_then(|data| text(data, "symbolicator_status")),
            addr_mode: text(frame, "addr_mode"),
        }
    }
}

/// The lines in front of, at and behind the failing one, numbered around it. Without a number for the failing line, or
/// without its text, there is nothing to show.
fn source_lines(frame: &Value, line_no: Option<i64>) -> Vec<(i64, String)> {
    let (Some(line_no), Some(line)) = (line_no, text(frame, "context_line")) else { return Vec::new() };
    let list = |key: &str| -> Vec<String> {
        let lines = frame.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        lines.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    };
    let before = list("pre_context");
    let first = line_no.saturating_sub(before.len() as i64);
    let lines = before.into_iter().chain([line]).chain(list("post_context"));
    lines.enumerate().map(|(n, line)| (first.saturating_add(n as i64), line)).filter(|(n, _)| *n > 0).collect()
}

/// A member that is text; a number or truth value is shown as text too.
pub(crate) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A member that is a whole number.
pub(crate) fn integer(value: &Value, key: &str) -> Option<i64> {
    value.get(key)?.as_i64()
}

/// A member that is a truth value.
pub(crate) fn flag(value: &Value, key: &str) -> Option<bool> {
    value.get(key)?.as_bool()
}
