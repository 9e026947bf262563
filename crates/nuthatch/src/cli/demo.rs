//! `nuthatch demo`: realistic events through the real intake, for trying it out, for pictures and for tests.

use std::time::Duration;

use anyhow::Context as _;
use nuthatch_api::dsn;
use nuthatch_protocol::Timestamp;
use nuthatch_store::ProjectStore as _;
use serde_json::json;

use super::Context;
use crate::{
    client::{Client, Dsn},
    now,
    sample::{Samples, Sequence, Size, envelope},
    server::open_meta,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// DSN to send to; the first project of the data directory, on the configured address, by default.
    #[arg(long)]
    dsn: Option<String>,
    /// How many events.
    #[arg(long, default_value_t = 500)]
    events: u64,
    /// Spread over this many hours before now, more of them lately.
    #[arg(long, default_value_t = 336)]
    hours: u64,
    /// The same seed gives the same events but for their times.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let dsn = Dsn::parse(&match args.dsn {
        Some(dsn) => dsn,
        None => first_dsn(context).await?,
    })?;
    let samples = Samples::new(1)?;
    let mut random = Sequence::new(args.seed);
    let mut client = Client::new(dsn.address);
    let end = now();
    let mut times: Vec<Timestamp> = (0..args.events).map(|_| recent(&mut random, end, args.hours)).collect();
    times.sort_unstable();
    for at in times {
        let sample = samples.event(&mut random, at, Size::Usual);
        let answer =
            client.envelope(&dsn, envelope(&sample, &dsn.text, now()).into(), false).await.with_context(|| {
                format!("is the server running? `nuthatch serve` starts it; sending to {}", dsn.address)
            })?;
        answer.json()?;
    }
    let sent = json!({"sent": args.events, "dsn": dsn.text});
    context.output.result(&sent, || format!("sent {} events to {}", args.events, dsn.text));
    Ok(())
}

/// A time in the last hours, half of them in the last sixth.
fn recent(random: &mut Sequence, end: Timestamp, hours: u64) -> Timestamp {
    let span = hours.max(1) * 3_600_000;
    let span = if random.below(2) == 0 { span / 6 } else { span };
    end.minus(Duration::from_millis(random.below(span)))
}

async fn first_dsn(context: &Context) -> anyhow::Result<String> {
    let meta = open_meta(&context.config.data.dir)?;
    let url = context.config.public_url(context.config.server.listen)?;
    for organization in meta.organizations().await? {
        for project in meta.projects(organization.id).await? {
            if let Some(key) = meta.keys(project.id).await?.into_iter().find(|key| key.is_active) {
                return Ok(dsn(&url, &key));
            }
        }
    }
    anyhow::bail!("there is no project yet; start the server once with `nuthatch serve`, or name a --dsn")
}
