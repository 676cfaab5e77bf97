//! Telecast as a whole: planning, dispatching, delivering, and what that costs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use telecast_benches::{
    campaign::{self, campaign},
    deliver::{self, Delivered},
};
use telecast_core::bots::EncryptionKey;
use telecast_queue::{Queue, limits};
use tokio::process::Command;

use crate::{
    ours::connect,
    report::{grouped, median, sorted},
    server::Postgres,
    trial::{peak_mb, quantile},
};

/// Plans one campaign of so many channels.
pub async fn plan(postgres: &Postgres, channels: i32, rounds: u32) -> Result<String> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let database = postgres.fresh("of_campaigns").await?;
        let mut client = connect(&postgres.url(&database)).await?;
        let before = peak_mb().unwrap_or_default();
        let took = campaign(&mut client, &key(), 0, channels).await?;
        let grown = peak_mb().unwrap_or_default() - before;
        eprintln!("planned {channels} channels in {took:?}; memory grew by {grown:.1} MB");
        times.push(took.as_secs_f64());
        drop(client);
        postgres.drop_database(&database).await?;
    }
    let times = sorted(times.into_iter());
    Ok(format!(
        "A campaign of {} channels is planned in {:.2} s ({:.2} to {:.2}); the process holds none of them in memory.\n",
        grouped(f64::from(channels)),
        median(&times).unwrap_or_default(),
        times.first().copied().unwrap_or_default(),
        times.last().copied().unwrap_or_default(),
    ))
}

/// Dispatches a hundred jobs at a time, behind so many campaigns that run.
pub async fn dispatch(postgres: &Postgres, scale: f64) -> Result<String> {
    let mut text = String::from(
        "One dispatch of up to 100 jobs, by the statement that charges all limits; every campaign has a bot of its own.\n\n\
         | campaigns that run | jobs that wait | jobs a dispatch | p50, ms | p99, ms |\n|---:|---:|---:|---:|---:|\n",
    );
    for (campaigns, channels) in [(1, 100_000), (10, 10_000), (100, 1_000), (1_000, 1_000)] {
        let channels = (f64::from(channels) * scale) as i32;
        let database = postgres.fresh("of_campaigns").await?;
        let mut client = connect(&postgres.url(&database)).await?;
        for number in 0..campaigns {
            campaign(&mut client, &key(), number, channels).await?;
        }
        client.batch_execute("VACUUM ANALYZE").await?;
        let (mut times, mut jobs) = (Vec::new(), 0);
        for _ in 0..100 {
            let began = Instant::now();
            jobs += limits::dispatch(&Queue::default(), &client, "send-message", 100, None)
                .await?
                .len();
            times.push(began.elapsed().as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let times = sorted(times.into_iter());
        let row = format!(
            "| {} | {} | {:.0} | {:.1} | {:.1} |\n",
            grouped(f64::from(campaigns)),
            grouped(f64::from(campaigns) * f64::from(channels)),
            jobs as f64 / 100.0,
            quantile(&times, 0.5).unwrap_or_default(),
            quantile(&times, 0.99).unwrap_or_default(),
        );
        eprint!("{row}");
        text += &row;
        drop(client);
        postgres.drop_database(&database).await?;
    }
    Ok(text)
}

/// What the process that delivers answers.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Report {
    delivered: Delivered,
    peak_mb: f64,
}

/// The process that delivers: it prints a [`Report`].
pub async fn deliver_here(url: &str, messages: &str) -> Result<()> {
    let delivered = deliver::bench(url, messages.parse()?, 8).await?;
    let peak_mb = peak_mb().context("this system tells no peak of memory")?;
    println!("{}", serde_json::to_string(&Report { delivered, peak_mb })?);
    Ok(())
}

/// Delivers messages to the simulator, and reckons what a million would cost.
pub async fn deliver(postgres: &Postgres, messages: u32, rounds: u32) -> Result<String> {
    let mut reports: Vec<Report> = Vec::new();
    for _ in 0..rounds {
        let database = postgres.fresh("of_campaigns").await?;
        let output = Command::new(std::env::current_exe()?)
            .args(["deliver", &postgres.url(&database), &messages.to_string()])
            .output()
            .await?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let line = stdout.lines().last();
        let report = line.with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let report: Report = serde_json::from_str(report)?;
        eprintln!("{:.0} messages a second", report.delivered.rate());
        reports.push(report);
        postgres.drop_database(&database).await?;
    }
    reports.sort_by(|a, b| a.delivered.rate().total_cmp(&b.delivered.rate()));
    let middle = reports.get(reports.len() / 2).context("a round")?;
    let rates: Vec<String> = reports
        .iter()
        .map(|report| grouped(report.delivered.rate()))
        .collect();
    let done = middle.delivered;
    Ok(format!(
        "Scheduler and handler in one process, 8 campaigns, no limit that matters, the simulator on the same machine: \
         {} messages settled per second (rounds: {}). A message costs {:.2} ms of processor time in the database, \
         {:.2} ms in the simulator, {:.2} ms in scheduler and handler. The process's memory peaked at {:.1} MB.\n\n{}",
        grouped(done.rate()),
        rates.join(", "),
        done.sql_ms,
        done.simulator_ms,
        done.ours_ms,
        middle.peak_mb,
        cost(done.ours_ms),
    ))
}

/// Lambda on arm64: dollars a GB-second and a request.
const GB_SECOND: f64 = 0.000_013_333_4;
const REQUEST: f64 = 0.000_000_2;
/// What a handler is given, in GB; a whole processor comes with 1,769 MB.
const MEMORY_GB: f64 = 0.256;
const PROCESSOR_GB: f64 = 1.769;
/// Telegram's answer, and how many messages of an invocation are called at once.
const TELEGRAM_SECONDS: f64 = 0.1;
const BATCHES: [(&str, f64); 3] = [
    ("1 message an invocation", 1.0),
    ("10", 10.0),
    ("100", 100.0),
];

/// A million messages on Lambda, by the processor time of one here.
fn cost(ours_ms: f64) -> String {
    let processor = 1e6 * ours_ms / 1000.0 * PROCESSOR_GB * GB_SECOND;
    let mut text = format!(
        "A million messages on Lambda (arm64, 256 MB, prices of us-east-1), reckoned from that: the processor time of \
         scheduler and handler is ${processor:.3}, whatever the memory, because processor and memory are billed \
         together. Waiting 100 ms for Telegram, at once for all messages of an invocation, and the invocation itself come on top:\n\n\
         | | waiting | invocations | with the processor time |\n|---|---:|---:|---:|\n"
    );
    for (name, batch) in BATCHES {
        let waiting = 1e6 / batch * TELEGRAM_SECONDS * MEMORY_GB * GB_SECOND;
        let requests = 1e6 / batch * REQUEST;
        text += &format!(
            "| {name} | ${waiting:.3} | ${requests:.3} | ${:.3} |\n",
            processor + waiting + requests
        );
    }
    text
}

fn key() -> EncryptionKey {
    EncryptionKey::new([7; 32])
}

/// Makes the template of these databases.
pub async fn prepare(postgres: &Postgres) -> Result<()> {
    if !postgres.exists("of_campaigns").await? {
        postgres.create("of_campaigns", "template1").await?;
        campaign::migrate(&postgres.url("of_campaigns")).await?;
    }
    Ok(())
}
