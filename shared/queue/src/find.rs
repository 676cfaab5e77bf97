//! Looking jobs up.

use serde_json::Value;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Connection, Error, Job, Queue, validate};

/// Which jobs of a queue to find; by nothing, all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Find {
    /// With this id.
    pub id: Option<Uuid>,
    /// With this singleton key.
    pub key: Option<String>,
    /// Whose data contain this.
    pub data: Option<Value>,
    /// Only those not yet active.
    pub queued: bool,
}

impl Queue {
    /// A job by its id.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn get(
        &self,
        client: &impl Connection,
        queue: &str,
        id: Uuid,
    ) -> Result<Option<Job>, Error> {
        let find = Find {
            id: Some(id),
            ..Find::default()
        };
        Ok(self.find(client, queue, &find).await?.pop())
    }

    /// The jobs of a queue that match, in no order.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn find(
        &self,
        client: &impl Connection,
        queue: &str,
        find: &Find,
    ) -> Result<Vec<Job>, Error> {
        validate::queue_name("name", queue)?;
        let rows = self
            .query(
                client,
                include_str!("find.sql"),
                &[
                    (&queue, Type::TEXT),
                    (&find.id, Type::UUID),
                    (&find.key, Type::TEXT),
                    (&find.data, Type::JSONB),
                    (&find.queued, Type::BOOL),
                ],
            )
            .await?;
        let Some(first) = rows.first() else {
            return Err(Error::UnknownQueue(queue.to_owned()));
        };
        if first.get::<_, Option<Uuid>>("id").is_none() {
            return Ok(Vec::new());
        }
        rows.iter().map(Job::from_row).collect()
    }
}
