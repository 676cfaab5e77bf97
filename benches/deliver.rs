//! Messages per second, settled: scheduler and handler in one process, against the
//! simulator without limits.
//!
//! The share of each part is its processor time: the database's backends, the
//! simulator (a process of its own), and this process.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use telecast_core::bots::EncryptionKey;
use telecast_queue::Queue;
use telecast_runtime::{database, invoke::InProcess};
use telecast_scheduler::{Scheduler, TELECAST, Until};
use telecast_send_message::SendMessage;
use telecast_telegram::{Client, Settings};
use telecast_telegram_sim::{Config, Limits, Simulator};
use tokio::sync::Notify;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;

use crate::campaign::campaign;

/// What was delivered, and the processor time of each part, in ms a message.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Delivered {
    /// Messages settled.
    pub messages: i64,
    /// From the scheduler's start to the last campaign's end.
    pub seconds: f64,
    /// The database's backends.
    pub sql_ms: f64,
    /// The simulator.
    pub simulator_ms: f64,
    /// Scheduler and handler.
    pub ours_ms: f64,
}

impl Delivered {
    /// Messages per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.seconds
    }
}

/// The simulator's process: it tells its address, and runs until its input ends. Every
/// program that calls [`bench`] runs it when its first argument is `simulator`.
pub async fn simulate() -> Result<()> {
    let simulator = Simulator::start(Config {
        limits: Limits::UNLIMITED,
        accept_any_username: true,
        ..Config::default()
    })
    .await?;
    println!("{}", simulator.base_url());
    std::io::stdout().flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    Ok(())
}

/// Delivers so many messages of so many campaigns on a database with Telecast's tables.
pub async fn bench(url: &str, messages: i32, campaigns: i32) -> Result<Delivered> {
    let mut simulator = Command::new(env::current_exe()?)
        .arg("simulator")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let base_url = first_line(&mut simulator)?;
    let pool = database::pool(&url.parse()?, 20)?;
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let database: String = client
        .query_typed_one("SELECT current_database()::text", &[])
        .await?
        .try_get(0)?;
    let key = || EncryptionKey::new([7; 32]);
    let per_campaign = messages / campaigns;
    for number in 0..campaigns {
        campaign(&mut client, &key(), number, per_campaign).await?;
    }
    let telegram = Client::new(&Settings {
        base_url,
        ..Settings::default()
    })?;
    let handler = SendMessage::new(pool.clone(), Queue::default(), telegram, key());
    let invoker = InProcess::new(Duration::from_secs(45)).with(handler);
    let stop = CancellationToken::new();
    let mut scheduler = Scheduler::new(
        pool,
        Queue::default(),
        Arc::new(invoker),
        &TELECAST,
        Arc::new(Notify::new()),
        None,
    );
    let until = Until::Stopped(stop.clone());
    let before = cpu(&database, &simulator)?;
    let started = Instant::now();
    let running = tokio::spawn(async move { scheduler.run(until).await });
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let open: i64 = client
            .query_typed_one(
                "SELECT count(*) FROM campaigns WHERE status <> 'COMPLETED'",
                &[],
            )
            .await?
            .try_get(0)?;
        if open == 0 {
            break;
        }
    }
    let took = started.elapsed().as_secs_f64();
    let after = cpu(&database, &simulator)?;
    stop.cancel();
    running.await?;
    let sent: i64 = client
        .query_typed_one("SELECT sum(sent) FROM campaigns", &[])
        .await?
        .try_get(0)?;
    simulator.kill()?;
    simulator.wait()?;
    let milliseconds =
        |part: usize| after[part].saturating_sub(before[part]) as f64 * 10.0 / sent as f64;
    Ok(Delivered {
        messages: sent,
        seconds: took,
        sql_ms: milliseconds(0),
        simulator_ms: milliseconds(1),
        ours_ms: milliseconds(2),
    })
}

fn first_line(child: &mut Child) -> Result<String> {
    let stdout = child
        .stdout
        .take()
        .context("the simulator tells its address")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Processor time so far, in ticks: the database's backends, the simulator, this process.
fn cpu(database: &str, simulator: &Child) -> Result<[u64; 3]> {
    let mut sql = 0;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        if command.starts_with("postgres:") && command.contains(&format!(" {database} ")) {
            // It may end at this moment.
            sql += ticks(&path.join("stat").display().to_string()).unwrap_or_default();
        }
    }
    let simulator = ticks(&format!("/proc/{}/stat", simulator.id()))?;
    Ok([sql, simulator, ticks("/proc/self/stat")?])
}

/// User and system time of a process: the fields 14 and 15 of its stat file.
fn ticks(path: &str) -> Result<u64> {
    let stat = fs::read_to_string(path)?;
    let (_, fields) = stat.rsplit_once(')').context("a process has a name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field =
        |at: usize| -> Result<u64> { Ok(fields.get(at).context("a process has times")?.parse()?) };
    Ok(field(11)? + field(12)?)
}
