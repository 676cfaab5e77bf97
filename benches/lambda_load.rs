//! A campaign through send-message's own binary behind Lambda's simulator.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use telecast_core::bots::EncryptionKey;
use telecast_lambda_sim::{Function, LambdaSim};
use telecast_postgres::testing;
use telecast_queue::Queue;
use telecast_runtime::{config::Variables, database, invoke};
use telecast_scheduler::{Scheduler, TELECAST, Until};
use telecast_telegram_sim::{Config, Limits, Simulator};
use tokio::{process::Command, sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::campaign;

/// Messages of the campaign.
pub const MESSAGES: u16 = 5_000;

/// Processes at once.
const CONCURRENCY: usize = 2;

const KEY: [u8; 32] = [7; 32];

/// What the campaign came to.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Messages a second.
    pub rate: f64,
    /// The highest peak of resident memory of any process, in megabytes.
    pub peak_megabytes: f64,
}

/// Sends a campaign through this binary, as fast as it goes.
///
/// # Errors
/// Where a part of it does not start.
pub async fn load(binary: &Path) -> Result<Load> {
    let binary = fs::canonicalize(binary)?;
    let database = testing::database("bench_lambda", async |_url| {}).await;
    campaign::migrate(database.url()).await?;
    let simulator = Simulator::start(Config {
        limits: Limits::UNLIMITED,
        accept_any_username: true,
        ..Config::default()
    })
    .await?;
    let lambda = LambdaSim::start().await?;
    let (url, telegram) = (database.url().to_owned(), simulator.base_url());
    let program = binary.clone();
    lambda.add(Function {
        name: "send-message",
        command: Box::new(move || {
            let mut command = Command::new(&program);
            command
                .env("DATABASE_URL", &url)
                .env("ENCRYPTION_KEY", "07".repeat(32))
                .env("TELEGRAM_API_URL", &telegram)
                .env("RUST_LOG", "error")
                .env("LOG_FORMAT", "text");
            command
        }),
        concurrency: CONCURRENCY,
        timeout: Duration::from_secs(45),
        deliveries: vec![Duration::ZERO],
    });
    let mut client = database.connect().await;
    let key = EncryptionKey::new(KEY);
    campaign::campaign(&mut client, &key, 1, MESSAGES.into()).await?;
    let endpoint = lambda.endpoint();
    let look_up = |name: &str| (name == "LAMBDA_ENDPOINT").then(|| endpoint.clone());
    let invoker = invoke::from_variables(Variables::new(&look_up))?;
    let work = TELECAST.map(|mut work| {
        work.concurrency = CONCURRENCY;
        work
    });
    let pool = database::pool(&database.url().parse()?, 4)?;
    let kick = Arc::new(Notify::new());
    let mut scheduler = Scheduler::new(pool, Queue::default(), invoker, &work, kick, None);
    let stop = CancellationToken::new();
    let until = Until::Stopped(stop.clone());
    let start = Instant::now();
    let running = tokio::spawn(async move { scheduler.run(until).await });
    simulator.until_accepted(MESSAGES.into()).await;
    let seconds = start.elapsed().as_secs_f64();
    stop.cancel();
    running.await?;
    Ok(Load {
        rate: f64::from(MESSAGES) / seconds,
        peak_megabytes: peak_of(&binary)?,
    })
}

/// The highest peak of resident memory of the processes that run this program.
fn peak_of(program: &Path) -> Result<f64> {
    let mut peaks = Vec::new();
    for process in fs::read_dir("/proc")?.flatten() {
        // Processes end while they are looked at, and others' are not ours to read.
        let runs = fs::read_link(process.path().join("exe"));
        if runs.is_ok_and(|running| running == program) {
            peaks.extend(peak(&process.path()).ok());
        }
    }
    let highest = peaks.into_iter().max_by(f64::total_cmp);
    highest.context("no process of the function is left to measure")
}

/// A process's peak of resident memory, in megabytes.
///
/// # Errors
/// Where there is no such process.
pub fn peak(process: &Path) -> Result<f64> {
    let status = fs::read_to_string(process.join("status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 = peak
        .and_then(|peak| peak.split_whitespace().next())
        .context("no VmHWM")?
        .parse()?;
    Ok(kilobytes / 1024.0)
}
