//! What of a frame counts (`reference/grouping.md` §8.1–8.4).

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

use crate::{Component, Family, function_name, platform};

/// Longer source lines, with indentation, say nothing: minified code.
const MAX_CONTEXT_CHARS: usize = 120;

/// Platforms that send source lines which identify code.
const WITH_CONTEXT: [&str; 5] = ["javascript", "node", "python", "php", "ruby"];

/// A frame, ready for both variants.
pub(crate) struct Frame<'a> {
    value: &'a Value,
    pub(crate) platform: &'a str,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(value: &'a Value, event_platform: &'a str) -> Self {
        Self { value, platform: platform::of_frame(value, event_platform) }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// Whether this is the same call again.
    pub(crate) fn repeats(&self, previous: &Self) -> bool {
        ["abs_path", "package", "module", "filename", "function", "raw_function", "lineno", "colno"]
            .iter()
            .all(|key| self.value.get(key) == previous.value.get(key))
    }

    /// A lone frame of a script without a function is where the browser started it, not where it broke.
    pub(crate) fn is_anonymous_script(&self) -> bool {
        self.family() == Family::JavaScript && self.text("function").is_none() && self.has_url(true)
    }

    fn family(&self) -> Family {
        Family::of(self.platform)
    }

    fn has_url(&self, or_file: bool) -> bool {
        let path = self.text("abs_path").unwrap_or_default();
        let is = |scheme: &str| path.starts_with(scheme);
        is("http:") || is("https:") || is("blob:") || is("applewebdata:") || (or_file && is("file:"))
    }

    /// The parts, and whether they count, before it is known in which variant.
    pub(crate) fn component(&self) -> Component {
        let context = self.context_line();
        let module = self.module();
        let mut filename = self.filename();
        if module.contributes && filename.contributes {
            filename.ignore("the module says it better");
        }
        let function = self.function(context.contributes);
        let mut frame = Component::parent("frame", [module, filename, function, context]);
        if !frame.contributes {
            frame.ignore("nothing in it identifies code");
        }
        if self.family() == Family::JavaScript {
            let path = self.text("abs_path").unwrap_or_default();
            if self.text("function") == Some("eval")
                || matches!(path, "[native code]" | "native code" | "eval code" | "<anonymous>")
            {
                frame.ignore("code that is evaluated or built in");
            }
        }
        frame
    }

    fn module(&self) -> Component {
        let Some(module) = self.text("module") else { return Component::leaf("module", None::<&str>) };
        let leaf = Component::leaf("module", Some(module));
        match self.platform {
            "javascript"
                if module.contains('/') && self.text("abs_path").is_some_and(|path| path.ends_with(module)) =>
            {
                leaf.ignored("only the path in other words")
            }
            "java" if module.contains("$$Lambda$") => leaf.ignored("a generated name"),
            "java" => match clean_java(module) {
                Cow::Borrowed(_) => leaf,
                Cow::Owned(clean) => Component::leaf("module", Some(clean)).hint("generated parts removed"),
            },
            _ => leaf,
        }
    }

    fn filename(&self) -> Component {
        let Some(filename) = self.text("filename") else { return Component::leaf("filename", None::<&str>) };
        let base = filename.rsplit(['/', '\\']).next().unwrap_or(filename).to_lowercase();
        let is_placeholder = matches!(filename, "<anonymous>" | "[native code]");
        let leaf = Component::leaf("filename", Some(base));
        if self.has_url(false) {
            leaf.ignored("a URL")
        } else if is_placeholder {
            leaf.ignored("not a file")
        } else {
            leaf
        }
    }

    fn context_line(&self) -> Component {
        let Some(line) = self.text("context_line").filter(|_| WITH_CONTEXT.contains(&self.platform)) else {
            return Component::leaf("context-line", None::<&str>);
        };
        if line.len() > MAX_CONTEXT_CHARS && line.chars().count() > MAX_CONTEXT_CHARS {
            return Component::leaf("context-line", Some(line)).ignored("longer than 120 characters");
        }
        let mut words = line.split_whitespace();
        let mut collapsed = String::with_capacity(line.len());
        if let Some(first) = words.next() {
            collapsed.push_str(first);
        }
        for word in words {
            collapsed.push(' ');
            collapsed.push_str(word);
        }
        let leaf = Component::leaf("context-line", Some(collapsed).filter(|text| !text.is_empty()));
        if self.family() == Family::JavaScript && self.text("function").is_none() && self.has_url(true) {
            return leaf.ignored("a script's line without a function");
        }
        leaf
    }

    fn function(&self, context_counts: bool) -> Component {
        // Overloads of C# differ in their arguments, which only the raw name has.
        let raw = self.text("raw_function").filter(|_| self.platform == "csharp");
        let full = raw.or_else(|| self.text("function").filter(|_| self.platform == "csharp"));
        let name = full.map(Cow::Borrowed).or_else(|| function_name::of_frame(self.value, self.platform));
        let Some(name) = name else { return Component::leaf("function", None::<&str>) };
        let ignored = |reason: &'static str| Component::leaf("function", Some(&*name)).ignored(reason);
        match (self.platform, self.family()) {
            ("ruby", _) => Component::leaf("function", Some(clean_ruby(&name))),
            ("php", _) => clean_php(&name),
            ("java", _) if name.starts_with("lambda$") => ignored("a generated name"),
            (_, Family::Native) if matches!(&*name, "<redacted>" | "<unknown>") => ignored("an unknown function"),
            (_, Family::JavaScript) => {
                let last = name.rsplit('.').next().unwrap_or(&name);
                let is_unnamed =
                    matches!(last, "" | "?" | "<anonymous>" | "<anonymous function>" | "Anonymous function");
                if is_unnamed || last.ends_with("/<") {
                    ignored("an unnamed function")
                } else if context_counts && self.is_source_mapped() {
                    ignored("the source line says it better")
                } else {
                    Component::leaf("function", Some(last))
                }
            }
            _ => Component::leaf("function", Some(name)),
        }
    }

    fn is_source_mapped(&self) -> bool {
        self.value.get("data").and_then(|data| data.get("sourcemap")).is_some_and(|map| !map.is_null())
    }
}

