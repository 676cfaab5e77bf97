//! The `telecast` command: everything in one process, and what operators need.
#![forbid(unsafe_code)]

mod args;
mod campaign_client;
mod demo;
mod local;
mod parts;
mod plan;
mod report;
mod scheduler;
mod send;
mod shutdown;
mod tick;
mod up;
mod user;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use telecast_runtime::{
    config::{Variables, environment},
    telemetry,
};

use args::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("telecast: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    // For the HTTP client of the demonstration; an error means that there is one already.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let variables = Variables::new(&environment);
    let mut logs = variables.logs()?;
    // A progress bar and log lines do not share a terminal well: these two keep quiet
    // unless asked.
    let quiet = matches!(command, Command::Demo(_) | Command::Send(_))
        && variables.text("RUST_LOG").is_none();
    if quiet {
        logs.filter = "warn".parse()?;
    }
    telemetry::start(logs)?;
    match command {
        Command::Up(up) => up::run(up).await,
        Command::Demo(demo) => demo::run(demo).await,
        Command::Send(send) => send::run(send).await,
        Command::Plan(plan) => plan::run(&plan),
        Command::Migrate => parts::migrate().await,
        Command::User(user) => user::run(user).await,
        Command::Scheduler(args) => scheduler::run(args).await,
        Command::Api(api) => parts::api(api).await,
    }
}
