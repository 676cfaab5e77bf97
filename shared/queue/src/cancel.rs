//! Taking jobs out.

use crate::job::{JobRef, Refs};
use crate::settle::Settled;
use crate::{Connection, Error, Queue};

impl Queue {
    /// Cancels jobs that are not done. A worker that has one of them finds so when it
    /// settles it.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn cancel<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.settle(client, include_str!("cancel.sql"), queue, &refs, &[])
            .await
    }
}
