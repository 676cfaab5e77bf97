//! Looking through a queue, page by page.

use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::{Connection, Error, Job, Queue, State, validate};

impl Queue {
    /// At most `limit` jobs of a queue, by falling id; with a state, only those in it; with
    /// `after`, those below it. Nothing for an unknown queue.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what cannot be a queue's name.
    pub async fn list(
        &self,
        client: &impl Connection,
        queue: &str,
        state: Option<State>,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Job>, Error> {
        validate::queue_name("name", queue)?;
        let state = state.map(State::as_str);
        self.query(
            client,
            include_str!("list.sql"),
            &[
                (&queue, Type::TEXT),
                (&state, Type::TEXT),
                (&after, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?
        .iter()
        .map(Job::from_row)
        .collect()
    }
}
