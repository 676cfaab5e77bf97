//! What one trial is asked to do, and what it answers: JSON, the same for every contestant.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// What is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Makes the tables in an empty database.
    #[default]
    Setup,
    /// One job a call, and a call at a time for each caller.
    Send,
    /// A batch of jobs a call.
    Insert,
    /// Fetch a batch, complete it, and again, each caller by itself.
    Step,
    /// A worker works a backlog off.
    Drain,
    /// From the call that sends a job to the start of its handler.
    Latency,
}

/// A trial.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    pub trial: Kind,
    /// The database.
    pub url: String,
    pub callers: usize,
    pub batch: usize,
    /// The trial ends after so many seconds, or when nothing is left to do.
    pub seconds: f64,
    /// Jobs that wait in the queue at the start; for a latency, how many are sent.
    pub backlog: usize,
    /// Whether the worker listens.
    pub listen: bool,
    /// Of contestants that come in two settings: the tuned one.
    pub tuned: bool,
    /// How often the worker looks for jobs; its own default where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_seconds: Option<f64>,
}

/// What a trial found.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub jobs: u64,
    pub seconds: f64,
    #[serde(default)]
    pub p50_ms: Option<f64>,
    #[serde(default)]
    pub p99_ms: Option<f64>,
    /// The contestant's peak of resident memory; not the server's.
    #[serde(default)]
    pub peak_mb: Option<f64>,
}

impl Outcome {
    /// Jobs per second.
    pub fn rate(&self) -> f64 {
        self.jobs as f64 / self.seconds.max(1e-9)
    }
}

/// A program that answers a [`Spec`], given as its last argument, with an [`Outcome`].
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    pub args: Vec<String>,
}

impl Program {
    /// Runs one trial in a process of its own.
    pub async fn run(&self, spec: &Spec) -> Result<Outcome> {
        let output = Command::new(&self.path)
            .args(&self.args)
            .arg(serde_json::to_string(spec)?)
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("cannot run {}", self.path.display()))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!(
                "{:?} failed: {}",
                self.args,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let line = stdout
            .lines()
            .last()
            .context("a trial prints its outcome")?;
        serde_json::from_str(line).with_context(|| format!("not an outcome: {line}"))
    }
}

/// The peak of this process's resident memory, in MB.
pub fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// The value below which such a share of the sorted values lies.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(last)).copied()
}
