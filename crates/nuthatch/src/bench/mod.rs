//! `nuthatch bench`: how much this machine takes. It starts the server as a process of its own on an empty data
//! directory, loads it, and prints every figure of one run side by side. Rates are ratios to what the disk does with the
//! same bytes, measured before and after, so that a noisy machine shows.

mod connection;
mod disk;
mod intake;
mod load;
mod occurrences;
mod overload;
mod preparation;
mod process;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{cli::output::Output, sample::Size};
use load::{Load, visible_latency};
use overload::Worker;
use process::{Child, directory_bytes};

/// What to measure.
#[derive(clap::Args)]
pub struct Args {
    /// Folder for the data of the run, on the disk to measure; made and removed. A temporary folder by default.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Events of about 3 KB in each measurement; a quarter as many of about 20 KB.
    #[arg(long, default_value_t = 40_000)]
    events: u64,
    /// Connections that send at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Only these parts. All by default.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    #[command(flatten)]
    overload: overload::OverloadArgs,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Taking events in durably, with nobody reading them.
    Intake,
    /// Normalising and scrubbing an event, on one core.
    Preparation,
    /// The issue platform alone.
    Platform,
    /// The whole way of an event, until it is visible.
    Processing,
    /// More than is processed, from one project.
    Overload,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Samples of the accepted-to-visible time.
const VISIBLE_SAMPLES: usize = 200;

/// Runs everything and prints it.
pub async fn run(args: Args, json: bool) -> anyhow::Result<()> {
    let dir = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let dir = dir.join(format!("nuthatch-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let measured = measure(&args, &dir).await;
    std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    let figures = measured?;
    Output { json }.result(&figures, || describe(&figures));
    Ok(())
}

async fn measure(args: &Args, dir: &Path) -> anyhow::Result<Value> {
    let mut figures = json!({"cores": std::thread::available_parallelism()?.get(), "connections": args.connections});
    if args.wants(Part::Intake) {
        progress("durable intake, worker off");
        figures["durable_intake"] = intake::measure(dir, args.connections, args.events * 2).await?;
    }
    if args.wants(Part::Preparation) {
        progress("normalising and scrubbing");
        figures["preparation"] = preparation::measure()?;
    }
    if args.wants(Part::Platform) {
        progress("the issue platform alone");
        let data = dir.join("platform");
        std::fs::create_dir_all(&data)?;
        figures["issue_platform"] = occurrences::measure(&data, args.events * 2).await?;
        std::fs::remove_dir_all(&data)?;
    }
    if args.wants(Part::Processing) {
        for (name, size, events) in [("3kb", Size::Usual, args.events), ("20kb", Size::Large, args.events / 4)] {
            progress(&format!("fully processed, {name}"));
            figures["processed"][name] = processing(args, &dir.join(name), size, events).await?;
        }
    }
    if args.wants(Part::Overload) && args.overload.overload_seconds > 0 {
        for (name, worker) in [("overload", Worker::Usual), ("overload_slow", Worker::Slow)] {
            let data = dir.join(name);
            let seconds = args.overload.overload_seconds;
            figures[name] = overload::measure(&data, worker, seconds, args.connections).await?;
            std::fs::remove_dir_all(&data)?;
        }
    }
    Ok(figures)
}

/// Takes events in with everything on, and waits until all of them are grouped, counted and searchable.
async fn processing(args: &Args, data: &Path, size: Size, events: u64) -> anyhow::Result<Value> {
    let account = process::init(data)?;
    let load = Load::new(&account, args.connections, events, size, 2)?;
    let server = Child::start(data, &[]).await?;
    let idle = server.memory()?;
    let begun = Instant::now();
    let run = load.send(&server).await?;
    let accepted_secs = begun.elapsed().as_secs_f64();
    load.wait_until_processed(&server).await?;
    let secs = begun.elapsed().as_secs_f64();
    let loaded = server.memory()?;
    let rate = run.accepted as f64 / secs;
    let mut figure = json!({
        "event_bytes": load.event_bytes(), "events": run.accepted, "refused": run.refused,
        "accepted_per_second": run.accepted as f64 / accepted_secs, "processed_per_second": rate,
        "idle_mib": idle.resident, "peak_mib": loaded.peak,
    });
    if size == Size::Usual {
        progress("accepted to visible, at half of that rate");
        let visible = visible_latency(&account, &server, rate / 2.0, VISIBLE_SAMPLES).await?;
        figure["visible"] = json!({"offered_per_second": rate / 2.0, "p50_ms": visible.0, "p99_ms": visible.1});
    }
    server.stop().await?;
    let stored = process::stored(data, &account).await?;
    figure["stored"] = stored.events.into();
    figure["index_bytes_per_event"] = (directory_bytes(&data.join("events"))? / stored.events.max(1)).into();
    figure["issues_bytes_per_event"] = (process::meta_bytes(data)? / stored.events.max(1)).into();
    figure["start_ms"] = stored.start_ms.into();
    std::fs::remove_dir_all(data)?;
    Ok(figure)
}

/// The figures of a part, for people.
type Describe = fn(&Value) -> String;

fn describe(figures: &Value) -> String {
    let number = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let mut out = format!("{} cores, {} connections, gzip as SDKs send\n", number("/cores"), number("/connections"));
    let parts: [(&str, Describe); 6] = [
        ("durable_intake", intake::describe),
        ("preparation", preparation::describe),
        ("issue_platform", describe_platform),
        ("processed", describe_processing),
        ("overload", overload::describe),
        ("overload_slow", overload::describe),
    ];
    for (part, describe) in parts {
        if let Some(figures) = figures.get(part) {
            out += "\n";
            out += &describe(figures);
        }
    }
    out
}

fn describe_platform(figures: &Value) -> String {
    let mut out = String::new();
    for (key, what) in [
        ("existing_issues", "occurrences of 10,000 existing issues"),
        ("new_issues", "occurrences that each make an issue"),
        ("one_hot_issue", "occurrences of one issue"),
        ("half_status_changes", "messages, half of them status changes"),
    ] {
        let at = |field: &str| figures.pointer(&format!("/{key}/{field}")).and_then(Value::as_f64).unwrap_or(f64::NAN);
        out += &format!(
            "issue platform       {:>8.0}/s {what}, committed; three runs: {:.0} to {:.0}; one core: {:.0}\n\
             the same rows alone  {:>8.0}/s in the same transactions, three runs: {:.0} to {:.0}; ratio {:.2}; \
             search rows: {:.0}/s\n",
            at("per_second"),
            at("slowest"),
            at("fastest"),
            at("per_second_one_core"),
            at("rows_only/per_second"),
            at("rows_only/slowest"),
            at("rows_only/fastest"),
            at("rows_only/ratio"),
            at("search_rows_per_second"),
        );
    }
    out
}

fn describe_processing(figures: &Value) -> String {
    let number = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let mut out = String::new();
    for name in ["3kb", "20kb"] {
        let at = |key: &str| number(&format!("/{name}/{key}"));
        out += &format!(
            "fully processed      {:>8.0}/s of {:.1} KB, grouped, counted, searchable ({:.0} events)\n\
             memory               {:>8.0} MiB idle, {:.0} MiB peak\n\
             disk                 {:>8.0} bytes an event in the index, {:.0} in the issues\n\
             start                {:>8.0} ms with {:.0} events stored\n\n",
            at("processed_per_second"),
            at("event_bytes") / 1000.0,
            at("events"),
            at("idle_mib"),
            at("peak_mib"),
            at("index_bytes_per_event"),
            at("issues_bytes_per_event"),
            at("start_ms"),
            at("stored"),
        );
    }
    out += &format!(
        "accepted to visible  p50 {:.0} ms, p99 {:.0} ms in the issue list, at {:.0} events/s offered\n",
        number("/3kb/visible/p50_ms"),
        number("/3kb/visible/p99_ms"),
        number("/3kb/visible/offered_per_second"),
    );
    out
}

fn progress(what: &str) {
    use std::io::Write as _;
    // Progress is a courtesy; a closed standard error must not end the run.
    let _ = writeln!(std::io::stderr(), "bench: {what} …");
}

/// Pause between two looks at a server that is catching up.
const POLL: Duration = Duration::from_millis(5);
