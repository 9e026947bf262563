//! Realistic events of an invented web shop: for trying the product out, for pictures, tests and loads. The same seed
//! gives the same events.

mod sequence;

use std::collections::HashMap;

use nuthatch_protocol::{EventId, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub use sequence::Sequence;

/// How much an event carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As an SDK sends it: stack with source, variables, breadcrumbs, request, contexts. About 3 KB.
    Usual,
    /// With a deep library stack, long breadcrumbs and a module list. About 20 KB.
    Large,
}

/// Makes events.
pub struct Samples {
    faults: Vec<Fault>,
    frames: HashMap<String, Value>,
    weight: u64,
    variants: u64,
}

#[derive(Deserialize)]
struct Fault {
    platform: String,
    sdk: String,
    weight: u64,
    level: String,
    transaction: String,
    #[serde(default)]
    server_name: Option<String>,
    #[serde(default)]
    logger: Option<String>,
    #[serde(default)]
    chain: Vec<Raised>,
    #[serde(default)]
    message: Option<Value>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    browser: bool,
    #[serde(default)]
    crumbs: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Raised {
    #[serde(rename = "type")]
    name: String,
    value: String,
    #[serde(default)]
    module: Option<String>,
    handled: bool,
    #[serde(default)]
    mechanism: Option<String>,
    frames: Vec<String>,
}

/// An event with its id.
pub struct Sample {
    /// The id, also in the body.
    pub event_id: EventId,
    /// The event as an SDK would send it.
    pub body: Value,
}

const WORDS: [&str; 12] = [
    "lantern", "kettle", "bicycle", "umbrella", "notebook", "hammock", "compass", "blanket", "teapot", "ladder",
    "mirror", "candle",
];
const BROWSERS: [(&str, &str, &str, &str); 4] = [
    (
        "Chrome",
        "141.0.0",
        "Windows",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
    ),
    (
        "Safari",
        "18.4",
        "macOS",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.4 Safari/605.1.15",
    ),
    ("Firefox", "143.0", "Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"),
    (
        "Mobile Safari",
        "18.4",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    ),
];
const RELEASES: [&str; 3] = ["shop@4.12.0", "shop@4.12.1", "shop@4.13.0-rc.1"];
const USERS: u64 = 400;

impl Samples {
    /// Faults of the shop. With `variants` above 1 every fault exists that many times, each an issue of its own.
    ///
    /// # Errors
    ///
    /// When the built-in data cannot be read, which a test rules out.
    pub fn new(variants: u64) -> anyhow::Result<Self> {
        let faults: Vec<Fault> = serde_json::from_str(include_str!("faults.json"))?;
        let frames = serde_json::from_str(include_str!("frames.json"))?;
        let weight = faults.iter().map(|fault| fault.weight).sum();
        Ok(Self { faults, frames, weight, variants: variants.max(1) })
    }

    /// An event that happens at a time.
    pub fn event(&self, random: &mut Sequence, at: Timestamp, size: Size) -> Sample {
        let fault = self.fault(random);
        let variant = random.below(self.variants);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random.next_u64().to_be_bytes());
        id[8..].copy_from_slice(&random.next_u64().to_be_bytes());
        let event_id = EventId(id);
        let user = random.below(USERS) + 1;
        let fill = Fill {
            number: (random.below(90_000) + 10_000).to_string(),
            small: (random.below(8) + 1).to_string(),
            word: random.pick(&WORDS).copied().unwrap_or_default(),
        };

