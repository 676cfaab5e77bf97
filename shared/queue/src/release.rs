//! Putting jobs back as if they had not been fetched.

use tokio_postgres::types::Type;

use crate::job::{JobRef, Refs};
use crate::settle::Settled;
use crate::{Connection, Error, Queue, StartAfter};

impl Queue {
    /// Puts active jobs back, uncharged: the next fetch counts no attempt for this one.
    /// They become due at `start_after`, or at once.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`].
    pub async fn release<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
        start_after: Option<&StartAfter>,
    ) -> Result<Settled, Error> {
        let start_after = start_after.map(StartAfter::text);
        self.settle(
            client,
            include_str!("release.sql"),
            queue,
            &Refs::new(jobs),
            &[(&start_after, Type::TEXT)],
        )
        .await
    }
}
