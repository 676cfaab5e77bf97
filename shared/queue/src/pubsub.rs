//! Events: one message, a job in each queue that subscribed.

use serde_json::Value;
use tokio_postgres::types::Type;

use crate::{Connection, Error, JobOptions, Queue, Send, Sent, validate};

impl Queue {
    /// Has a queue get a job for each event of this name.
    ///
    /// # Errors
    /// [`Error::Database`] where there is no such queue.
    pub async fn subscribe(
        &self,
        client: &impl Connection,
        event: &str,
        queue: &str,
    ) -> Result<(), Error> {
        validate::queue_name("name", queue)?;
        let sql = "
            INSERT INTO {schema}.subscription (event, name)
            VALUES ($1, $2)
            ON CONFLICT (event, name) DO UPDATE SET updated_on = now()";
        self.query(client, sql, &[(&event, Type::TEXT), (&queue, Type::TEXT)])
            .await?;
        Ok(())
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn unsubscribe(
        &self,
        client: &impl Connection,
        event: &str,
        queue: &str,
    ) -> Result<(), Error> {
        let sql = "DELETE FROM {schema}.subscription WHERE event = $1 AND name = $2";
        self.query(client, sql, &[(&event, Type::TEXT), (&queue, Type::TEXT)])
            .await?;
        Ok(())
    }

    /// Sends a job to each queue that subscribed to the event; gives what became of each.
    ///
    /// # Errors
    /// As of [`Queue::send`], of the first queue that fails; in a transaction none gets
    /// a job then.
    pub async fn publish(
        &self,
        client: &impl Connection,
        event: &str,
        data: &Value,
        options: &JobOptions,
    ) -> Result<Vec<(String, Sent)>, Error> {
        let sql = "SELECT name FROM {schema}.subscription WHERE event = $1 ORDER BY name";
        let rows = self.query(client, sql, &[(&event, Type::TEXT)]).await?;
        let mut sent = Vec::with_capacity(rows.len());
        for row in rows {
            let send = Send {
                queue: row.get("name"),
                data: data.clone(),
                options: options.clone(),
            };
            match self.send(client, &send).await {
                Ok(became) => sent.push((send.queue, became)),
                // Deleted since, and its subscription with it.
                Err(Error::UnknownQueue(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }
}
