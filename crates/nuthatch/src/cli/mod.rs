//! The command line. Every command prints for people, or with `--json` one JSON value for programs.
//! Exit codes: 0 done, 1 failed, 2 wrong use; 3 `verify` found that the books do not balance.

mod accounts;
mod dead_letters;
mod demo;
mod explain;
mod first_run;
mod input;
mod issue_types;
mod log;
pub(crate) mod output;
mod produce;
mod project_tokens;
mod projects;
mod reference;
mod serve;
mod verify;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides};
use output::Output;

/// Self-hosted error tracking: one binary, one data directory, any Sentry SDK.
#[derive(Parser)]
#[command(name = "nuthatch", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Common {
    /// Configuration file (TOML); `nuthatch config reference` lists every setting.
    #[arg(long, global = true, env = "NUTHATCH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::Args),
    /// Make the first account, organization and project without a browser.
    Init(first_run::Args),
    /// Accounts.
    #[command(subcommand)]
    User(accounts::UserCommand),
    /// Personal tokens for the web API.
    #[command(subcommand)]
    Token(accounts::TokenCommand),
    /// Projects.
    #[command(subcommand)]
    Project(projects::ProjectCommand),
    /// Client keys (DSNs) of a project.
    #[command(subcommand)]
    Key(projects::KeyCommand),
    /// Issue types: their rules, built in or your own.
    #[command(subcommand)]
    IssueType(issue_types::IssueTypeCommand),
    /// Show what the server makes of an event or an envelope, without storing anything.
    #[command(subcommand)]
    Explain(explain::Command),
    /// Look into the log: what was accepted, what could not be handled. Hand messages in.
    #[command(subcommand)]
    Log(log::Command),
    /// Recompute the books: is what was received what was stored, filtered, limited and refused? Exits with 3 when they
    /// do not balance.
    Verify,
    /// Fill a project with realistic events through the real intake.
    Demo(demo::Args),
    /// Measure how much this machine takes.
    Bench(crate::bench::Args),
    /// Show the configuration in force, or the reference of all settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Every command with its help, as Markdown.
    Reference,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Every setting with default and meaning, as Markdown.
    Reference,
    /// The settings in force.
    Show,
}

/// What every command gets.
struct Context {
    config: Config,
    output: Output,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.common.json };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failure(&anyhow::Error::new(error).context("cannot start")),
    };
    match runtime.block_on(run(cli, output)) {
        Ok(code) => code,
        Err(error) => output.failure(&error),
    }
}

async fn run(cli: Cli, output: Output) -> anyhow::Result<ExitCode> {
    let (listen, public_url): (Option<SocketAddr>, Option<String>) = match &cli.command {
        Command::Serve(args) => (args.listen, args.public_url.clone()),
        Command::Init(args) => (None, args.public_url.clone()),
        _ => (None, None),
    };
    let overrides = Overrides::new(cli.common.data, listen, public_url);
    // There, it names the settings of a project.
    let is_of_project = matches!(&cli.command, Command::Explain(explain::Command::Scrub { config: Some(_), .. }));
    let file = cli.common.config.filter(|_| !is_of_project);
    let config = Config::load(file.as_deref(), &overrides)?;
    let context = Context { config, output };
    match cli.command {
        Command::Serve(args) => serve::run(&context, args).await,
        Command::Init(args) => first_run::init(&context, args).await,
        Command::User(command) => accounts::user(&context, command).await,
        Command::Token(command) => accounts::token(&context, command).await,
        Command::Project(command) => projects::project(&context, command).await,
        Command::Key(command) => projects::key(&context, command).await,
        Command::IssueType(command) => issue_types::run(&context, command).await,
        Command::Explain(command) => explain::run(&context, command).await,
        Command::Log(command) => log::run(&context, command).await,
        Command::Verify => return verify::run(&context).await,
        Command::Demo(args) => demo::run(&context, args).await,
        Command::Bench(args) => crate::bench::run(args, context.output.json).await,
        Command::Reference => {
            Output::text(&reference::reference());
            Ok(())
        }
        Command::Config(command) => {
            match command {
                ConfigCommand::Reference => Output::text(&crate::config::reference()),
                ConfigCommand::Show => {
                    let mut shown = context.config;
                    if !shown.telemetry.metrics_token.is_empty() {
                        "[redacted]".clone_into(&mut shown.telemetry.metrics_token);
                    }
                    Output::text(&toml::to_string(&shown)?);
                }
            }
            Ok(())
        }
    }?;
    Ok(ExitCode::SUCCESS)
}
