//! Message jobs whose handlers died until the queue gave up: nothing stays pending
//! for ever.

use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::counts::Counts;
use crate::{Result, row::parse};

/// Settles them, and gives how many there were.
pub async fn settle_stranded(transaction: &Transaction<'_>) -> Result<usize> {
    let mut campaigns = transaction
        .query_typed(include_str!("stranded.sql"), &[])
        .await?
        .iter()
        .map(|row| row.try_get("campaign_id"))
        .collect::<std::result::Result<Vec<Uuid>, _>>()?;
    campaigns.sort_unstable();
    let mut stranded = 0;
    for campaign_id in campaigns {
        transaction
            .query_typed(
                "SELECT FROM campaigns WHERE id = $1 FOR NO KEY UPDATE",
                &[(&campaign_id, Type::UUID)],
            )
            .await?;
        let settled = transaction
            .query_typed(
                include_str!("stranded_settle.sql"),
                &[(&campaign_id, Type::UUID)],
            )
            .await?
            .iter()
            .map(|row| parse(row, "status"))
            .collect::<Result<Vec<_>>>()?;
        stranded += settled.len();
        let mut counts = Counts::default();
        for status in settled {
            counts.add(campaign_id, status);
        }
        counts.write(transaction).await?;
    }
    Ok(stranded)
}
