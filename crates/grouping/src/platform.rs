//! Platforms and their families (`reference/grouping.md` §1).

use serde_json::Value;

/// Platforms that share rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Compiled code: Objective-C, Swift, C, C++, Rust.
    Native,
    /// Browsers and Node.js.
    JavaScript,
    /// Everything else.
    Other,
}

impl Family {
    /// The family of a platform.
    pub fn of(platform: &str) -> Self {
        match platform {
            "objc" | "cocoa" | "swift" | "native" | "c" | "cpp" | "rust" => Self::Native,
            "javascript" | "node" => Self::JavaScript,
            _ => Self::Other,
        }
    }
}

/// The platform of a frame: its own, else the event's.
pub(crate) fn of_frame<'a>(frame: &'a Value, event: &'a str) -> &'a str {
    frame.get("platform").and_then(Value::as_str).unwrap_or(event)
}
