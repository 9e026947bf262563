//! Configuration: defaults, then a TOML file, then `NUTHATCH_…` variables, then flags; later ones win. Unknown
//! keys are refused, so that a typing error never passes for a setting.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use url::Url;

/// Everything that can be configured. The reference `docs/configuration.md` is made from [`OPTIONS`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where things are kept.
    pub data: DataConfig,
    /// How the server is reached.
    pub server: ServerConfig,
    /// What SDKs may send.
    pub intake: IntakeConfig,
    /// What was accepted and waits for the worker.
    pub log: LogConfig,
    /// The way from the log to the stores.
    pub worker: WorkerConfig,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// What the server says about itself.
    pub telemetry: TelemetryConfig,
}

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The data directory.
    pub dir: PathBuf,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { dir: PathBuf::from("data") }
    }
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address under which browsers and SDKs reach the server; empty: `http://` and the listen address.
    pub public_url: String,
    /// Most connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// Time a client has to send the head of a request.
    pub header_timeout_secs: u64,
    /// Time that requests and workers have to finish at shutdown.
    pub shutdown_timeout_secs: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8484)),
            public_url: String::new(),
            connections_max: 16_384,
            header_timeout_secs: 20,
            shutdown_timeout_secs: 20,
        }
    }
}

/// What SDKs may send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeConfig {
    /// Largest envelope after decompression.
    pub envelope_max_bytes: usize,
    /// Largest file that is uploaded before its envelope.
    pub upload_max_bytes: usize,
    /// Uploads that are received at once.
    pub uploads_max: usize,
    /// Largest event.
    pub event_max_bytes: usize,
    /// Bytes of request bodies held at once, over all requests.
    pub inflight_max_bytes: usize,
    /// Time a client has to send a body.
    pub body_timeout_secs: u64,
    /// Whether to take the client's address from proxy headers such as `X-Forwarded-For`.
    pub trust_forwarded_for: bool,
    /// Events a second that a project may send for good before its events go to the backlog; 0: they never do.
    pub lane_events_per_second: u64,
    /// Events that a project may send at once before its events go to the backlog.
    pub lane_burst_events: u64,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            envelope_max_bytes: 200 << 20,
            upload_max_bytes: 1 << 30,
            uploads_max: 32,
            event_max_bytes: 1 << 20,
            inflight_max_bytes: 256 << 20,
            body_timeout_secs: 30,
            trust_forwarded_for: true,
            lane_events_per_second: 500,
            lane_burst_events: 2000,
        }
    }
}

/// What was accepted and waits for the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Most bytes of files with records that wait.
    pub max_bytes: u64,
    /// Free bytes on the disk below which nothing is taken.
    pub free_min_bytes: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { max_bytes: 64 << 30, free_min_bytes: 512 << 20 }
    }
}

/// Least of [`LogConfig::max_bytes`]: below it, one event could be too much.
const LOG_MIN_BYTES: u64 = 16 << 20;

/// The way from the log to the stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Most records of a batch.
    pub batch_max_records: usize,
    /// Most bytes of a batch.
    pub batch_max_bytes: usize,
    /// Longest time until a processed event can be searched.
    pub commit_interval_ms: u64,
    /// Most events between two commits of the search index.
    pub commit_max_events: usize,
    /// Database that tells where addresses are.
    pub geoip_path: Option<PathBuf>,
    /// Events of one issue that are kept in a minute, each with its body; 0: all.
    pub kept_per_issue_minute: u64,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            batch_max_records: 1000,
            batch_max_bytes: 16 << 20,
            commit_interval_ms: 500,
            commit_max_events: 20_000,
            geoip_path: None,
            kept_per_issue_minute: 1000,
        }
    }
}

/// How long things are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Days that events are kept.
    pub events_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { events_days: 90 }
    }
}

/// What the server says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Which log lines to write, for instance `info` or `info,nuthatch_intake=debug`.
    pub log: String,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// Bearer token that `/metrics` asks for; empty: only clients on this machine may read it.
    pub metrics_token: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log: "info".to_owned(), log_format: LogFormat::Text, metrics_token: String::new() }
    }
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What flags override.
#[derive(Debug, Default, Serialize)]
pub struct Overrides {
    #[serde(skip_serializing_if = "Option::is_none", rename = "data")]
    data: Option<DirOverride>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "server")]
    server: Option<ServerOverride>,
}

#[derive(Debug, Serialize)]
struct DirOverride {
    dir: PathBuf,
}

