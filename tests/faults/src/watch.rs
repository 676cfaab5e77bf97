//! What must hold at every moment, looked at each second while faults rage.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use telecast_runtime::database;

/// What was seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// Looks that the database answered.
    pub(crate) looks: usize,
    /// The most connections of clients.
    pub(crate) connections: i64,
    /// Campaigns whose counters were wrong in some snapshot.
    pub(crate) wrong_counters: BTreeSet<String>,
}

impl Seen {
    /// Looks once; a database that is down is no finding.
    pub(crate) async fn look(&mut self, url: &str) {
        let looked = tokio::time::timeout(Duration::from_secs(5), self.try_look(url)).await;
        if matches!(looked, Ok(Ok(()))) {
            self.looks += 1;
        }
    }

    async fn try_look(&mut self, url: &str) -> Result<()> {
        let client = database::connect(&url.parse()?).await?;
        let rows = client.query(include_str!("counters.sql"), &[]).await?;
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
