//! Exceptions, chains and groups of them (`reference/grouping.md` §6).

use std::collections::HashMap;

use nuthatch_protocol::Event;
use serde_json::Value;

use crate::{
    Component, Config, Family,
    parametrize::message,
    stacktrace::{self, Stack},
    strategy::View,
};

/// Exceptions of one event that are looked at for groups; longer lists are chains.
const MAX_GROUP: usize = 200;

/// One exception in both variants. Without a stack it is in `app` only.
struct Member {
    app: Component,
    system: Option<Component>,
}

/// The views of the exceptions, and which exception the title speaks of if that is not the last one.
pub(crate) fn views(event: &Event, config: &Config) -> (Vec<View>, Option<usize>) {
    let exceptions = event.values("exception");
    let platform = event.text(&["platform"]).unwrap_or("other");
    let mut members: Vec<Option<Member>> =
        exceptions.iter().map(|exception| Some(member(exception, platform, config))).collect();
    let (chosen, main) = match group(event, exceptions, &members) {
        Some(Choice { order, main }) => (order, main),
        None => ((0..exceptions.len()).collect(), None),
    };
    let mut chosen: Vec<Member> = chosen.into_iter().filter_map(|index| members[index].take()).collect();
    let views = match chosen.len() {
        0 => Vec::new(),
        1 => chosen.pop().map(|only| pair(only.app, only.system)).unwrap_or_default(),
        _ => {
            let (app, system): (Vec<_>, Vec<_>) = chosen.into_iter().map(|member| (member.app, member.system)).unzip();
            let system: Vec<Component> = system.into_iter().flatten().collect();
            let system = (!system.is_empty()).then(|| Component::parent("chained-exception", system));
            pair(Component::parent("chained-exception", app), system)
        }
    };
    (views, main)
}

fn pair(app: Component, system: Option<Component>) -> Vec<View> {
    let mut views = vec![View { variant: "app", root: app }];
    views.extend(system.map(|root| View { variant: "system", root }));
    views
}

fn member(exception: &Value, platform: &str, config: &Config) -> Member {
    let kind = kind(exception, platform);
    let ns_error = ns_error(exception);
    let value = exception.get("value").and_then(Value::as_str).filter(|value| !value.trim().is_empty());
    let assemble = |stack: Option<Component>| {
        let superseded = if stack.as_ref().is_some_and(|stack| stack.contributes) {
            Some("the stack trace says it better")
        } else if ns_error.as_ref().is_some_and(|error| error.contributes) {
            Some("domain and code of the error say it better")
        } else {
            None
        };
        let value = match (value, superseded) {
            (Some(value), Some(reason)) => Component::leaf("value", Some(value)).ignored(reason),
            (Some(value), None) => {
                let counted = message(value);
                let changed = counted != value;
                let leaf = Component::leaf("value", Some(counted));
                if changed { leaf.hint("what varies was taken out") } else { leaf }
            }
            (None, _) => Component::leaf("value", None::<&str>),
        };
        let parts = [Some(kind.clone()), Some(value), ns_error.clone(), stack];
        Component::parent("exception", parts.into_iter().flatten())
    };
    match stacktrace::frames(Some(exception)) {
        Some(frames) => {
            let Stack { app, system } = stacktrace::assemble(frames, platform, config);
            Member { app: assemble(Some(app)), system: Some(assemble(Some(system))) }
        }
        None => Member { app: assemble(None), system: None },
    }
}

fn kind(exception: &Value, platform: &str) -> Component {
    let kind = exception.get("type").and_then(Value::as_str);
    let leaf = Component::leaf("type", kind);
    let synthetic = exception.get("mechanism").and_then(|mechanism| mechanism.get("synthetic")?.as_bool());
    let is_native_signal = Family::of(platform) == Family::Native && kind.is_some_and(is_signal);
    if synthetic.unwrap_or(is_native_signal) {
        return leaf.ignored("a made-up type: the SDK had no exception");
    }
    leaf
}

