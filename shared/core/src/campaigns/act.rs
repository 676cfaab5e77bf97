//! What an operator does to a campaign: start, pause, resume, cancel, send again.

use serde_json::json;
use telecast_queue::{JobOptions, Queue, Send, StartAfter, limits};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{
    Action, Campaign, PauseReason, Status, get, group_id, next_status, pace, recur,
    settings::check_params,
};
use crate::{
    Error, Result,
    audit::{self, Actor},
    delivery::{self, MessageStatus},
    row::parse,
};

/// The queue of the handler that plans a campaign.
pub const START_QUEUE: &str = "start-campaign";

/// Does `action`, in the caller's transaction. After a start or a resume the caller
/// kicks the scheduler, once the transaction is committed.
///
/// The campaign's row is locked first: of two operators who press start at once,
/// the second is told that the campaign is queued already.
pub async fn act(
    transaction: &Transaction<'_>,
    queue: &Queue,
    actor: &Actor,
    id: Uuid,
    action: Action,
) -> Result<Campaign> {
    let rows = transaction
        .query_typed(
            "SELECT status, pause_reason, planned_at IS NOT NULL AS planned, cron IS NOT NULL AS recurs
             FROM campaigns
             WHERE id = $1
             FOR UPDATE",
            &[(&id, Type::UUID)],
        )
        .await?;
    let row = rows
        .first()
        .ok_or_else(|| Error::not_found("campaign", id))?;
    let reason = match row.try_get::<_, Option<&str>>("pause_reason")? {
        Some(_) => Some(parse(row, "pause_reason")?),
        None => None,
    };
    let planned = row.try_get("planned")?;
    let before: Status = parse(row, "status")?;
    let after = next_status(before, reason, planned, action)?;
    if row.try_get("recurs")? && matches!(action, Action::Pause | Action::Cancel) {
        recur::unschedule(transaction, queue, id).await?;
    }
    match action {
        Action::Start => start(transaction, queue, id).await?,
        Action::Pause => pause(transaction, id).await?,
        Action::Resume => resume(transaction, queue, id, after).await?,
        Action::Cancel => cancel(transaction, id).await?,
        Action::RetryFailed => again(transaction, id, before, MessageStatus::Failed).await?,
        Action::ResendUncertain => again(transaction, id, before, MessageStatus::Uncertain).await?,
    }
    let campaign = get(transaction, id).await?;
    let done = match action {
        Action::Start => "CAMPAIGN_STARTED",
        Action::Pause => "CAMPAIGN_PAUSED",
        Action::Resume => "CAMPAIGN_RESUMED",
        Action::Cancel => "CAMPAIGN_CANCELLED",
        Action::RetryFailed => "CAMPAIGN_FAILED_RETRIED",
        Action::ResendUncertain => "CAMPAIGN_UNCERTAIN_RESENT",
    };
    audit::record(
        transaction,
        actor,
        done,
        "campaign",
        id,
        json!({"before": before, "after": campaign.status, "counts": campaign.counts}),
    )
    .await?;
    Ok(campaign)
}

/// Pins the template and hands the campaign to the start-campaign handler.
async fn start(transaction: &Transaction<'_>, queue: &Queue, id: Uuid) -> Result<()> {
    let row = transaction
        .query_typed_one(include_str!("start.sql"), &[(&id, Type::UUID)])
        .await?;
    if row.try_get::<_, i64>("sendable_channels")? == 0 {
        return Err(Error::conflict(
            "NO_ACTIVE_CHANNELS",
            "the campaign's batch has no active channel that has not opted out; add or reactivate channels, then start again",
        ));
    }
    if row.try_get("bot_stopped")? {
        return Err(Error::conflict(
            "BOT_STOPPED",
            "Telegram rejected the campaign's bot; save a valid token for it, then start again",
        ));
    }
    check_params(transaction, id).await?;
    let version: i32 = row.try_get("template_version")?;
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET status = 'QUEUED', template_version = $2, started_at = now(), updated_at = now()
             WHERE id = $1",
            &[(&id, Type::UUID), (&version, Type::INT4)],
        )
        .await?;
    queue_start(transaction, queue, id).await
}

