//! Failing jobs: another attempt, or the end.

use std::time::Duration;

use serde_json::Value;
use tokio_postgres::types::Type;

use crate::job::{JobRef, Refs};
use crate::settle::{self, Settled};
use crate::{Connection, Error, Queue, validate};

/// How a job failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// What the job says of it: an object.
    pub output: Option<Value>,
    /// The pause before the next attempt, instead of what the job's options say.
    pub delay: Option<Duration>,
    /// No other attempt, whatever is left: the job has failed, and goes to its dead
    /// letter queue if it has one.
    pub terminal: bool,
}

impl Queue {
    /// Fails jobs that are not done: each waits for another attempt, after the pause
    /// its options ask for, or has failed. Given fences (or jobs), only while that
    /// attempt runs.
    ///
    /// # Errors
    /// [`Error::UnknownQueue`]; [`Error::Invalid`] for an output that is no object.
    pub async fn fail<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = R>,
        failure: &Failure,
    ) -> Result<Settled, Error> {
        self.fail_refs(client, queue, &Refs::new(jobs), None, failure)
            .await
    }

    /// Like [`Queue::fail`], with an output of its own for each job.
    ///
    /// # Errors
    /// As of [`Queue::fail`].
    pub async fn fail_each<R: Into<JobRef>>(
        &self,
        client: &impl Connection,
        queue: &str,
        jobs: impl IntoIterator<Item = (R, Option<Value>)>,
        failure: &Failure,
    ) -> Result<Settled, Error> {
        let (refs, outputs): (Vec<JobRef>, Vec<Option<Value>>) = jobs
            .into_iter()
            .map(|(job, output)| (job.into(), output))
            .unzip();
        self.fail_refs(client, queue, &Refs::new(refs), Some(outputs), failure)
            .await
    }

    async fn fail_refs(
        &self,
        client: &impl Connection,
        queue: &str,
        refs: &Refs,
        outputs: Option<Vec<Option<Value>>>,
        failure: &Failure,
    ) -> Result<Settled, Error> {
        let output = settle::output("output", failure.output.as_ref())?;
        for output in outputs.iter().flatten() {
            settle::output("output", output.as_ref())?;
        }
        validate::seconds("delay", failure.delay)?;
        let pause = failure.delay.map(|delay| delay.as_secs_f64());
        self.settle(
            client,
            include_str!("fail.sql"),
            queue,
            refs,
            &[
                (&outputs, Type::JSONB_ARRAY),
                (&output, Type::JSONB),
                (&failure.terminal, Type::BOOL),
                (&pause, Type::FLOAT8),
            ],
        )
        .await
    }
}
