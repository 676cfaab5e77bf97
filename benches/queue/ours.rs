//! Our own trials.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use rand::RngExt;
use serde_json::{Value, json};
use telecast_queue::{
    Connection, Fetch, Listener, NewJob, Queue, QueueOptions, Send, Sender, Session, Worker,
};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use crate::trial::{Kind, Outcome, Spec, peak_mb, quantile};

/// How the queue is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// [`Sender`] and [`Worker`].
    Merged,
    /// Each call by itself, on sessions.
    Plain,
    /// Each call by itself, by unnamed statements, as behind a pooler.
    Pooled,
}

/// Runs one trial and prints its outcome.
pub async fn run(mode: &str, spec: &str) -> Result<()> {
    let spec: Spec = serde_json::from_str(spec)?;
    let mode = match mode {
        "merged" => Mode::Merged,
        "plain" => Mode::Plain,
        "pooled" => Mode::Pooled,
        _ => bail!("no such mode: {mode}"),
    };
    let mut outcome = match (spec.trial, mode) {
        (Kind::Setup, _) => setup(&spec).await?,
        (Kind::Send, Mode::Merged) => send_merged(&spec).await?,
        (Kind::Send, Mode::Plain) => {
            loops(&spec, sessions(&spec, spec.callers).await?, send).await?
        }
        (Kind::Send, Mode::Pooled) => loops(&spec, clients(&spec).await?, send).await?,
        (Kind::Insert, Mode::Pooled) => loops(&spec, clients(&spec).await?, insert).await?,
        (Kind::Insert, _) => loops(&spec, sessions(&spec, spec.callers).await?, insert).await?,
        (Kind::Step, Mode::Plain) => {
            preload(&spec).await?;
            loops(&spec, sessions(&spec, spec.callers).await?, step).await?
        }
        (Kind::Step, Mode::Pooled) => {
            preload(&spec).await?;
            loops(&spec, clients(&spec).await?, step).await?
        }
        (Kind::Step | Kind::Drain, _) => {
            preload(&spec).await?;
            drain(&spec).await?
        }
        (Kind::Latency, _) => latency(&spec).await?,
    };
    outcome.peak_mb = peak_mb();
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn clients(spec: &Spec) -> Result<Vec<Client>> {
    try_join_all((0..spec.callers).map(|_| connect(&spec.url))).await
}

async fn sessions(spec: &Spec, count: usize) -> Result<Vec<Session>> {
    let session = async || Ok(Session::new(connect(&spec.url).await?).await?);
    try_join_all((0..count).map(|_| session())).await
}

fn data(n: usize) -> Value {
    json!({"to": "ada@example.com", "n": n})
}

async fn setup(spec: &Spec) -> Result<Outcome> {
    let client = connect(&spec.url).await?;
    let queue = Queue::default();
    queue.install(&client).await?;
    queue
        .create_queue(&client, "q", &QueueOptions::default())
        .await?;
    Ok(Outcome::default())
}

/// Jobs that wait, with the tables as they are after autovacuum has been there.
pub async fn preload(spec: &Spec) -> Result<()> {
    let client = connect(&spec.url).await?;
    let mut left = spec.backlog;
    while left > 0 {
        let count = left.min(5_000);
        let jobs: Vec<NewJob> = (0..count).map(|n| NewJob::new(data(n))).collect();
        Queue::default().insert_count(&client, "q", &jobs).await?;
        left -= count;
    }
    client
        .batch_execute("VACUUM ANALYZE pgboss.job_common")
        .await?;
    Ok(())
}

async fn send<C: Connection + Sync>(queue: &Queue, connection: &C, _batch: usize) -> Result<usize> {
    let send = Send {
        data: data(1),
        ..Send::to("q")
    };
    queue
        .send(connection, &send)
        .await?
        .id()
        .context("a job is created")?;
    Ok(1)
}

async fn insert<C: Connection + Sync>(
    queue: &Queue,
    connection: &C,
    batch: usize,
) -> Result<usize> {
    let jobs: Vec<NewJob> = (0..batch).map(|n| NewJob::new(data(n))).collect();
    Ok(usize::try_from(
        queue.insert_count(connection, "q", &jobs).await?,
    )?)
}

async fn step<C: Connection + Sync>(queue: &Queue, connection: &C, batch: usize) -> Result<usize> {
    let fetch = Fetch {
        batch: u32::try_from(batch)?,
        ..Fetch::from("q")
    };
    let jobs = queue.fetch(connection, &fetch).await?;
    if !jobs.is_empty() {
        queue.complete(connection, "q", &jobs, None).await?;
    }
    Ok(jobs.len())
}

/// One loop on each connection, until time is up or nothing is left.
async fn loops<C: Connection + Sync>(
    spec: &Spec,
    connections: Vec<C>,
    call: impl AsyncFn(&Queue, &C, usize) -> Result<usize>,
) -> Result<Outcome> {
    let queue = &Queue::default();
    let began = Instant::now();
    let until = Duration::from_secs_f64(spec.seconds);
    let each = connections.iter().map(async |connection| {
        let mut jobs = 0;
        while began.elapsed() < until {
            match call(queue, connection, spec.batch).await? {
                0 => break,
                done => jobs += done,
            }
        }
        anyhow::Ok(jobs)
    });
    let jobs: usize = try_join_all(each).await?.into_iter().sum();
    outcome(jobs, began)
}

fn outcome(jobs: usize, began: Instant) -> Result<Outcome> {
    Ok(Outcome {
        jobs: jobs.try_into()?,
        seconds: began.elapsed().as_secs_f64(),
        ..Outcome::default()
    })
}

async fn send_merged(spec: &Spec) -> Result<Outcome> {
    let session = Session::new(connect(&spec.url).await?).await?;
    let sender = Sender::new(Queue::default(), session);
    let began = Instant::now();
    let until = Duration::from_secs_f64(spec.seconds);
    let callers = (0..spec.callers).map(|_| {
        let sender = sender.clone();
        tokio::spawn(async move {
            let mut jobs = 0;
            while began.elapsed() < until {
                let send = Send {
                    data: data(1),
                    ..Send::to("q")
                };
                sender.send(send).await?.id().context("a job is created")?;
                jobs += 1;
            }
            anyhow::Ok(jobs)
        })
    });
    let mut jobs = 0;
    for caller in try_join_all(callers).await? {
        jobs += caller?;
    }
    outcome(jobs, began)
}

/// One worker of as many handlers as there are callers; for a drain, four of a hundred
/// each, with a session of its own and room for a batch.
async fn drain(spec: &Spec) -> Result<Outcome> {
    let (workers, concurrency) = match spec.trial {
        Kind::Drain => (4, 100),
        _ => (1, spec.callers),
    };
    let worker = Worker {
        concurrency,
        ahead: spec.batch - 1,
        ..Worker::new("q")
    };
    let sessions = sessions(spec, workers).await?;
    let stop = CancellationToken::new();
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let timer = tokio::spawn({
        let (stop, seconds) = (stop.clone(), spec.seconds);
        async move {
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            stop.cancel();
        }
    });
    let backlog = spec.backlog;
    let runs = sessions.into_iter().map(|session| {
        let (worker, stop, done) = (worker.clone(), stop.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let handler = |_job| {
                let (done, stop) = (Arc::clone(&done), stop.clone());
                async move {
                    if done.fetch_add(1, Ordering::Relaxed) + 1 == backlog {
                        stop.cancel();
                    }
                    Ok(None)
                }
            };
            let stopped = stop.clone().cancelled_owned();
            worker
                .run(&Queue::default(), &session, None, handler, stopped)
                .await
        })
    });
    for run in try_join_all(runs).await? {
        run?;
    }
    let outcome = outcome(done.load(Ordering::Relaxed), began);
    timer.abort();
    outcome
}