async fn pause(transaction: &Transaction<'_>, id: Uuid) -> Result<()> {
    let reason: &str = PauseReason::Operator.into();
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET status = 'PAUSED', pause_reason = $2, resumes_at = NULL, updated_at = now()
             WHERE id = $1",
            &[(&id, Type::UUID), (&reason, Type::TEXT)],
        )
        .await?;
    limits::hold_indefinitely(transaction, &group_id(id)).await?;
    Ok(())
}

async fn resume(
    transaction: &Transaction<'_>,
    queue: &Queue,
    id: Uuid,
    after: Status,
) -> Result<()> {
    let status: &str = after.into();
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET status = $2, pause_reason = NULL, resumes_at = NULL, flood_streak = 0, updated_at = now()
             WHERE id = $1",
            &[(&id, Type::UUID), (&status, Type::TEXT)],
        )
        .await?;
    if after == Status::Queued {
        return queue_start(transaction, queue, id).await;
    }
    pace::set_campaign_limit(transaction, id).await?;
    limits::release(transaction, &group_id(id)).await?;
    pace::replan(transaction, id).await
}

async fn cancel(transaction: &Transaction<'_>, id: Uuid) -> Result<()> {
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET status = 'CANCELLED', pause_reason = NULL, resumes_at = NULL, finished_at = now(), updated_at = now()
             WHERE id = $1",
            &[(&id, Type::UUID)],
        )
        .await?;
    transaction
        .execute_typed(
            include_str!("cancel.sql"),
            &[(&id, Type::UUID), (&group_id(id), Type::TEXT)],
        )
        .await?;
    // What a handler gives back is dispatched once more, and its claim ends it.
    limits::release(transaction, &group_id(id)).await?;
    Ok(())
}

/// Sends message jobs of this status once more; a campaign that was done runs again.
async fn again(
    transaction: &Transaction<'_>,
    id: Uuid,
    before: Status,
    status: MessageStatus,
) -> Result<()> {
    if delivery::send_again(transaction, id, status).await? == 0 {
        return Err(Error::conflict(
            "NOTHING_TO_SEND_AGAIN",
            format!("no message of the campaign is {status} to a channel that can be written to"),
        ));
    }
    if before != Status::Completed {
        return Ok(());
    }
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET status = 'RUNNING', finished_at = NULL, flood_streak = 0, updated_at = now()
             WHERE id = $1",
            &[(&id, Type::UUID)],
        )
        .await?;
    // Its limit may be gone, or held since a pause that its last message ended.
    pace::set_limits(transaction, id).await?;
    limits::release(transaction, &group_id(id)).await?;
    Ok(())
}

/// A queue job for the start-campaign handler, in the transaction of the start, due
/// when the campaign is to begin; or one for each of its occurrences.
async fn queue_start(transaction: &Transaction<'_>, queue: &Queue, id: Uuid) -> Result<()> {
    let row = transaction
        .query_typed_one(
            "SELECT scheduled_at, cron, cron_zone FROM campaigns WHERE id = $1",
            &[(&id, Type::UUID)],
        )
        .await?;
    if let Some(cron) = row.try_get("cron")? {
        return recur::schedule(transaction, queue, id, cron, row.try_get("cron_zone")?).await;
    }
    let start = Send {
        data: json!({"campaignId": id}),
        options: JobOptions {
            start_after: row
                .try_get::<_, Option<_>>("scheduled_at")?
                .map(StartAfter::At),
            ..JobOptions::default()
        },
        ..Send::to(START_QUEUE)
    };
    queue.send(transaction, &start).await?;
    Ok(())
}
