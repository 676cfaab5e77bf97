//! Completing jobs.

use futures_util::future::try_join;
use serde_json::Value;
use tokio_postgres::types::Type;

use crate::job::{JobRef, Refs};
use crate::settle::{self, Settled};
use crate::{Connection, Error, Fetch, Job, Queue};

impl Queue {
    /// Completes active jobs, with one output for all. Given fences (or jobs), it
    /// completes an attempt only while that attempt runs: one that expired and began
    /// again elsewhere is left alone.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`] for an output that is no object.
    pub async fn complete<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
        output: Option<&Value>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.complete_refs(client, queue, &refs, None, output, false)
            .await
    }

    /// Like [`Queue::complete`], and completes jobs that wait in the queue too.
    ///
    /// # Errors
    /// As of [`Queue::complete`].
    pub async fn complete_queued<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
        output: Option<&Value>,
    ) -> Result<Settled, Error> {
        let refs = Refs::new(jobs);
        self.complete_refs(client, queue, &refs, None, output, true)
            .await
    }

    /// Like [`Queue::complete`], with an output of its own for each job.
    ///
    /// # Errors
    /// As of [`Queue::complete`].
    pub async fn complete_each<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = (R, Option<Value>)>,
    ) -> Result<Settled, Error> {
        let (refs, outputs): (Vec<JobRef>, Vec<Option<Value>>) = jobs
            .into_iter()
            .map(|(job, output)| (job.into(), output))
            .unzip();
        let refs = Refs::new(refs);
        self.complete_refs(client, queue, &refs, Some(outputs), None, false)
            .await
    }

    /// Completes jobs and takes the next ones, in one round trip: both statements go
    /// out together, and the second sees what the first did.
    ///
    /// # Errors
    /// As of [`Queue::complete`] and [`Queue::fetch`]. Where the one fails the other may
    /// have happened; jobs fetched then expire, unless it was all in a transaction.
    pub async fn complete_and_fetch<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        jobs: impl IntoIterator<Item = R>,
        output: Option<&Value>,
        next: &Fetch,
    ) -> Result<(Settled, Vec<Job>), Error> {
        let complete = self.complete(client, &next.queue, jobs, output);
        try_join(complete, self.fetch(client, next)).await
    }

    async fn complete_refs(
        &self,
        client: &impl Connection,
        queue: &str,
        refs: &Refs,
        outputs: Option<Vec<Option<Value>>>,
        output: Option<&Value>,
        queued: bool,
    ) -> Result<Settled, Error> {
        let output = settle::output("output", output)?;
        for output in outputs.iter().flatten() {
            settle::output("output", output.as_ref())?;
        }
        let settled = self
            .settle(
                client,
                include_str!("complete.sql"),
                queue,
                refs,
                &[
                    (&outputs, Type::JSONB_ARRAY),
                    (&output, Type::JSONB),
                    (&queued, Type::BOOL),
                ],
            )
            .await?;
        if settled.blocking {
            self.release_dependents(client, Some(&[queue])).await?;
        }
        Ok(settled)
    }
}
