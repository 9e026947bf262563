//! `nuthatch log`

use std::collections::HashSet;

use bytes::Bytes;
use nuthatch_protocol::{IngestRecord, Position, Topic, record::DeadLetter};
use nuthatch_store::{Log as _, log::ReadLimit};
use nuthatch_store_embedded::log::EmbeddedLog;
use serde_json::{Value, json};

use super::{Context, output::table};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Topics with what they hold and how far consumers are.
    Topics,
    /// The last records of a topic.
    Tail {
        /// Name of the topic, for instance `ingest-events`.
        #[arg(value_parser = topic)]
        topic: Topic,
        /// How many records.
        #[arg(short = 'n', long, default_value_t = 10)]
        count: u64,
    },
    /// What was accepted and could not be handled: reason, place, origin.
    DeadLetters {
        /// How many of the newest.
        #[arg(short = 'n', long, default_value_t = 100)]
        count: u64,
    },
}

fn topic(name: &str) -> Result<Topic, String> {
    let names: Vec<_> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
    name.parse().map_err(|()| format!("known topics are {}", names.join(", ")))
}

/// How much is read at once.
const CHUNK: ReadLimit = ReadLimit { records: 1000, bytes: 16 << 20 };

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let log = EmbeddedLog::open_read_only(&context.config.data.dir)?;
    match command {
        Command::Topics => topics(context, &log).await,
        Command::Tail { topic, count } => {
            let mut values = Vec::new();
            for (position, value) in last(&log, topic, count).await? {
                values.push(describe(position, &value));
            }
            let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
            context.output.result(&Value::Array(values), || lines);
            Ok(())
        }
        Command::DeadLetters { count } => dead_letters(context, &log, count).await,
    }
}

async fn topics(context: &Context, log: &EmbeddedLog) -> anyhow::Result<()> {
    let consumers = log.consumers().await?;
    let mut values = Vec::new();
    let mut rows = Vec::new();
    for topic in Topic::ALL {
        for partition in 0..log.partitions(topic) {
            let bounds = log.bounds(topic, partition).await?;
            let lags: Vec<_> = consumers
                .iter()
                .filter(|(_, position)| position.topic == topic && position.partition == partition)
                .map(|(name, position)| (name.clone(), bounds.next.saturating_sub(position.offset)))
                .collect();
            let lag = lags.iter().map(|(name, lag)| format!("{name} {lag}")).collect::<Vec<_>>().join(", ");
            rows.push(vec![
                topic.to_string(),
                partition.to_string(),
                bounds.first.to_string(),
                bounds.next.to_string(),
                bounds.bytes.to_string(),
                lag,
            ]);
            let lags: serde_json::Map<String, Value> = lags.into_iter().map(|(name, lag)| (name, lag.into())).collect();
            values.push(json!({"topic": topic, "partition": partition, "first": bounds.first, "next": bounds.next, "bytes": bounds.bytes, "lag": lags}));
        }
    }
    context
        .output
        .result(&Value::Array(values), || table(&["topic", "partition", "first", "next", "bytes", "lag"], &rows));
    Ok(())
}

async fn dead_letters(context: &Context, log: &EmbeddedLog, count: u64) -> anyhow::Result<()> {
    // A crash between the list and the position writes a letter again: its source tells.
    let mut known = HashSet::new();
    let mut values = Vec::new();
    let mut rows = Vec::new();
    for (position, value) in last(log, Topic::DeadLetters, count).await? {
        let Ok(letter) = DeadLetter::decode(&value) else {
            values.push(json!({"position": position.to_string(), "reason": "unreadable"}));
            continue;
        };
        if !known.insert(letter.header.source) {
            continue;
        }
        let header = &letter.header;
        rows.push(vec![
            header.at.to_string(),
            header.source.to_string(),
            header.reason.clone(),
            header.place.clone().unwrap_or_default(),
            header.message.clone(),
        ]);
        values.push(json!({
            "position": position.to_string(), "source": header.source.to_string(), "at": header.at,
            "project_id": header.project_id, "event_id": header.event_id, "reason": header.reason,
            "message": header.message, "place": header.place, "bytes": letter.original.len(),
        }));
    }
    context.output.result(&Value::Array(values), || {
        if rows.is_empty() {
            "no dead letters\n".to_owned()
        } else {
            table(&["at", "source", "reason", "place", "message"], &rows)
        }
    });
    Ok(())
}

/// The last records of a topic, oldest first.
async fn last(log: &EmbeddedLog, topic: Topic, count: u64) -> anyhow::Result<Vec<(Position, Bytes)>> {
    let mut found = Vec::new();
    for partition in 0..log.partitions(topic) {
        let bounds = log.bounds(topic, partition).await?;
        let mut at = Position { topic, partition, offset: bounds.next.saturating_sub(count).max(bounds.first) };
        while at.offset < bounds.next {
            let batch = log.read(at, CHUNK).await?;
            if batch.next == at {
                break;
            }
            found.extend(batch.records.into_iter().map(|record| (record.position, record.value)));
            at = batch.next;
        }
    }
    Ok(found)
}

fn describe(position: Position, value: &Bytes) -> Value {
    match IngestRecord::decode(value) {
        Ok(record) => {
            json!({"position": position.to_string(), "header": record.header, "payload_bytes": record.payload.len()})
        }
        Err(_) => json!({"position": position.to_string(), "bytes": value.len()}),
    }
}
