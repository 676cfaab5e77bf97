//! What became of a batch of message jobs is written in one transaction: message
//! jobs, queue jobs, channels, campaigns and their counters, limits, audit rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::json;
use telecast_queue::{Fence, Queue};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{ChannelEffect, Effect, MessageStatus, Outcome, effect, pauses, settle_queue};
use crate::{
    Result,
    audit::{self, Actor},
    campaigns::OnUncertain,
    row::parse,
};

/// What became of one attempt.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The attempt.
    pub attempt: Fence,
    /// Its campaign.
    pub campaign_id: Uuid,
    /// Its channel.
    pub channel_id: Uuid,
    /// Attempts charged before this one.
    pub attempts: i32,
    /// What became of it.
    pub outcome: Outcome,
}

/// A settlement with all that follows from it.
pub(super) struct Settled<'a> {
    pub(super) settlement: &'a Settlement,
    pub(super) effect: Effect,
}

/// The campaign's part in a settlement.
pub(super) struct LockedCampaign {
    pub(super) bot_id: Uuid,
    retry_limit: i32,
    on_uncertain: OnUncertain,
}

/// Settles a batch. An attempt that is stale by now changes nothing. Deadlocks
/// cannot come from here: campaigns are locked first, in the order of their ids.
pub async fn settle(
    transaction: &Transaction<'_>,
    queue: &Queue,
    batch: &[Settlement],
) -> Result<()> {
    let campaigns = lock_campaigns(transaction, batch).await?;
    let settled: Vec<Settled<'_>> = batch
        .iter()
        .filter_map(|settlement| {
            let campaign = campaigns.get(&settlement.campaign_id)?;
            let effect = effect(
                &settlement.outcome,
                settlement.attempts,
                campaign.retry_limit,
                campaign.on_uncertain,
            );
            Some(Settled { settlement, effect })
        })
        .collect();
    let (finished_before, settled): (Vec<_>, Vec<_>) = settled
        .into_iter()
        .partition(|settled| settled.settlement.outcome == Outcome::Settled);
    let ours = settle_jobs(transaction, &settled).await?;
    let settled: Vec<_> = settled
        .into_iter()
        .filter(|settled| ours.contains(&settled.settlement.attempt.id))
        .collect();
    settle_queue::settle_queue(transaction, queue, settled.iter().chain(&finished_before)).await?;
    settle_channels(transaction, &settled).await?;
    pauses::apply(transaction, &campaigns, &settled).await?;
    count(
        transaction,
        settled
            .iter()
            .map(|s| (s.settlement.campaign_id, s.effect.status)),
    )
    .await
}

async fn lock_campaigns(
    transaction: &Transaction<'_>,
    batch: &[Settlement],
) -> Result<BTreeMap<Uuid, LockedCampaign>> {
    let ids: Vec<Uuid> = batch
        .iter()
        .map(|settlement| settlement.campaign_id)
        .collect();
    let with_their_bots: Vec<Uuid> = batch
        .iter()
        .filter(|settlement| {
            matches!(
                settlement.outcome,
                Outcome::FloodWait(_) | Outcome::BotDead(_)
            )
        })
        .map(|settlement| settlement.campaign_id)
        .collect();
    transaction
        .query_typed(
            include_str!("settle_lock.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&with_their_bots, Type::UUID_ARRAY),
            ],
        )
        .await?
        .iter()
        .map(|row| {
            let campaign = LockedCampaign {
                bot_id: row.try_get("bot_id")?,
                retry_limit: row.try_get("retry_limit")?,
                on_uncertain: parse(row, "on_uncertain")?,
            };
            Ok((row.try_get("id")?, campaign))
        })
        .collect()
}

