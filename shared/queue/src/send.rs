//! Sending one job.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Connection, Error, Queue, validate};

/// When a job becomes due.
#[derive(Clone, Debug, PartialEq)]
pub enum StartAfter {
    /// At this time.
    At(DateTime<Utc>),
    /// So long after it is sent, by the database's clock.
    In(Duration),
    /// What pg-boss takes as a string: a date and time with its zone, or an interval
    /// of PostgreSQL (`5 minutes`, `PT1H`, `300`).
    Text(String),
}

impl StartAfter {
    /// As text: a date begins with a year, and all else is an interval.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::At(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true),
            Self::In(delay) => format!("{}.{:06}", delay.as_secs(), delay.subsec_micros()),
            Self::Text(text) if is_zoneless(text) => format!("{text}Z"),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Whether a date, with or without a time, names no zone: that means UTC then, and
/// not whatever the database's session is set to.
fn is_zoneless(text: &str) -> bool {
    let (Some(date), Some(time)) = (text.get(..10), text.get(10..)) else {
        return false;
    };
    let is_date = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok();
    let time_is_plain = match time.as_bytes() {
        [] => true,
        [b'T' | b' ', rest @ ..] => rest
            .iter()
            .all(|b| b.is_ascii_digit() || b":.,".contains(b)),
        _ => false,
    };
    is_date && time_is_plain
}

/// How a job is retried, kept and expired. What is left out comes from its queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobOptions {
    /// The job's id; one of version 7 where left out: these come in the order of time,
    /// and so lie side by side in the index.
    pub id: Option<Uuid>,
    /// Higher goes first; 0 where left out.
    pub priority: i32,
    /// When the job becomes due; at once where left out.
    pub start_after: Option<StartAfter>,
    /// What the queue's policy tells jobs apart by.
    pub singleton_key: Option<String>,
    /// At most one job in so many seconds, counted in slots from the epoch.
    pub singleton_seconds: Option<u32>,
    /// Where the slot is taken, take the next one instead, once.
    pub singleton_next_slot: bool,
    /// The slot itself, instead of the one that the time of the insert falls in.
    pub singleton_on: Option<DateTime<Utc>>,
    /// A group whose jobs run with a concurrency of their own; see [`Fetch`](crate::Fetch).
    pub group_id: Option<String>,
    /// The tier that chooses the group's concurrency.
    pub group_tier: Option<String>,
    /// An attempt that runs longer fails; at least 1 s.
    pub expire_in: Option<Duration>,
    /// A job is deleted so long after it is done; zero keeps it.
    pub delete_after: Option<Duration>,
    /// A job that is not begun within so long after it is due is deleted; at least 1 s.
    pub retention: Option<Duration>,
    /// Attempts after the first.
    pub retry_limit: Option<u32>,
    /// The pause before another attempt, in whole seconds.
    pub retry_delay: Option<Duration>,
    /// Double the pause with each attempt, with jitter.
    pub retry_backoff: Option<bool>,
    /// The longest such pause.
    pub retry_delay_max: Option<Duration>,
    /// The queue that gets a copy of the job once it has failed.
    pub dead_letter: Option<String>,
    /// An attempt that gives no sign of life for so long fails; at least 10 s.
    pub heartbeat: Option<Duration>,
}

/// A job to send.
///
/// ```
/// use telecast_queue::{JobOptions, Send};
/// use serde_json::json;
///
/// let send = Send {
///     data: json!({"to": "ada@example.com"}),
///     options: JobOptions { priority: 5, retry_limit: Some(3), ..JobOptions::default() },
///     ..Send::to("mail")
/// };
/// assert_eq!(send.queue, "mail");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Send {
    /// The queue's name.
    pub queue: String,
    /// An object, or null.
    pub data: Value,
    /// All else.
    pub options: JobOptions,
}