#[derive(Debug, Serialize)]
struct ServerOverride {
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_url: Option<String>,
}

impl Overrides {
    /// From the flags that were given.
    pub fn new(data: Option<PathBuf>, listen: Option<SocketAddr>, public_url: Option<String>) -> Self {
        let server = (listen.is_some() || public_url.is_some()).then_some(ServerOverride { listen, public_url });
        Self { data: data.map(|dir| DirOverride { dir }), server }
    }
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// Names the key, the value and the source (file, variable or flag) of what is wrong.
    pub fn load(file: Option<&std::path::Path>, overrides: &Overrides) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            anyhow::ensure!(file.is_file(), "configuration file {} does not exist", file.display());
            figment = figment.merge(Toml::file_exact(file));
        }
        let config: Self = figment
            .merge(Env::prefixed("NUTHATCH_").ignore(&["CONFIG"]).split("__"))
            .merge(Serialized::defaults(overrides))
            .extract()
            .context("the configuration is not valid; `nuthatch config reference` lists every setting")?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> anyhow::Result<()> {
        for (key, value) in [
            ("server.connections_max", self.server.connections_max),
            ("intake.envelope_max_bytes", self.intake.envelope_max_bytes),
            ("intake.upload_max_bytes", self.intake.upload_max_bytes),
            ("intake.uploads_max", self.intake.uploads_max),
            ("intake.event_max_bytes", self.intake.event_max_bytes),
            ("intake.inflight_max_bytes", self.intake.inflight_max_bytes),
            ("worker.batch_max_records", self.worker.batch_max_records),
            ("worker.batch_max_bytes", self.worker.batch_max_bytes),
            ("worker.commit_max_events", self.worker.commit_max_events),
            ("retention.events_days", self.retention.events_days as usize),
        ] {
            anyhow::ensure!(value > 0, "{key} must be at least 1");
        }
        anyhow::ensure!(self.log.max_bytes >= LOG_MIN_BYTES, "log.max_bytes must be at least {LOG_MIN_BYTES}");
        if !self.server.public_url.is_empty() {
            let url = Url::parse(&self.server.public_url).context("server.public_url is not a URL")?;
            anyhow::ensure!(matches!(url.scheme(), "http" | "https"), "server.public_url must be http or https");
        }
        Ok(())
    }

    /// The address people and SDKs use. `bound` is where the server really listens.
    pub fn public_url(&self, bound: SocketAddr) -> anyhow::Result<Url> {
        if self.server.public_url.is_empty() {
            Ok(Url::parse(&format!("http://{bound}"))?)
        } else {
            Url::parse(&self.server.public_url).context("server.public_url is not a URL")
        }
    }
}

