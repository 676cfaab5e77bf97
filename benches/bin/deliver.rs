//! Messages per second, settled, on a PostgreSQL that syncs nothing to disk.
//!
//! ```text
//! cargo run --release -p telecast-benches --bin bench-deliver -- 20000
//! cargo run --release -p telecast-benches --bin bench-deliver -- 10000 1
//! ```
//!
//! The numbers are the messages, and the campaigns that share them (8), each with a bot
//! of its own. A campaign and a bot are held to 1,000 messages a second, so one campaign
//! shows that its counters' row keeps up with the highest rate that it may have.
#![forbid(unsafe_code)]

use std::env;

use anyhow::{Context, Result};
use telecast_benches::{campaign, deliver};
use telecast_postgres::testing;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1).peekable();
    if arguments.next_if_eq("simulator").is_some() {
        return deliver::simulate().await;
    }
    let mut number = |or: i32| arguments.next().map_or(Ok(or), |number| number.parse());
    let messages = number(10_000).context("how many messages?")?;
    let campaigns = number(8).context("of how many campaigns?")?;
    let database = testing::database("bench_deliver", async |_url| {}).await;
    campaign::migrate(database.url()).await?;
    let done = deliver::bench(database.url(), messages, campaigns).await?;
    println!(
        "{} messages settled in {:.2} s: {:.0} a second",
        done.messages,
        done.seconds,
        done.rate()
    );
    let parts = [
        ("SQL", done.sql_ms),
        ("HTTP (the simulator)", done.simulator_ms),
        ("ours", done.ours_ms),
    ];
    let all: f64 = parts.iter().map(|(_, time)| time).sum();
    for (name, time) in parts {
        println!(
            "{name}: {:.0} % of the processor time, {time:.2} ms a message",
            time * 100.0 / all
        );
    }
    Ok(())
}
