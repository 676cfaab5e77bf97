//! Deleting jobs.

use crate::job::{JobRef, Refs};
use crate::settle::Settled;
use crate::{Connection, Error, Queue};

impl Queue {
    /// Deletes jobs, whatever their state.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn delete<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.settle(client, include_str!("delete.sql"), queue, &refs, &[])
            .await
    }
}
