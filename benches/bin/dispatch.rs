//! One dispatch among many running campaigns with many pending jobs.
//!
//! ```text
//! cargo run --release -p telecast-benches --bin bench-dispatch -- 1000 1000
//! ```
//!
//! The numbers are the campaigns, and the messages of each. Each has a bot of
//! its own. Time is told, a tenth of a second for each dispatch, so that each finds what has
//! become due since the last; what is measured is the statement as the scheduler sends it.
#![forbid(unsafe_code)]

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use telecast_benches::campaign::{campaign, migrate};
use telecast_core::{bots::EncryptionKey, delivery};
use telecast_postgres::testing;
use telecast_queue::{Queue, limits};
use tokio_postgres::Client;

const DISPATCHES: i32 = 200;

/// As the scheduler asks for.
const BATCH: u32 = 100;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let mut number = |or: i32| arguments.next().map_or(Ok(or), |number| number.parse());
    let campaigns = number(1_000).context("how many campaigns?")?;
    let messages = number(1_000).context("how many messages of each?")?;
    let database = testing::database("bench_dispatch", async |_url| {}).await;
    migrate(database.url()).await?;
    let mut client = database.connect().await;
    let key = EncryptionKey::new([7; 32]);
    for number in 0..campaigns {
        if number % 100 == 0 {
            eprintln!("planning campaign {number} of {campaigns}");
        }
        campaign(&mut client, &key, number, messages).await?;
    }
    eprintln!("planned {campaigns} campaigns of {messages} messages each");
    client.batch_execute("VACUUM ANALYZE").await?;
    measure(&client).await
}

async fn measure(client: &Client) -> Result<()> {
    // All campaigns have begun by then.
    let row = client
        .query_one("SELECT max(started_at) FROM campaigns", &[])
        .await?;
    let begin: DateTime<Utc> = row.try_get(0)?;
    let queue = Queue::default();
    let mut times = Vec::new();
    let mut jobs = 0;
    for number in 0..DISPATCHES {
        let now = begin + TimeDelta::milliseconds(100) * number;
        let started = Instant::now();
        let taken = limits::dispatch(&queue, client, delivery::QUEUE, BATCH, Some(now)).await?;
        times.push(started.elapsed());
        jobs += taken.len();
    }
    let last = begin + TimeDelta::milliseconds(100) * DISPATCHES;
    let started = Instant::now();
    limits::next_due(&queue, client, delivery::QUEUE, Some(last)).await?;
    let next_due = started.elapsed();
    times.sort_unstable();
    let quantile = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{DISPATCHES} dispatches took {jobs} jobs");
    println!(
        "a dispatch: p50 {}, p90 {}, p99 {}, longest {}",
        millis(quantile(50)),
        millis(quantile(90)),
        millis(quantile(99)),
        millis(quantile(100)),
    );
    println!("when the next is due: {}", millis(next_due));
    println!("\n{}", plan(client, &queue, last).await?);
    Ok(())
}

/// The plan of the next dispatch, and what it read; the dispatch is taken back.
async fn plan(client: &Client, queue: &Queue, now: DateTime<Utc>) -> Result<String> {
    let statement = limits::dispatch_statement(queue);
    client
        .batch_execute(&format!(
            "BEGIN; PREPARE dispatch (text, bigint, timestamptz, interval) AS {statement}"
        ))
        .await?;
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF) EXECUTE dispatch ('{}', {BATCH}, '{now}', '1 second')",
        delivery::QUEUE
    );
    let rows = client.query(&explain, &[]).await?;
    client.batch_execute("ROLLBACK").await?;
    let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(lines?.join("\n"))
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
