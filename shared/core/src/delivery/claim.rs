//! A handler claims message jobs before it sends: whoever claims may send, nobody else.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use strum::EnumString;
use telecast_queue::Fence;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{Outcome, Settlement};
use crate::{Error, Result, row::parse, templates::Recipient};

/// What the claim decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// The message job is SENDING under this attempt's fence: send it.
    Send,
    /// An earlier attempt may have sent it, and the campaign says not to send again.
    Uncertain,
    /// The campaign was cancelled.
    Cancelled,
    /// The campaign is paused: give the queue job back.
    NotRunning,
    /// The channel opted out meanwhile.
    OptedOut,
    /// The channel became inactive meanwhile.
    Inactive,
    /// The message job is terminal already; only the queue job is left.
    Settled,
    /// The same invocation came twice, and the other one claimed: leave it alone.
    Claimed,
}

/// A claimed message job.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Its attempt: the id, which is also the message job's, and the fence.
    pub attempt: Fence,
    /// Its campaign.
    pub campaign_id: Uuid,
    /// Its channel.
    pub channel_id: Uuid,
    /// The channel as it was when the campaign started.
    pub recipient: Recipient,
    /// Attempts charged before this one.
    pub attempts: i32,
    /// Whether its last attempt was told to wait.
    pub has_waited: bool,
    /// How long this attempt was given, from its dispatch on.
    pub lease: Duration,
    /// How much of it was left at the claim: after it another attempt may begin.
    pub lease_left: Duration,
    /// What to do.
    pub decision: Decision,
}

impl Claim {
    /// What became of it, to be settled.
    pub fn settle(&self, outcome: Outcome) -> Settlement {
        Settlement {
            attempt: self.attempt,
            campaign_id: self.campaign_id,
            channel_id: self.channel_id,
            attempts: self.attempts,
            has_waited: self.has_waited,
            moved_to: None,
            outcome,
        }
    }
}

/// Claims message jobs in one statement. Attempts that are stale (their queue job
/// expired, was cancelled, or runs in a newer attempt) get no answer.
pub async fn claim(client: &impl GenericClient, attempts: &[Fence]) -> Result<Vec<Claim>> {
    let ids: Vec<Uuid> = attempts.iter().map(|attempt| attempt.id).collect();
    let retry_counts: Vec<i32> = attempts.iter().map(|attempt| attempt.retry_count).collect();
    let started_on: Vec<Option<DateTime<Utc>>> =
        attempts.iter().map(|attempt| attempt.started_on).collect();
    client
        .query_typed(
            include_str!("claim.sql"),
            &[
                (&ids, Type::UUID_ARRAY),
                (&retry_counts, Type::INT4_ARRAY),
                (&started_on, Type::TIMESTAMPTZ_ARRAY),
            ],
        )
        .await?
        .iter()
        .map(from_row)
        .collect()
}

fn from_row(row: &Row) -> Result<Claim> {
    let recipient: Value = row.try_get("recipient")?;
    Ok(Claim {
        attempt: Fence {
            id: row.try_get("id")?,
            retry_count: row.try_get("retry_count")?,
            started_on: row.try_get("started_on")?,
        },
        campaign_id: row.try_get("campaign_id")?,
        channel_id: row.try_get("channel_id")?,
        recipient: Recipient::deserialize(recipient).map_err(|error| Error::Corrupt {
            what: "recipient",
            message: error.to_string(),
        })?,
        attempts: row.try_get("attempts")?,
        has_waited: row.try_get("has_waited")?,
        lease: seconds(row.try_get::<_, i32>("expire_seconds")?.into()),
        lease_left: seconds(row.try_get("lease_left")?),
        decision: parse(row, "decision")?,
    })
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
