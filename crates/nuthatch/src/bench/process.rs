//! The server under measurement, as a process of its own.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use http::Method;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::client::Client;

/// Longest wait for the server to start or stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// Password of the account of a run; the server listens on the loopback interface only and is removed afterwards.
const PASSWORD: &str = "bench-and-remove";

/// What `nuthatch init` prints.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Account {
    pub(super) organization: String,
    pub(super) project: String,
    pub(super) dsn: String,
    pub(super) token: String,
}

/// Memory of a process, in MiB.
pub(super) struct Memory {
    pub(super) resident: f64,
    /// What is its own: without files that are mapped, such as the index, which the system takes back when it needs room.
    pub(super) own: f64,
    pub(super) peak: f64,
}

/// Makes a data directory with an account.
pub(super) fn init(data: &Path) -> anyhow::Result<Account> {
    use std::io::Write as _;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["init", "--json", "--email", "bench@example.com", "--password-stdin", "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(PASSWORD.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "nuthatch init failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A running server; killed when dropped.
pub(super) struct Child {
    child: tokio::process::Child,
    pub(super) address: SocketAddr,
}

#[derive(Deserialize)]
struct Ready {
    address: SocketAddr,
}

impl Child {
    /// Starts a server on a free port and waits until it is ready.
    pub(super) async fn start(data: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        // Every event is to be written: its few issues get far more than is kept of a flood.
        Self::start_with(data, arguments, &[("NUTHATCH_WORKER__KEPT_PER_ISSUE_MINUTE", "0")]).await
    }

    /// The same with settings.
    pub(super) async fn start_with(data: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut child = tokio::process::Command::new(std::env::current_exe()?)
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .env("NUTHATCH_TELEMETRY__LOG", "warn")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let line = tokio::time::timeout(PATIENCE, BufReader::new(stdout).lines().next_line())
            .await
            .context("the server did not start in time")??
            .context("the server ended at once")?;
        let ready: Ready = serde_json::from_str(&line)?;
        Ok(Self { child, address: ready.address })
    }

    /// Resident memory, now and at most so far.
    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let field = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find(|line| line.starts_with(name)).context("no memory figure")?;
            let kib: f64 = line.split_whitespace().nth(1).context("no memory figure")?.parse()?;
            Ok(kib / 1024.0)
        };
        Ok(Memory { resident: field("VmRSS:")?, own: field("RssAnon:")?, peak: field("VmHWM:")? })
    }

    /// Time of a core that it took so far, in seconds.
    pub(super) fn cpu_secs(&self) -> anyhow::Result<f64> {
        cpu_secs(&self.child.id().context("the server has ended")?.to_string())
    }

    /// Records that group commits held so far, and how many commits there were.
    pub(super) async fn group_commits(&self) -> anyhow::Result<(f64, f64)> {
        let metrics = Client::new(self.address).api(Method::GET, "/metrics", "", None).await?;
        let text = String::from_utf8_lossy(&metrics.body).into_owned();
        // Nothing is told before the first one.
        let of = |name| metric(&text, name).unwrap_or(0.0);
        Ok((of("nuthatch_log_group_records_sum"), of("nuthatch_log_group_records_count")))
    }

    /// Asks the server to stop and waits for it.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("the server has ended")?;
        let asked = Command::new("kill").arg("-TERM").arg(id.to_string()).status()?;
        anyhow::ensure!(asked.success(), "cannot stop the server");
        tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the server did not stop in time")??;
        Ok(())
    }
}

/// Ticks of the clock that `/proc` counts processor time in, per second: the same on every Linux.
const TICKS_PER_SEC: f64 = 100.0;

/// Time of a core that a process took so far, in user and in system mode, in seconds.
pub(super) fn cpu_secs(process: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold anything; times are the 12th and 13th field behind it.
    let (_, fields) = stat.rsplit_once(')').context("no processor time")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SEC)
}

/// What a data directory holds, and how long a server takes to start on it.
pub(super) struct Stored {
    pub(super) events: u64,
    pub(super) start_ms: f64,
}

/// Starts a server on what is stored and counts.
pub(super) async fn stored(data: &Path, account: &Account) -> anyhow::Result<Stored> {
    let begun = Instant::now();
    let server = Child::start(data, &[]).await?;
    let start_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let path = format!("/api/0/projects/{}/{}/", account.organization, account.project);
    let mut client = Client::new(server.address);
    client.api(Method::GET, &path, &account.token, None).await?.json()?;
    let metrics = client.api(Method::GET, "/metrics", "", None).await?;
    let events = metric(&String::from_utf8_lossy(&metrics.body), "nuthatch_events_stored").unwrap_or(0.0) as u64;
    server.stop().await?;
    Ok(Stored { events, start_ms })
}

/// The value of a metric without labels, or the largest of those with labels that contain a text.
pub(super) fn metric(text: &str, start: &str) -> Option<f64> {
    text.lines()
        .filter(|line| line.starts_with(start))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .fold(None, |most, value| Some(most.map_or(value, |most: f64| most.max(value))))
}

/// Bytes of the files below a folder.
pub(super) fn directory_bytes(dir: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { directory_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

/// Bytes of the metadata's files.
pub(super) fn meta_bytes(data: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("meta.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
