//! Answers of Telegram that concern more than one message: a flood wait holds the
//! bot, a refused bot stops, a refused message stops its campaign.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::json;
use telecast_queue::limits;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{
    Outcome, Settlement,
    settle::{LockedCampaign, Settled},
};
use crate::{
    Result,
    audit::{self, Actor},
    campaigns::{self, PauseReason},
};

/// Applies them, for a batch whose campaigns are locked.
pub(super) async fn apply(
    transaction: &Transaction<'_>,
    locked: &BTreeMap<Uuid, LockedCampaign>,
    settled: &[Settled<'_>],
) -> Result<()> {
    for (bot_id, (wait, settlement)) in floods(locked, settled) {
        flood(transaction, locked, bot_id, wait, settlement).await?;
    }
    for settled in settled {
        let settlement = settled.settlement;
        match &settled.outcome {
            Outcome::BotDead(error) => bot_dead(transaction, locked, settlement, error).await?,
            Outcome::MessageBad(error) => {
                let details = json!({"error": error});
                stop(
                    transaction,
                    &[settlement.campaign_id],
                    PauseReason::MessageRejected,
                    details,
                )
                .await?;
            }
            _ => {}
        }
    }
    // Chats last and in one order, as dispatch locks them.
    for (key, wait) in chat_waits(locked, settled) {
        limits::hold(transaction, &key, wait).await?;
    }
    Ok(())
}

/// The longest wait of each chat, by its limit.
fn chat_waits(
    locked: &BTreeMap<Uuid, LockedCampaign>,
    settled: &[Settled<'_>],
) -> BTreeMap<String, Duration> {
    let mut waits = BTreeMap::new();
    for settled in settled {
        let settlement = settled.settlement;
        if let Outcome::ChatWait(wait) = &settled.outcome
            && let Some(campaign) = locked.get(&settlement.campaign_id)
        {
            let key = campaigns::chat_limit_id(campaign.bot_id, settlement.channel_id);
            let longest = waits.entry(key).or_insert(*wait);
            *longest = (*longest).max(*wait);
        }
    }
    waits
}

/// The longest wait of each bot, with the message that met it: the many answers of
/// one batch are one flood.
fn floods<'a>(
    locked: &BTreeMap<Uuid, LockedCampaign>,
    settled: &'a [Settled<'_>],
) -> BTreeMap<Uuid, (Duration, &'a Settlement)> {
    let mut floods: BTreeMap<Uuid, (Duration, &Settlement)> = BTreeMap::new();
    for settled in settled {
        let settlement = settled.settlement;
        let (Outcome::FloodWait(wait), Some(campaign)) =
            (&settled.outcome, locked.get(&settlement.campaign_id))
        else {
            continue;
        };
        let longest = floods.entry(campaign.bot_id).or_insert((*wait, settlement));
        if *wait > longest.0 {
            *longest = (*wait, settlement);
        }
    }
    floods
}

async fn flood(
    transaction: &Transaction<'_>,
    locked: &BTreeMap<Uuid, LockedCampaign>,
    bot_id: Uuid,
    wait: Duration,
    settlement: &Settlement,
) -> Result<()> {
    campaigns::slow_down(transaction, bot_id, wait).await?;
    let held = limits::hold(transaction, &campaigns::bot_limit_id(bot_id), wait).await?;
    let of_bot: Vec<Uuid> = locked
        .iter()
        .filter(|(_, campaign)| campaign.bot_id == bot_id)
        .map(|(id, _)| *id)
        .collect();
    let details = json!({"waitTime": wait.as_secs()});
    pause(
        transaction,
        &of_bot,
        PauseReason::FloodWait,
        held.until,
        &details,
    )
    .await?;
    // Messages that were under way when the flood began tell of the same one.
    if held.was_held {
        return Ok(());
    }
    let channel: Option<String> = transaction
        .query_typed_one(
            "SELECT coalesce(username, chat_id::text) AS channel FROM channels WHERE id = $1",
            &[(&settlement.channel_id, Type::UUID)],
        )
        .await?
        .try_get("channel")?;
    audit::record(
        transaction,
        &Actor::system(),
        "FLOOD_WAIT_TRIGGERED",
        "campaign",
        settlement.campaign_id,
        json!({"waitTime": wait.as_secs(), "channelUsername": channel, "botId": bot_id}),
    )
    .await?;
    let too_many: bool = transaction
        .query_typed_one(
            include_str!("count_flood.sql"),
            &[(&settlement.campaign_id, Type::UUID)],
        )
        .await?
        .try_get("too_many")?;
    if too_many {
        let details = json!({"waitTime": wait.as_secs()});
        stop(
            transaction,
            &[settlement.campaign_id],
            PauseReason::TooManyFloods,
            details,
        )
        .await?;
    }
    Ok(())
}

/// The bot is stopped until somebody saves a valid token; its campaigns wait for
/// an operator.
async fn bot_dead(
    transaction: &Transaction<'_>,
    locked: &BTreeMap<Uuid, LockedCampaign>,
    settlement: &Settlement,
    error: &str,
) -> Result<()> {
    let Some(campaign) = locked.get(&settlement.campaign_id) else {
        return Ok(());
    };
    transaction
        .execute_typed(
            "UPDATE bots
             SET stopped_at = coalesce(stopped_at, now()), stop_reason = $2, updated_at = now()
             WHERE id = $1",
            &[(&campaign.bot_id, Type::UUID), (&error, Type::TEXT)],
        )
        .await?;
    let of_bot: Vec<Uuid> = locked
        .iter()
        .filter(|(_, other)| other.bot_id == campaign.bot_id)
        .map(|(id, _)| *id)
        .collect();
    stop(
        transaction,
        &of_bot,
        PauseReason::BotRejected,
        json!({"error": error}),
    )
    .await
}

/// Pauses campaigns until an operator resumes them.
async fn stop(
    transaction: &Transaction<'_>,
    ids: &[Uuid],
    reason: PauseReason,
    details: serde_json::Value,
) -> Result<()> {
    for id in pause(transaction, ids, reason, None, &details).await? {
        limits::hold_indefinitely(transaction, &campaigns::group_id(id)).await?;
    }
    Ok(())
}

/// Pauses those that run, or wait for less, and gives their ids.
async fn pause(
    transaction: &Transaction<'_>,
    ids: &[Uuid],
    reason: PauseReason,
    until: Option<DateTime<Utc>>,
    details: &serde_json::Value,
) -> Result<BTreeSet<Uuid>> {
    let reason: &str = reason.into();
    let mut paused = BTreeSet::new();
    let rows = transaction
        .query_typed(
            include_str!("pause_campaigns.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&reason, Type::TEXT),
                (&until, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    for row in rows {
        let id: Uuid = row.try_get("id")?;
        paused.insert(id);
        if row.try_get("is_news")? {
            audit::record(
                transaction,
                &Actor::system(),
                "CAMPAIGN_PAUSED",
                "campaign",
                id,
                json!({"reason": reason, "details": details}),
            )
            .await?;
        }
    }
    Ok(paused)
}
