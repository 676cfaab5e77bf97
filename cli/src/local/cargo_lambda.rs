//! The functions as real Lambda functions under `cargo lambda watch`, and
//! `telecast scheduler` to drive them. Their logs go to standard error.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::fd::AsFd,
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Every function has a binary of its name.
const FUNCTIONS: [&str; 6] = [
    "api",
    "scheduler",
    "start-campaign",
    "send-message",
    "check-channels",
    "send-webhook",
];

/// For the emulator and the first function to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks whether they do.
const LOOK: Duration = Duration::from_millis(250);

/// The emulator and the scheduler.
pub(super) struct CargoLambda {
    endpoint: String,
    emulator: Group,
    scheduler: Group,
}

impl CargoLambda {
    /// Builds the functions, and starts the emulator and the scheduler with these
    /// variables; waits until the API answers.
    pub(super) async fn start(variables: &[(&str, String)]) -> Result<Self> {
        ensure!(
            Path::new("functions").is_dir(),
            "run this where Telecast's sources are: cargo lambda builds the functions"
        );
        let mut build = Command::new("cargo");
        build.arg("build");
        for function in FUNCTIONS {
            build.args(["--bin", function]);
        }
        let built = build.status().await.context("could not run cargo")?;
        ensure!(built.success(), "the functions could not be built");
        let address = free_address().await?;
        let endpoint = format!("http://{address}");
        let mut emulator = Command::new("cargo");
        emulator
            .args(["lambda", "watch", "--ignore-changes"])
            .args(["--invoke-address", &address.ip().to_string()])
            .args(["--invoke-port", &address.port().to_string()])
            // For the functions; the emulator itself would tell of its every step.
            .args(["--env-var", "RUST_LOG=info", "--env-var", "INVOKER=lambda"])
            .args(["--env-var", &format!("LAMBDA_ENDPOINT={endpoint}")])
            .env("RUST_LOG", "error")
            // Standard output is the report's.
            .stdout(std::io::stderr().as_fd().try_clone_to_owned()?);
        let mut scheduler = Command::new(std::env::current_exe()?);
        scheduler
            .args(["scheduler", "--invoker", "lambda", "--endpoint", &endpoint])
            .stdout(Stdio::null());
        let this = Self {
            emulator: Group::spawn(emulator, variables)
                .context("could not run cargo lambda; pip install cargo-lambda")?,
            scheduler: Group::spawn(scheduler, variables)?,
            endpoint,
        };
        this.wait().await?;
        Ok(this)
    }

    /// The API behind its function URL.
    pub(super) fn url(&self) -> String {
        format!("{}/lambda-url/api", self.endpoint)
    }

    async fn wait(&self) -> Result<()> {
        let health = format!("{}/health", self.url());
        let give_up = Instant::now() + PATIENCE;
        while reqwest::get(&health)
            .await
            .and_then(reqwest::Response::error_for_status)
            .is_err()
        {
            ensure!(
                Instant::now() < give_up,
                "the api function does not answer at {health}; is cargo-lambda installed \
                 (pip install cargo-lambda)?"
            );
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// The scheduler first: it waits for what it invoked.
    pub(super) async fn stop(self) -> Result<()> {
        self.scheduler.stop().await?;
        self.emulator.stop().await
    }
}

async fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(listener.local_addr()?)
}

/// A process in a group of its own, with all that it starts.
struct Group(Child);

impl Group {
    fn spawn(mut command: Command, variables: &[(&str, String)]) -> Result<Self> {
        let child = command
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self(child))
    }

    /// SIGTERM to all of it, and waits for the first.
    async fn stop(mut self) -> Result<()> {
        if let Some(id) = self.0.id() {
            Command::new("kill")
                .args(["-TERM", "--", &format!("-{id}")])
                .status()
                .await?;
        }
        self.0.wait().await?;
        Ok(())
    }
}
