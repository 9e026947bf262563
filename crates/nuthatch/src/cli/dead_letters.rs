//! `nuthatch log dead-letters`
//!
//! The list is in the metadata, which a running server shares. A replay is only asked for: the server's worker does it,
//! because nobody else may write the log.

use std::path::PathBuf;

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use nuthatch_protocol::LetterId;
use nuthatch_store::{
    DeadLetterStore as _,
    dead_letters::{LETTER_PAGE_MAX, Letter, LetterCursor, LetterFilter, LetterQuery, LetterScope, StoredLetter},
};
use nuthatch_store_embedded::meta::EmbeddedMeta;
use serde_json::{Value, json};

use super::{Context, input, output::table};
use crate::server::open_meta;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// The newest letters, of all projects and of none: reason, place, origin.
    List {
        /// How many.
        #[arg(short = 'n', long, default_value_t = LETTER_PAGE_MAX)]
        count: usize,
        /// Only those refused for this reason, for instance `invalid_json`.
        #[arg(long)]
        reason: Option<String>,
    },
    /// A letter with the payload that was refused.
    Show {
        /// Id of the letter.
        id: LetterId,
    },
    /// Have a letter handled again. A running server does it at once, another one when it starts.
    Replay {
        #[command(flatten)]
        which: Which,
        /// File with the payload that takes the place of the refused one; `-` for standard input.
        #[arg(long, value_name = "FILE", conflicts_with = "all")]
        payload: Option<PathBuf>,
    },
    /// Remove a letter for good.
    Discard {
        #[command(flatten)]
        which: Which,
    },
}

impl Default for Command {
    fn default() -> Self {
        Self::List { count: LETTER_PAGE_MAX, reason: None }
    }
}

#[derive(clap::Args)]
pub(crate) struct Which {
    /// Id of the letter.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<LetterId>,
    /// All letters.
    #[arg(long)]
    all: bool,
    /// With `--all`: only those refused for this reason.
    #[arg(long, requires = "all", conflicts_with = "id")]
    reason: Option<String>,
}

pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let meta = open_meta(&context.config.data.dir)?;
    match command {
        Command::List { count, reason } => list(context, &meta, count, reason).await,
        Command::Show { id } => {
            let stored = find(&meta, id).await?;
            let value = whole(&stored);
            context.output.result(&value, || lines(&stored));
            Ok(())
        }
        Command::Replay { which: Which { id: Some(id), .. }, payload } => {
            let payload = payload.map(|file| input::read(&file)).transpose()?;
            let record = find(&meta, id).await?.replacement(payload)?;
            meta.request_replay(id, record).await?;
            requested(context, 1);
            Ok(())
        }
        Command::Replay { which: Which { reason, .. }, .. } => {
            requested(context, meta.request_replays(&of_all(reason)).await?);
            Ok(())
        }
        Command::Discard { which: Which { id: Some(id), .. } } => {
            discarded(context, meta.remove_letters(&[find(&meta, id).await?.letter.id]).await?);
            Ok(())
        }
        Command::Discard { which: Which { reason, .. } } => {
            discarded(context, meta.remove_all_letters(&of_all(reason)).await?);
            Ok(())
        }
    }
}

fn of_all(reason: Option<String>) -> LetterFilter {
    LetterFilter { scope: LetterScope::Installation, reason }
}

async fn find(meta: &EmbeddedMeta, id: LetterId) -> anyhow::Result<StoredLetter> {
    let found = meta.letter(id).await?;
    found.with_context(|| format!("there is no dead letter {id}; `nuthatch log dead-letters list` shows all"))
}

async fn list(context: &Context, meta: &EmbeddedMeta, count: usize, reason: Option<String>) -> anyhow::Result<()> {
    let mut query = LetterQuery { filter: of_all(reason), cursor: None, limit: count };
    let mut letters: Vec<Letter> = Vec::new();
    loop {
        let page = meta.letters(&query).await?;
        letters.extend(page.letters);
        query.limit = count - letters.len();
        let Some(last) = letters.last().filter(|_| page.has_next && query.limit > 0) else { break };
        query.cursor = Some(LetterCursor { id: last.id, backwards: false });
    }
    context.output.result(&letters.iter().map(shown).collect(), || {
        if letters.is_empty() {
            return "no dead letters".to_owned();
        }
        table(&["id", "at", "project", "reason", "place", "message"], &letters.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}

fn row(Letter { id, header, .. }: &Letter) -> Vec<String> {
    vec![
        id.to_string(),
        header.at.to_string(),
        header.project_id.map(|id| id.to_string()).unwrap_or_default(),
        header.reason.clone(),
        header.place.clone().unwrap_or_default(),
        header.message.clone(),
    ]
}

fn shown(letter: &Letter) -> Value {
    let header = &letter.header;
    json!({
        "id": letter.id, "source": header.source.to_string(), "at": header.at, "project_id": header.project_id,
        "event_id": header.event_id, "reason": header.reason, "message": header.message, "place": header.place,
        "bytes": letter.bytes, "replay_requested": letter.replay_requested,
    })
}

fn whole(stored: &StoredLetter) -> Value {
    let (header, payload) = stored.content();
    let (text, encoding) = match std::str::from_utf8(&payload) {
        Ok(text) => (text.to_owned(), "text"),
        Err(_) => (BASE64_STANDARD.encode(&payload), "base64"),
    };
    let mut value = shown(&stored.letter);
    value["header"] = json!(header);
    value["payload"] = text.into();
    value["encoding"] = encoding.into();
    value
}

fn lines(stored: &StoredLetter) -> String {
    let header = &stored.letter.header;
    let known = [
        ("reason", Some(header.reason.clone())),
        ("message", Some(header.message.clone())),
        ("place", header.place.clone()),
        ("at", Some(header.at.to_string())),
        ("source", Some(header.source.to_string())),
        ("project", header.project_id.map(|id| id.to_string())),
        ("event", header.event_id.map(|id| id.to_string())),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some(format!("{name:<8} {}\n", value?)));
    let (_, payload) = stored.content();
    format!("{}\n{}", known.collect::<String>(), String::from_utf8_lossy(&payload))
}

fn requested(context: &Context, count: u64) {
    context.output.result(&json!({ "requested": count }), || {
        format!("asked for the replay of {count}; a running server does it at once, another one when it starts")
    });
}

fn discarded(context: &Context, count: u64) {
    context.output.result(&json!({ "discarded": count }), || format!("discarded {count}"));
}
