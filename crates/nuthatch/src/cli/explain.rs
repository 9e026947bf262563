//! `nuthatch explain`: what the server would make of something, without storing anything.

use std::path::PathBuf;

use bytes::Bytes;
use nuthatch_protocol::{EventId, IngestRecord, KeyId, ProjectId, record::IngestHeader};
use nuthatch_store::memory::MemoryMeta;
use serde_json::{Value, json};

use super::{Context, input, output::Output};
use crate::{now, scenario::Scenario};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Normalised event, grouping with every part that counts and why others do not, title and culprit. Prints JSON.
    Event {
        /// File with the event's JSON; `-` for standard input.
        file: PathBuf,
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
    let record = IngestRecord {
        header: IngestHeader {
            project_id: ProjectId(1),
            key_id: KeyId(1),
            event_id: event_id(&payload),
            item_type: "event".to_owned(),
            received: now(),
            sent_at: None,
            client_ip: None,
            client: None,
            version: "7".to_owned(),
        },
        payload,
    };
    let mut event = nuthatch_normalize::normalize(&record).map_err(|refused| {
        let place = refused.place.map(|place| format!(" at {place}")).unwrap_or_default();
        anyhow::anyhow!("the event would be refused as {}{place}: {}", refused.reason.as_str(), refused.message)
    })?;
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

/// The id in the payload, or the nil id.
fn event_id(payload: &[u8]) -> EventId {
    serde_json::from_slice::<Value>(payload)
        .ok()
        .and_then(|event| event.get("event_id")?.as_str()?.parse().ok())
        .unwrap_or(EventId([0; 16]))
}