static ERB: LazyLock<Regex> = LazyLock::new(|| pattern(r"__\d{4,}_\d{4,}$"));

fn clean_ruby(name: &str) -> String {
    if name.starts_with("block ") { "block".to_owned() } else { ERB.replace(name, "").into_owned() }
}

/// The name of PHP's anonymous class holds a file and an address after a NUL, which arrives replaced.
fn clean_php(name: &str) -> Component {
    let is_anonymous_class =
        name.strip_prefix("class@anonymous").is_some_and(|rest| rest.starts_with(['\0', char::REPLACEMENT_CHARACTER]));
    if !is_anonymous_class && !name.starts_with("[Anonymous") {
        return Component::leaf("function", Some(name));
    }
    match name.rsplit_once("::").filter(|_| is_anonymous_class) {
        Some((_, method)) => Component::leaf("function", Some(method)).hint("the anonymous class removed"),
        None => Component::leaf("function", Some(name)).ignored("an unnamed function"),
    }
}

static JAVA_ACCESSOR: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^((?:sun|jdk\.internal)\.reflect\.GeneratedMethodAccessor).*$"));
static JAVA_GENERATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?P<a>sun\.reflect\.Generated(?:Serialization)?ConstructorAccessor)\d+",
        r"|(?P<b>\$\$(?:[A-Za-z]+)?CGLIB\$\$)[0-9a-fA-F]+(?:_\d+)?",
        r"|(?P<c>\$\$_javassist)(?:_seam)?(?:_\d+)?",
        r"|(?P<d>\$fn__)\d+",
        r"|(?P<e>\$\$?EnhancerBy[A-Za-z]+\$\$)[0-9a-fA-F]+|(?P<f>\$\$?FastClassBy[A-Za-z]+\$\$)[0-9a-fA-F]+",
        r"|(?P<g>HibernateProxy\$)\w+",
    ))
});

fn clean_java(module: &str) -> Cow<'_, str> {
    if let Some(found) = JAVA_ACCESSOR.captures(module) {
        return Cow::Owned(found[1].to_owned());
    }
    if module.contains('$') || module.starts_with("sun.") {
        return JAVA_GENERATED.replace_all(module, "$a$b$c$d$e$f$g<generated>");
    }
    Cow::Borrowed(module)
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern, compiled by the tests")
}
