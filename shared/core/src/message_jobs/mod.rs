//! Message jobs as their readers see them: what became of each channel of a campaign.

mod csv;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{Display, EnumString, IntoStaticStr};
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use crate::{
    Error, Result, campaigns,
    page::{List, Page},
    row,
    templates::Recipient,
};

pub use csv::{csv_header, csv_row};

/// What a message job is doing, or what became of it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum State {
    /// It waits: for its slot, or for a retry.
    Pending,
    /// A handler works on it.
    Sending,
    /// Telegram accepted it.
    Sent,
    /// Given up.
    Failed,
    /// Not to be sent.
    Skipped,
    /// Telegram may or may not have accepted it.
    Uncertain,
    /// Its campaign was cancelled.
    Cancelled,
}

/// One message of a campaign to one channel.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageJob {
    /// Its id, and that of its queue job.
    pub id: Uuid,
    /// The channel.
    pub channel_id: Uuid,
    /// Its place in the campaign, from 0.
    pub position: i32,
    /// The channel as it was when the campaign started.
    pub recipient: Recipient,
    /// What it is doing, or what became of it.
    pub status: State,
    /// The planned start.
    pub slot: DateTime<Utc>,
    /// Attempts that were charged.
    pub attempts: i32,
    /// Telegram's id of the message, once accepted.
    pub message_id: Option<i64>,
    /// The class of the last error.
    pub error_class: Option<String>,
    /// The last error.
    pub error: Option<String>,
    /// When it reached a final state.
    pub finished_at: Option<DateTime<Utc>>,
}

impl MessageJob {
    fn from_row(row: &Row) -> Result<Self> {
        let recipient: Value = row.try_get("recipient")?;
        Ok(Self {
            id: row.try_get("id")?,
            channel_id: row.try_get("channel_id")?,
            position: row.try_get("position")?,
            recipient: serde_json::from_value(recipient).map_err(|error| Error::Corrupt {
                what: "recipient",
                message: error.to_string(),
            })?,
            status: row::parse(row, "status")?,
            slot: row.try_get("slot")?,
            attempts: row.try_get("attempts")?,
            message_id: row.try_get("message_id")?,
            error_class: row.try_get("error_class")?,
            error: row.try_get("error")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

/// The message jobs of a campaign in the order of its plan; with a state, only those
/// in it; with a search, only those whose username or title contains it. A cursor is the id of a channel.
///
/// # Errors
/// `NotFound` where there is no such campaign.
pub async fn list(
    client: &impl GenericClient,
    campaign_id: Uuid,
    state: Option<State>,
    search: Option<&str>,
    page: Page,
) -> Result<List<MessageJob>> {
    let state: Option<&str> = state.map(Into::into);
    let rows = client
        .query_typed(
            include_str!("list.sql"),
            &[
                (&campaign_id, Type::UUID),
                (&state, Type::TEXT),
                (&page.after(), Type::UUID),
                (&page.fetch(), Type::INT8),
                (&search.map(row::pattern), Type::TEXT),
            ],
        )
        .await?;
    if rows.is_empty() {
        campaigns::get(client, campaign_id).await?;
    }
    let jobs = rows
        .iter()
        .map(MessageJob::from_row)
        .collect::<Result<_>>()?;
    Ok(page.list(jobs, |job: &MessageJob| job.channel_id))
}
