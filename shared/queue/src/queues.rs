//! The queues themselves: created, changed, listed, deleted.

mod change;
mod stats;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::{Connection, Error, Queue, validate};

pub use change::{Empty, QueueChange};
pub use stats::QueueStats;

/// Which jobs of a queue may be queued or active at the same time. A rule holds for
/// each singleton key, and for jobs without one together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Any.
    #[default]
    Standard,
    /// One that waits for its first attempt; any number active.
    Short,
    /// One active; any number queued.
    Singleton,
    /// One in each of the states created, retry and active.
    Stately,
    /// One in all, queued or active.
    Exclusive,
    /// Each key's jobs strictly one after another; a failed one holds its key back.
    KeyStrictFifo,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Self; 6] = [
        Self::Standard,
        Self::Short,
        Self::Singleton,
        Self::Stately,
        Self::Exclusive,
        Self::KeyStrictFifo,
    ];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == name)
    }

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Short => "short",
            Self::Singleton => "singleton",
            Self::Stately => "stately",
            Self::Exclusive => "exclusive",
            Self::KeyStrictFifo => "key_strict_fifo",
        }
    }
}

/// What jobs of a queue have where they do not say. What is left out: 2 retries
/// without a pause, expiry after 15 minutes, 14 days in the queue, deletion 7 days
/// after the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueOptions {
    /// Fixed once the queue exists.
    pub policy: Policy,
    /// A table of its own; fixed once the queue exists.
    pub partition: bool,
    /// Attempts after the first.
    pub retry_limit: Option<u32>,
    /// The pause before another attempt, in whole seconds.
    pub retry_delay: Option<Duration>,
    /// Double the pause with each attempt, with jitter.
    pub retry_backoff: Option<bool>,
    /// The longest such pause.
    pub retry_delay_max: Option<Duration>,
    /// An attempt that runs longer fails; at least 1 s, at most 24 h.
    pub expire_in: Option<Duration>,
    /// A job that is not begun within so long after it is due is deleted; at least 1 s.
    pub retention: Option<Duration>,
    /// A job is deleted so long after it is done; zero keeps it.
    pub delete_after: Option<Duration>,
    /// The queue that gets a copy of each failed job; it must exist.
    pub dead_letter: Option<String>,
    /// An attempt that gives no sign of life for so long fails; at least 10 s.
    pub heartbeat: Option<Duration>,
    /// So many waiting jobs make the upkeep warn; 0 never.
    pub warning_size: Option<u32>,
    /// Wake who listens when a job arrives.
    pub notify: Option<bool>,
}

/// A queue as it is kept. Its counts are those of the last upkeep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields bear pg-boss's documented names")]
pub struct QueueInfo {
    pub name: String,
    pub policy: String,
    pub retry_limit: i32,
    pub retry_delay: i32,
    pub retry_backoff: bool,
    pub retry_delay_max: Option<i32>,
    pub expire_in_seconds: i32,
    pub retention_seconds: i32,
    pub delete_after_seconds: i32,
    pub partition: bool,
    pub heartbeat_seconds: Option<i32>,
    pub notify: bool,
    pub dead_letter: Option<String>,
    pub deferred_count: i32,
    pub warning_queue_size: i32,
    pub queued_count: i32,
    pub ready_count: i32,
    pub active_count: i32,
    pub failed_count: i32,
    pub total_count: i32,
    pub singletons_active: Option<Vec<Option<String>>>,
    /// The table that holds the queue's jobs.
    pub table: String,
    pub created_on: DateTime<Utc>,
    pub updated_on: DateTime<Utc>,
}

impl QueueOptions {
    /// As the database's own function takes them; nothing for what is left out.
    fn to_json(&self) -> Result<Map<String, Value>, Error> {
        if let Some(dead_letter) = &self.dead_letter {
            validate::queue_name("deadLetter", dead_letter)?;
        }
        if self
            .expire_in
            .is_some_and(|expire| expire > Duration::from_secs(86_400))
        {
            return Err(Error::invalid("expireInSeconds", "cannot exceed 24 hours"));
        }
        if self.retry_delay_max.is_some() && self.retry_backoff == Some(false) {
            return Err(Error::invalid(
                "retryDelayMax",
                "can only be set if retryBackoff is true",
            ));
        }
        let options = json!({
            "retryLimit": validate::count("retryLimit", self.retry_limit)?,
            "retryDelay": validate::seconds("retryDelay", self.retry_delay)?,
            "retryBackoff": self.retry_backoff,
            "retryDelayMax": validate::seconds("retryDelayMax", self.retry_delay_max)?,
            "expireInSeconds": validate::seconds_from(1, "expireInSeconds", self.expire_in)?,
            "retentionSeconds": validate::seconds_from(1, "retentionSeconds", self.retention)?,
            "deleteAfterSeconds": validate::seconds("deleteAfterSeconds", self.delete_after)?,
            "deadLetter": self.dead_letter,
            "heartbeatSeconds": validate::seconds_from(10, "heartbeatSeconds", self.heartbeat)?,
            "warningQueueSize": validate::count("warningQueueSize", self.warning_size)?,
            "notify": self.notify,
        });
        let Value::Object(options) = options else {
            return Ok(Map::new());
        };
        Ok(options
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect())
    }
}

