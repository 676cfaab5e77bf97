//! What is in the queues, once a minute: a log line and metrics.

use std::time::Duration;

use deadpool_postgres::Pool;
use telecast_queue::{Queue, QueueStats, limits};
use telecast_runtime::metrics;
use tokio_postgres::{GenericClient, types::Type};

use crate::{Error, Source, Work};

/// Counts are taken anew when they are older; all schedulers share them.
const COUNTS_AGE: Duration = Duration::from_secs(50);

/// Reports the queues, and the flood waits that are on.
pub(crate) async fn report(pool: &Pool, queue: &Queue, work: &[Work]) -> Result<(), Error> {
    let client = pool.get().await?;
    for work in work {
        let counts: QueueStats = queue.queue_stats(&**client, work.queue, COUNTS_AGE).await?;
        let late = lateness(queue, &**client, work).await?.unwrap_or_default();
        tracing::info!(
            target: metrics::TARGET,
            queue = work.queue,
            Ready = counts.ready_count,
            Active = counts.active_count,
            OldestDueSeconds = late.as_secs_f64(),
            deferred = counts.deferred_count,
            queued = counts.queued_count,
            failed = counts.failed_count,
            total = counts.total_count,
            "queue"
        );
    }
    let flood_waits: i64 = client
        .query_typed_one(include_str!("flood_waits.sql"), &[])
        .await?
        .try_get(0)?;
    tracing::info!(target: metrics::TARGET, FloodWaits = flood_waits, "campaigns");
    Ok(())
}

/// Since when the oldest job that may go has been waiting; none where no job may go. A
/// scheduler that lives takes them within a second.
///
/// # Errors
/// [`Error::Database`].
pub async fn lateness(
    queue: &Queue,
    client: &impl GenericClient,
    work: &Work,
) -> Result<Option<Duration>, Error> {
    if work.source == Source::Limits {
        return Ok(limits::lateness(queue, client, work.queue).await?);
    }
    let oldest = client
        .query_typed_opt(include_str!("oldest_due.sql"), &[(&work.queue, Type::TEXT)])
        .await?;
    let seconds: Option<f64> = oldest.map(|row| row.try_get(0)).transpose()?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
}
