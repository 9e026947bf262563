//! `nuthatch explain`: what the server would make of something, without storing anything.

use std::path::PathBuf;

use anyhow::Context as _;
use bytes::Bytes;
use nuthatch_normalize::scrub::{Change, ScrubSettings, Scrubber};
use nuthatch_protocol::{Event, IngestRecord};
use nuthatch_store::memory::MemoryMeta;
use serde_json::{Value, json};

use super::{
    Context, input,
    output::{Output, table},
};
use crate::{now, scenario::Scenario};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Normalised event, grouping with every part that counts and why others do not, title and culprit. Prints JSON.
    Event {
        /// File with the event's JSON; `-` for standard input.
        file: PathBuf,
    },
    /// What scrubbing takes out of an event: each place, the rule, the value before and afterwards.
    Scrub {
        /// File with the event's JSON; `-` for standard input.
        event: PathBuf,
        /// File with the settings, as JSON under the names that a project has them by in the API (dataScrubber,
        /// sensitiveFields, relayPiiConfig, …); those of a new project when absent.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// File with what the organization requires, under the same names; nothing when absent. Its rules are shown with
        /// `organization:` before their names.
        #[arg(long, value_name = "FILE")]
        organization: Option<PathBuf>,
    },
    /// Items of an envelope, what becomes of each, and why.
    Envelope {
        /// File with the envelope; `-` for standard input.
        file: PathBuf,
    },
    /// What messages of the issue platform do to a state: runs a scenario on stores in memory and prints what comes of
    /// it, in the format of the scenario's `expect`.
    Occurrences {
        /// File with the scenario's JSON; `-` for standard input.
        scenario: PathBuf,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Occurrences { scenario } => {
            let scenario = Scenario::read(&input::read(&scenario)?)?;
            let store = MemoryMeta::new();
            store.seed(scenario.setup.seed());
            Output::text(&serde_json::to_string_pretty(&scenario.run(&store).await?)?);
        }
        Command::Event { file } => {
            let explained = explain_event(input::read(&file)?)?;
            Output::text(&serde_json::to_string_pretty(&explained)?);
        }
        Command::Scrub { event, config, organization } => {
            let project = settings_in(config, serde_json::from_value)?;
            let required = settings_in(organization, ScrubSettings::read_required)?;
            let (project, organization) =
                (project.unwrap_or_default(), required.unwrap_or_else(ScrubSettings::nothing));
            explain_scrub(context.output, input::read(&event)?, &organization, &project)?;
        }
        Command::Envelope { file } => {
            let limits = nuthatch_intake::IntakeConfig {
                envelope_max_bytes: context.config.intake.envelope_max_bytes,
                event_max_bytes: context.config.intake.event_max_bytes,
                ..Default::default()
            };
            let explained = serde_json::to_value(nuthatch_intake::explain(&input::read(&file)?, &limits))?;
            Output::text(&serde_json::to_string_pretty(&explained)?);
        }
    }
    Ok(())
}

fn explain_event(payload: Bytes) -> anyhow::Result<Value> {
    let mut event = read_event(payload)?;
    if event.text(&["type"]) == Some("transaction") {
        let title = event.text(&["transaction"]).map(str::to_owned);
        return Ok(json!({ "event": event, "title": title, "problems": [] }));
    }
    let config = nuthatch_grouping::Config::default();
    nuthatch_grouping::mark_frames(&mut event, &config);
    let grouping = nuthatch_grouping::group(&event, &config);
    Ok(json!({
        "event": event,
        "title": grouping.title,
        "culprit": grouping.culprit,
        "level": grouping.level,
        "metadata": grouping.metadata,
        "grouping": {"config": grouping.config, "hashes": grouping.hashes, "variants": grouping.variants},
        "problems": [],
    }))
}

/// The canonical event of a payload, as if it had been sent now: as what its `type` says, for want of an item.
fn read_event(payload: Bytes) -> anyhow::Result<Event> {
    let record = IngestRecord::trial(payload, now());
    let sent: Value = serde_json::from_slice(&record.payload).unwrap_or_default();
    let read = if sent.get("type").is_some_and(|kind| kind == "transaction") {
        nuthatch_normalize::transaction(&record, None).map(|transaction| transaction.event)
    } else {
        nuthatch_normalize::normalize(&record, None)
    };
    read.map_err(|refused| {
        let place = refused.place.map(|place| format!(" at {place}")).unwrap_or_default();
        anyhow::anyhow!("the event would be refused as {}{place}: {}", refused.reason.as_str(), refused.message)
    })
}

/// The settings of a file, if there is one.
fn settings_in(
    file: Option<PathBuf>,
    read: impl FnOnce(Value) -> serde_json::Result<ScrubSettings>,
) -> anyhow::Result<Option<ScrubSettings>> {
    let Some(file) = file else { return Ok(None) };
    let said = input::read(&file)?;
    let settings = serde_json::from_slice(&said).and_then(read);
    settings.map(Some).with_context(|| format!("the settings in {} cannot be read", file.display()))
}

fn explain_scrub(
    output: Output,
    payload: Bytes,
    organization: &ScrubSettings,
    project: &ScrubSettings,
) -> anyhow::Result<()> {
    let (scrubber, problems) = Scrubber::within(organization, project);
    let problems: Vec<String> =
        problems.into_iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect();
    anyhow::ensure!(problems.is_empty(), "the configuration has faults:\n{}", problems.join("\n"));
    let mut event = read_event(payload)?;
    let changes = scrubber.explain(&mut event);
    output.result(&json!({"changes": changes, "event": event}), || {
        if changes.is_empty() {
            return "Nothing would be taken out.".to_owned();
        }
        let row = |change: &Change| {
            let after = if change.kind == "x" { "(removed)".to_owned() } else { change.after.to_string() };
            vec![change.path.clone(), change.rule.clone(), change.before.to_string(), after]
        };
        table(&["PATH", "RULE", "BEFORE", "AFTER"], &changes.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}
