//! Wiring: opens the stores of a data directory and runs the chosen roles on them.

mod accept;
mod operations;
mod web;

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use nuthatch_api::Api;
use nuthatch_intake::Intake;
use nuthatch_protocol::{Clock, EventId, Topic};
use nuthatch_store::{
    EventStore, Log, MetaStore, TraceStore,
    log::{LogLayout, ReadLimit},
    quotas::Quota,
};
use nuthatch_store_embedded::{
    blobs::EmbeddedBlobs,
    events::{self, EmbeddedEvents},
    log::{EmbeddedLog, LogOptions},
    meta::{EmbeddedMeta, MetaOptions},
    quota_counts::EmbeddedQuotaCounts,
    traces::{self, EmbeddedTraces},
};
use nuthatch_worker::{Worker, WorkerOptions};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use crate::{config::Config, geoip};
use accept::AcceptLimits;

/// What a process does. All by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Takes what SDKs send.
    Intake,
    /// Turns it into issues and searchable events.
    Worker,
    /// Answers the web API and serves the page.
    Api,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Intake, Self::Worker, Self::Api];
}

/// Opens the metadata of a data directory, which may be in use by a server.
pub fn open_meta(dir: &Path) -> anyhow::Result<EmbeddedMeta> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create the data directory {}", dir.display()))?;
    EmbeddedMeta::open(&dir.join("meta.db"), MetaOptions::default())
        .with_context(|| format!("cannot open the metadata in {}", dir.display()))
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    accepting: tokio::task::JoinHandle<()>,
    working: Option<tokio::task::JoinHandle<Result<(), nuthatch_store::StoreError>>>,
    /// Keeps what quotas count, until it is told that nothing is taken any more.
    counting: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
    intake: Intake,
    log: Arc<EmbeddedLog>,
    events: Arc<EmbeddedEvents>,
    traces: Arc<EmbeddedTraces>,
    drain: Duration,
}

impl Server {
    /// Opens the stores and starts the roles. Ready when it returns.
    ///
    /// # Errors
    ///
    /// Says which store, address or setting is at fault.
    pub async fn start(
        config: &Config,
        roles: &[Role],
        meta: Arc<EmbeddedMeta>,
        metrics: metrics_exporter_prometheus::PrometheusHandle,
    ) -> anyhow::Result<Self> {
        let dir = &config.data.dir;
        let log = EmbeddedLog::open(dir, log_options(config))
            .with_context(|| format!("cannot open the log in {}", dir.display()))?;
        let log = Arc::new(log);
        let events = EmbeddedEvents::open(&dir.join("events"), events::Options::default())
            .with_context(|| format!("cannot open the events in {}", dir.display()))?;
        let events = Arc::new(events);
        let traces = EmbeddedTraces::open(&dir.join("traces"), traces::Options::default())
            .with_context(|| format!("cannot open the traces in {}", dir.display()))?;
        let traces = Arc::new(traces);
        let blobs = EmbeddedBlobs::open(&dir.join("blobs"))
            .with_context(|| format!("cannot open the blobs in {}", dir.display()))?;
        let blobs = Arc::new(blobs);
        let clock: Arc<dyn Clock> = Arc::new(crate::now);
        let geo = geoip::open(config.worker.geoip_path.as_deref())?;

        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.server.listen))?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();

        let intake = Intake::new(
            log.clone() as Arc<dyn Log>,
            blobs.clone(),
            meta.clone(),
            clock.clone(),
            Arc::new(|| EventId(crate::random_bytes())),
            intake_config(config),
        );
        let mut counting = None;
        if roles.contains(&Role::Intake) {
            let counts = Arc::new(EmbeddedQuotaCounts::new(dir));
            // Before the worker gives up what is in the log.
            intake.resume_quotas(&*counts).await.context("cannot go on with what quotas have counted")?;
            let all_taken = CancellationToken::new();
            let keeping = tokio::spawn(intake.clone().keep_quotas(counts, all_taken.clone().cancelled_owned()));
            counting = Some((all_taken, keeping));
        }

        let rules = Arc::new(nuthatch_worker::Rules::new(meta.clone()).with_geo(geo));
        let working = roles.contains(&Role::Worker).then(|| {
            let worker = Worker {
                log: log.clone(),
                issues: meta.clone(),
                events: events.clone(),
                traces: traces.clone(),
                letters: meta.clone(),
                queue: meta.clone(),
                outcomes: meta.clone(),
                facts: meta.clone(),
                files: meta.clone(),
                blobs: blobs.clone(),
                settlements: meta.clone(),
                monitors: meta.clone(),
                sessions: meta.clone(),
                rules: rules.clone(),
                clock: clock.clone(),
                options: worker_options(config),
            };
            tokio::spawn(worker.run(stop.clone()))
        });

        let mut router = operations::router(operations::Operations {
            log: log.clone(),
            events: events.clone(),
            traces: traces.clone(),
            metrics,
            metrics_token: config.telemetry.metrics_token.as_str().into(),
        });
        if roles.contains(&Role::Api) {
            let api = Api::new(nuthatch_api::ApiDeps {
                meta: meta.clone() as Arc<dyn MetaStore>,
                events: events.clone() as Arc<dyn EventStore>,
                traces: traces.clone() as Arc<dyn TraceStore>,
                blobs: blobs.clone(),
                log: log.clone(),
                clock,
                random: Arc::new(|bytes: &mut [u8]| rand::fill(bytes)),
                canonicalise: Arc::new(move |record| {
                    let rules = rules.clone();
                    Box::pin(async move { rules.stored_event(&record).await })
                }),
                quota_usage: roles.contains(&Role::Intake).then(|| {
                    let intake = intake.clone();
                    Arc::new(move |quota: &Quota| intake.quota_usage(quota)) as nuthatch_api::UsageOfQuota
                }),
                public_url: config.public_url(address)?,
            });
            router = router.merge(nuthatch_api::router(api)).fallback(web::asset);
        }
        router = router.layer(CompressionLayer::new().gzip(true));
        if roles.contains(&Role::Intake) {
            // What SDKs are answered is too short to be worth compressing.
            router = router.merge(nuthatch_intake::router(intake.clone()));
        }
        // A handler that breaks must not take its connection along.
        let router = router.layer(CatchPanicLayer::new());
        let limits = AcceptLimits {
            connections_max: accept::connections_within(open_files_max(), config.server.connections_max),
            header_timeout: Duration::from_secs(config.server.header_timeout_secs),
            drain_timeout: Duration::from_secs(config.server.shutdown_timeout_secs),
        };
        let accepting = tokio::spawn(accept::accept(listener, router, limits, stop.clone()));
        Ok(Self {
            address,
            stop,
            accepting,
            working,
            counting,
            intake,
            log,
            events,
            traces,
            drain: limits.drain_timeout,
        })
    }

    /// Resolves when the worker ended by itself, which only damage that needs a person makes it do.
    pub async fn failed(&mut self) -> anyhow::Error {
        match &mut self.working {
            Some(working) => match working.await {
                Ok(Ok(())) => anyhow::anyhow!("the worker stopped"),
                Ok(Err(error)) => anyhow::Error::new(error).context("the worker cannot go on"),
                Err(error) => anyhow::Error::new(error).context("the worker broke"),
            },
            None => std::future::pending().await,
        }
    }

    /// Stops accepting, lets requests and the worker finish within the configured bound, closes the stores.
    pub async fn shut_down(self) -> anyhow::Result<()> {
        self.intake.close();
        self.stop.cancel();
        self.accepting.await?;
        if let Some((all_taken, keeping)) = self.counting {
            all_taken.cancel();
            keeping.await?;
        }
        if let Some(working) = self.working
            && !working.is_finished()
        {
            match tokio::time::timeout(self.drain, working).await {
                Ok(ended) => ended??,
                Err(_) => tracing::warn!("the worker did not finish in time; it goes on at the next start"),
            }
        }
        self.log.shutdown().await;
        // Dropping a store waits for what its thread still does.
        let stores = (self.events, self.traces);
        tokio::task::spawn_blocking(move || drop(stores)).await?;
        Ok(())
    }
}

