//! Figures for a Prometheus scraper, in its text format 0.0.4.

use std::fmt::Write;

use axum::{
    extract::State,
    http::{HeaderName, header::CONTENT_TYPE},
};
use telecast_core::Error;

use crate::{
    ApiError, App,
    openapi::{Operation, Output},
};

/// The text format.
pub(super) struct Metrics(String);

impl Output for Metrics {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_text(&["text/plain"]);
    }
}

impl axum::response::IntoResponse for Metrics {
    fn into_response(self) -> axum::response::Response {
        self.0.into_response()
    }
}

/// GET /metrics: queues as the last upkeep counted them, campaigns and bots as they are.
pub(super) async fn metrics(
    State(app): State<App>,
) -> Result<([(HeaderName, &'static str); 1], Metrics), ApiError> {
    let database = app.database().await?;
    let queues = app.queue.get_queues(&**database, None).await;
    let mut text = Text::default();
    text.family("telecast_queue_jobs", "Queue jobs by queue and state.");
    for queue in queues.map_err(Error::from)? {
        for (state, count) in [
            ("deferred", queue.deferred_count),
            ("ready", queue.ready_count),
            ("active", queue.active_count),
            ("failed", queue.failed_count),
        ] {
            let labels = format!("queue=\"{}\",state=\"{state}\"", queue.name);
            text.sample("telecast_queue_jobs", &labels, count.into());
        }
    }
    let rows = database
        .query_typed(include_str!("metrics.sql"), &[])
        .await?;
    let mut last = String::new();
    for row in &rows {
        let (name, about): (String, String) = (row.try_get("name")?, row.try_get("about")?);
        if name != last {
            text.family(&name, &about);
        }
        text.sample(&name, row.try_get("labels")?, row.try_get("value")?);
        last = name;
    }
    Ok((
        [(CONTENT_TYPE, "text/plain; version=0.0.4")],
        Metrics(text.0),
    ))
}

/// Samples as text. Labels' values are words of ours or names of queues, which hold no
/// character that would need an escape.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, about: &str) {
        self.line(format_args!("# HELP {name} {about}"));
        self.line(format_args!("# TYPE {name} gauge"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: i64) {
        self.line(format_args!("{name}{{{labels}}} {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        writeln!(self.0, "{line}").ok();
    }
}
