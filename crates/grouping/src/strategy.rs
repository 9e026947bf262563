//! The ways to see an event, in the order of their worth (`reference/grouping.md` §5, §7). The first one with
//! something that counts wins.

use nuthatch_protocol::Event;
use serde_json::Value;

use crate::{Component, Config, exception, parametrize::message, stacktrace};

/// One strategy's view of an event in one variant.
pub(crate) struct View {
    /// `app`, `system` or `default`.
    pub(crate) variant: &'static str,
    /// What it sees.
    pub(crate) root: Component,
}

/// All views, those that do not count included, and the exception that the title speaks of.
pub(crate) fn views(event: &Event, config: &Config) -> (Vec<View>, Option<usize>) {
    let (exceptions, main) = exception::views(event, config);
    let strategies = [
        exceptions,
        threads(event, config),
        stack_alone(event, config),
        template(event),
        security(event),
        log_message(event),
    ];
    let mut winner: Option<&'static str> = None;
    let mut all = Vec::new();
    for mut views in strategies {
        match winner {
            None => {
                settle(&mut views);
                winner = views.iter().find(|view| view.root.contributes).map(|view| view.root.id);
            }
            Some(winner) => {
                for view in &mut views {
                    view.root.ignore(format!("{winner} takes precedence"));
                }
            }
        }
        all.append(&mut views);
    }
    (all, main)
}

/// Decides between the variants of one strategy: with a stack that counts beats without; equal ones are one.
fn settle(views: &mut [View]) {
    let has_stack: Vec<bool> = views.iter().map(|view| view.root.counts("stacktrace")).collect();
    if has_stack.contains(&true) {
        for (view, has_stack) in views.iter_mut().zip(has_stack) {
            if !has_stack {
                view.root.ignore("no frame of its stack trace counts here");
            }
        }
    }
    if let [app, system] = views
        && app.root.contributes
        && system.root.contributes
        && app.root.hash() == system.root.hash()
    {
        system.root.ignore("the same as app");
    }
}

fn stack_views(frames: Option<&[Value]>, id: &'static str, event: &Event, config: &Config) -> Vec<View> {
    let Some(frames) = frames else { return Vec::new() };
    let stack = stacktrace::assemble(frames, event.text(&["platform"]).unwrap_or("other"), config);
    let wrap = |root: Component| if id == root.id { root } else { Component::parent(id, [root]) };
    vec![View { variant: "app", root: wrap(stack.app) }, View { variant: "system", root: wrap(stack.system) }]
}

fn threads(event: &Event, config: &Config) -> Vec<View> {
    let threads = event.values("threads");
    let the_one = |flag: &str| {
        let mut marked = threads.iter().filter(|thread| thread.get(flag).and_then(Value::as_bool) == Some(true));
        marked.next().filter(|_| marked.next().is_none())
    };
    let only = || if let [only] = threads { Some(only) } else { None };
    let chosen = the_one("crashed").or_else(|| the_one("current")).or_else(only);
    if chosen.is_none() && !threads.is_empty() {
        let nothing = Component::leaf("threads", None::<&str>);
        return vec![View { variant: "app", root: nothing.ignored("no single thread is crashed or current") }];
    }
    stack_views(stacktrace::frames(chosen), "threads", event, config)
}

fn stack_alone(event: &Event, config: &Config) -> Vec<View> {
    stack_views(stacktrace::of_stack(event.0.get("stacktrace")), "stacktrace", event, config)
}

fn view(root: Component) -> Vec<View> {
    vec![View { variant: "default", root }]
}

fn template(event: &Event) -> Vec<View> {
    if event.0.get("template").is_none() {
        return Vec::new();
    }
    let filename = Component::leaf("filename", event.text(&["template", "filename"]));
    let line = Component::leaf("context-line", event.text(&["template", "context_line"]).map(str::trim));
    view(Component::parent("template", [filename, line]))
}

/// Reports of browsers about broken security policies.
fn security(event: &Event) -> Vec<View> {
    if event.0.get("csp").is_some() {
        let text = |key| event.text(&["csp", key]).unwrap_or_default();
        let directive = text("effective_directive");
        let (blocked, violated) = (text("blocked_uri"), text("violated_directive"));
        let is_local = is_local(blocked);
        let kind = ["'unsafe-inline'", "'unsafe-eval'"].into_iter().find(|kind| violated.contains(kind));
        let origin = match kind.filter(|_| is_local && directive == "script-src") {
            Some(kind) => Component::leaf("violation", Some(kind)),
            None => Component::leaf("uri", Some(blocked_origin(blocked))),
        };
        return view(Component::parent("csp", [Component::leaf("salt", Some(directive)), origin]));
    }
    for kind in ["hpkp", "expectct", "expectstaple"] {
        if let Some(report) = event.0.get(kind) {
            let host = Component::leaf("hostname", report.get("hostname").and_then(Value::as_str));
            return view(Component::parent(kind, [Component::leaf("salt", Some(kind)), host]));
        }
    }
    Vec::new()
}

/// Whether what was blocked is the page's own.
fn is_local(uri: &str) -> bool {
    matches!(uri, "" | "self" | "'self'")
}

/// Where what a report says was blocked comes from, without what differs from case to case.
pub(crate) fn blocked_origin(uri: &str) -> String {
    if is_local(uri) {
        return "'self'".to_owned();
    }
    match uri.split_once("://") {
        // What newer browsers call code in the page.
        None if matches!(uri, "inline" | "eval" | "wasm-eval") => uri.to_owned(),
        None => format!("{}:", uri.split(':').next().unwrap_or(uri)),
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            if matches!(scheme, "http" | "https") { host.to_owned() } else { format!("{scheme}://{host}") }
        }
    }
}

fn log_message(event: &Event) -> Vec<View> {
    let template = event.text(&["logentry", "message"]);
    let Some(text) = template.or_else(|| event.text(&["logentry", "formatted"])) else { return Vec::new() };
    let counted = message(text);
    let changed = counted != text;
    let leaf = Component::leaf("message", Some(counted).filter(|text| !text.trim().is_empty()));
    view(match (template, changed) {
        (Some(_), _) => leaf.hint("the template; its parameters do not matter"),
        (None, true) => leaf.hint("what varies was taken out"),
        (None, false) => leaf,
    })
}
