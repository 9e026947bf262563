//! `nuthatch bench`: how much this machine takes. It starts the server as a process of its own on an empty data
//! directory, loads it, and prints every figure of one run side by side. Rates are ratios to what the disk does with the
//! same bytes, measured before and after, so that a noisy machine shows.

mod disk;
mod load;
mod occurrences;
mod process;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{cli::output::Output, sample::Size};
use load::{Load, visible_latency};
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

async fn measure(args: &Args, dir: &std::path::Path) -> anyhow::Result<Value> {
    let mut figures = json!({"cores": std::thread::available_parallelism()?.get(), "connections": args.connections});

    progress("durable intake, worker off");
    let intake_dir = dir.join("intake");
    let account = process::init(&intake_dir)?;
    let load = Load::new(&account, args.connections, args.events, Size::Usual, 1)?;
    let server = Child::start(&intake_dir, &["--role", "intake"]).await?;
    let idle = server.memory()?;
    let run = load.send(&server).await?;
    let loaded = server.memory()?;
    let group = server.mean_group_records().await?;
    server.stop().await?;
    // The limit twice: with the batches that the group commits had, and with the largest that the connections allow.
    let records = load.records();
    let bare = disk::BareAppend::measure(dir, &records, group.round().max(1.0) as usize)?;
    let ideal = disk::BareAppend::measure(dir, &records, args.connections)?;
    figures["durable_intake"] = json!({
        "event_bytes": load.event_bytes(), "events": run.accepted, "refused": run.refused,
        "per_second": run.per_second(), "p50_ms": run.latency_ms(0.5), "p99_ms": run.latency_ms(0.99),
        "mean_group_records": group,
        "bare_append": bare.figures(run.per_second()), "bare_append_full_batches": ideal.figures(run.per_second()),
    });
    figures["memory_mib"] = json!({"idle_intake_only": idle.now_mib, "peak_intake_only": loaded.peak_mib});
    std::fs::remove_dir_all(&intake_dir)?;

    progress("the issue platform alone");
    let platform_dir = dir.join("platform");
    std::fs::create_dir_all(&platform_dir)?;
    figures["issue_platform"] = occurrences::measure(&platform_dir, args.events * 2).await?;
    std::fs::remove_dir_all(&platform_dir)?;

    for (name, size, events) in [("3kb", Size::Usual, args.events), ("20kb", Size::Large, args.events / 4)] {
        progress(&format!("fully processed, {name}"));
        let data = dir.join(name);
        let account = process::init(&data)?;
        let load = Load::new(&account, args.connections, events, size, 2)?;
        let server = Child::start(&data, &[]).await?;
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
            "idle_mib": idle.now_mib, "peak_mib": loaded.peak_mib,
        });
        if size == Size::Usual {
            progress("accepted to visible, at half of that rate");
            let visible = visible_latency(&account, &server, rate / 2.0, VISIBLE_SAMPLES).await?;
            figures["visible"] = json!({"offered_per_second": rate / 2.0, "p50_ms": visible.0, "p99_ms": visible.1});
        }
        server.stop().await?;
        let stored = process::stored(&data, &account).await?;
        figure["stored"] = stored.events.into();
        figure["index_bytes_per_event"] = (directory_bytes(&data.join("events"))? / stored.events.max(1)).into();
        figure["issues_bytes_per_event"] = (process::meta_bytes(&data)? / stored.events.max(1)).into();
        figure["start_ms"] = stored.start_ms.into();
        figures["processed"][name] = figure;
        std::fs::remove_dir_all(&data)?;
    }
    Ok(figures)
}

fn describe(figures: &Value) -> String {
    let number = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let mut out = format!("{} cores, {} connections, gzip as SDKs send\n\n", number("/cores"), number("/connections"));
    out += &format!(
        "durable intake       {:>8.0}/s of {:.1} KB, each answered after fsync; p50 {:.1} ms, p99 {:.1} ms\n",
        number("/durable_intake/per_second"),
        number("/durable_intake/event_bytes") / 1000.0,
        number("/durable_intake/p50_ms"),
        number("/durable_intake/p99_ms"),
    );
    for (key, what) in [
        ("bare_append", "batches as large as the group commits were"),
        ("bare_append_full_batches", "batches of one record a connection"),
    ] {
        let at = |field: &str| number(&format!("/durable_intake/{key}/{field}"));
        out += &format!(
            "bare append+fdatasync{:>8.0}/s of the same records in {what} ({:.0}); three runs: {:.0} to {:.0}\n\
             ratio                {:>8.2}\n",
            at("per_second"),
            at("batch"),
            at("slowest"),
            at("fastest"),
            at("ratio"),
        );
    }
    out += "\n";
    for (key, what) in [
        ("existing_issues", "occurrences of 10,000 existing issues"),
        ("new_issues", "occurrences that each make an issue"),
        ("one_hot_issue", "occurrences of one issue"),
        ("half_status_changes", "messages, half of them status changes"),
    ] {
        let at = |field: &str| number(&format!("/issue_platform/{key}/{field}"));
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
    for name in ["3kb", "20kb"] {
        let at = |key: &str| number(&format!("/processed/{name}/{key}"));
        out += &format!(
            "\nfully processed      {:>8.0}/s of {:.1} KB, grouped, counted, searchable ({:.0} events)\n\
             memory               {:>8.0} MiB idle, {:.0} MiB peak\n\
             disk                 {:>8.0} bytes an event in the index, {:.0} in the issues\n\
             start                {:>8.0} ms with {:.0} events stored\n",
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
        "\naccepted to visible  p50 {:.0} ms, p99 {:.0} ms in the issue list, at {:.0} events/s offered\n",
        number("/visible/p50_ms"),
        number("/visible/p99_ms"),
        number("/visible/offered_per_second"),
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
