//! A worker: takes jobs of a queue as they come due, until it is told to stop.
//!
//! ```sh
//! cargo run --example worker -- postgres://localhost/app mail
//! ```
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use telecast_queue::{Failure, Fetch, Job, Listener, Queue};
use tokio_postgres::NoTls;

/// The work itself.
async fn work(job: &Job) -> anyhow::Result<()> {
    println!("{} {}", job.id, job.data);
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let url = args.next().context("give a database URL")?;
    let name = args.next().context("give a queue's name")?;

    let config: tokio_postgres::Config = url.parse()?;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    let queue = Queue::default();
    let mut listener = Listener::connect(&queue, &config, NoTls).await?;
    let next = Fetch {
        batch: 10,
        ..Fetch::from(name.as_str())
    };

    let mut done: Vec<Job> = Vec::new();
    loop {
        // What was done and what comes next, in one round trip.
        let (_, jobs) = queue
            .complete_and_fetch(&client, &done, None, &next)
            .await?;
        done.clear();
        for job in &jobs {
            match work(job).await {
                Ok(()) => done.push(job.clone()),
                Err(error) => {
                    let failure = Failure {
                        output: Some(serde_json::json!({ "message": error.to_string() })),
                        ..Failure::default()
                    };
                    queue.fail(&client, &name, [job], &failure).await?;
                }
            }
        }
        if !jobs.is_empty() {
            continue;
        }
        // A deferred job makes no noise when it comes due, so it looks by itself too.
        tokio::select! {
            _ = listener.next() => {}
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}
