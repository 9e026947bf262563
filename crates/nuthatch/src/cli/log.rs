//! `nuthatch log`

use bytes::Bytes;
use nuthatch_protocol::{IngestRecord, Position, Topic};
use nuthatch_store::{Log as _, log::ReadLimit};
use nuthatch_store_embedded::log::EmbeddedLog;
use serde_json::{Value, json};

use super::{Context, dead_letters, output::table, produce};

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
    /// Hand occurrences and status changes in, a message a line; they become records of `ingest-occurrences`. A running
    /// server takes them over at once, another one when it starts. Fails when a line is refused; the others count.
    Produce(produce::Args),
    /// What was accepted and could not be handled: list (the default), show, replay, discard.
    DeadLetters {
        #[command(subcommand)]
        command: Option<dead_letters::Command>,
    },
}

fn topic(name: &str) -> Result<Topic, String> {
    let names: Vec<_> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
    name.parse().map_err(|()| format!("known topics are {}", names.join(", ")))
}

/// How much is read at once.
const CHUNK: ReadLimit = ReadLimit { records: 1000, bytes: 16 << 20 };

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Topics => topics(context, &open(context)?).await,
        Command::Tail { topic, count } => {
            let mut values = Vec::new();
            for (position, value) in last(&open(context)?, topic, count).await? {
                values.push(describe(position, &value));
            }
            let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
            context.output.result(&Value::Array(values), || lines);
            Ok(())
        }
        Command::Produce(args) => produce::run(context, args).await,
        Command::DeadLetters { command } => dead_letters::run(context, command.unwrap_or_default()).await,
    }
}

fn open(context: &Context) -> anyhow::Result<EmbeddedLog> {
    Ok(EmbeddedLog::open_read_only(&context.config.data.dir)?)
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