impl Send {
    /// A job without data and with the queue's own options.
    #[must_use]
    pub fn to(queue: impl Into<String>) -> Self {
        Self {
            queue: queue.into(),
            ..Self::default()
        }
    }
}

/// What became of a job that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It waits in the queue.
    Created(Uuid),
    /// Its slot (and the next, where that was asked for) is taken; the first moment
    /// of the slot after it.
    Throttled {
        /// From then on a job may be sent again.
        until: DateTime<Utc>,
    },
    /// The queue's policy allows no other job with this key for now.
    Refused,
    /// A job of this id exists.
    Exists,
}

impl Sent {
    /// The job's id, if it was created: what pg-boss's `send` answers.
    #[must_use]
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::Created(id) => Some(id),
            _ => None,
        }
    }
}

/// Options as the database keeps them, each checked.
pub(crate) struct Checked {
    pub(crate) id: Option<Uuid>,
    pub(crate) priority: i32,
    pub(crate) start_after: Option<String>,
    pub(crate) singleton_key: Option<String>,
    pub(crate) singleton_seconds: Option<i32>,
    pub(crate) singleton_on: Option<NaiveDateTime>,
    pub(crate) group_id: Option<String>,
    pub(crate) group_tier: Option<String>,
    pub(crate) expire_seconds: Option<i32>,
    pub(crate) deletion_seconds: Option<i32>,
    pub(crate) retention_seconds: Option<i32>,
    pub(crate) retry_limit: Option<i32>,
    pub(crate) retry_delay: Option<i32>,
    pub(crate) retry_backoff: Option<bool>,
    pub(crate) retry_delay_max: Option<i32>,
    pub(crate) dead_letter: Option<String>,
    pub(crate) heartbeat_seconds: Option<i32>,
}

impl JobOptions {
    pub(crate) fn check(&self) -> Result<Checked, Error> {
        validate::key("singletonKey", self.singleton_key.as_deref())?;
        validate::key("group.id", self.group_id.as_deref())?;
        validate::key("group.tier", self.group_tier.as_deref())?;
        if self.group_id.as_deref() == Some("") {
            return Err(Error::invalid("group.id", "must be a non-empty string"));
        }
        if let Some(StartAfter::At(time)) = self.start_after {
            validate::time("startAfter", time)?;
        }
        if self.singleton_seconds == Some(0) {
            return Err(Error::invalid("singletonSeconds", "must be at least 1"));
        }
        if let Some(dead_letter) = &self.dead_letter {
            validate::queue_name("deadLetter", dead_letter)?;
        }
        if self.retry_delay_max.is_some() && self.retry_backoff == Some(false) {
            return Err(Error::invalid(
                "retryDelayMax",
                "can only be set if retryBackoff is true",
            ));
        }
        Ok(Checked {
            id: self.id,
            priority: self.priority,
            start_after: self.start_after.as_ref().map(StartAfter::text),
            singleton_key: self.singleton_key.clone(),
            singleton_seconds: validate::count("singletonSeconds", self.singleton_seconds)?,
            singleton_on: self.singleton_on.map(|slot| slot.naive_utc()),
            group_id: self.group_id.clone(),
            group_tier: self.group_tier.clone(),
            expire_seconds: validate::seconds_from(1, "expireInSeconds", self.expire_in)?,
            deletion_seconds: validate::seconds("deleteAfterSeconds", self.delete_after)?,
            retention_seconds: validate::seconds_from(1, "retentionSeconds", self.retention)?,
            retry_limit: validate::count("retryLimit", self.retry_limit)?,
            retry_delay: validate::seconds("retryDelay", self.retry_delay)?,
            retry_backoff: self.retry_backoff,
            retry_delay_max: validate::seconds("retryDelayMax", self.retry_delay_max)?,
            dead_letter: self.dead_letter.clone(),
            heartbeat_seconds: validate::seconds_from(10, "heartbeatSeconds", self.heartbeat)?,
        })
    }
}

