//! Messages per second, settled: scheduler and handler in one process, against the
//! simulator without limits, on a PostgreSQL that syncs nothing to disk.
//!
//! ```text
//! cargo run --release -p telecast-benches --bin bench-deliver -- 20000
//! cargo run --release -p telecast-benches --bin bench-deliver -- 10000 1
//! ```
//!
//! The numbers are the messages, and the campaigns that share them (8), each with a bot
//! of its own. A campaign and a bot are held to 1,000 messages a second, so one campaign
//! shows that its counters' row keeps up with the highest rate that it may have.
//!
//! The share of each part is its processor time: the database's backends, the
//! simulator (a process of its own), and this process.
#![forbid(unsafe_code)]

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::json;
use telecast_core::{
    audit::Actor,
    bots::{self, EncryptionKey, Identity},
    campaigns::{self, Action},
    delivery, templates,
};
use telecast_postgres::testing;
use telecast_queue::Queue;
use telecast_runtime::{database, invoke::InProcess};
use telecast_scheduler::{Scheduler, TELECAST, Until};
use telecast_send_message::SendMessage;
use telecast_telegram::{Client, Settings};
use telecast_telegram_sim::{Config, Limits, Simulator};
use tokio::sync::Notify;
use tokio_postgres::{NoTls, types::Type};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1).peekable();
    if arguments.next_if_eq("simulator").is_some() {
        return simulate().await;
    }
    let mut number = |or: i32| arguments.next().map_or(Ok(or), |number| number.parse());
    let messages = number(10_000).context("how many messages?")?;
    let campaigns = number(8).context("of how many campaigns?")?;
    bench(messages, campaigns).await
}

/// The simulator's process: it tells its address, and runs until its input ends.
async fn simulate() -> Result<()> {
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

async fn bench(messages: i32, campaigns: i32) -> Result<()> {
    let mut simulator = Command::new(env::current_exe()?)
        .arg("simulator")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let base_url = first_line(&mut simulator)?;
    let database = testing::database("bench_deliver", migrate).await;
    let pool = database::pool(&database.url().parse()?, 20)?;
    let key = || EncryptionKey::new([7; 32]);
    let per_campaign = messages / campaigns;
    for number in 0..campaigns {
        campaign(&mut database.connect().await, &key(), number, per_campaign).await?;
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
    let before = cpu(&simulator)?;
    let started = Instant::now();
    let running = tokio::spawn(async move { scheduler.run(until).await });
    let client = database.connect().await;
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
    let after = cpu(&simulator)?;
    stop.cancel();
    running.await?;
    let sent: i64 = client
        .query_typed_one("SELECT sum(sent) FROM campaigns", &[])
        .await?
        .try_get(0)?;
    let rate = f64::from(i32::try_from(sent)?) / took;
    println!("{sent} messages settled in {took:.2} s: {rate:.0} a second");
    let shares = [("SQL", 0), ("HTTP (the simulator)", 1), ("ours", 2)];
    let spent = |part: usize| after[part].saturating_sub(before[part]);
    let total: u64 = (0..3).map(spent).sum();
    for (name, part) in shares {
        println!(
            "{name}: {} % of the processor time",
            spent(part) * 100 / total.max(1)
        );
    }
    simulator.kill()?;
    simulator.wait()?;
    Ok(())
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

async fn migrate(url: String) {
    let migrated = async {
        let (mut lock, first) = tokio_postgres::connect(&url, NoTls).await?;
        let (mut client, second) = tokio_postgres::connect(&url, NoTls).await?;
        let connections = tokio::spawn(async { tokio::join!(first, second) });
        telecast_core::migrate::migrate(&mut lock, &mut client).await?;
        drop((lock, client));
        let (first, second) = connections.await?;
        anyhow::Ok(first.and(second)?)
    };
    if let Err(error) = migrated.await {
        eprintln!("the database could not be migrated: {error}");
    }
}

/// A campaign that runs, to so many new channels, by a bot of its own.
async fn campaign(
    client: &mut tokio_postgres::Client,
    key: &EncryptionKey,
    number: i32,
    channels: i32,
) -> Result<()> {
    let transaction = client.transaction().await?;
    let actor = Actor::system();
    let telegram_id = 1000 + number;
    let name = format!("bench{number}");
    let bot = serde_json::from_value(json!({
        "name": name,
        "token": format!("{telegram_id}:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        "ratePerSecond": 1000,
    }))?;
    let identity = Identity {
        telegram_id: telegram_id.into(),
        username: None,
    };
    let bot = bots::create(&transaction, &actor, key, bot, &identity).await?;
    let batch_id = Uuid::now_v7();
    transaction
        .execute_typed(
            "WITH batch AS (INSERT INTO batches (id, name) VALUES ($1, $2)),
             channel AS (
               INSERT INTO channels (id, username)
               SELECT uuid_v7(), $2 || '_' || i FROM generate_series(1, $3) AS i
               RETURNING id
             )
             INSERT INTO batch_channels (batch_id, channel_id) SELECT $1, id FROM channel",
            &[
                (&batch_id, Type::UUID),
                (&name, Type::TEXT),
                (&channels, Type::INT4),
            ],
        )
        .await?;
    let template = json!({"name": name, "text": "<b>{{username}}</b>: hello", "parseMode": "HTML"});
    let template =
        templates::create(&transaction, &actor, serde_json::from_value(template)?).await?;
    let campaign = serde_json::from_value(json!({
        "name": name, "batchId": batch_id, "templateId": template.id,
        "botId": bot.id, "deliveryRate": 60_000,
    }))?;
    let campaign = campaigns::create(&transaction, &actor, campaign).await?;
    campaigns::act(
        &transaction,
        &Queue::default(),
        &actor,
        campaign.id,
        Action::Start,
    )
    .await?;
    delivery::plan(&transaction, campaign.id).await?;
    // The handler of starts is not here: it is planned already.
    transaction
        .execute_typed("DELETE FROM pgboss.job WHERE name = 'start-campaign'", &[])
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Processor time so far, in ticks: the database's backends, the simulator, this process.
fn cpu(simulator: &Child) -> Result<[u64; 3]> {
    let mut sql = 0;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        if command.starts_with("postgres:") && command.contains("bench_deliver_") {
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
