//! How fast a campaign goes: the limit is the law, the slots are the plan.

use std::time::Duration;

use telecast_queue::limits::{self, Limit};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use crate::Result;

const REPLAN: &str = include_str!("replan.sql");

/// A minute and half a percent: see `plan_step` in the migrations, which plans by the same step.
const MINUTE: Duration = Duration::from_millis(60_300);

/// The limit group of a campaign's queue jobs, and the id of its limit.
pub fn group_id(campaign_id: Uuid) -> String {
    format!("campaign/{campaign_id}")
}

/// The id of a bot's limit, which all its campaigns share.
pub fn bot_limit_id(bot_id: Uuid) -> String {
    format!("bot/{bot_id}")
}

/// The id of the limit of one chat, for one bot: a campaign's queue jobs name it as
/// their key.
pub fn chat_limit_id(bot_id: Uuid, channel_id: Uuid) -> String {
    format!("chat/{bot_id}/{channel_id}")
}

/// The limit of a campaign that sends `rate` messages a minute. The tolerance lets
/// the jitter of the plan through (two fifths of a step), and makes good a
/// dispatcher's pause of up to four steps, a quarter of a second at most; rates
/// above 2,400 a minute always get a tenth of a second.
pub fn limit_of_rate(rate: i32) -> Limit {
    let step = MINUTE / u32::try_from(rate).unwrap_or(1).max(1);
    let catch_up = (step * 4)
        .max(Duration::from_millis(100))
        .min(Duration::from_millis(250));
    Limit {
        step,
        tolerance: catch_up.max(step * 2 / 5),
    }
}

/// The limit of a bot that may send `rate` messages a second: with what a tenth of
/// a second earns it stays below Telegram's 30 in any one second.
pub fn limit_of_bot(rate: i32) -> Limit {
    Limit {
        step: MINUTE / 60 / u32::try_from(rate).unwrap_or(1).max(1),
        tolerance: Duration::from_millis(100),
    }
}

/// The limit of a group: a bot may send it 20 messages in a minute
/// (core.telegram.org/bots/faq).
pub fn limit_of_group() -> Limit {
    Limit {
        step: MINUTE / 20,
        tolerance: Duration::ZERO,
    }
}

/// Sets the limits of the groups among a campaign's recipients.
pub(crate) async fn set_group_chat_limits(
    transaction: &Transaction<'_>,
    campaign_id: Uuid,
) -> Result<()> {
    let groups = transaction
        .query_typed(
            include_str!("group_chats.sql"),
            &[(&campaign_id, Type::UUID)],
        )
        .await?;
    let keys = groups
        .iter()
        .map(|row| {
            Ok(chat_limit_id(
                row.try_get("bot_id")?,
                row.try_get("channel_id")?,
            ))
        })
        .collect::<Result<Vec<String>>>()?;
    limits::set_key_limits(transaction, &keys, limit_of_group()).await?;
    Ok(())
}

/// A limit that goes at so many percent of its rate; none: at all of it.
fn slowed(limit: Limit, percent: Option<i32>) -> Limit {
    let percent = percent.map_or(100, |percent| u32::try_from(percent).unwrap_or(1).max(1));
    let step = limit.step * 100 / percent;
    Limit {
        step,
        tolerance: limit.tolerance.max(step * 2 / 5),
    }
}

/// Sets the limit of a bot to what its row says.
pub(crate) async fn set_bot_limit(transaction: &Transaction<'_>, bot_id: Uuid) -> Result<()> {
    let row = transaction
        .query_typed_one(
            "SELECT rate_per_second, messages_per_day, ramp FROM bots WHERE id = $1",
            &[(&bot_id, Type::UUID)],
        )
        .await?;
    let id = bot_limit_id(bot_id);
    let limit = slowed(
        limit_of_bot(row.try_get("rate_per_second")?),
        row.try_get("ramp")?,
    );
    limits::set_queue_limit(transaction, &id, crate::delivery::QUEUE, limit).await?;
    limits::set_daily(transaction, &id, row.try_get("messages_per_day")?).await?;
    Ok(())
}

