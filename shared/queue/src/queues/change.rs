//! Changing a queue's options, and emptying it.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio_postgres::types::Type;

use crate::{Connection, Error, Queue, validate};

/// What to change of a queue; what is left out stays. Of an option in an `Option`
/// twice, the inner none clears it.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "each as of QueueOptions")]
pub struct QueueChange {
    pub retry_limit: Option<u32>,
    pub retry_delay: Option<Duration>,
    pub retry_backoff: Option<bool>,
    pub retry_delay_max: Option<Option<Duration>>,
    pub expire_in: Option<Duration>,
    pub retention: Option<Duration>,
    pub delete_after: Option<Duration>,
    pub dead_letter: Option<Option<String>>,
    pub heartbeat: Option<Option<Duration>>,
    pub warning_size: Option<u32>,
    pub notify: Option<bool>,
}

/// Which jobs of a queue to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// Those not yet active.
    Queued,
    /// Those completed, cancelled or failed.
    Stored,
    /// All, active ones too.
    All,
}

impl QueueChange {
    fn to_json(&self) -> Result<Map<String, Value>, Error> {
        let mut json = Map::new();
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                json.insert(key.to_owned(), value);
            }
        };
        set(
            "retryLimit",
            validate::count("retryLimit", self.retry_limit)?.map(Value::from),
        );
        set(
            "retryDelay",
            validate::seconds("retryDelay", self.retry_delay)?.map(Value::from),
        );
        set("retryBackoff", self.retry_backoff.map(Value::from));
        if let Some(max) = self.retry_delay_max {
            set(
                "retryDelayMax",
                Some(validate::seconds("retryDelayMax", max)?.into()),
            );
        }
        set(
            "expireInSeconds",
            validate::seconds_from(1, "expireInSeconds", self.expire_in)?.map(Value::from),
        );
        set(
            "retentionSeconds",
            validate::seconds_from(1, "retentionSeconds", self.retention)?.map(Value::from),
        );
        set(
            "deleteAfterSeconds",
            validate::seconds("deleteAfterSeconds", self.delete_after)?.map(Value::from),
        );
        set("deadLetter", self.dead_letter.clone().map(Value::from));
        if let Some(heartbeat) = self.heartbeat {
            let heartbeat = validate::seconds_from(10, "heartbeatSeconds", heartbeat)?;
            set("heartbeatSeconds", Some(heartbeat.into()));
        }
        set(
            "warningQueueSize",
            validate::count("warningQueueSize", self.warning_size)?.map(Value::from),
        );
        set("notify", self.notify.map(Value::from));
        Ok(json)
    }
}

impl Queue {
    /// Changes a queue's options. Jobs that are in it keep theirs.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`]; [`Error::Database`] for a dead
    /// letter queue that does not exist.
    pub async fn update_queue(
        &self,
        client: &impl Connection,
        name: &str,
        change: &QueueChange,
    ) -> Result<(), Error> {
        validate::queue_name("name", name)?;
        let json = change.to_json()?;
        if json.is_empty() {
            return Err(Error::invalid("options", "name nothing to update"));
        }
        if let Some(Some(dead_letter)) = &change.dead_letter {
            validate::queue_name("deadLetter", dead_letter)?;
            if dead_letter == name {
                return Err(Error::invalid("deadLetter", "cannot be itself"));
            }
        }
        let rows = self
            .query(
                client,
                include_str!("update.sql"),
                &[(&name, Type::TEXT), (&Value::Object(json), Type::JSONB)],
            )
            .await?;
        if rows.is_empty() {
            return Err(Error::UnknownQueue(name.to_owned()));
        }
        Ok(())
    }

    /// Deletes jobs of one queue, or of all; gives how many.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn empty(
        &self,
        client: &impl Connection,
        name: Option<&str>,
        which: Empty,
    ) -> Result<u64, Error> {
        if let Some(name) = name
            && self.get_queue(client, name).await?.is_none()
        {
            return Err(Error::UnknownQueue(name.to_owned()));
        }
        let queued = which != Empty::Stored;
        let stored = which != Empty::Queued;
        let rows = self
            .query(
                client,
                include_str!("empty.sql"),
                &[
                    (&name, Type::TEXT),
                    (&queued, Type::BOOL),
                    (&stored, Type::BOOL),
                ],
            )
            .await?;
        Ok(rows
            .first()
            .map_or(0, |row| row.get::<_, i64>("deleted").unsigned_abs()))
    }

    /// The keys that a failed job holds back, in a queue of policy `key_strict_fifo`.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`] for a queue of another policy.
    pub async fn blocked_keys(
        &self,
        client: &impl Connection,
        name: &str,
    ) -> Result<Vec<String>, Error> {
        validate::queue_name("name", name)?;
        let rows = self
            .query(
                client,
                include_str!("blocked_keys.sql"),
                &[(&name, Type::TEXT)],
            )
            .await?;
        let Some(first) = rows.first() else {
            return Err(Error::UnknownQueue(name.to_owned()));
        };
        if first.get::<_, &str>("policy") != "key_strict_fifo" {
            return Err(Error::invalid(
                "policy",
                "is not key_strict_fifo: no key is ever blocked",
            ));
        }
        Ok(rows
            .iter()
            .filter_map(|row| row.get("singleton_key"))
            .collect())
    }
}
