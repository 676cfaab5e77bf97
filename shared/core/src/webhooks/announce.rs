//! Events become queue jobs in the transaction in which they happen: none is told that did
//! not happen, and none is forgotten.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use telecast_queue::{NewJob, Queue, Send};
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{Event, QUEUE};
use crate::{Result, campaigns};

/// A queue job's data: what to tell whom. What is told is as of the event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The webhook.
    pub webhook_id: Uuid,
    /// `campaign.completed` and the like, or `webhook.test`.
    pub event: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// The campaign: id, name, status, pauseReason, resumesAt, counts; null in a test.
    pub campaign: Value,
    /// More, by event.
    pub details: Value,
}

/// Queues a delivery of an event for each webhook that wants it.
pub(crate) async fn announce(
    transaction: &Transaction<'_>,
    event: Event,
    campaign_id: Uuid,
    details: &Value,
) -> Result<()> {
    let name: &str = event.into();
    let rows = transaction
        .query_typed(
            "SELECT id, now() AS now FROM webhooks WHERE active AND $1 = ANY (events)",
            &[(&name, Type::TEXT)],
        )
        .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let campaign = campaigns::get(transaction, campaign_id).await?;
    let campaign = json!({
        "id": campaign.id,
        "name": campaign.name,
        "status": campaign.status,
        "pauseReason": campaign.pause_reason,
        "resumesAt": campaign.resumes_at,
        "counts": campaign.counts,
    });
    let mut jobs = Vec::with_capacity(rows.len());
    for row in &rows {
        let delivery = Delivery {
            webhook_id: row.try_get("id")?,
            event: name.to_owned(),
            occurred_at: row.try_get("now")?,
            campaign: campaign.clone(),
            details: details.clone(),
        };
        jobs.push(NewJob::new(json!(delivery)));
    }
    Queue::default().insert(transaction, QUEUE, &jobs).await?;
    Ok(())
}

/// Queues an event that means nothing, for one webhook; gives the queue job's id.
pub(super) async fn test(transaction: &Transaction<'_>, webhook_id: Uuid) -> Result<Option<Uuid>> {
    let delivery = Delivery {
        webhook_id,
        event: "webhook.test".to_owned(),
        occurred_at: Utc::now(),
        campaign: Value::Null,
        details: json!({}),
    };
    let send = Send {
        data: json!(delivery),
        ..Send::to(QUEUE)
    };
    Ok(Queue::default().send(transaction, &send).await?.id())
}
