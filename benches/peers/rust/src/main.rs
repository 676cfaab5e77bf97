//! One trial of one peer: telecast-bench-peers <peer> '{"trial": …, "url": …}'; prints
//! its outcome as JSON.
#![forbid(unsafe_code)]

mod apalis;
mod graphile;

use std::{
    env, fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::Notify;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    trial: String,
    url: String,
    callers: usize,
    batch: usize,
    seconds: f64,
    backlog: usize,
}

#[derive(Clone, Serialize, Deserialize, Debug)]
pub struct Payload {
    to: String,
    n: usize,
}

impl Payload {
    pub fn new(n: usize) -> Self {
        Self { to: "ada@example.com".to_owned(), n }
    }
}

/// What the handlers tell.
#[derive(Clone, Debug)]
pub struct Meter {
    done: Arc<AtomicUsize>,
    sent: Arc<Mutex<Vec<Instant>>>,
    waits: Arc<Mutex<Vec<f64>>>,
    backlog: usize,
    finished: Arc<Notify>,
}

impl Meter {
    fn new(backlog: usize) -> Self {
        Self {
            done: Arc::default(),
            sent: Arc::default(),
            waits: Arc::default(),
            backlog,
            finished: Arc::default(),
        }
    }

    /// A handler has begun.
    pub fn note(&self, payload: &Payload) {
        if let Some(at) = self.sent.lock().expect("no panic").get(payload.n) {
            let wait = at.elapsed().as_secs_f64() * 1000.0;
            self.waits.lock().expect("no panic").push(wait);
        }
        if self.done.fetch_add(1, Ordering::Relaxed) + 1 == self.backlog {
            self.finished.notify_one();
        }
    }
}

/// A queue under test.
pub trait Peer: Clone + Send + Sync + 'static {
    fn setup(&self) -> impl Future<Output = Result<()>> + Send;
    fn send(&self, payload: Payload) -> impl Future<Output = Result<()>> + Send;
    fn insert(&self, count: usize) -> impl Future<Output = Result<()>> + Send;
    /// Works until it is aborted.
    fn work(&self, meter: Meter) -> impl Future<Output = Result<()>> + Send;
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    let [_, peer, spec] = args.as_slice() else {
        bail!("give a peer and a trial");
    };
    let spec: Spec = serde_json::from_str(spec)?;
    let connections = u32::try_from(spec.callers + 4)?.max(10);
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(connections)
        .connect(&spec.url)
        .await?;
    let outcome = match peer.as_str() {
        "apalis" => trial(apalis::Apalis::new(pool.clone(), &spec), &spec, &pool).await?,
        "graphile" => trial(graphile::Graphile::new(pool.clone(), &spec), &spec, &pool).await?,
        _ => bail!("no such peer: {peer}"),
    };
    println!("{outcome}");
    std::process::exit(0)
}

async fn trial(peer: impl Peer, spec: &Spec, pool: &PgPool) -> Result<serde_json::Value> {
    let mut outcome = match spec.trial.as_str() {
        "setup" => {
            peer.setup().await?;
            json!({"jobs": 0, "seconds": 0.0})
        }
        "send" => loops(spec, 1, || peer.send(Payload::new(1))).await?,
        "insert" => loops(spec, spec.batch, || peer.insert(spec.batch)).await?,
        "drain" => drain(&peer, spec, pool).await?,
        "latency" => latency(&peer, spec).await?,
        other => bail!("no such trial: {other}"),
    };
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a peak")?;
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse()?;
    outcome["peakMb"] = json!(peak / 1024.0);
    Ok(outcome)
}

async fn loops<F: Future<Output = Result<()>>>(
    spec: &Spec,
    each: usize,
    call: impl Fn() -> F,
) -> Result<serde_json::Value> {
    let began = Instant::now();
    let until = Duration::from_secs_f64(spec.seconds);
    let callers = (0..spec.callers).map(|_| async {
        let mut jobs = 0;
        while began.elapsed() < until {
            call().await?;
            jobs += each;
        }
        anyhow::Ok(jobs)
    });
    let jobs: usize = try_join_all(callers).await?.into_iter().sum();
    Ok(json!({"jobs": jobs, "seconds": began.elapsed().as_secs_f64()}))
}

async fn drain(peer: &impl Peer, spec: &Spec, pool: &PgPool) -> Result<serde_json::Value> {
    let mut left = spec.backlog;
    while left > 0 {
        let count = left.min(5_000);
        peer.insert(count).await?;
        left -= count;
    }
    sqlx::query("VACUUM ANALYZE").execute(pool).await?;
    let meter = Meter::new(spec.backlog);
    let began = Instant::now();
    let working = tokio::spawn({
        let (peer, meter) = (peer.clone(), meter.clone());
        async move { peer.work(meter).await }
    });
    let time = Duration::from_secs_f64(spec.seconds);
    // Out of time is as good an end as out of work.
    tokio::time::timeout(time, meter.finished.notified()).await.ok();
    let took = began.elapsed().as_secs_f64();
    working.abort();
    Ok(json!({"jobs": meter.done.load(Ordering::Relaxed), "seconds": took}))
}

async fn latency(peer: &impl Peer, spec: &Spec) -> Result<serde_json::Value> {
    let meter = Meter::new(spec.backlog);
    let working = tokio::spawn({
        let (peer, meter) = (peer.clone(), meter.clone());
        async move { peer.work(meter).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut sending = Vec::new();
    for n in 0..spec.backlog {
        let pause = rand::random_range(5.0..15.0);
        tokio::time::sleep(Duration::from_secs_f64(pause / 1000.0)).await;
        meter.sent.lock().expect("no panic").push(Instant::now());
        let peer = peer.clone();
        sending.push(tokio::spawn(async move { peer.send(Payload::new(n)).await }));
    }
    for sent in try_join_all(sending).await? {
        sent?;
    }
    tokio::time::timeout(Duration::from_secs(10), meter.finished.notified()).await.ok();
    working.abort();
    let mut waits = meter.waits.lock().expect("no panic").clone();
    waits.sort_by(f64::total_cmp);
    let last = waits.len().checked_sub(1).context("no job arrived")?;
    let at = |share: f64| waits[((waits.len() as f64 * share) as usize).min(last)];
    Ok(json!({"jobs": waits.len(), "seconds": 0.0, "p50Ms": at(0.5), "p99Ms": at(0.99)}))
}
