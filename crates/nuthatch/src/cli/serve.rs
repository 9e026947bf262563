//! `nuthatch serve`

use std::{io::IsTerminal as _, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use super::{Context, first_run};
use crate::{
    config::{LogFormat, TelemetryConfig},
    server::{Role, Server, open_meta},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address under which browsers and SDKs reach the server.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// What this process does; everything by default.
    #[arg(long, value_enum, value_delimiter = ',')]
    role: Vec<Role>,
}

pub(crate) async fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let config = &context.config;
    start_logging(&config.telemetry)?;
    let metrics = PrometheusBuilder::new()
        .set_buckets(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])?
        .install_recorder()
        .context("cannot collect metrics")?;
    let roles = if args.role.is_empty() { Role::ALL.to_vec() } else { args.role };

    let dir = config.data.dir.clone();
    let meta = Arc::new(tokio::task::spawn_blocking(move || open_meta(&dir)).await??);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut server = Server::start(config, &roles, meta.clone(), metrics).await?;
    let url = config.public_url(server.address)?;
    let first = first_run::prepare(&*meta, &url).await?;
    let url = url.as_str().trim_end_matches('/');

    let shown = json!({"url": url, "address": server.address, "dsn": first.dsn, "setup": first.setup_link});
    context.output.result(&shown, || {
        let mut text = format!("Nuthatch is ready at {url}\n  data   {}\n", config.data.dir.display());
        if let Some(dsn) = &first.dsn {
            text += &format!("  DSN    {dsn}\n");
        }
        if let Some(link) = &first.setup_link {
            text += &format!("\nCreate the first account (once, within a day):\n  {link}\n");
        }
        text
    });
    tracing::info!(address = %server.address, ?roles, "ready");

    let failure = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        failure = server.failed() => Some(failure),
    };
    tracing::info!("shutting down");
    server.shut_down().await?;
    failure.map_or(Ok(()), Err)
}

fn start_logging(telemetry: &TelemetryConfig) -> anyhow::Result<()> {
    let filter: EnvFilter = telemetry.log.parse().context("telemetry.log is not a log filter")?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match telemetry.log_format {
        LogFormat::Text => registry.with(layer).try_init()?,
        LogFormat::Json => registry.with(layer.json()).try_init()?,
    }
    Ok(())
}
