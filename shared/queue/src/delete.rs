//! Deleting jobs.

use tokio_postgres::GenericClient;

use crate::job::{JobRef, Refs};
use crate::settle::Settled;
use crate::{Error, Queue};

impl Queue {
    /// Deletes jobs, whatever their state.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn delete<R: Into<JobRef>>(
        &self,
        client: &impl GenericClient,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.settle(client, include_str!("delete.sql"), queue, &refs, &[])
            .await
    }
}
