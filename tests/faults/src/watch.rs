//! What must hold at every moment, looked at each second while faults rage.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Result;
use telecast_runtime::database;

use crate::part::{Usage, children};

/// Telecast's processes, by program.
const PROGRAMS: [&str; 3] = ["telecast", "send-message", "start-campaign"];

/// The most that a process of each program used.
#[derive(Debug, Default, Clone)]
pub(crate) struct Peaks {
    pub(crate) resident_mb: BTreeMap<String, u64>,
    pub(crate) files: BTreeMap<String, u64>,
}

/// What was seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// Looks that the database answered.
    pub(crate) looks: usize,
    /// The most connections of clients.
    pub(crate) connections: i64,
    /// Campaigns whose counters were wrong in some snapshot.
    pub(crate) wrong_counters: BTreeSet<String>,
    /// Of the first and of the second half.
    pub(crate) peaks: [Peaks; 2],
}

impl Seen {
    /// Looks at the database once; one that is down is no finding.
    pub(crate) async fn look(&mut self, url: &str) {
        let looked = tokio::time::timeout(Duration::from_secs(5), self.try_look(url)).await;
        if matches!(looked, Ok(Ok(()))) {
            self.looks += 1;
        }
    }

    /// Looks at the processes once, in the first or second half (0 or 1).
    pub(crate) fn look_at_processes(&mut self, half: usize) {
        let peaks = &mut self.peaks[half];
        for program in PROGRAMS {
            for usage in children(program).into_iter().filter_map(Usage::of) {
                let most = peaks.resident_mb.entry(program.to_owned()).or_default();
                *most = usage.resident_mb.max(*most);
                let most = peaks.files.entry(program.to_owned()).or_default();
                *most = usage.files.max(*most);
            }
        }
    }

    async fn try_look(&mut self, url: &str) -> Result<()> {
        let client = database::connect(&url.parse()?).await?;
        let rows = client
            .query(include_str!("verdict/counters.sql"), &[])
            .await?;
        let wrong = rows.iter().map(|row| row.get::<_, String>("name"));
        self.wrong_counters.extend(wrong);
        let row = client
            .query_one(
                "SELECT count(*) AS connections FROM pg_stat_activity
                 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
                &[],
            )
            .await?;
        self.connections = self.connections.max(row.get("connections"));
        Ok(())
    }
}
