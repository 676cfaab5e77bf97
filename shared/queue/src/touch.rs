//! Signs of life.

use crate::job::{JobRef, Refs};
use crate::settle::Settled;
use crate::{Connection, Error, Queue};

impl Queue {
    /// Says of active jobs that they are still being worked on; see
    /// [`JobOptions::heartbeat`](crate::JobOptions::heartbeat).
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn touch<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.settle(client, include_str!("touch.sql"), queue, &refs, &[])
            .await
    }
}
