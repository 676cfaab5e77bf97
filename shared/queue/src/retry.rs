//! One more attempt for failed jobs.

use crate::job::{JobRef, Refs};
use crate::settle::Settled;
use crate::{Connection, Error, Queue};

impl Queue {
    /// Gives failed jobs one more attempt each, due at once.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Conflict`] where the queue's policy has no place.
    pub async fn retry<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.settle(client, include_str!("retry.sql"), queue, &refs, &[])
            .await
    }
}
