//! The real server as a process, on an empty data directory and a free port.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use http::Method;
use nuthatch::client::{Client, Dsn};
use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long something may take on a busy machine before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nuthatch"));
    command.args(arguments).arg("--data").arg(data).env("NUTHATCH_TELEMETRY__LOG", "error");
    // What tests send in a minute is a flood of a few issues, and they look for every event.
    command.env("NUTHATCH_WORKER__KEPT_PER_ISSUE_MINUTE", "0");
    command
}

/// Runs a command with a text as its standard input.
pub(crate) fn run(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child =
        command(data, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Runs a command with `--json` that must succeed.
pub(crate) fn json(data: &Path, arguments: &[&str], input: &str) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let output = run(data, &arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A data directory with an account.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    pub(crate) organization: String,
    pub(crate) project: String,
    pub(crate) token: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = json(dir.path(), &["init", "--email", "jane@example.com", "--password-stdin"], PASSWORD);
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        Self { organization: text("organization"), project: text("project"), token: text("token"), dir }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Starts a server on it and waits until it is ready.
    pub(crate) fn start(&self) -> Server<'_> {
        self.start_as(&[], &[])
    }

    /// The same with arguments and settings.
    pub(crate) fn start_as(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Server<'_> {
        let mut child = command(&self.data(), &["serve", "--json", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the server did not start: {line:?}"));
        let address = ready["address"].as_str().unwrap().parse().unwrap();
        let dsn = Dsn::parse(ready["dsn"].as_str().unwrap()).unwrap();
        Server { site: self, child, address, dsn }
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server<'a> {
    pub(crate) site: &'a Site,
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) dsn: Dsn,
}

impl Server<'_> {
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Asks the API; the answer must be a success.
    pub(crate) async fn api(&self, client: &mut Client, path: &str) -> Value {
        client.api(Method::GET, &format!("/api/0{path}"), &self.site.token, None).await.unwrap().json().unwrap()
    }

    /// Asks until the answer is what is waited for.
    pub(crate) async fn until(&self, client: &mut Client, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.api(client, path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} did not become what was waited for: {answer}");
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the stores are past everything accepted.
    pub(crate) async fn until_processed(&self, client: &mut Client) {
        let begun = Instant::now();
        loop {
            let metrics = client.api(Method::GET, "/metrics", "", None).await.unwrap();
            let text = String::from_utf8(metrics.body.to_vec()).unwrap();
            let lags: Vec<&str> = text.lines().filter(|line| line.starts_with("nuthatch_log_lag_records")).collect();
            if !lags.is_empty() && lags.iter().all(|line| line.ends_with(" 0")) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the server did not catch up: {lags:?}");
            tokio::task::yield_now().await;
        }
    }

    /// Memory of the process that is not paged out, in bytes, as the system counts it.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop; it must end well.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // Already ended: nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