/// An option of the reference: key and meaning. Defaults come from [`Config::default`].
pub struct ConfigOption {
    /// Key in the file; the variable is `NUTHATCH_` and the key in capitals, with `__` for the dot.
    pub key: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// Every option.
pub const OPTIONS: &[ConfigOption] = &[
    option("data.dir", "The data directory. Flag: `--data`."),
    option("server.listen", "Address to listen on. Flag: `--listen`."),
    option(
        "server.public_url",
        "Address under which browsers and SDKs reach the server; part of every DSN. Empty: `http://` and the listen \
         address. Flag: `--public-url`.",
    ),
    option("server.connections_max", "Most connections at once; more wait to be accepted."),
    option("server.header_timeout_secs", "Time a client has to send the head of a request."),
    option("server.shutdown_timeout_secs", "Time that requests and workers have to finish at shutdown."),
    option("intake.envelope_max_bytes", "Largest envelope after decompression; a larger one is answered 413."),
    option(
        "intake.upload_max_bytes",
        "Largest file that is uploaded before its envelope (large attachments); a larger one is answered 413.",
    ),
    option("intake.uploads_max", "Uploads that are received at once; others wait, then are answered 503."),
    option("intake.event_max_bytes", "Largest event; an envelope with a larger one is answered 413."),
    option("intake.inflight_max_bytes", "Bytes of request bodies held at once, over all requests; more wait."),
    option(
        "intake.body_timeout_secs",
        "Time a client has to send a body; of an upload, the longest wait for more of it.",
    ),
    option(
        "intake.trust_forwarded_for",
        "Take the client's address from proxy headers such as `X-Forwarded-For`. Turn it off when SDKs reach the server \
         without a proxy of yours in front.",
    ),
    option(
        "intake.lane_events_per_second",
        "Events a second that a project may send for good. Those of a project that sends more wait in the topic \
         `ingest-events-backlog`, so that other projects' events do not wait behind them. 0: all share one topic.",
    ),
    option(
        "intake.lane_burst_events",
        "Events that a project may send at once, above that rate, before they wait there.",
    ),
    option(
        "log.max_bytes",
        "Bytes of files with records that wait for the worker. Beyond it, senders are answered 429 until there is room.",
    ),
    option(
        "log.free_min_bytes",
        "Free bytes on the disk. Below it, senders are answered 429: what waits can only be handled while there is room.",
    ),
    option("worker.batch_max_records", "Most records that the worker handles as one batch."),
    option("worker.batch_max_bytes", "Most bytes that the worker handles as one batch."),
    option("worker.commit_interval_ms", "Longest time until a processed event can be searched."),
    option("worker.commit_max_events", "Most events between two commits of the search index."),
    option(
        "worker.geoip_path",
        "Database in MaxMind's format (`GeoLite2-City.mmdb` and the like) that tells in which country and city users are; \
         it is read into memory at the start. Without it events say nothing about that.",
    ),
    option(
        "worker.kept_per_issue_minute",
        "Events of one issue that are kept in a minute. When more come, all are counted and one of ten is kept, so that a \
         flood does not fill the disk. 0: every event is kept.",
    ),
    option("retention.events_days", "Days that events are kept. Issues stay."),
    option("telemetry.log", "Which log lines to write, for instance `info` or `info,nuthatch_intake=debug`."),
    option("telemetry.log_format", "`text` for people, `json` for one JSON object a line."),
    option(
        "telemetry.metrics_token",
        "Bearer token that `/metrics` asks for. Empty: only clients on the same machine that come without a proxy may \
         read it.",
    ),
];

const fn option(key: &'static str, help: &'static str) -> ConfigOption {
    ConfigOption { key, help }
}

/// The configuration reference, as Markdown.
pub fn reference() -> String {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut out = String::from(
        "# Configuration\n\nMade by `UPDATE_DOCS=1 cargo test -p nuthatch reference`; do not edit.\n\nSettings come from, in this order, each \
         overriding the one before: the defaults, a TOML file (`--config FILE`\nor `NUTHATCH_CONFIG`), environment \
         variables, flags. Unknown keys are refused.\n\n| key | variable | default | meaning |\n| --- | --- | --- | --- |\n",
    );
    for option in OPTIONS {
        let pointer = format!("/{}", option.key.replace('.', "/"));
        let default = defaults.pointer(&pointer).map(ToString::to_string).unwrap_or_default();
        let variable = format!("NUTHATCH_{}", option.key.to_uppercase().replace('.', "__"));
        out += &format!("| `{}` | `{variable}` | `{default}` | {} |\n", option.key, option.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_in_the_reference() {
        let defaults = serde_json::to_value(Config::default()).expect("serialises");
        let keys: Vec<String> = defaults
            .as_object()
            .into_iter()
            .flatten()
            .flat_map(|(section, value)| {
                value.as_object().into_iter().flatten().map(move |(key, _)| format!("{section}.{key}"))
            })
            .collect();
        for key in &keys {
            assert!(OPTIONS.iter().any(|option| option.key == key), "{key} is not described");
        }
        assert_eq!(keys.len(), OPTIONS.len());
    }

    #[test]
    #[expect(clippy::result_large_err, reason = "figment's Jail wants its own error")]
    fn later_sources_win_and_unknown_keys_are_refused() {
        figment::Jail::expect_with(|jail| {
            jail.create_file("a.toml", "[server]\nlisten = \"127.0.0.1:1\"\nconnections_max = 5\n")?;
            jail.set_env("NUTHATCH_SERVER__LISTEN", "127.0.0.1:2");
            let file = std::path::Path::new("a.toml");
            let config = Config::load(Some(file), &Overrides::default()).expect("valid");
            assert_eq!((config.server.listen.port(), config.server.connections_max), (2, 5));
            let flags = Overrides::new(None, Some(([127, 0, 0, 1], 3).into()), None);
            assert_eq!(Config::load(Some(file), &flags).expect("valid").server.listen.port(), 3);
            jail.create_file("b.toml", "[server]\nlissten = \"x\"\n")?;
            let error = Config::load(Some(std::path::Path::new("b.toml")), &flags).expect_err("unknown key");
            assert!(format!("{error:#}").contains("lissten"), "{error:#}");
            Ok(())
        });
    }
}
