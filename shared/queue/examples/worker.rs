//! A worker: takes jobs of a queue as they come due, until it is told to stop.
//!
//! ```sh
//! cargo run --example worker -- postgres://localhost/app mail
//! ```
#![forbid(unsafe_code)]

use anyhow::Context;
use serde_json::json;
use telecast_queue::{Failure, Job, Listener, Queue, Session, Worker};
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
    let session = Session::new(client).await?;
    let queue = Queue::default();
    let listener = Listener::connect(&queue, &config, NoTls).await?;
    let handler = async |job: Job| match work(&job).await {
        Ok(()) => Ok(None),
        Err(error) => Err(Failure {
            output: Some(json!({ "message": error.to_string() })),
            ..Failure::default()
        }),
    };
    let stop = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("cannot hear of Ctrl-C: {error}");
        }
    };
    let worker = Worker::new(name);
    worker
        .run(&queue, &session, Some(listener), handler, stop)
        .await?;
    Ok(())
}