        let mut event = json!({
            "event_id": event_id,
            "timestamp": at,
            "platform": fault.platform,
            "level": fault.level,
            "transaction": fault.transaction,
            "release": random.pick(&RELEASES),
            "environment": if random.below(10) < 8 { "production" } else { "staging" },
            "sdk": {"name": fault.sdk, "version": "2.75.0", "packages": [{"name": fault.sdk, "version": "2.75.0"}]},
            "user": {"id": user.to_string(), "email": format!("user{user}@example.com"), "ip_address": format!("203.0.113.{}", user % 250)},
            "tags": {"region": if user.is_multiple_of(3) { "us-east" } else { "eu-central" }, "customer": if user.is_multiple_of(5) { "business" } else { "private" }},
            "contexts": {"trace": {"trace_id": format!("{:016x}{:016x}", random.next_u64(), random.next_u64()), "span_id": format!("{:016x}", random.next_u64() | 1)}},
            "extra": {"basket_items": random.below(9), "session_age_s": random.below(4000)},
        });
        if let Some(body) = event.as_object_mut() {
            self.describe(fault, variant, &fill, at, size, random, body);
        }
        Sample { event_id, body: event }
    }

    fn fault(&self, random: &mut Sequence) -> &Fault {
        let mut left = random.below(self.weight);
        for fault in &self.faults {
            if left < fault.weight {
                return fault;
            }
            left -= fault.weight;
        }
        &self.faults[0]
    }

    #[expect(clippy::too_many_arguments, reason = "one event, told in one place")]
    fn describe(
        &self,
        fault: &Fault,
        variant: u64,
        fill: &Fill<'_>,
        at: Timestamp,
        size: Size,
        random: &mut Sequence,
        event: &mut Map<String, Value>,
    ) {
        if let Some(name) = &fault.server_name {
            event.insert("server_name".to_owned(), fill.text(name).into());
        }
        if let Some(logger) = &fault.logger {
            event.insert("logger".to_owned(), logger.clone().into());
        }
        if let Some(message) = &fault.message {
            event.insert("logentry".to_owned(), fill.value(message));
        }
        if !fault.chain.is_empty() {
            let last = fault.chain.len() - 1;
            let values: Vec<Value> = fault
                .chain
                .iter()
                .enumerate()
                .map(|(i, raised)| self.exception(raised, if i == last { variant } else { 0 }, fill, size))
                .collect();
            event.insert("exception".to_owned(), json!({ "values": values }));
        }
        let (browser, version, os, agent) = random.pick(&BROWSERS).copied().unwrap_or(BROWSERS[0]);
        if let Some(url) = &fault.url {
            let mut headers = json!({"Host": "shop.example.com", "Accept": "text/html,application/json"});
            if fault.browser {
                headers["User-Agent"] = agent.into();
                headers["Referer"] = "https://shop.example.com/".into();
            }
            let request = json!({"url": fill.text(url), "method": fault.method, "headers": headers, "cookies": {"theme": "dark"}});
            event.insert("request".to_owned(), request);
        }
        if let Some(contexts) = event.get_mut("contexts") {
            if fault.browser {
                contexts["browser"] = json!({"name": browser, "version": version});
                contexts["os"] = json!({"name": os});
            }
            match fault.platform.as_str() {
                "python" => contexts["runtime"] = json!({"name": "CPython", "version": "3.12.4"}),
                "node" => contexts["runtime"] = json!({"name": "node", "version": "v22.11.0"}),
                "rust" => contexts["runtime"] = json!({"name": "rustc", "version": "1.90.0"}),
                _ => {}
            }
        }
        let repeat = if size == Size::Large { 8 } else { 1 };
        let crumbs = repeat * fault.crumbs.len();
        let values: Vec<Value> = (0..crumbs)
            .map(|i| {
                let (category, message) = &fault.crumbs[i % fault.crumbs.len()];
                let before = std::time::Duration::from_millis(350 * (crumbs - i) as u64);
                json!({"timestamp": at.minus(before), "category": category, "message": fill.text(message), "level": "info", "type": "default"})
            })
            .collect();
        event.insert("breadcrumbs".to_owned(), json!({ "values": values }));
        if size == Size::Large {
            let modules: Map<String, Value> = (0..60)
                .map(|i| (format!("{}-{i}", WORDS[i % WORDS.len()]), format!("{}.{}.0", i % 7, i).into()))
                .collect();
            event.insert("modules".to_owned(), modules.into());
        }
    }

