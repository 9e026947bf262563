//! `nuthatch log produce`
//!
//! Only the server's worker writes the log, so messages are left in the metadata, which a running server shares: it takes
//! them over at once, another one when it starts.

use std::{
    collections::{HashMap, hash_map::Entry},
    path::PathBuf,
};

use nuthatch_issues::{DecodeError, DecodeReason, Decoded, TopicRecord, decode};
use nuthatch_protocol::{Partition, ProjectId};
use nuthatch_store::{
    IssueTypeStore as _, MessageQueueStore as _, ProjectStore as _, issue_types::IssueTypes, message_queue::QueueBounds,
};
use nuthatch_store_embedded::meta::EmbeddedMeta;
use serde_json::{Value, json};

use super::{
    Context, input,
    output::{Reported, table},
};
use crate::server::{log_options, open_meta};

/// Most lines of one call.
const LINES_MAX: usize = 100_000;

/// Largest message, in bytes, as over HTTP.
const MESSAGE_MAX_BYTES: usize = 8 << 20;

/// Messages that are handed in together.
const HANDED_IN_AT_ONCE: usize = 1000;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// File with a message on each line, as JSON; `-` for standard input. Empty lines are passed over.
    file: PathBuf,
}

/// What became of a line.
struct Line {
    /// Counted from 1.
    number: usize,
    /// Why it was refused, if it was.
    refusal: Option<DecodeError>,
}

pub(crate) async fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let input = input::read(&args.file)?;
    let lines: Vec<(usize, &[u8])> = (1..).zip(input.split(|byte| *byte == b'\n')).collect();
    let lines: Vec<_> = lines.into_iter().filter(|(_, line)| !line.trim_ascii().is_empty()).collect();
    anyhow::ensure!(lines.len() <= LINES_MAX, "at most {LINES_MAX} messages are taken at once: split the file");
    let meta = open_meta(&context.config.data.dir)?;
    let mut desk =
        Desk { meta: &meta, types: HashMap::new(), partitions: log_options(&context.config).layout.partitions };
    let mut answers = Vec::with_capacity(lines.len());
    for lines in lines.chunks(HANDED_IN_AT_ONCE) {
        let first = answers.len();
        let mut records = Vec::with_capacity(lines.len());
        for (number, line) in lines {
            let checked = desk.check(line).await?;
            answers.push(match checked {
                Ok(record) => {
                    records.push(record);
                    Line { number: *number, refusal: None }
                }
                Err(error) => Line { number: *number, refusal: Some(error) },
            });
        }
        if !meta.queue_messages(records, QueueBounds::default()).await? {
            let full = refused("$", "too many messages wait for the server: let it run, then send this line again");
            for line in &mut answers[first..] {
                line.refusal.get_or_insert_with(|| full.clone());
            }
        }
    }
    report(context, &answers)
}

/// What messages are checked against.
struct Desk<'a> {
    meta: &'a EmbeddedMeta,
    /// The issue types of projects; none where there is no such project.
    types: HashMap<ProjectId, Option<IssueTypes>>,
    partitions: Partition,
}

impl Desk<'_> {
    /// The record of a line, or why there is none.
    async fn check(&mut self, line: &[u8]) -> anyhow::Result<Result<TopicRecord, DecodeError>> {
        if line.len() > MESSAGE_MAX_BYTES {
            return Ok(Err(refused("$", format!("a message has at most {MESSAGE_MAX_BYTES} bytes"))));
        }
        let decoded = match decode(line, crate::now()) {
            Ok(decoded) => decoded,
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = self.check_place(&decoded).await? {
            return Ok(Err(error));
        }
        let message = serde_json::from_slice(line).unwrap_or_default();
        Ok(TopicRecord::of(&message, crate::now(), self.partitions))
    }

    /// Refuses what would become a dead letter for its project or its type.
    async fn check_place(&mut self, decoded: &Decoded) -> anyhow::Result<Result<(), DecodeError>> {
        let id = decoded.project_id();
        let types = match self.types.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let project = self.meta.project(id).await?;
                unknown.insert(match project {
                    Some(project) => Some(IssueTypes::new(self.meta.issue_types(project.organization_id).await?)),
                    None => None,
                })
            }
        };
        let Some(types) = types else { return Ok(Err(refused("$.project_id", format!("there is no project {id}")))) };
        Ok(match decoded.type_id().filter(|id| types.by_id(*id).is_none()) {
            Some(id) => {
                Err(refused("$.type", format!("issue type {} does not exist: define it, or correct `type`", id.0)))
            }
            None => Ok(()),
        })
    }
}

fn refused(path: &str, message: impl Into<String>) -> DecodeError {
    DecodeError { reason: DecodeReason::InvalidPayload, path: path.to_owned(), message: message.into() }
}

fn report(context: &Context, lines: &[Line]) -> anyhow::Result<()> {
    let refused = lines.iter().filter(|line| line.refusal.is_some()).count();
    let accepted = lines.len() - refused;
    let value = json!({
        "accepted": accepted, "refused": refused, "lines": lines.iter().map(shown).collect::<Vec<_>>(),
    });
    context.output.result(&value, || {
        let bad = lines.iter().filter_map(|line| {
            let error = line.refusal.as_ref()?;
            Some(vec![line.number.to_string(), error.path.clone(), error.message.clone()])
        });
        let bad: Vec<_> = bad.collect();
        let table = if bad.is_empty() { String::new() } else { table(&["line", "place", "refused because"], &bad) };
        format!("{table}accepted {accepted}, refused {refused}")
    });
    if refused == 0 { Ok(()) } else { Err(Reported(format!("{refused} lines were refused")).into()) }
}

fn shown(line: &Line) -> Value {
    match &line.refusal {
        None => json!({"line": line.number, "status": "accepted"}),
        Some(error) => json!({
            "line": line.number, "status": "refused", "reason": error.reason.as_str(), "place": error.path,
            "message": error.message,
        }),
    }
}