/// `SIGSEGV`, `EXC_BAD_ACCESS / KERN_INVALID_ADDRESS`: the operating system's word for many different bugs.
fn is_signal(kind: &str) -> bool {
    ["EXC_", "EXCEPTION_", "SIG", "KERN_", "ILL_"].iter().any(|prefix| kind.starts_with(prefix))
        && kind.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_ /x".contains(c))
}

fn ns_error(exception: &Value) -> Option<Component> {
    let error = exception.get("mechanism")?.get("meta")?.get("ns_error")?;
    let text = |key: &str| error.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let (domain, code) = (Component::leaf("domain", text("domain")), Component::leaf("code", text("code")));
    Some(Component::parent("ns-error", [domain, code]))
}

struct Choice {
    /// Indices of the exceptions that count, in their order.
    order: Vec<usize>,
    /// The exception that the title speaks of, if not the last.
    main: Option<usize>,
}

/// The tree that `exception_id` and `parent_id` describe.
struct Tree<'a> {
    root: usize,
    children: Vec<Vec<usize>>,
    exceptions: &'a [Value],
}

/// Which members of an exception group count; `None` when the list is no such tree.
fn group(event: &Event, exceptions: &[Value], members: &[Option<Member>]) -> Option<Choice> {
    let is_old_python = event.text(&["platform"]) == Some("python")
        && event.text(&["sdk", "version"]).is_some_and(|version| version.starts_with("3."));
    if exceptions.len() < 2 || exceptions.len() > MAX_GROUP || is_old_python {
        return None;
    }
    let tree = Tree::read(exceptions)?;
    let mut top = tree.top_level();
    let type_of = |index: usize| exceptions[index].get("type").and_then(Value::as_str).unwrap_or_default();
    top.sort_by(|a, b| type_of(*b).cmp(type_of(*a)));
    let hash_of = |index: usize| members[index].as_ref().map(|member| member.app.hash());
    top.dedup_by_key(|index| hash_of(*index));
    match top[..] {
        [] => None,
        [only] => {
            let mut order = vec![only];
            let mut at = only;
            // A tree has no cycles, so this ends.
            while let Some(first) = tree.children[at].first() {
                order.push(*first);
                at = *first;
            }
            Some(Choice { order, main: Some(only) })
        }
        _ => {
            if !top.contains(&tree.root) {
                top.push(tree.root);
            }
            Some(Choice { order: top, main: None })
        }
    }
}

impl<'a> Tree<'a> {
    fn read(exceptions: &'a [Value]) -> Option<Self> {
        let number = |exception: &Value, key: &str| exception.get("mechanism").and_then(|m| m.get(key)?.as_i64());
        let mut index_of = HashMap::with_capacity(exceptions.len());
        for (index, exception) in exceptions.iter().enumerate() {
            let id = number(exception, "exception_id")?;
            if number(exception, "parent_id") == Some(id) || index_of.insert(id, index).is_some() {
                return None;
            }
        }
        let root = *index_of.get(&0)?;
        let mut children = vec![Vec::new(); exceptions.len()];
        let mut ids: Vec<(i64, usize)> = index_of.iter().map(|(id, index)| (*id, *index)).collect();
        ids.sort_unstable();
        for (_, index) in ids {
            let parent = number(&exceptions[index], "parent_id").and_then(|parent| index_of.get(&parent));
            if let Some(parent) = parent {
                children[*parent].push(index);
            }
        }
        let tree = Self { root, children, exceptions };
        tree.is_acyclic().then_some(tree)
    }

    /// Every exception has one parent at most, so a walk from the root visits none twice unless the root has one.
    fn is_acyclic(&self) -> bool {
        !self.children.iter().any(|children| children.contains(&self.root))
    }

    fn is_group(&self, index: usize) -> bool {
        let flag = self.exceptions[index].get("mechanism").and_then(|mechanism| mechanism.get("is_exception_group"));
        flag.and_then(Value::as_bool).unwrap_or(false)
    }

    /// The first exception of each branch that is not a group itself.
    fn top_level(&self) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![self.root];
        while let Some(index) = open.pop() {
            if self.is_group(index) {
                open.extend(self.children[index].iter().rev());
            } else {
                found.push(index);
            }
        }
        found
    }
}
