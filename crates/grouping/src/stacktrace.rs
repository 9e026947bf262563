//! Stack traces in the two variants (`reference/grouping.md` §5, §8).

use serde_json::Value;

use crate::{Component, Config, frame::Frame, in_app};

/// A stack trace, seen twice.
pub(crate) struct Stack {
    /// Only frames of the application count.
    pub(crate) app: Component,
    /// All frames count.
    pub(crate) system: Component,
}

/// The frames of an exception or a thread, if it has some.
pub(crate) fn frames(owner: Option<&Value>) -> Option<&[Value]> {
    of_stack(owner?.get("stacktrace"))
}

/// The frames of a stack trace, if it has some.
pub(crate) fn of_stack(stack: Option<&Value>) -> Option<&[Value]> {
    let frames = stack?.get("frames")?.as_array()?;
    (!frames.is_empty()).then_some(frames.as_slice())
}

/// Assembles both variants of a stack.
pub(crate) fn assemble(frames: &[Value], event_platform: &str, config: &Config) -> Stack {
    let alone = frames.len() == 1;
    let mut app = Vec::with_capacity(frames.len());
    let mut system = Vec::with_capacity(frames.len());
    let mut previous: Option<Frame<'_>> = None;
    for value in frames.iter().filter(|value| value.is_object()) {
        let frame = Frame::new(value, event_platform);
        let mut component = frame.component();
        if previous.as_ref().is_some_and(|previous| frame.repeats(previous)) {
            component.ignore("the same call again");
        } else if alone && frame.is_anonymous_script() {
            component.ignore("a lone frame without a function");
        }
        let (is_app, reason) = in_app::decide(value, frame.platform, config);
        system.push(component.clone());
        app.push(if is_app { component } else { component.ignored(reason) });
        previous = Some(frame);
    }
    Stack { app: stack(app, "no frame of the application counts"), system: stack(system, "no frame counts") }
}

fn stack(frames: Vec<Component>, nothing: &'static str) -> Component {
    let mut stack = Component::parent("stacktrace", frames);
    if !stack.contributes {
        stack.ignore(nothing);
    }
    stack
}
