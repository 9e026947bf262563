//! The frame where it broke.

use nuthatch_protocol::Event;
use serde_json::Value;

use crate::{Config, in_app, platform, stacktrace};

/// The frames that say where it broke: of the last exception, else the event's own, else the only thread's.
pub(crate) fn frames(event: &Event) -> &[Value] {
    let last = event.values("exception").last();
    let own = || stacktrace::of_stack(event.0.get("stacktrace"));
    let thread = || match event.values("threads") {
        [only] => stacktrace::frames(Some(only)),
        _ => None,
    };
    stacktrace::frames(last).or_else(own).or_else(thread).unwrap_or_default()
}

/// Of the frames that qualify, the application's nearest to the crash, else the nearest.
pub(crate) fn frame<'a>(
    frames: &'a [Value],
    event_platform: &str,
    config: &Config,
    qualifies: impl Fn(&Value) -> bool,
) -> Option<&'a Value> {
    let is_app = |frame: &&Value| in_app::decide(frame, platform::of_frame(frame, event_platform), config).0;
    let candidates = || frames.iter().rev().filter(|frame| qualifies(frame));
    candidates().find(is_app).or_else(|| candidates().next())
}
