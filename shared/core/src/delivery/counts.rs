//! The counters of campaigns: message jobs that became terminal, or came back.

use std::collections::BTreeMap;

use serde_json::json;
use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::MessageStatus;
use crate::{
    Result,
    audit::{self, Actor},
};

/// Changes of counters, of many message jobs and campaigns.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<Uuid, [i32; 5]>);

/// The counter of a status; what waits is not counted.
fn counter(status: MessageStatus) -> Option<usize> {
    match status {
        MessageStatus::Pending => None,
        MessageStatus::Sent => Some(0),
        MessageStatus::Failed => Some(1),
        MessageStatus::Skipped => Some(2),
        MessageStatus::Uncertain => Some(3),
        MessageStatus::Cancelled => Some(4),
    }
}

impl Counts {
    /// A message job of the campaign got this status.
    pub(super) fn add(&mut self, campaign_id: Uuid, status: MessageStatus) {
        self.change(campaign_id, status, 1);
    }

    /// A message job of the campaign has this status no more.
    pub(super) fn take(&mut self, campaign_id: Uuid, status: MessageStatus) {
        self.change(campaign_id, status, -1);
    }

    fn change(&mut self, campaign_id: Uuid, status: MessageStatus, by: i32) {
        if let Some(counter) = counter(status) {
            self.0.entry(campaign_id).or_default()[counter] += by;
        }
    }

    /// Writes the counters, and completes the campaigns of which nothing is left.
    pub(super) async fn write(self, transaction: &Transaction<'_>) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = self.0.keys().copied().collect();
        let column =
            |index: usize| -> Vec<i32> { self.0.values().map(|counts| counts[index]).collect() };
        let completed = transaction
            .query_typed(
                include_str!("count.sql"),
                &[
                    (&ids, Type::UUID_ARRAY),
                    (&column(0), Type::INT4_ARRAY),
                    (&column(1), Type::INT4_ARRAY),
                    (&column(2), Type::INT4_ARRAY),
                    (&column(3), Type::INT4_ARRAY),
                    (&column(4), Type::INT4_ARRAY),
                ],
            )
            .await?;
        for row in completed {
            let id: Uuid = row.try_get("id")?;
            audit::record(
                transaction,
                &Actor::system(),
                "CAMPAIGN_COMPLETED",
                "campaign",
                id,
                json!({}),
            )
            .await?;
        }
        Ok(())
    }
}
