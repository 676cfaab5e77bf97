//! A steady load for minutes: what becomes of the table, and of the latency.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;
use telecast_queue::{Job, Listener, Queue, Send, Sender, Session, Upkeep, Worker};
use tokio::time::{MissedTickBehavior, interval};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use crate::{
    ours::connect,
    report::grouped,
    server::Postgres,
    trial::{peak_mb, quantile},
};

/// Jobs sent per second, in bursts of a tenth of a second.
const RATE: usize = 2_000;
/// Lines in the table.
const LINES: u32 = 10;

/// Sends, works and deletes jobs for so long. Completed jobs are kept for a minute, so
/// that autovacuum has its work to do.
pub async fn soak(postgres: &Postgres, seconds: u64) -> Result<String> {
    let database = postgres.fresh("of_telecast").await?;
    let url = postgres.url(&database);
    let watcher = connect(&url).await?;
    watcher
        .batch_execute("UPDATE pgboss.queue SET notify = true, deletion_seconds = 60")
        .await?;
    let stop = CancellationToken::new();
    let waits: Arc<Mutex<Vec<f64>>> = Arc::default();
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let working = tokio::spawn(work(
        url.clone(),
        stop.clone(),
        Arc::clone(&waits),
        Arc::clone(&done),
        began,
    ));
    let sending = tokio::spawn(send(url.clone(), stop.clone(), began));
    let keeping = tokio::spawn(keep(connect(&url).await?, stop.clone()));
    let mut text = format!(
        "{} jobs a second, by LISTEN; completed ones are deleted after a minute. Latency is from send to the handler's start.\n\n\
         | after | jobs done | p50, ms | p99, ms | rows | dead rows | table and indexes | autovacuums | memory |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        grouped(RATE as f64)
    );
    for line in 1..=LINES {
        let until = Duration::from_secs(seconds) * line / LINES;
        tokio::time::sleep(until.saturating_sub(began.elapsed())).await;
        let mut window = std::mem::take(&mut *waits.lock().unwrap_or_else(PoisonError::into_inner));
        window.sort_by(f64::total_cmp);
        let row = format!(
            "| {} s | {} | {:.1} | {:.1} | {} | {:.0} MB |\n",
            until.as_secs(),
            grouped(done.load(Ordering::Relaxed) as f64),
            quantile(&window, 0.5).unwrap_or_default(),
            quantile(&window, 0.99).unwrap_or_default(),
            table(&watcher).await?,
            peak_mb().unwrap_or_default(),
        );
        eprint!("{row}");
        text += &row;
    }
    stop.cancel();
    let sent = sending.await??;
    working.await??;
    keeping.await??;
    let left: i64 = watcher
        .query_typed_one(
            "SELECT count(*) FROM pgboss.job WHERE state < 'completed'",
            &[],
        )
        .await?
        .try_get(0)?;
    text += &format!(
        "\n{} jobs were sent and {} done; {left} were left when the sender stopped.\n",
        grouped(sent as f64),
        grouped(done.load(Ordering::Relaxed) as f64)
    );
    drop(watcher);
    postgres.drop_database(&database).await?;
    Ok(text)
}

async fn work(
    url: String,
    stop: CancellationToken,
    waits: Arc<Mutex<Vec<f64>>>,
    done: Arc<AtomicUsize>,
    began: Instant,
) -> Result<()> {
    let queue = Queue::default();
    let listener = Listener::connect(&queue, &url.parse()?, NoTls).await?;
    let session = Session::new(connect(&url).await?).await?;
    let worker = Worker {
        concurrency: 100,
        ahead: 100,
        ..Worker::new("q")
    };
    let handler = |job: Job| {
        let sent = job.data["at"].as_f64().unwrap_or_default();
        let wait = began.elapsed().as_secs_f64() - sent;
        waits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(wait * 1000.0);
        done.fetch_add(1, Ordering::Relaxed);
        async { Ok(None) }
    };
    Ok(worker
        .run(
            &queue,
            &session,
            Some(listener),
            handler,
            stop.cancelled_owned(),
        )
        .await?)
}

async fn send(url: String, stop: CancellationToken, began: Instant) -> Result<usize> {
    let sender = Sender::new(Queue::default(), Session::new(connect(&url).await?).await?);
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sent = 0;
    while !stop.is_cancelled() {
        ticks.tick().await;
        let burst = (0..RATE / 100).map(|_| {
            let send = Send {
                data: json!({"at": began.elapsed().as_secs_f64()}),
                ..Send::to("q")
            };
            sender.send(send)
        });
        sent += futures_util::future::try_join_all(burst).await?.len();
    }
    Ok(sent)
}

/// Upkeep as the scheduler does it, but for its pauses.
async fn keep(client: Client, stop: CancellationToken) -> Result<()> {
    let upkeep = Upkeep {
        maintain_interval: Duration::from_secs(10),
        ..Upkeep::default()
    };
    let mut ticks = interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        Queue::default().upkeep(&client, &upkeep, None).await?;
    }
}

/// Of the job table: live rows, dead rows, size, runs of autovacuum.
async fn table(client: &Client) -> Result<String> {
    let row = client
        .query_typed_one(
            "SELECT
               n_live_tup,
               n_dead_tup,
               pg_total_relation_size(relid) / 1000000.0::float8 AS mb,
               autovacuum_count
             FROM pg_stat_user_tables
             WHERE schemaname = 'pgboss' AND relname = 'job_common'",
            &[],
        )
        .await?;
    let (live, dead, mb, vacuums): (i64, i64, f64, i64) = (
        row.try_get(0)?,
        row.try_get(1)?,
        row.try_get(2)?,
        row.try_get(3)?,
    );
    Ok(format!(
        "{} | {} | {mb:.0} MB | {vacuums}",
        grouped(live as f64),
        grouped(dead as f64)
    ))
}