    fn exception(&self, raised: &Raised, variant: u64, fill: &Fill<'_>, size: Size) -> Value {
        let depth = if size == Size::Large { 7 } else { 1 };
        let mut frames = Vec::new();
        for (i, name) in raised.frames.iter().enumerate() {
            let Some(frame) = self.frames.get(name) else { continue };
            let last = i + 1 == raised.frames.len();
            let repeat = if last { 1 } else { depth };
            for step in 0..repeat {
                // A deeper stack repeats a call on other lines; a variant is another function at the crash.
                frames.push(sent_frame(frame, step, if last { variant } else { 0 }, fill));
            }
        }
        json!({
            "type": raised.name,
            "value": fill.text(&raised.value),
            "module": raised.module,
            "mechanism": {"type": raised.mechanism.as_deref().unwrap_or("generic"), "handled": raised.handled},
            "stacktrace": {"frames": frames},
        })
    }
}

/// A frame as SDKs send it, from the form it has in `frames.json`.
fn sent_frame(frame: &Value, step: usize, variant: u64, fill: &Fill<'_>) -> Value {
    let mut out = frame.clone();
    let Some(fields) = out.as_object_mut() else { return out };
    let source: Vec<String> =
        fields.remove("source").and_then(|lines| serde_json::from_value(lines).ok()).unwrap_or_default();
    let at = fields.remove("at").and_then(|at| at.as_u64()).unwrap_or(0) as usize;
    if let Some(line) = source.get(at) {
        fields.insert("pre_context".to_owned(), json!(source[..at]));
        fields.insert("context_line".to_owned(), json!(line));
        fields.insert("post_context".to_owned(), json!(source[at + 1..]));
    }
    if let Some(vars) = fields.remove("vars").filter(|vars| !vars.is_null()) {
        fields.insert("vars".to_owned(), fill.value(&vars));
    }
    if step > 0 {
        let line = fields.get("lineno").and_then(Value::as_u64).unwrap_or(0);
        fields.insert("lineno".to_owned(), json!(line + 10 * step as u64));
    }
    if variant > 0
        && let Some(function) = fields.get("function").and_then(Value::as_str)
    {
        let name = format!("{function}_v{variant}");
        fields.insert("function".to_owned(), name.into());
    }
    out
}

/// What the placeholders of a fault stand for in one event.
struct Fill<'a> {
    number: String,
    small: String,
    word: &'a str,
}

impl Fill<'_> {
    fn text(&self, text: &str) -> String {
        text.replace("{number}", &self.number).replace("{small}", &self.small).replace("{word}", self.word)
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone(), self.value(value))).collect::<Map<_, _>>().into()
            }
            other => other.clone(),
        }
    }
}

/// The envelope that carries an event, as SDKs build it.
pub fn envelope(sample: &Sample, dsn: &str, sent_at: Timestamp) -> Vec<u8> {
    let body = sample.body.to_string();
    let header = json!({"event_id": sample.event_id, "sent_at": sent_at, "dsn": dsn, "sdk": sample.body["sdk"]});
    let item = json!({"type": "event", "content_type": "application/json", "length": body.len()});
    format!("{header}\n{item}\n{body}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_events_of_the_promised_sizes() {
        let samples = Samples::new(1).expect("built-in data");
        for (size, bounds) in [(Size::Usual, 1_500..6_000), (Size::Large, 12_000..32_000)] {
            let make = |seed| {
                let mut random = Sequence::new(seed);
                (0..200).map(|_| samples.event(&mut random, Timestamp::from_secs(0), size).body).collect::<Vec<_>>()
            };
            assert_eq!(make(1), make(1));
            assert_ne!(make(1), make(2));
            let mean = make(1).iter().map(|body| body.to_string().len()).sum::<usize>() / 200;
            assert!(bounds.contains(&mean), "{size:?}: {mean} bytes");
        }
    }

    #[test]
    fn every_frame_that_a_fault_names_exists() {
        let samples = Samples::new(1).expect("built-in data");
        for frame in samples.faults.iter().flat_map(|f| &f.chain).flat_map(|raised| &raised.frames) {
            assert!(samples.frames.contains_key(frame), "{frame}");
        }
    }
}
