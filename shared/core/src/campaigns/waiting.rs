//! How late the work is.

use chrono::{DateTime, Utc};
use tokio_postgres::GenericClient;

use crate::Result;

/// Since when the oldest message of a running campaign is due; none where nothing waits
/// beyond its time.
pub async fn oldest_due(client: &impl GenericClient) -> Result<Option<DateTime<Utc>>> {
    let row = client
        .query_typed(include_str!("oldest_due.sql"), &[])
        .await?;
    Ok(match row.first() {
        Some(row) => row.try_get("oldest")?,
        None => None,
    })
}
