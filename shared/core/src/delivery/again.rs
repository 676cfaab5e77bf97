//! An operator has messages sent again: those that failed, or those of which nobody
//! knows.

use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{MessageStatus, QUEUE, counts::Counts};
use crate::{Result, campaigns};

/// Plans the message jobs of a campaign that have this status once more, behind what
/// waits, with all their attempts. Channels that must not be written to are left out.
/// Gives how many there are; the campaign is locked.
pub(crate) async fn send_again(
    transaction: &Transaction<'_>,
    campaign_id: Uuid,
    status: MessageStatus,
) -> Result<usize> {
    let name: &str = status.into();
    let ids = transaction
        .query_typed(
            include_str!("again.sql"),
            &[(&campaign_id, Type::UUID), (&name, Type::TEXT)],
        )
        .await?
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<std::result::Result<Vec<Uuid>, _>>()?;
    // The queue jobs of the former attempts: finished, and of the same ids.
    transaction
        .execute_typed(
            "DELETE FROM pgboss.job WHERE name = $1 AND id = ANY ($2)",
            &[(&QUEUE, Type::TEXT), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    transaction
        .execute_typed(
            include_str!("plan_queue_jobs.sql"),
            &[
                (&campaign_id, Type::UUID),
                (&campaigns::group_id(campaign_id), Type::TEXT),
            ],
        )
        .await?;
    let mut counts = Counts::default();
    for _ in &ids {
        counts.take(campaign_id, status);
    }
    counts.write(transaction).await?;
    Ok(ids.len())
}