/// Sets the limits of a campaign and of its bot to what their rows say.
pub(crate) async fn set_limits(transaction: &Transaction<'_>, campaign_id: Uuid) -> Result<()> {
    let row = transaction
        .query_typed_one(
            "SELECT bot_id FROM campaigns WHERE id = $1",
            &[(&campaign_id, Type::UUID)],
        )
        .await?;
    set_bot_limit(transaction, row.try_get("bot_id")?).await?;
    set_campaign_limit(transaction, campaign_id).await
}

/// Sets the limit of a campaign to what its row says; its bot has one. The bot's is not
/// touched, so that its other campaigns go on whatever the transaction does then.
pub(crate) async fn set_campaign_limit(
    transaction: &Transaction<'_>,
    campaign_id: Uuid,
) -> Result<()> {
    let row = transaction
        .query_typed_one(
            "SELECT c.delivery_rate, c.bot_id, b.ramp
             FROM campaigns AS c
             JOIN bots AS b ON b.id = c.bot_id
             WHERE c.id = $1",
            &[(&campaign_id, Type::UUID)],
        )
        .await?;
    limits::set_group_limit(
        transaction,
        &group_id(campaign_id),
        &bot_limit_id(row.try_get("bot_id")?),
        slowed(
            limit_of_rate(row.try_get("delivery_rate")?),
            row.try_get("ramp")?,
        ),
    )
    .await?;
    Ok(())
}

/// Removes limits that nobody will charge again, and gives how many.
pub async fn remove_idle_limits(transaction: &Transaction<'_>) -> Result<u64> {
    Ok(transaction
        .execute_typed(include_str!("remove_idle_limits.sql"), &[])
        .await?)
}

/// A new rate: the law changes at once, and the plan with it. Before there is a plan there
/// is no law either: a limit made here could be held by a pause that ends before the plan.
pub(crate) async fn set_rate(transaction: &Transaction<'_>, campaign_id: Uuid) -> Result<()> {
    let row = transaction
        .query_typed_one(
            "SELECT planned_at IS NOT NULL AS planned FROM campaigns WHERE id = $1",
            &[(&campaign_id, Type::UUID)],
        )
        .await?;
    if !row.try_get("planned")? {
        return Ok(());
    }
    set_campaign_limit(transaction, campaign_id).await?;
    replan(transaction, campaign_id).await
}

/// New slots, from now on, for what waits.
pub(crate) async fn replan(transaction: &Transaction<'_>, campaign_id: Uuid) -> Result<()> {
    transaction
        .execute_typed(
            REPLAN,
            &[
                (&campaign_id, Type::UUID),
                (&group_id(campaign_id), Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than this may not start in any window of `seconds`.
    fn most_in(limit: &Limit, seconds: f64) -> f64 {
        ((seconds + limit.tolerance.as_secs_f64()) / limit.step.as_secs_f64()).floor() + 1.0
    }

    #[test]
    fn no_minute_exceeds_the_rate_by_more_than_a_burst_of_five() {
        for rate in [1, 7, 20, 60, 600, 1_200, 2_400] {
            let limit = limit_of_rate(rate);
            assert!(most_in(&limit, 60.0) <= f64::from(rate) + 5.0, "{rate}");
            assert!(limit.tolerance <= limit.step * 5, "{rate}");
        }
    }

    #[test]
    fn a_bot_at_its_default_stays_below_telegrams_thirty_a_second() {
        assert!(most_in(&limit_of_bot(25), 1.0) < 30.0);
    }

    #[test]
    fn the_tolerance_lets_the_jitter_through() {
        for rate in [1, 20, 1_200, 60_000] {
            let limit = limit_of_rate(rate);
            assert!(limit.tolerance >= limit.step * 2 / 5);
        }
    }
}
