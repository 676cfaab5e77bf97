//! Putting cancelled jobs back.

use crate::job::{JobRef, Refs};
use crate::settle::Settled;
use crate::{Connection, Error, Queue};

impl Queue {
    /// Puts cancelled jobs back into the queue.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Conflict`] where the queue's policy has no place.
    pub async fn resume<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.settle(client, include_str!("resume.sql"), queue, &refs, &[])
            .await
    }
}