/// Gives the ids of those message jobs that were still their attempt's.
async fn settle_jobs(
    transaction: &Transaction<'_>,
    settled: &[Settled<'_>],
) -> Result<HashSet<Uuid>> {
    let column = |settled: &Settled<'_>| settled.settlement.attempt;
    let ids: Vec<Uuid> = settled.iter().map(|s| column(s).id).collect();
    let retry_counts: Vec<i32> = settled.iter().map(|s| column(s).retry_count).collect();
    let started_on: Vec<Option<DateTime<Utc>>> =
        settled.iter().map(|s| column(s).started_on).collect();
    let statuses: Vec<&str> = settled.iter().map(|s| s.effect.status.into()).collect();
    let charged: Vec<i32> = settled
        .iter()
        .map(|s| i32::from(s.effect.charged))
        .collect();
    let message_ids: Vec<Option<i64>> = settled
        .iter()
        .map(|s| match s.settlement.outcome {
            Outcome::Sent { message_id, .. } => message_id,
            _ => None,
        })
        .collect();
    let error_classes: Vec<Option<&str>> = settled
        .iter()
        .map(|s| match &s.settlement.outcome {
            Outcome::Sent { .. } | Outcome::NotTried | Outcome::Cancelled => None,
            outcome => Some(outcome.into()),
        })
        .collect();
    let errors: Vec<Option<&str>> = settled
        .iter()
        .map(|s| s.settlement.outcome.error())
        .collect();
    let rows = transaction
        .query_typed(
            include_str!("settle_jobs.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&retry_counts, Type::INT4_ARRAY),
                (&started_on, Type::TIMESTAMPTZ_ARRAY),
                (&statuses, Type::TEXT_ARRAY),
                (&charged, Type::INT4_ARRAY),
                (&message_ids, Type::INT8_ARRAY),
                (&error_classes, Type::TEXT_ARRAY),
                (&errors, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

async fn settle_channels(transaction: &Transaction<'_>, settled: &[Settled<'_>]) -> Result<()> {
    let told: HashMap<Uuid, ChannelEffect> = settled
        .iter()
        .filter(|settled| settled.effect.channel != ChannelEffect::None)
        .map(|settled| (settled.settlement.channel_id, settled.effect.channel))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = told.keys().copied().collect();
    let errors: Vec<Option<i32>> = told
        .values()
        .map(|effect| match effect {
            ChannelEffect::Works { .. } => None,
            ChannelEffect::Error => Some(1),
            ChannelEffect::Gone | ChannelEffect::None => Some(0),
        })
        .collect();
    let gone: Vec<bool> = told
        .values()
        .map(|effect| *effect == ChannelEffect::Gone)
        .collect();
    let chat_ids: Vec<Option<i64>> = told
        .values()
        .map(|effect| match effect {
            ChannelEffect::Works { chat_id } => *chat_id,
            _ => None,
        })
        .collect();
    transaction
        .execute_typed(
            include_str!("settle_channels.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&errors, Type::INT4_ARRAY),
                (&gone, Type::BOOL_ARRAY),
                (&chat_ids, Type::INT8_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Counts terminal message jobs into their campaigns, and completes those of which
/// nothing is left.
pub(super) async fn count(
    transaction: &Transaction<'_>,
    settled: impl Iterator<Item = (Uuid, MessageStatus)>,
) -> Result<()> {
    let mut counted: BTreeMap<Uuid, [i32; 5]> = BTreeMap::new();
    for (campaign_id, status) in settled {
        let column = match status {
            MessageStatus::Pending => continue,
            MessageStatus::Sent => 0,
            MessageStatus::Failed => 1,
            MessageStatus::Skipped => 2,
            MessageStatus::Uncertain => 3,
            MessageStatus::Cancelled => 4,
        };
        counted.entry(campaign_id).or_default()[column] += 1;
    }
    let ids: Vec<Uuid> = counted.keys().copied().collect();
    let column =
        |index: usize| -> Vec<i32> { counted.values().map(|counts| counts[index]).collect() };
    let completed = transaction
        .query_typed(
            include_str!("count.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&column(0), Type::INT4_ARRAY),
                (&column(1), Type::INT4_ARRAY),
                (&column(2), Type::INT4_ARRAY),
                (&column(3), Type::INT4_ARRAY),
                (&column(4), Type::INT4_ARRAY),
            ],
        )
        .await?;
    for row in completed {
        let id: Uuid = row.try_get("id")?;
        audit::record(
            transaction,
            &Actor::system(),
            "CAMPAIGN_COMPLETED",
            "campaign",
            id,
            json!({}),
        )
        .await?;
    }
    Ok(())
}
