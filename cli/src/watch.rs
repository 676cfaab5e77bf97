//! A campaign's progress in the terminal.

use std::{future::Future, io::IsTerminal, time::Duration};

use anyhow::Result;
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::campaign_client::Progress;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Draws a bar until the campaign is done, and gives its last state. Where standard
/// error is no terminal, a line is written now and then instead.
pub(crate) async fn watch<F>(mut look: impl FnMut() -> F) -> Result<Progress>
where
    F: Future<Output = Result<Progress>>,
{
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} {msg} [{elapsed}]",
    )?);
    let plain = !std::io::stderr().is_terminal();
    let mut looks: u32 = 0;
    loop {
        let progress = look().await?;
        let counts = progress.counts;
        bar.set_length(counts.total);
        bar.set_position(counts.total - counts.pending);
        bar.set_message(message(&progress, Utc::now()));
        if plain && looks.is_multiple_of(20) {
            let done = counts.total - counts.pending;
            eprintln!("{done}/{} {}", counts.total, message(&progress, Utc::now()));
        }
        if progress.is_final() {
            bar.finish();
            return Ok(progress);
        }
        looks += 1;
        tokio::time::sleep(LOOK).await;
    }
}

fn message(progress: &Progress, now: DateTime<Utc>) -> String {
    let counts = progress.counts;
    let mut parts = vec![progress.status.clone()];
    if let Some(reason) = &progress.pause_reason {
        parts.push(format!("({reason})"));
    }
    parts.push(format!("{} sent", counts.sent));
    for (count, name) in [
        (counts.failed, "failed"),
        (counts.uncertain, "uncertain"),
        (counts.skipped, "skipped"),
        (counts.cancelled, "cancelled"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    if let Some(eta) = progress.eta.filter(|eta| *eta > now) {
        parts.push(format!("{} s left", (eta - now).num_seconds() + 1));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_says_what_happened_and_what_is_left() {
        let now = Utc::now();
        let progress: Progress = serde_json::from_value(json!({
            "status": "PAUSED", "pauseReason": "FLOOD_WAIT", "eta": now + TimeDelta::seconds(9),
            "startedAt": now, "finishedAt": null,
            "counts": {"total": 9, "pending": 5, "sent": 3, "failed": 1, "skipped": 0, "uncertain": 0, "cancelled": 0},
        }))
        .unwrap();
        assert_eq!(
            message(&progress, now),
            "PAUSED (FLOOD_WAIT) 3 sent 1 failed 10 s left"
        );
    }
}
