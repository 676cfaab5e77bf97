//! What became of a batch of message jobs is written in one transaction: message
//! jobs, queue jobs, channels, campaigns and their counters, limits, audit rows.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use telecast_queue::{Fence, Queue};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{
    ChannelEffect, Effect, MessageStatus, Outcome, counts::Counts, effect, late, pauses,
    settle_channels, settle_queue,
};
use crate::{Result, campaigns::OnUncertain, row::parse};

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
    /// Whether the attempt before it was told to wait.
    pub has_waited: bool,
    /// The chat's new id, where Telegram said that it moved.
    pub moved_to: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
}

/// A settlement with all that follows from it.
pub(super) struct Settled<'a> {
    pub(super) settlement: &'a Settlement,
    /// The settlement's, in the light of what else is known of the bot.
    pub(super) outcome: Outcome,
    pub(super) effect: Effect,
}

/// The campaign's part in a settlement.
pub(super) struct LockedCampaign {
    pub(super) bot_id: Uuid,
    retry_limit: i32,
    on_uncertain: OnUncertain,
    is_live: bool,
    /// Messages of its bot were accepted since the bot's last flood wait.
    bot_flows: bool,
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
            let outcome = settlement
                .outcome
                .clone()
                .in_chat_if(settlement.has_waited && campaign.bot_flows);
            let mut effect = effect(
                &outcome,
                settlement.attempts,
                campaign.retry_limit,
                campaign.on_uncertain,
            );
            if !campaign.is_live {
                // Another chat answered, or none: it says nothing of the channel.
                effect.channel = ChannelEffect::None;
            }
            Some(Settled {
                settlement,
                outcome,
                effect,
            })
        })
        .collect();
    let (finished_before, settled): (Vec<_>, Vec<_>) = settled
        .into_iter()
        .partition(|settled| settled.outcome == Outcome::Settled);
    let ours = settle_jobs(transaction, &settled).await?;
    let settled: Vec<_> = settled
        .into_iter()
        .filter(|settled| ours.contains_key(&settled.settlement.attempt.id))
        .collect();
    settle_queue::settle_queue(transaction, queue, settled.iter().chain(&finished_before)).await?;
    settle_channels::settle_channels(transaction, &campaigns, &settled).await?;
    let mut counts = Counts::default();
    for settled in &settled {
        let became = ours[&settled.settlement.attempt.id];
        counts.add(settled.settlement.campaign_id, became);
    }
    late::settle_late(transaction, batch, &ours, &mut counts).await?;
    // Before the pauses: of the accepted messages and the flood wait of one batch, the
    // flood wait came last.
    counts.write(transaction).await?;
    pauses::apply(transaction, &campaigns, &settled).await
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
                is_live: row.try_get("is_live")?,
                bot_flows: row.try_get("bot_flows")?,
            };
            Ok((row.try_get("id")?, campaign))
        })
        .collect()
}

/// Gives those message jobs that were still their attempt's, and what became of them.
async fn settle_jobs(
    transaction: &Transaction<'_>,
    settled: &[Settled<'_>],
) -> Result<HashMap<Uuid, MessageStatus>> {
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
        .map(|s| match s.outcome {
            Outcome::Sent { message_id, .. } => message_id,
            _ => None,
        })
        .collect();
    let error_classes: Vec<Option<&str>> = settled
        .iter()
        .map(|s| match &s.outcome {
            Outcome::Sent { .. } | Outcome::NotTried | Outcome::Cancelled => None,
            outcome => Some(outcome.into()),
        })
        .collect();
    let errors: Vec<Option<&str>> = settled.iter().map(|s| s.outcome.error()).collect();
    let moved_to: Vec<Option<i64>> = settled.iter().map(|s| s.settlement.moved_to).collect();
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
                (&moved_to, Type::INT8_ARRAY),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("id")?, parse(row, "status")?)))
        .collect()
}
