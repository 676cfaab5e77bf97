//! Logs and metrics, to standard error: as text for people, or as JSON for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    filter::{Targets, filter_fn},
    fmt,
    layer::{Layer, SubscriberExt},
    registry,
    util::{SubscriberInitExt, TryInitError},
};

use crate::metrics::{self, Metrics};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug)]
pub struct Logs {
    /// How lines are written.
    pub format: LogFormat,
    /// RUST_LOG's.
    pub filter: Targets,
    /// Whose metrics they are: FUNCTION_PREFIX.
    pub stack: String,
}

/// Starts logging; once in a process.
///
/// # Errors
/// Where logging was started before.
pub fn start(logs: Logs) -> Result<(), TryInitError> {
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match logs.format {
        LogFormat::Text => registry().with(lines.with_filter(logs.filter)).try_init(),
        LogFormat::Json => {
            let is_metric = filter_fn(|metadata| metadata.target() == metrics::TARGET);
            let is_no_metric = filter_fn(|metadata| metadata.target() != metrics::TARGET);
            let lines = lines.json().flatten_event(true).with_span_list(false);
            registry()
                .with(lines.with_filter(logs.filter).with_filter(is_no_metric))
                .with(Metrics::new(logs.stack, io::stderr).with_filter(is_metric))
                .try_init()
        }
    }
}
