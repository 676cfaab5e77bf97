//! What time does: flood waits end, quiet hours begin, schedules come due, attempts
//! expire, limits of finished campaigns go.

use std::time::Duration;

use deadpool_postgres::Pool;
use telecast_core::{campaigns, delivery};
use telecast_queue::{CRON_INTERVAL, Queue, Upkeep};

use crate::Error;

/// Attempts expire this often; the queue's own default is a minute.
const MONITOR_INTERVAL: Duration = Duration::from_secs(10);

/// Ends the flood waits that are over, holds the campaigns whose quiet hours began, and
/// raises the rates of bots that were slowed down; gives whether there is more to
/// dispatch now.
pub(crate) async fn resume_due(pool: &Pool) -> Result<bool, Error> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let resumed = campaigns::resume_due(&transaction).await?;
    transaction.commit().await?;
    campaigns::hold_quiet(&**client).await?;
    let transaction = client.transaction().await?;
    let faster = campaigns::speed_up(&transaction).await?;
    transaction.commit().await?;
    for id in &resumed {
        tracing::info!(campaign_id = %id, "resumed: its flood wait is over");
    }
    Ok(!resumed.is_empty() || !faster.is_empty())
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
    let cron = queue.run_schedules(&**client, CRON_INTERVAL, None).await?;
    for schedule in &cron.broken {
        tracing::error!(
            queue = schedule.name,
            key = schedule.key,
            problem = schedule.problem,
            "a schedule cannot be run"
        );
    }
    let transaction = client.transaction().await?;
    let unstarted = campaigns::fail_unstarted(&transaction).await?;
    let stranded = delivery::settle_stranded(&transaction).await?;
    let limits = campaigns::remove_idle_limits(&transaction).await?;
    transaction.commit().await?;
    for id in unstarted {
        tracing::error!(campaign_id = %id, "failed: it could not be started");
    }
    if stranded > 0 {
        tracing::error!(message_jobs = stranded, "given up: handlers died too often");
    }
    tracing::debug!(limits, "removed idle limits");
    Ok(())
}
