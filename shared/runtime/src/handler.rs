//! A handler: the code for one queue, the same in every way of running it.

use std::time::Duration;

pub use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use telecast_queue::Job;
use tokio::time::Instant;
use uuid::Uuid;

/// Queue jobs for a handler. As JSON, the body of an invocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// The queue they are from.
    pub queue: String,
    /// The queue jobs, active in the attempt that the fence of each names.
    pub jobs: Vec<Job>,
}

/// Which queue jobs did not go well; the others did. The convention of SQS's partial
/// batches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvocationResponse {
    /// One entry for each failure.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A queue job that did not go well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The queue job's id.
    pub item_identifier: String,
}

impl InvocationResponse {
    /// All went well but these.
    pub fn failing(ids: impl IntoIterator<Item = Uuid>) -> Self {
        let failure = |id: Uuid| BatchItemFailure {
            item_identifier: id.to_string(),
        };
        Self {
            batch_item_failures: ids.into_iter().map(failure).collect(),
        }
    }
}

/// When a handler must have settled its queue jobs.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// How long is left.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The moment itself.
    pub fn instant(self) -> Instant {
        self.0
    }
}

/// Why an invocation went wrong as a whole: its queue jobs are settled by expiry.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// The code for one queue. It settles its own queue jobs, in its own transaction.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The queue's name.
    fn queue(&self) -> &'static str;

    /// Works the queue jobs and settles them before the deadline.
    async fn handle(
        &self,
        invocation: Invocation,
        deadline: Deadline,
    ) -> Result<InvocationResponse, HandlerError>;
}
