//! Putting jobs of a dead letter queue back where they came from.

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Connection, Error, Queue, validate};

/// Which jobs of a dead letter queue to move, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Redrive {
    /// Where they go, instead of where each came from.
    pub destination: Option<String>,
    /// Only those that came from this queue.
    pub source: Option<String>,
    /// Only those whose data contain this object.
    pub data: Option<Value>,
    /// Only those that failed before.
    pub created_before: Option<DateTime<Utc>>,
    /// Only these.
    pub ids: Option<Vec<Uuid>>,
    /// At most so many.
    pub limit: u32,
}

impl Default for Redrive {
    fn default() -> Self {
        Self {
            destination: None,
            source: None,
            data: None,
            created_before: None,
            ids: None,
            limit: 1000,
        }
    }
}

impl Queue {
    /// Moves waiting jobs of a dead letter queue, each as a new job; gives how many.
    /// A job that its queue refuses for now stays where it is.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`].
    pub async fn redrive(
        &self,
        client: &impl Connection,
        queue: &str,
        redrive: &Redrive,
    ) -> Result<u64, Error> {
        validate::queue_name("name", queue)?;
        if let Some(destination) = &redrive.destination {
            validate::queue_name("destination", destination)?;
        }
        if let Some(data) = &redrive.data {
            validate::object("data", data)?;
        }
        let limit = i64::from(redrive.limit);
        let rows = self
            .query(
                client,
                include_str!("redrive.sql"),
                &[
                    (&queue, Type::TEXT),
                    (&redrive.destination, Type::TEXT),
                    (&redrive.source, Type::TEXT),
                    (&redrive.data, Type::JSONB),
                    (&redrive.created_before, Type::TIMESTAMPTZ),
                    (&redrive.ids, Type::UUID_ARRAY),
                    (&limit, Type::INT8),
                ],
            )
            .await?;
        match rows.first() {
            Some(row) => Ok(row.get::<_, i64>("moved").unsigned_abs()),
            None => Err(Error::UnknownQueue(queue.to_owned())),
        }
    }

    /// What a redrive without a limit would move: how many jobs to which queue. Those
    /// that would stay, since they come from no queue that exists, are counted under
    /// no name.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn preview_redrive(
        &self,
        client: &impl Connection,
        queue: &str,
        redrive: &Redrive,
    ) -> Result<Vec<(Option<String>, u64)>, Error> {
        validate::queue_name("name", queue)?;
        let rows = self
            .query(
                client,
                include_str!("redrive_preview.sql"),
                &[
                    (&queue, Type::TEXT),
                    (&redrive.destination, Type::TEXT),
                    (&redrive.source, Type::TEXT),
                    (&redrive.data, Type::JSONB),
                    (&redrive.created_before, Type::TIMESTAMPTZ),
                    (&redrive.ids, Type::UUID_ARRAY),
                ],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("name"), row.get::<_, i64>("jobs").unsigned_abs()))
            .collect())
    }
}
