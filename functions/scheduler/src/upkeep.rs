//! What time does: flood waits end, attempts expire, limits of finished campaigns go.

use std::time::Duration;

use deadpool_postgres::Pool;
use telecast_core::{campaigns, delivery};
use telecast_queue::{Queue, Upkeep};

use crate::Error;

/// Attempts expire this often; the queue's own default is a minute.
const MONITOR_INTERVAL: Duration = Duration::from_secs(10);

/// Ends the flood waits that are over; gives whether there were any.
pub(crate) async fn resume_due(pool: &Pool) -> Result<bool, Error> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let resumed = campaigns::resume_due(&transaction).await?;
    transaction.commit().await?;
    for id in &resumed {
        tracing::info!(campaign_id = %id, "resumed: its flood wait is over");
    }
    Ok(!resumed.is_empty())
}

/// A pass of everything else. All schedulers, and pg-boss's, share the work.
pub(crate) async fn upkeep(pool: &Pool, queue: &Queue) -> Result<(), Error> {
    let mut client = pool.get().await?;
    let upkeep = Upkeep {
        monitor_interval: MONITOR_INTERVAL,
        ..Upkeep::default()
    };
    let pass = queue.upkeep(&**client, &upkeep, None).await?;
    if pass.expired > 0 {
        tracing::warn!(
            jobs = pass.expired,
            "attempts expired: their handlers died or were slow"
        );
    }
    let transaction = client.transaction().await?;
    let stranded = delivery::settle_stranded(&transaction).await?;
    let limits = campaigns::remove_idle_limits(&transaction).await?;
    transaction.commit().await?;
    if stranded > 0 {
        tracing::error!(message_jobs = stranded, "given up: handlers died too often");
    }
    tracing::debug!(limits, "removed idle limits");
    Ok(())
}
