//! The bound: the least SQL for the same work on the same tables, by pgbench.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{
    ours::{connect, preload},
    trial::{Kind, Outcome, Spec},
};

/// Runs a trial of raw SQL.
pub async fn run(spec: &Spec) -> Result<Outcome> {
    let script = match spec.trial {
        Kind::Send => include_str!("raw/send.sql"),
        Kind::Insert => include_str!("raw/insert.sql"),
        Kind::Step | Kind::Drain => include_str!("raw/step.sql"),
        Kind::Setup | Kind::Latency => bail!("raw SQL has no such trial"),
    };
    if matches!(spec.trial, Kind::Step | Kind::Drain) {
        preload(spec).await?;
    }
    let batch = match spec.trial {
        Kind::Send => 1,
        _ => spec.batch,
    };
    let rate = pgbench(spec, &script.replace(":batch", &batch.to_string())).await?;
    if matches!(spec.trial, Kind::Step | Kind::Drain) {
        let left: i64 = connect(&spec.url)
            .await?
            .query_typed_one(
                "SELECT count(*) FROM pgboss.job WHERE state < 'active'",
                &[],
            )
            .await?
            .try_get(0)?;
        if left == 0 {
            bail!(
                "raw SQL ran out of its backlog of {}: give it more",
                spec.backlog
            );
        }
    }
    Ok(Outcome {
        jobs: (rate * batch as f64 * spec.seconds) as u64,
        seconds: spec.seconds,
        ..Outcome::default()
    })
}

/// Commits per second of one row in a bare table: what the disk allows.
pub async fn commits(url: &str, callers: usize, seconds: f64) -> Result<f64> {
    connect(url)
        .await?
        .batch_execute("CREATE TABLE IF NOT EXISTS bare (n int)")
        .await?;
    let spec = Spec {
        trial: Kind::Send,
        url: url.to_owned(),
        callers,
        seconds,
        ..Spec::default()
    };
    pgbench(&spec, include_str!("raw/commit.sql")).await
}

/// Transactions per second.
async fn pgbench(spec: &Spec, script: &str) -> Result<f64> {
    let mut child = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--file=/dev/stdin"])
        .arg(format!("--client={}", spec.callers))
        .arg(format!("--jobs={}", spec.callers.min(2)))
        .arg(format!("--time={}", spec.seconds.round().max(1.0)))
        .arg(&spec.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run pgbench, of PostgreSQL's client programs")?;
    let mut stdin = child.stdin.take().context("pgbench reads its script")?;
    stdin.write_all(script.as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    stdout
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|tps| tps.parse().ok())
        .with_context(|| {
            format!(
                "pgbench failed: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
}
