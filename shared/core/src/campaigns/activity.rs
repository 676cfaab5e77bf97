//! What a campaign did lately: messages by minute, the rate now, errors by class.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::Result;

/// The most minutes that are told.
const MINUTES: i64 = 60;

/// What a campaign did lately.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Messages that Telegram accepted, by minute, up to the last 60 minutes in which there
    /// were any; oldest first.
    pub minutes: Vec<Minute>,
    /// Messages that Telegram accepted in the last 60 s; the part of them that lies in the
    /// minute before is taken as spread evenly.
    pub rate_now: i32,
    /// Message jobs that failed, were skipped or are uncertain, by class; most frequent first.
    pub errors: Vec<ErrorCount>,
}

/// A minute of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Minute {
    /// When it began.
    pub minute: DateTime<Utc>,
    /// How many messages Telegram accepted in it.
    pub sent: i32,
}

/// How many message jobs ended with errors of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorCount {
    /// The state they ended in.
    pub status: String,
    /// The class of the error.
    pub error_class: String,
    /// How many.
    pub count: i64,
    /// One of the messages that came with it.
    pub example: Option<String>,
}

/// What a campaign did lately.
pub async fn activity(client: &impl GenericClient, id: Uuid) -> Result<Activity> {
    let (minutes, rate_now) = minutes(client, id, MINUTES).await?;
    let errors = client
        .query_typed(include_str!("activity_errors.sql"), &[(&id, Type::UUID)])
        .await?
        .iter()
        .map(|row| {
            Ok(ErrorCount {
                status: row.try_get("status")?,
                error_class: row.try_get("error_class")?,
                count: row.try_get("count")?,
                example: row.try_get("example")?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Activity {
        rate_now,
        minutes,
        errors,
    })
}

/// Messages of a campaign that Telegram accepted in the last 60 s.
pub async fn rate_now(client: &impl GenericClient, id: Uuid) -> Result<i32> {
    let (_, rate) = minutes(client, id, 2).await?;
    Ok(rate)
}

/// The last minutes in which messages were accepted, oldest first, and the rate now.
async fn minutes(client: &impl GenericClient, id: Uuid, limit: i64) -> Result<(Vec<Minute>, i32)> {
    let rows = client
        .query_typed(
            include_str!("activity_minutes.sql"),
            &[(&id, Type::UUID), (&limit, Type::INT8)],
        )
        .await?;
    let mut minutes = Vec::with_capacity(rows.len());
    let mut now = None;
    for row in &rows {
        now = Some(row.try_get("now")?);
        minutes.push(Minute {
            minute: row.try_get("minute")?,
            sent: row.try_get("sent")?,
        });
    }
    minutes.reverse();
    let rate = now.map_or(0, |now| rate_at(&minutes, now));
    Ok((minutes, rate))
}

/// Messages in the 60 s before `now`.
fn rate_at(minutes: &[Minute], now: DateTime<Utc>) -> i32 {
    let of = |from: TimeDelta, until: TimeDelta| {
        minutes
            .iter()
            .rfind(|minute| (from..until).contains(&(now - minute.minute)))
            .map_or(0, |minute| minute.sent)
    };
    let minute = TimeDelta::minutes(1);
    let this = of(TimeDelta::zero(), minute);
    let before = of(minute, minute * 2);
    let gone = (now.timestamp_millis().rem_euclid(60_000)) as i32;
    this + (i64::from(before) * i64::from(60_000 - gone) / 60_000) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_now_takes_its_share_of_the_minute_before() {
        let start = DateTime::UNIX_EPOCH;
        let minutes = [
            Minute {
                minute: start,
                sent: 60,
            },
            Minute {
                minute: start + TimeDelta::minutes(1),
                sent: 20,
            },
        ];
        let at = |seconds| rate_at(&minutes, start + TimeDelta::seconds(seconds));
        assert_eq!(at(60 + 20), 20 + 40);
        assert_eq!(at(120 + 30), 10);
        assert_eq!(at(600), 0);
    }
}
