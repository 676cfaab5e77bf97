//! What becomes of campaigns that wait: a flood wait ends by itself, and a start that
//! failed for good is a failure.

use serde_json::json;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{group_id, pace};
use crate::{
    Result,
    audit::{self, Actor},
};

/// Resumes the campaigns whose flood wait is over, and gives their ids. Several
/// schedulers may call this at once: each campaign is resumed by one.
pub async fn resume_due(transaction: &Transaction<'_>) -> Result<Vec<Uuid>> {
    let resumed = transaction
        .query_typed(include_str!("resume_due.sql"), &[])
        .await?
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<std::result::Result<Vec<Uuid>, _>>()?;
    // Their limits first, in one order: no dispatch comes between their plans.
    let groups: Vec<String> = resumed.iter().map(|id| group_id(*id)).collect();
    transaction
        .execute_typed(
            "SELECT FROM limits WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
            &[(&groups, Type::TEXT_ARRAY)],
        )
        .await?;
    for &id in &resumed {
        pace::replan(transaction, id).await?;
        audit::record(
            transaction,
            &Actor::system(),
            "CAMPAIGN_RESUMED",
            "campaign",
            id,
            json!({"after": "flood wait"}),
        )
        .await?;
    }
    Ok(resumed)
}

/// Fails the campaigns whose start failed for good, and gives their ids.
pub async fn fail_unstarted(transaction: &Transaction<'_>) -> Result<Vec<Uuid>> {
    let mut failed = Vec::new();
    for row in transaction
        .query_typed(include_str!("fail_unstarted.sql"), &[])
        .await?
    {
        let id = row.try_get("id")?;
        audit::record(
            transaction,
            &Actor::system(),
            "CAMPAIGN_FAILED",
            "campaign",
            id,
            json!({"failure": row.try_get::<_, &str>("failure")?}),
        )
        .await?;
        failed.push(id);
    }
    Ok(failed)
}
