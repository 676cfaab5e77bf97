//! How many jobs a queue has, by state.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::{Connection, Error, Queue, validate};

/// The counts of a queue at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueStats {
    /// The queue.
    pub name: String,
    /// Waiting, but not due.
    pub deferred_count: i32,
    /// Waiting, due or not.
    pub queued_count: i32,
    /// Waiting and due.
    pub ready_count: i32,
    /// Being worked on.
    pub active_count: i32,
    /// Out of attempts.
    pub failed_count: i32,
    /// All that are kept, of whatever state.
    pub total_count: i32,
    /// When they were counted.
    pub captured_on: DateTime<Utc>,
}

impl QueueStats {
    pub(crate) fn from_row(row: &Row) -> Result<Self, Error> {
        let read = || -> Result<Self, tokio_postgres::Error> {
            Ok(Self {
                name: row.try_get("name")?,
                deferred_count: row.try_get("deferred_count")?,
                queued_count: row.try_get("queued_count")?,
                ready_count: row.try_get("ready_count")?,
                active_count: row.try_get("active_count")?,
                failed_count: row.try_get("failed_count")?,
                total_count: row.try_get("total_count")?,
                captured_on: row.try_get("captured_on")?,
            })
        };
        read().map_err(Error::Row)
    }
}

impl Queue {
    /// The counts of a queue, no older than `max_age`. Counting reads all of the
    /// queue's jobs, so it is done at most so often, for all who ask.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn queue_stats(
        &self,
        client: &impl Connection,
        name: &str,
        max_age: Duration,
    ) -> Result<QueueStats, Error> {
        validate::queue_name("name", name)?;
        let kept = self
            .query(client, include_str!("counted.sql"), &[(&name, Type::TEXT)])
            .await?;
        let Some(kept) = kept.first() else {
            return Err(Error::UnknownQueue(name.to_owned()));
        };
        let age: Option<f64> = kept.get("age");
        if age.is_some_and(|age| age <= max_age.as_secs_f64()) {
            return QueueStats::from_row(kept);
        }
        // Without any count there is nothing to give while another counts.
        let counted = self.count(client, &[name], age.is_none()).await?;
        QueueStats::from_row(counted.first().unwrap_or(kept))
    }

    pub(crate) async fn count(
        &self,
        client: &impl Connection,
        names: &[&str],
        without_lock: bool,
    ) -> Result<Vec<Row>, Error> {
        let names = &names;
        self.query(
            client,
            include_str!("count.sql"),
            &[(names, Type::TEXT_ARRAY), (&without_lock, Type::BOOL)],
        )
        .await
    }
}