impl Queue {
    /// Puts a job into its queue, in one round trip (one more to learn why it was
    /// refused).
    /// Given a transaction, the job exists if and when that commits.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`] names the option that is wrong;
    /// [`Error::KeyRequired`].
    pub async fn send(&self, client: &impl Connection, send: &Send) -> Result<Sent, Error> {
        validate::queue_name("name", &send.queue)?;
        validate::object("data", &send.data)?;
        let mut options = send.options.check()?;
        options.id.get_or_insert_with(Uuid::now_v7);
        let sent = self.try_send(client, send, &options, false).await?;
        let may_wait = send.options.singleton_next_slot && options.singleton_seconds.is_some();
        match sent {
            Sent::Throttled { .. } if may_wait => self.try_send(client, send, &options, true).await,
            sent => Ok(sent),
        }
    }

    async fn try_send(
        &self,
        client: &impl Connection,
        send: &Send,
        options: &Checked,
        next_slot: bool,
    ) -> Result<Sent, Error> {
        let data = (!send.data.is_null()).then_some(&send.data);
        let rows = self
            .query(
                client,
                include_str!("send.sql"),
                &[
                    (&send.queue, Type::TEXT),
                    (&options.id, Type::UUID),
                    (&data, Type::JSONB),
                    (&options.priority, Type::INT4),
                    (&options.start_after, Type::TEXT),
                    (&options.singleton_key, Type::TEXT),
                    (&options.singleton_seconds, Type::INT4),
                    (&next_slot, Type::BOOL),
                    (&options.group_id, Type::TEXT),
                    (&options.group_tier, Type::TEXT),
                    (&options.expire_seconds, Type::INT4),
                    (&options.deletion_seconds, Type::INT4),
                    (&options.retention_seconds, Type::INT4),
                    (&options.retry_limit, Type::INT4),
                    (&options.retry_delay, Type::INT4),
                    (&options.retry_backoff, Type::BOOL),
                    (&options.retry_delay_max, Type::INT4),
                    (&options.dead_letter, Type::TEXT),
                    (&options.heartbeat_seconds, Type::INT4),
                    (&options.singleton_on, Type::TIMESTAMP),
                ],
            )
            .await
            .map_err(|error| error.of_queue(&send.queue))?;
        match rows.first() {
            Some(row) => Ok(Sent::Created(row.get("id"))),
            None => self.why_refused(client, send, options, next_slot).await,
        }
    }

    async fn why_refused(
        &self,
        client: &impl Connection,
        send: &Send,
        options: &Checked,
        next_slot: bool,
    ) -> Result<Sent, Error> {
        let rows = self
            .query(
                client,
                include_str!("send_refused.sql"),
                &[
                    (&send.queue, Type::TEXT),
                    (&options.id, Type::UUID),
                    (&options.singleton_seconds, Type::INT4),
                    (&next_slot, Type::BOOL),
                ],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Err(Error::UnknownQueue(send.queue.clone()));
        };
        let policy: &str = row.get("policy");
        if policy == "key_strict_fifo" && options.singleton_key.as_deref().unwrap_or("").is_empty()
        {
            return Err(Error::KeyRequired);
        }
        if row.get("exists") {
            return Ok(Sent::Exists);
        }
        match row.get::<_, Option<DateTime<Utc>>>("until") {
            Some(until) => Ok(Sent::Throttled { until }),
            None => Ok(Sent::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_without_a_zone_is_utc() {
        let text = |text: &str| StartAfter::Text(text.to_owned()).text();
        for zoneless in ["2040-01-01", "2040-01-01T10:00", "2040-01-01 10:00:00.5"] {
            assert_eq!(text(zoneless), format!("{zoneless}Z"));
        }
        for plain in [
            "2040-01-01T10:00Z",
            "2040-01-01 10:00 America/New_York",
            "2040-01",
            "300",
        ] {
            assert_eq!(text(plain), plain);
        }
    }
}
