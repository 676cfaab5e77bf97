//! Campaigns come back from a flood wait by themselves.

use serde_json::json;
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::pace;
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
