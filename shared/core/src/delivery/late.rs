//! Answers that come late: an attempt that was given up as lost reports after all
//! that Telegram accepted its message.

use std::collections::HashMap;

use tokio_postgres::{Transaction, types::Type};
use uuid::Uuid;

use super::{MessageStatus, Outcome, Settlement, counts::Counts};
use crate::{Result, row::parse};

/// Message jobs of accepted messages, but for those that are settled already
/// (`settled`), become SENT, if they are uncertain or wait to be sent again.
pub(super) async fn settle_late(
    transaction: &Transaction<'_>,
    batch: &[Settlement],
    settled: &HashMap<Uuid, MessageStatus>,
    counts: &mut Counts,
) -> Result<()> {
    let (ids, message_ids): (Vec<Uuid>, Vec<Option<i64>>) = batch
        .iter()
        .filter(|settlement| !settled.contains_key(&settlement.attempt.id))
        .filter_map(|settlement| match settlement.outcome {
            Outcome::Sent { message_id, .. } => Some((settlement.attempt.id, message_id)),
            _ => None,
        })
        .unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = transaction
        .query_typed(
            include_str!("late.sql"),
            &[(&ids, Type::UUID_ARRAY), (&message_ids, Type::INT8_ARRAY)],
        )
        .await?;
    for row in rows {
        let campaign_id = row.try_get("campaign_id")?;
        counts.take(campaign_id, parse(&row, "status")?);
        counts.add(campaign_id, MessageStatus::Sent);
    }
    Ok(())
}
