//! Campaigns that recur: the one that was started waits as QUEUED, and each occurrence
//! of its cron expression makes and starts a campaign of its own.

use serde_json::json;
use telecast_queue::{NewSchedule, Queue};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{Action, START_QUEUE, act};
use crate::{
    Error, Result,
    audit::{self, Actor},
};

/// What came of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// A campaign was made and started.
    Started(Uuid),
    /// A campaign was made that cannot start: it is FAILED, and says why.
    Failed(Uuid),
    /// The campaign of an earlier occurrence has not ended; nothing was made.
    Overlaps,
    /// The campaign does not recur any more, or had this occurrence before.
    Nothing,
}

/// Lets a campaign recur by its expression.
pub(super) async fn schedule(
    transaction: &Transaction<'_>,
    queue: &Queue,
    id: Uuid,
    cron: &str,
    timezone: &str,
) -> Result<()> {
    let schedule = NewSchedule {
        queue: START_QUEUE.to_owned(),
        key: id.to_string(),
        cron: cron.to_owned(),
        timezone: Some(timezone.to_owned()),
        data: json!({"campaignId": id}),
        ..NewSchedule::default()
    };
    queue.schedule(transaction, &schedule).await?;
    Ok(())
}

/// Lets it recur no more.
pub(super) async fn unschedule(
    transaction: &Transaction<'_>,
    queue: &Queue,
    id: Uuid,
) -> Result<()> {
    queue
        .unschedule(transaction, START_QUEUE, &id.to_string())
        .await?;
    Ok(())
}

/// An occurrence of a campaign that recurs. `occurrence_id` becomes the new campaign's
/// id: the same occurrence twice makes one campaign.
pub async fn occur(
    transaction: &Transaction<'_>,
    queue: &Queue,
    campaign_id: Uuid,
    occurrence_id: Uuid,
) -> Result<Occurrence> {
    let campaign = transaction
        .query_typed_opt(
            "SELECT
               EXISTS (
                 SELECT
                 FROM campaigns AS earlier
                 WHERE earlier.recurs_as = c.id
                   AND earlier.status IN ('QUEUED', 'RUNNING', 'PAUSED')
               ) AS overlaps
             FROM campaigns AS c
             WHERE c.id = $1
               AND c.cron IS NOT NULL
               AND c.status = 'QUEUED'
             FOR UPDATE OF c",
            &[(&campaign_id, Type::UUID)],
        )
        .await?;
    let Some(campaign) = campaign else {
        return Ok(Occurrence::Nothing);
    };
    if campaign.try_get("overlaps")? {
        let details = json!({"reason": "the campaign of an earlier occurrence has not ended"});
        skipped(transaction, campaign_id, details).await?;
        return Ok(Occurrence::Overlaps);
    }
    let made = transaction
        .execute_typed(
            include_str!("occur.sql"),
            &[(&campaign_id, Type::UUID), (&occurrence_id, Type::UUID)],
        )
        .await?;
    if made == 0 {
        return Ok(Occurrence::Nothing);
    }
    let actor = Actor::system();
    let details = json!({"recursAs": campaign_id});
    audit::record(
        transaction,
        &actor,
        "CAMPAIGN_CREATED",
        "campaign",
        occurrence_id,
        details,
    )
    .await?;
    match act(transaction, queue, &actor, occurrence_id, Action::Start).await {
        Ok(_) => Ok(Occurrence::Started(occurrence_id)),
        Err(error @ (Error::Conflict { .. } | Error::Invalid { .. })) => {
            fail(transaction, occurrence_id, &error.to_string()).await?;
            Ok(Occurrence::Failed(occurrence_id))
        }
        Err(error) => Err(error),
    }
}

/// It could not start, and nobody is there to be told: its own row says why.
async fn fail(transaction: &Transaction<'_>, id: Uuid, failure: &str) -> Result<()> {
    transaction
        .execute_typed(
            "UPDATE campaigns
             SET status = 'FAILED', failure = $2, finished_at = now(), updated_at = now()
             WHERE id = $1",
            &[(&id, Type::UUID), (&failure, Type::TEXT)],
        )
        .await?;
    let details = json!({"failure": failure});
    audit::record(
        transaction,
        &Actor::system(),
        "CAMPAIGN_FAILED",
        "campaign",
        id,
        details,
    )
    .await
}

async fn skipped(
    transaction: &Transaction<'_>,
    id: Uuid,
    details: serde_json::Value,
) -> Result<()> {
    let action = "CAMPAIGN_OCCURRENCE_SKIPPED";
    audit::record(
        transaction,
        &Actor::system(),
        action,
        "campaign",
        id,
        details,
    )
    .await
}
