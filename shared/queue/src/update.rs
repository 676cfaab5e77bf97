//! Editing jobs that wait in the queue.

use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Connection, Error, JobOptions, Queue, Send, validate};

/// Which waiting jobs to edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one of this id.
    Id(Uuid),
    /// Those of a singleton key.
    Key(String, Match),
}

/// Which of a key's jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// The one created last.
    #[default]
    Newest,
    /// The one created first.
    Oldest,
    /// Each.
    All,
}

/// An edit: what is none stays as it is. Of the options, the singleton ones and the
/// id are not for editing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The new data: an object, or null.
    pub data: Option<Value>,
    /// The new priority.
    pub priority: Option<i32>,
    /// All else; its own `priority` is not looked at.
    pub options: JobOptions,
}

/// What an upsert did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upserted {
    /// These jobs were edited; possibly none, where another job is in the way.
    Updated(Vec<Uuid>),
    /// There was none to edit, so this one was created.
    Inserted(Uuid),
}

impl Change {
    fn to_json(&self) -> Result<Value, Error> {
        let options = self.options.check()?;
        let mut json = Map::new();
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                json.insert(key.to_owned(), value);
            }
        };
        if let Some(data) = &self.data {
            validate::object("data", data)?;
        }
        set("data", self.data.clone());
        set("priority", self.priority.map(Value::from));
        set("startAfter", options.start_after.map(Value::from));
        set(
            "retentionSeconds",
            options.retention_seconds.map(Value::from),
        );
        set("expireInSeconds", options.expire_seconds.map(Value::from));
        set(
            "deleteAfterSeconds",
            options.deletion_seconds.map(Value::from),
        );
        set("retryLimit", options.retry_limit.map(Value::from));
        set("retryDelay", options.retry_delay.map(Value::from));
        set("retryBackoff", options.retry_backoff.map(Value::from));
        set("retryDelayMax", options.retry_delay_max.map(Value::from));
        set("deadLetter", options.dead_letter.map(Value::from));
        set(
            "heartbeatSeconds",
            options.heartbeat_seconds.map(Value::from),
        );
        set("groupId", options.group_id.map(Value::from));
        set("groupTier", options.group_tier.map(Value::from));
        Ok(Value::Object(json))
    }
}

impl Queue {
    /// Edits jobs that are not yet active; gives those edited.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`].
    pub async fn update(
        &self,
        client: &impl Connection,
        queue: &str,
        which: &Which,
        change: &Change,
    ) -> Result<Vec<Uuid>, Error> {
        let rows = self.update_rows(client, queue, which, change).await?;
        Ok(rows.iter().filter_map(|row| row.get("id")).collect())
    }

    /// Edits jobs that are not yet active or, where there is none, creates one with
    /// the id or key it was looked for by.
    ///
    /// # Errors
    /// As of [`Queue::update`] and [`Queue::send`].
    pub async fn upsert(
        &self,
        client: &impl Connection,
        queue: &str,
        which: &Which,
        change: &Change,
    ) -> Result<Upserted, Error> {
        let mut options = JobOptions {
            priority: change.priority.unwrap_or_default(),
            ..change.options.clone()
        };
        match which {
            Which::Id(id) => options.id = Some(*id),
            Which::Key(key, _) => options.singleton_key = Some(key.clone()),
        }
        let rows = self.update_rows(client, queue, which, change).await?;
        let strict =
            rows.first().map(|row| row.get::<_, &str>("policy")) == Some("key_strict_fifo");
        if strict && options.singleton_key.is_none() {
            return Err(Error::KeyRequired);
        }
        let updated: Vec<Uuid> = rows.iter().filter_map(|row| row.get("id")).collect();
        if !updated.is_empty() {
            return Ok(Upserted::Updated(updated));
        }
        let send = Send {
            queue: queue.to_owned(),
            data: change.data.clone().unwrap_or_default(),
            options,
        };
        match self.send(client, &send).await?.id() {
            Some(id) => Ok(Upserted::Inserted(id)),
            // Another created one a moment ago.
            None => Ok(Upserted::Updated(
                self.update(client, queue, which, change).await?,
            )),
        }
    }

    async fn update_rows(
        &self,
        client: &impl Connection,
        queue: &str,
        which: &Which,
        change: &Change,
    ) -> Result<Vec<Row>, Error> {
        validate::queue_name("name", queue)?;
        let json = change.to_json()?;
        let (id, key, of_key) = match which {
            Which::Id(id) => (Some(id), None, "newest"),
            Which::Key(key, Match::Newest) => (None, Some(key), "newest"),
            Which::Key(key, Match::Oldest) => (None, Some(key), "oldest"),
            Which::Key(key, Match::All) => (None, Some(key), "all"),
        };
        let rows = self
            .query(
                client,
                include_str!("update.sql"),
                &[
                    (&queue, Type::TEXT),
                    (&id, Type::UUID),
                    (&key, Type::TEXT),
                    (&of_key, Type::TEXT),
                    (&json, Type::JSONB),
                ],
            )
            .await?;
        if rows.is_empty() {
            return Err(Error::UnknownQueue(queue.to_owned()));
        }
        Ok(rows)
    }
}
