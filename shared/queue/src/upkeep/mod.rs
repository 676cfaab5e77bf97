//! Upkeep: what time does to jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::{Connection, Error, Queue};

/// More seconds than any interval needs, and few enough for PostgreSQL.
const FOREVER: f64 = 1e9;

/// What a pass of upkeep does, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// Counting and expiry: once in so long for each queue, by any client.
    pub monitor_interval: Duration,
    /// Deletion: the same.
    pub maintain_interval: Duration,
    /// So many waiting jobs make a warning, where the queue does not say itself.
    pub warning_size: u32,
    /// Keep warnings in the database, where pg-boss's dashboard shows them.
    pub keep_warnings: bool,
    /// For tests; none is the database's clock.
    pub now: Option<DateTime<Utc>>,
}

impl Default for Upkeep {
    /// As pg-boss: every minute, and every day.
    fn default() -> Self {
        Self {
            monitor_interval: Duration::from_secs(60),
            maintain_interval: Duration::from_secs(86_400),
            warning_size: 10_000,
            keep_warnings: false,
            now: None,
        }
    }
}

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpkeepPass {
    /// Queues that were counted and whose jobs were expired by this pass.
    pub monitored: Vec<String>,
    /// Jobs that ran out of time or showed no sign of life.
    pub expired: u64,
    /// Jobs deleted.
    pub deleted: u64,
    /// Completed jobs whose dependents were let go.
    pub released: u64,
    /// Queues with more waiting jobs than their warning size, and how many.
    pub backlogs: Vec<(String, i32)>,
}

impl Queue {
    /// Does what is due of: expiring jobs, counting them, deleting them, letting go of
    /// those that waited for others. Call it every minute or so, from anywhere: all
    /// clients, pg-boss's too, share the work. Of some queues, or of all.
    ///
    /// # Errors
    /// [`Error::Database`]; what was done until then stays done.
    pub async fn upkeep(
        &self,
        client: &impl Connection,
        upkeep: &Upkeep,
        queues: Option<&[&str]>,
    ) -> Result<UpkeepPass, Error> {
        let mut pass = UpkeepPass::default();
        let claim = if self.version(client).await? < 40 {
            include_str!("claim_monitor_39.sql")
        } else {
            include_str!("claim_monitor.sql")
        };
        let monitored = self
            .claim(client, claim, queues, upkeep.monitor_interval, upkeep.now)
            .await?;
        if !monitored.is_empty() {
            let names: Vec<&str> = monitored.iter().map(String::as_str).collect();
            pass.expired = number(
                &self
                    .query(
                        client,
                        include_str!("expire.sql"),
                        &[(&names, Type::TEXT_ARRAY), (&upkeep.now, Type::TIMESTAMPTZ)],
                    )
                    .await?,
            );
            let counted = self.count(client, &names, false).await?;
            pass.backlogs = self.warn_of_backlogs(client, upkeep, &counted).await?;
        }
        pass.monitored = monitored;

        let maintained = self
            .claim(
                client,
                include_str!("claim_maintain.sql"),
                queues,
                upkeep.maintain_interval,
                upkeep.now,
            )
            .await?;
        if !maintained.is_empty() {
            pass.deleted = number(
                &self
                    .query(
                        client,
                        include_str!("delete.sql"),
                        &[
                            (&maintained, Type::TEXT_ARRAY),
                            (&upkeep.now, Type::TIMESTAMPTZ),
                        ],
                    )
                    .await?,
            );
        }
        pass.released = self.release_dependents(client, queues).await?;
        Ok(pass)
    }

    async fn claim(
        &self,
        client: &impl Connection,
        template: &'static str,
        queues: Option<&[&str]>,
        interval: Duration,
        now: Option<DateTime<Utc>>,
    ) -> Result<Vec<String>, Error> {
        let rows = self
            .query(
                client,
                template,
                &[
                    (&queues, Type::TEXT_ARRAY),
                    (&interval.as_secs_f64().min(FOREVER), Type::FLOAT8),
                    (&now, Type::TIMESTAMPTZ),
                ],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get("name")).collect())
    }

    async fn warn_of_backlogs(
        &self,
        client: &impl Connection,
        upkeep: &Upkeep,
        counted: &[Row],
    ) -> Result<Vec<(String, i32)>, Error> {
        let mut backlogs = Vec::new();
        for row in counted {
            let (name, queued, size): (String, i32, i32) = (
                row.get("name"),
                row.get("queued_count"),
                row.get("warning_queued"),
            );
            let size = if size > 0 {
                i64::from(size)
            } else {
                i64::from(upkeep.warning_size)
            };
            if i64::from(queued) <= size {
                continue;
            }
            if upkeep.keep_warnings {
                let message = format!("queue {name} has {queued} jobs waiting, more than {size}");
                let data = json!({ "name": name, "queuedCount": queued, "warningQueueSize": size });
                self.query(
                    client,
                    include_str!("warn.sql"),
                    &[
                        (&"queue_backlog", Type::TEXT),
                        (&message, Type::TEXT),
                        (&data, Type::JSONB),
                    ],
                )
                .await?;
            }
            backlogs.push((name, queued));
        }
        Ok(backlogs)
    }
}

fn number(rows: &[Row]) -> u64 {
    rows.first()
        .map_or(0, |row| row.get::<_, i64>(0).unsigned_abs())
}