/// How many files and sockets the process may open, after asking the system for as many as it allows.
fn open_files_max() -> usize {
    let allowed = rlimit::increase_nofile_limit(u64::MAX).or_else(|error| {
        tracing::warn!(%error, "cannot raise the number of files that may be open");
        rlimit::Resource::NOFILE.get().map(|(soft, _)| soft)
    });
    allowed.map_or(usize::MAX, |allowed| usize::try_from(allowed).unwrap_or(usize::MAX))
}

/// How the log is opened: with the consumers that it must wait for.
pub fn log_options(config: &Config) -> LogOptions {
    let consumers = Topic::ALL
        .into_iter()
        .flat_map(|topic| nuthatch_worker::consumers(topic).iter().map(move |name| (topic, (*name).to_owned())))
        .collect();
    LogOptions {
        layout: LogLayout { partitions: 1, consumers },
        max_bytes: config.log.max_bytes,
        free_min_bytes: config.log.free_min_bytes,
        ..LogOptions::default()
    }
}

fn worker_options(config: &Config) -> WorkerOptions {
    WorkerOptions {
        batch: ReadLimit { records: config.worker.batch_max_records, bytes: config.worker.batch_max_bytes },
        commit_interval: Duration::from_millis(config.worker.commit_interval_ms),
        commit_max_events: config.worker.commit_max_events,
        retention: Duration::from_secs(u64::from(config.retention.events_days) * 86_400),
        platform: platform_options(config.worker.kept_per_issue_minute),
    }
}

fn platform_options(kept_per_minute: u64) -> nuthatch_issues::Options {
    nuthatch_issues::Options {
        flood_guard: (kept_per_minute > 0).then_some(nuthatch_issues::FloodGuard { kept_per_minute }),
        ..nuthatch_issues::Options::default()
    }
}

fn intake_config(config: &Config) -> nuthatch_intake::IntakeConfig {
    nuthatch_intake::IntakeConfig {
        envelope_max_bytes: config.intake.envelope_max_bytes,
        upload_max_bytes: config.intake.upload_max_bytes,
        uploads_max: config.intake.uploads_max,
        event_max_bytes: config.intake.event_max_bytes,
        inflight_max_bytes: config.intake.inflight_max_bytes,
        body_timeout: Duration::from_secs(config.intake.body_timeout_secs),
        // An address that is no URL was refused when the configuration was read.
        public_url: url::Url::parse(&config.server.public_url).ok(),
        trust_forwarded_for: config.intake.trust_forwarded_for,
        lane_events_per_second: config.intake.lane_events_per_second,
        lane_burst_events: config.intake.lane_burst_events,
        ..nuthatch_intake::IntakeConfig::default()
    }
}