async fn latency(spec: &Spec) -> Result<Outcome> {
    let queue = Queue::default();
    let config: tokio_postgres::Config = spec.url.parse()?;
    let mut listener = None;
    let client = connect(&spec.url).await?;
    if spec.listen {
        client
            .batch_execute("UPDATE pgboss.queue SET notify = true")
            .await?;
        listener = Some(Listener::connect(&queue, &config, NoTls).await?);
    }
    let mut worker = Worker::new("q");
    if let Some(seconds) = spec.poll_seconds {
        worker.poll = Duration::from_secs_f64(seconds);
    }
    let session = Session::new(connect(&spec.url).await?).await?;
    let sender = Sender::new(queue.clone(), Session::new(client).await?);
    let sent: Arc<Mutex<HashMap<usize, Instant>>> = Arc::default();
    let waits: Arc<Mutex<Vec<f64>>> = Arc::default();
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (sent, waits, stop) = (Arc::clone(&sent), Arc::clone(&waits), stop.clone());
        async move {
            let handler = |job: telecast_queue::Job| {
                let n = job.data["n"].as_u64().unwrap_or_default() as usize;
                let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(at) = sent.get(&n) {
                    let mut waits = waits.lock().unwrap_or_else(PoisonError::into_inner);
                    waits.push(at.elapsed().as_secs_f64() * 1000.0);
                }
                async { Ok(None) }
            };
            worker
                .run(&queue, &session, listener, handler, stop.cancelled_owned())
                .await
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let sending = tokio::task::JoinSet::from_iter(Vec::<std::future::Ready<Result<()>>>::new());
    let mut sending = sending;
    for n in 0..spec.backlog {
        let pause = rand::rng().random_range(5.0..15.0);
        tokio::time::sleep(Duration::from_secs_f64(pause / 1000.0)).await;
        sent.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(n, Instant::now());
        let sender = sender.clone();
        sending.spawn(async move {
            sender
                .send(Send {
                    data: data(n),
                    ..Send::to("q")
                })
                .await?;
            Ok(())
        });
    }
    for sent in sending.join_all().await {
        sent?;
    }
    let patience = Instant::now() + Duration::from_secs(10);
    let count = || waits.lock().unwrap_or_else(PoisonError::into_inner).len();
    while count() < spec.backlog && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await??;
    let mut waits = waits.lock().unwrap_or_else(PoisonError::into_inner).clone();
    waits.sort_by(f64::total_cmp);
    Ok(Outcome {
        jobs: waits.len().try_into()?,
        p50_ms: quantile(&waits, 0.5),
        p99_ms: quantile(&waits, 0.99),
        ..Outcome::default()
    })
}
