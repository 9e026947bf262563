//! Durable intake beside what the disk does with the same records, by turns, because a shared disk is another one a minute
//! later.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    disk::bare_append,
    load::{Load, Run},
    process::{self, Child, cpu_secs},
};
use crate::sample::Size;

/// Turns; the middle one counts, the others show the noise.
const TURNS: usize = 5;

/// One turn.
struct Turn {
    /// Events taken in a second.
    rate: f64,
    /// Records of a group commit, on average.
    group: f64,
    /// Records appended a second, in batches of that many.
    bare: f64,
    /// Records appended a second, in batches of one for each connection.
    full: f64,
}

/// Takes events in with the worker off, and appends the same records to a file.
pub(super) async fn measure(dir: &Path, connections: usize, events: u64) -> anyhow::Result<Value> {
    let data = dir.join("intake");
    let account = process::init(&data)?;
    let load = Load::new(&account, connections, events, Size::Usual, 1)?;
    let records = load.records();
    let server = Child::start(&data, &["--role", "intake"]).await?;
    let idle = server.memory()?;
    let (mut server_secs, mut client_secs, mut run) = (0.0, 0.0, Run::default());
    let mut turns = Vec::new();
    let part = records.len().div_ceil(TURNS).max(1);
    for (turn, records) in records.chunks(part).enumerate() {
        let (server_cpu, client_cpu) = (server.cpu_secs()?, cpu_secs("self")?);
        let before = server.group_commits().await?;
        let sent = load.send_some(&server, turn * part..turn * part + records.len()).await?;
        let after = server.group_commits().await?;
        server_secs += server.cpu_secs()? - server_cpu;
        client_secs += cpu_secs("self")? - client_cpu;
        let group = (after.0 - before.0) / (after.1 - before.1).max(1.0);
        let bare = bare_append(dir, records, group.round().max(1.0) as usize)?;
        turns.push(Turn { rate: sent.per_second(), group, bare, full: bare_append(dir, records, connections)? });
        run.add(sent);
    }
    let loaded = server.memory()?;
    server.stop().await?;
    std::fs::remove_dir_all(&data)?;
    let micros_an_event = |secs: f64| secs * 1e6 / run.accepted.max(1) as f64;
    let figures = |of: fn(&Turn) -> f64| figures(turns.iter().map(of).collect());
    Ok(json!({
        "event_bytes": load.event_bytes(), "events": run.accepted, "refused": run.refused,
        "per_second": figures(|turn| turn.rate), "p50_ms": run.latency_ms(0.5), "p99_ms": run.latency_ms(0.99),
        "server_cpu_us": micros_an_event(server_secs), "client_cpu_us": micros_an_event(client_secs),
        "mean_group_records": figures(|turn| turn.group), "idle_mib": idle.resident, "peak_mib": loaded.peak,
        "bare_append": figures(|turn| turn.bare), "ratio": figures(|turn| turn.rate / turn.bare),
        "bare_append_full_batches": figures(|turn| turn.full), "ratio_full_batches": figures(|turn| turn.rate / turn.full),
        "connections": connections,
    }))
}

/// The middle of some figures, the least and the most.
fn figures(mut values: Vec<f64>) -> Value {
    values.sort_unstable_by(f64::total_cmp);
    json!({"median": values.get(values.len() / 2), "least": values.first(), "most": values.last()})
}

/// For people.
pub(super) fn describe(figures: &Value) -> String {
    let number = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let of = |name: &str| ["median", "least", "most"].map(|which| number(&format!("/{name}/{which}")));
    let [rate, slowest, fastest] = of("per_second");
    let mut out = format!(
        "durable intake       {rate:>8.0}/s of {:.1} KB, each answered after fsync; p50 {:.1} ms, p99 {:.1} ms; \
         {TURNS} turns: {slowest:.0} to {fastest:.0}\n\
         time of a core       {:>8.0} us an event in the server, {:.0} us in the client, which share the cores\n\
         memory               {:>8.0} MiB idle, {:.0} MiB peak\n",
        number("/event_bytes") / 1000.0,
        number("/p50_ms"),
        number("/p99_ms"),
        number("/server_cpu_us"),
        number("/client_cpu_us"),
        number("/idle_mib"),
        number("/peak_mib"),
    );
    let [group, smallest, largest] = of("mean_group_records");
    let groups = format!("batches as large as the group commits were ({group:.0}; {smallest:.0} to {largest:.0})");
    let full = format!("batches of one record a connection ({})", number("/connections"));
    for (bare, ratio, what) in
        [("bare_append", "ratio", groups), ("bare_append_full_batches", "ratio_full_batches", full)]
    {
        let ([bare, slowest, fastest], [ratio, least, most]) = (of(bare), of(ratio));
        out += &format!(
            "bare append+fdatasync{bare:>8.0}/s of the same records in {what}, by turns with it: {slowest:.0} to {fastest:.0}\n\
             ratio                {ratio:>8.2}; in each turn: {least:.2} to {most:.2}\n",
        );
    }
    out
}
