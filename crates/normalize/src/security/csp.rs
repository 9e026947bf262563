//! Violations of a content security policy.

use serde_json::{Map, Value, json};
use url::Url;

use super::{broken, put_request};
use crate::{Refused, shape};

/// Fields of a report and how browsers call them, without dashes and cases.
const FIELDS: [(&str, &[&str]); 12] = [
    ("blocked_uri", &["blockeduri", "blockedurl"]),
    ("column_number", &["columnnumber"]),
    ("disposition", &["disposition"]),
    ("document_uri", &["documenturi", "documenturl"]),
    ("effective_directive", &["effectivedirective"]),
    ("line_number", &["linenumber"]),
    ("original_policy", &["originalpolicy"]),
    ("referrer", &["referrer"]),
    ("script_sample", &["scriptsample", "sample"]),
    ("source_file", &["sourcefile"]),
    ("status_code", &["statuscode"]),
    ("violated_directive", &["violateddirective"]),
];

/// Those of the fields that are numbers.
const NUMBERS: [&str; 3] = ["column_number", "line_number", "status_code"];

const DIRECTIVES: [&str; 32] = [
    "base-uri",
    "block-all-mixed-content",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "navigate-to",
    "object-src",
    "plugin-types",
    "prefetch-src",
    "referrer",
    "report-to",
    "report-uri",
    "require-sri-for",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "worker-src",
];

/// What was blocked when the page itself is named, or nothing.
const SELF: &str = "self";

/// A host whose URLs hold secrets in their queries.
const SECRETIVE_HOST: &str = "api.stripe.com";

pub(super) fn event(report: &Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    let mut csp = Map::new();
    for (key, value) in report {
        let plain: String = key.chars().filter(|c| *c != '-' && *c != '_').collect::<String>().to_ascii_lowercase();
        let Some((field, _)) = FIELDS.iter().find(|(_, names)| names.contains(&plain.as_str())) else { continue };
        let read = if NUMBERS.contains(field) { number(value) } else { text(value) };
        match read {
            Some(value) => csp.entry(*field).or_insert(value),
            None if shape::is_empty(value) => continue,
            None => {
                return Err(broken("a field of the report is neither text nor number", &format!("report.{key:.100}")));
            }
        };
    }
    let get = |key: &str| csp.get(key).and_then(Value::as_str).unwrap_or_default();
    let violated = get("violated_directive").to_owned();
    let directive = [get("effective_directive"), violated.as_str()].into_iter().find_map(known_directive);
    let Some(directive) = directive else {
        return Err(broken("the report names no directive of a policy", "report.effective-directive"));
    };
    let blocked = if get("blocked_uri").is_empty() { SELF.to_owned() } else { get("blocked_uri").to_owned() };
    let document = get("document_uri").to_owned();

    let mut event = Map::new();
    event.insert("logger".to_owned(), "csp".into());
    event.insert("logentry".to_owned(), json!({ "formatted": message(directive, &blocked, &violated) }));
    event.insert(
        "culprit".to_owned(),
        culprit(if violated.is_empty() { directive } else { &violated }, &document).into(),
    );
    event.insert("tags".to_owned(), tags(directive, &blocked));
    put_request(&mut event, csp.get("document_uri").cloned(), csp.get("referrer").cloned());
    csp.insert("effective_directive".to_owned(), directive.into());
    csp.insert("blocked_uri".to_owned(), blocked.into());
    event.insert("csp".to_owned(), Value::Object(csp));
    Ok(event)
}

fn text(value: &Value) -> Option<Value> {
    let mut value = value.clone();
    shape::lenient(&mut value).ok()?;
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.into())
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => value.as_u64().map(Value::from),
        Value::String(text) => text.trim().parse::<u64>().ok().map(Value::from),
        _ => None,
    }
}

/// The first word of a directive, if it is one.
fn known_directive(text: &str) -> Option<&'static str> {
    let word = text.split_whitespace().next()?;
    DIRECTIVES.into_iter().find(|known| word.eq_ignore_ascii_case(known))
}

fn tags(directive: &str, blocked: &str) -> Value {
    let url = Url::parse(blocked).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let shown = match &url {
        Some(url) if url.host_str() == Some(SECRETIVE_HOST) => blocked.split(['?', '#']).next().unwrap_or(blocked),
        _ => blocked,
    };
    let mut tags = vec![json!(["effective-directive", directive]), json!(["blocked-uri", shown])];
    tags.extend(url.and_then(|url| Some(json!(["blocked-host", url.host_str()?]))));
    Value::Array(tags)
}

/// What was blocked, in words.
fn message(directive: &str, blocked: &str, violated: &str) -> String {
    let word = match directive {
        "img-src" => "image",
        "script-src" | "script-src-elem" => "script",
        "style-src" | "style-src-elem" => "style",
        "font-src" | "media-src" | "object-src" | "manifest-src" | "child-src" | "connect-src" => {
            directive.trim_end_matches("-src")
        }
        other => other,
    };
    let Some(source) = source(blocked) else {
        return match directive {
            "script-src" => unsafe_script(blocked, violated).to_owned(),
            "script-src-elem" => "Blocked unsafe 'script' element".to_owned(),
            "script-src-attr" => "Blocked inline script attribute".to_owned(),
            "style-src-elem" => "Blocked 'style' or 'link' element".to_owned(),
            "style-src-attr" => "Blocked style attribute".to_owned(),
            _ => format!("Blocked inline '{word}'"),
        };
    };
    match directive {
        "form-action" => format!("Blocked 'form' action to '{source}'"),
        "script-src-attr" => format!("Blocked inline script attribute from '{source}'"),
        "style-src-attr" => format!("Blocked style attribute from '{source}'"),
        _ => format!("Blocked '{word}' from '{source}'"),
    }
}

/// What of a page's own script was blocked: browsers say it in what is blocked, older ones only in the directive.
fn unsafe_script(blocked: &str, violated: &str) -> &'static str {
    let is_inline = blocked == "inline" || violated.contains("'unsafe-inline'");
    let is_eval = matches!(blocked, "eval" | "wasm-eval") || violated.contains("'unsafe-eval'");
    match (is_inline, is_eval) {
        (true, false) => "Blocked unsafe inline 'script'",
        (false, true) => "Blocked unsafe eval() 'script'",
        _ => "Blocked unsafe (eval() or inline) 'script'",
    }
}

/// Where what was blocked comes from; `None` when it is the page itself.
fn source(blocked: &str) -> Option<String> {
    if matches!(blocked, "" | SELF | "'self'" | "inline" | "eval" | "wasm-eval") {
        return None;
    }
    let Some((scheme, rest)) = blocked.split_once("://") else {
        return Some(format!("{}:", blocked.split(':').next().unwrap_or(blocked)));
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    Some(if matches!(scheme, "http" | "https") { host.to_owned() } else { format!("{scheme}://{host}") })
}

/// The violated directive, with the page's own origin as `'self'`.
fn culprit(violated: &str, document: &str) -> String {
    let own = Url::parse(document).ok();
    let origin = own.as_ref().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let host = own.as_ref().and_then(Url::host_str).unwrap_or_default();
    let is_own = |word: &str| {
        let word = word.trim_end_matches('/');
        !word.is_empty() && (word == origin || word == host)
    };
    let words = violated.split_whitespace().map(|word| if is_own(word) { "'self'" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
