//! What a campaign came to.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::campaign_client::Progress;

/// The figures of a campaign that ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) status: String,
    pub(crate) total: u64,
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) uncertain: u64,
    pub(crate) cancelled: u64,
    /// From the start to the last message.
    pub(crate) elapsed_seconds: f64,
    /// What was asked for, in messages per minute.
    pub(crate) rate_asked: i32,
    /// Between the first and the last accepted message; null for fewer than two.
    pub(crate) rate_per_minute: Option<f64>,
    /// Messages that left within their slot; null where the receiver kept no ledger.
    pub(crate) slots_kept: Option<u64>,
    /// Messages accepted more than once; null where the receiver kept no ledger.
    pub(crate) duplicates: Option<u64>,
}

/// What the receiver's ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) slots_kept: u64,
    pub(crate) duplicates: u64,
}

impl Report {
    /// The report of a campaign; `first_and_last` are the times of its first and last
    /// accepted messages.
    pub(crate) fn new(
        progress: &Progress,
        rate_asked: i32,
        first_and_last: Option<(DateTime<Utc>, DateTime<Utc>)>,
        ledger: Option<Ledger>,
    ) -> Self {
        let counts = progress.counts;
        let elapsed = match (progress.started_at, progress.finished_at) {
            (Some(started), Some(finished)) => finished - started,
            _ => chrono::TimeDelta::zero(),
        };
        let rate_per_minute = first_and_last
            .filter(|(first, last)| last > first && counts.sent > 1)
            .map(|(first, last)| (counts.sent - 1) as f64 * 60.0 / (last - first).as_seconds_f64());
        Self {
            status: progress.status.clone(),
            total: counts.total,
            sent: counts.sent,
            failed: counts.failed,
            skipped: counts.skipped,
            uncertain: counts.uncertain,
            cancelled: counts.cancelled,
            elapsed_seconds: (elapsed.as_seconds_f64() * 1000.0).round() / 1000.0,
            rate_asked,
            rate_per_minute: rate_per_minute.map(|rate| (rate * 10.0).round() / 10.0),
            slots_kept: ledger.map(|ledger| ledger.slots_kept),
            duplicates: ledger.map(|ledger| ledger.duplicates),
        }
    }

    /// One line of JSON, or lines for people.
    pub(crate) fn print(&self, as_json: bool) -> serde_json::Result<()> {
        if as_json {
            println!("{}", serde_json::to_string(self)?);
        } else {
            println!("{self}");
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "status      {}", self.status)?;
        writeln!(f, "sent        {} of {}", self.sent, self.total)?;
        for (name, count) in [
            ("failed", self.failed),
            ("skipped", self.skipped),
            ("uncertain", self.uncertain),
            ("cancelled", self.cancelled),
        ] {
            if count > 0 {
                writeln!(f, "{name:<11} {count}")?;
            }
        }
        writeln!(f, "elapsed     {:.1} s", self.elapsed_seconds)?;
        match self.rate_per_minute {
            Some(rate) => write!(
                f,
                "rate        {rate:.1} per minute, asked for {}",
                self.rate_asked
            )?,
            None => write!(f, "rate        asked for {} per minute", self.rate_asked)?,
        }
        if let Some(kept) = self.slots_kept {
            write!(f, "\nslots kept  {kept} of {}", self.sent)?;
        }
        if let Some(duplicates) = self.duplicates {
            write!(f, "\nduplicates  {duplicates}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_rate_is_that_between_the_first_and_the_last_message() {
        let start = DateTime::UNIX_EPOCH;
        let progress: Progress = serde_json::from_value(json!({
            "status": "COMPLETED", "startedAt": start, "finishedAt": start + TimeDelta::seconds(6),
            "counts": {"total": 101, "pending": 0, "sent": 101, "failed": 0, "skipped": 0, "uncertain": 0, "cancelled": 0},
        }))
        .unwrap();
        let times = (start + TimeDelta::seconds(1), start + TimeDelta::seconds(6));
        let report = Report::new(&progress, 1200, Some(times), None);
        assert_eq!(report.rate_per_minute, Some(1200.0));
        assert_eq!(report.elapsed_seconds, 6.0);
        let line: serde_json::Value = serde_json::to_value(&report).unwrap();
        assert_eq!(line["ratePerMinute"], 1200.0);
    }
}
