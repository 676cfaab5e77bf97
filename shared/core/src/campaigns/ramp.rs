//! After a flood wait a bot and its campaigns go at half of their rates, and then at a
//! tenth more each quarter of a minute, until they go at all of them. A new bot may be
//! warmed up in the same way, by the day.
//!
//! The limits change, and the plan does not: what is late for it drains when the rates
//! are back.

use std::time::Duration;

use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::pace;
use crate::Result;

/// Halves the rates of a bot that Telegram told to wait so long. Further answers of the
/// same flood change nothing.
pub(crate) async fn slow_down(
    transaction: &Transaction<'_>,
    bot_id: Uuid,
    wait: Duration,
) -> Result<()> {
    transaction
        .execute_typed(
            include_str!("slow_down.sql"),
            &[(&bot_id, Type::UUID), (&wait.as_secs_f64(), Type::FLOAT8)],
        )
        .await?;
    pace::set_bot_limit(transaction, bot_id).await?;
    let running = transaction
        .query_typed(
            "SELECT id FROM campaigns WHERE bot_id = $1 AND status IN ('RUNNING', 'PAUSED') ORDER BY id",
            &[(&bot_id, Type::UUID)],
        )
        .await?;
    for row in running {
        pace::set_campaign_limit(transaction, row.try_get("id")?).await?;
    }
    Ok(())
}

/// Raises the rates of the bots that were slowed down, where it is time; gives their ids.
/// Several schedulers may call this at once: each bot is sped up by one.
pub async fn speed_up(transaction: &Transaction<'_>) -> Result<Vec<Uuid>> {
    // Campaigns first, as everywhere, so that no rate changes meanwhile.
    let campaigns = transaction
        .query_typed(include_str!("speed_up_lock.sql"), &[])
        .await?;
    let bots = transaction
        .query_typed(include_str!("speed_up.sql"), &[])
        .await?
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<std::result::Result<Vec<Uuid>, _>>()?;
    for &bot_id in &bots {
        pace::set_bot_limit(transaction, bot_id).await?;
    }
    for row in &campaigns {
        if bots.contains(&row.try_get("bot_id")?) {
            pace::set_campaign_limit(transaction, row.try_get("id")?).await?;
        }
    }
    Ok(bots)
}
