//! Handlers in this process.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt;

use super::{Invoked, Invoker};
use crate::handler::{Deadline, Handler, Invocation};

/// Calls handlers as functions. A panic or a time-out costs one invocation, not the
/// process.
#[derive(Clone)]
pub struct InProcess {
    handlers: HashMap<&'static str, Arc<dyn Handler>>,
    timeout: Duration,
}

impl InProcess {
    /// No handlers yet; an invocation may take as long as `timeout`.
    pub fn new(timeout: Duration) -> Self {
        Self {
            handlers: HashMap::new(),
            timeout,
        }
    }

    /// Adds the handler of a queue.
    #[must_use]
    pub fn with(mut self, handler: impl Handler) -> Self {
        self.handlers.insert(handler.queue(), Arc::new(handler));
        self
    }
}

#[async_trait]
impl Invoker for InProcess {
    async fn invoke(&self, invocation: Invocation) -> Invoked {
        let Some(handler) = self.handlers.get(invocation.queue.as_str()) else {
            return Invoked::NotStarted {
                reason: format!("there is no handler for the queue {}", invocation.queue),
            };
        };
        let deadline = Deadline::after(self.timeout);
        let work = AssertUnwindSafe(handler.handle(invocation, deadline)).catch_unwind();
        match tokio::time::timeout_at(deadline.instant(), work).await {
            Ok(Ok(Ok(response))) => Invoked::Answered(response),
            Ok(Ok(Err(error))) => Invoked::Unknown {
                reason: error.to_string(),
            },
            Ok(Err(_)) => Invoked::Unknown {
                reason: "the handler panicked".to_owned(),
            },
            Err(_) => Invoked::Unknown {
                reason: format!("the handler took longer than {:?}", self.timeout),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::{HandlerError, InvocationResponse};

    /// Does what the invocation's queue job says.
    struct Obedient;

    #[async_trait]
    impl Handler for Obedient {
        fn queue(&self) -> &'static str {
            "obedient"
        }

        async fn handle(
            &self,
            invocation: Invocation,
            deadline: Deadline,
        ) -> Result<InvocationResponse, HandlerError> {
            match invocation.jobs.len() {
                0 => Ok(InvocationResponse::default()),
                1 => panic!("as asked"),
                _ => {
                    tokio::time::sleep_until(deadline.instant() + Duration::from_secs(1)).await;
                    Err("never reached".into())
                }
            }
        }
    }

    async fn invoke(queue: &str, jobs: usize) -> Invoked {
        let job = serde_json::json!({
            "id": "0190a0e0-0000-7000-8000-000000000000", "name": queue, "state": "active",
            "priority": 0, "retryLimit": 2, "retryCount": 0, "retryDelay": 0, "retryBackoff": false,
            "expireInSeconds": 60, "deleteAfterSeconds": 0, "startAfter": "2026-01-01T00:00:00Z",
            "createdOn": "2026-01-01T00:00:00Z", "keepUntil": "2026-01-01T00:00:00Z",
            "blocked": false, "blocking": false, "pendingDependencies": 0,
        });
        let invocation = Invocation {
            queue: queue.to_owned(),
            jobs: vec![serde_json::from_value(job).unwrap(); jobs],
        };
        InProcess::new(Duration::from_secs(30))
            .with(Obedient)
            .invoke(invocation)
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn each_end_of_an_invocation_is_told_apart() {
        assert!(matches!(invoke("obedient", 0).await, Invoked::Answered(_)));
        assert!(matches!(
            invoke("nobody", 0).await,
            Invoked::NotStarted { .. }
        ));
        assert!(matches!(
            invoke("obedient", 1).await,
            Invoked::Unknown { .. }
        ));
        let Invoked::Unknown { reason } = invoke("obedient", 2).await else {
            panic!("a time-out is no answer");
        };
        assert!(reason.contains("longer than 30s"), "{reason}");
    }
}
