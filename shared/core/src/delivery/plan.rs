//! A campaign becomes message jobs and queue jobs: two statements, whatever the
//! number of channels.

use serde_json::json;
use telecast_queue::limits;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use crate::{
    Error, Result,
    audit::{self, Actor},
    campaigns::{self, Status},
    row::parse,
};

/// What came of a request to plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// So many message jobs exist now.
    Now {
        /// Message jobs, the skipped ones included.
        total: i32,
    },
    /// The campaign was planned before, or needs no plan any more; nothing changed.
    Before,
    /// It is later than the campaign may begin; it is missed, and nothing is sent.
    Missed,
}

/// Plans a campaign that was started, once: the slots begin now. One that recurs has
/// no messages of its own and is not planned.
pub async fn plan(transaction: &Transaction<'_>, campaign_id: Uuid) -> Result<Planned> {
    let rows = transaction
        .query_typed(
            "SELECT status, planned_at IS NOT NULL AS planned, coalesce(not_after < now(), false) AS missed, cron IS NOT NULL AS recurs
             FROM campaigns
             WHERE id = $1
             FOR UPDATE",
            &[(&campaign_id, Type::UUID)],
        )
        .await?;
    let row = rows
        .first()
        .ok_or_else(|| Error::not_found("campaign", campaign_id))?;
    let status: Status = parse(row, "status")?;
    let planned = row.try_get("planned")? || row.try_get("recurs")?;
    if planned || !matches!(status, Status::Queued | Status::Paused) {
        return Ok(Planned::Before);
    }
    if row.try_get("missed")? {
        miss(transaction, campaign_id, status).await?;
        return Ok(Planned::Missed);
    }
    let group = campaigns::group_id(campaign_id);
    transaction
        .execute_typed(include_str!("plan_jobs.sql"), &[(&campaign_id, Type::UUID)])
        .await?;
    transaction
        .execute_typed(
            include_str!("plan_queue_jobs.sql"),
            &[(&campaign_id, Type::UUID), (&group, Type::TEXT)],
        )
        .await?;
    campaigns::set_limits(transaction, campaign_id).await?;
    campaigns::set_group_chat_limits(transaction, campaign_id).await?;
    if status == Status::Paused {
        limits::hold_indefinitely(transaction, &group).await?;
    }
    let done = transaction
        .query_typed_one(include_str!("plan_done.sql"), &[(&campaign_id, Type::UUID)])
        .await?;
    let total = done.try_get("total")?;
    audit::record(
        transaction,
        &Actor::system(),
        "CAMPAIGN_PLANNED",
        "campaign",
        campaign_id,
        json!({"messageJobs": total, "status": done.try_get::<_, &str>("status")?}),
    )
    .await?;
    Ok(Planned::Now { total })
}

/// Ends a campaign that came too late.
async fn miss(transaction: &Transaction<'_>, campaign_id: Uuid, before: Status) -> Result<()> {
    let missed: &str = Status::Missed.into();
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET status = $2, pause_reason = NULL, finished_at = now(), updated_at = now()
             WHERE id = $1",
            &[(&campaign_id, Type::UUID), (&missed, Type::TEXT)],
        )
        .await?;
    audit::record(
        transaction,
        &Actor::system(),
        "CAMPAIGN_MISSED",
        "campaign",
        campaign_id,
        json!({"before": before, "after": Status::Missed}),
    )
    .await
}