impl Queue {
    /// Creates a queue; one that exists stays as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::UnknownQueue`] for the dead letter queue.
    pub async fn create_queue(
        &self,
        client: &impl Connection,
        name: &str,
        options: &QueueOptions,
    ) -> Result<(), Error> {
        validate::queue_name("name", name)?;
        let mut json = options.to_json()?;
        json.insert("policy".to_owned(), options.policy.as_str().into());
        json.insert("partition".to_owned(), options.partition.into());
        if let Some(dead_letter) = &options.dead_letter {
            if dead_letter == name {
                return Err(Error::invalid("deadLetter", "cannot be itself"));
            }
            if self.get_queue(client, dead_letter).await?.is_none() {
                return Err(Error::UnknownQueue(dead_letter.clone()));
            }
        }
        self.create_queue_from_json(client, name, &Value::Object(json))
            .await
    }

    pub(crate) async fn create_queue_from_json(
        &self,
        client: &impl Connection,
        name: &str,
        options: &Value,
    ) -> Result<(), Error> {
        let partition = options.get("partition") == Some(&Value::Bool(true));
        self.query(
            client,
            include_str!("queues/create.sql"),
            &[(&name, Type::TEXT), (&options, Type::JSONB)],
        )
        .await?;
        if partition {
            // The function of pg-boss's schema makes only pg-boss's indexes.
            self.query(
                client,
                include_str!("queues/create_index.sql"),
                &[(&name, Type::TEXT)],
            )
            .await?;
        }
        Ok(())
    }

    /// A queue by its name.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn get_queue(
        &self,
        client: &impl Connection,
        name: &str,
    ) -> Result<Option<QueueInfo>, Error> {
        Ok(self.get_queues(client, Some(&[name])).await?.pop())
    }

    /// All queues, or those of these names.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn get_queues(
        &self,
        client: &impl Connection,
        names: Option<&[&str]>,
    ) -> Result<Vec<QueueInfo>, Error> {
        for name in names.into_iter().flatten() {
            validate::queue_name("name", name)?;
        }
        let rows = self
            .query(
                client,
                include_str!("queues/get.sql"),
                &[(&names, Type::TEXT_ARRAY)],
            )
            .await?;
        rows.iter().map(QueueInfo::from_row).collect()
    }

    /// Deletes a queue with its jobs; one that does not exist is no error.
    ///
    /// # Errors
    /// [`Error::Database`] while another queue names it as its dead letter queue.
    pub async fn delete_queue(&self, client: &impl Connection, name: &str) -> Result<(), Error> {
        validate::queue_name("name", name)?;
        self.query(
            client,
            include_str!("queues/delete.sql"),
            &[(&name, Type::TEXT)],
        )
        .await?;
        Ok(())
    }
}

impl QueueInfo {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Self::read(row).map_err(Error::Row)
    }

    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            name: row.try_get("name")?,
            policy: row.try_get("policy")?,
            retry_limit: row.try_get("retry_limit")?,
            retry_delay: row.try_get("retry_delay")?,
            retry_backoff: row.try_get("retry_backoff")?,
            retry_delay_max: row.try_get("retry_delay_max")?,
            expire_in_seconds: row.try_get("expire_seconds")?,
            retention_seconds: row.try_get("retention_seconds")?,
            delete_after_seconds: row.try_get("deletion_seconds")?,
            partition: row.try_get("partition")?,
            heartbeat_seconds: row.try_get("heartbeat_seconds")?,
            notify: row.try_get("notify")?,
            dead_letter: row.try_get("dead_letter")?,
            deferred_count: row.try_get("deferred_count")?,
            warning_queue_size: row.try_get("warning_queued")?,
            queued_count: row.try_get("queued_count")?,
            ready_count: row.try_get("ready_count")?,
            active_count: row.try_get("active_count")?,
            failed_count: row.try_get("failed_count")?,
            total_count: row.try_get("total_count")?,
            singletons_active: row.try_get("singletons_active")?,
            table: row.try_get("table_name")?,
            created_on: row.try_get("created_on")?,
            updated_on: row.try_get("updated_on")?,
        })
    }
}
