//! One queue's way: its due jobs are taken and handed to its handler.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use telecast_queue::{Fetch, Job, Queue, StartAfter, limits};
use telecast_runtime::{
    handler::Invocation,
    invoke::{Invoked, Invoker},
};
use tokio::time::Instant;
use tokio_postgres::types::Type;

use crate::{Error, Source, Work};

/// What was found when jobs were to be taken.
pub(crate) enum Found {
    /// Jobs, active now.
    Jobs(Vec<Job>),
    /// None that may go now; the next may after so long, if any waits.
    Nothing(Option<Duration>),
}

/// A queue job's pause where its handler could not be reached, and the lane's: what is
/// refused (429) or down is not helped by more calls.
const NOT_STARTED_PAUSE: Duration = Duration::from_secs(1);

/// A queue with what is under way of it.
pub(crate) struct Lane {
    pub(crate) work: Work,
    /// Invocations under way.
    pub(crate) running: usize,
    /// When to look for jobs again.
    pub(crate) look: Instant,
    /// Not before this: its handler could not be reached.
    held_until: Instant,
    /// When the next job is due, as far as known; none: no job waits.
    pub(crate) next_due: Option<Instant>,
}

impl Lane {
    pub(crate) fn new(work: Work) -> Self {
        Self {
            work,
            running: 0,
            look: Instant::now(),
            held_until: Instant::now(),
            next_due: Some(Instant::now()),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.running < self.work.concurrency
    }

    /// Looks for jobs as soon as there is room.
    pub(crate) fn wake(&mut self) {
        self.look = self.held_until.max(Instant::now());
    }

    /// Leaves the handler alone for a moment.
    pub(crate) fn hold(&mut self) {
        self.held_until = Instant::now() + NOT_STARTED_PAUSE;
        self.look = self.held_until;
    }

    /// Takes jobs that are due.
    pub(crate) async fn take(&self, pool: &Pool, queue: &Queue) -> Result<Found, Error> {
        let Work {
            queue: name,
            source,
            batch,
            ..
        } = self.work;
        let client = pool.get().await?;
        let jobs = match source {
            Source::Limits => limits::dispatch(queue, &**client, name, batch, None).await?,
            Source::Fetch => {
                let fetch = Fetch {
                    batch,
                    ..Fetch::from(name)
                };
                queue.fetch(&**client, &fetch).await?
            }
        };
        if !jobs.is_empty() {
            return Ok(Found::Jobs(jobs));
        }
        let next_due = match source {
            Source::Limits => limits::next_due(queue, &**client, name, None).await?,
            Source::Fetch => {
                let first = client
                    .query_typed_opt(include_str!("next_start.sql"), &[(&name, Type::TEXT)])
                    .await?;
                let wait = first.map(|row| row.try_get(0)).transpose()?;
                wait.map(Duration::from_secs_f64)
            }
        };
        Ok(Found::Nothing(next_due))
    }
}

/// Hands jobs to their handler, and gives whether it was reached. Jobs whose handler
/// certainly did not run go back, uncharged; in any other doubt expiry decides.
pub(crate) async fn invoke(
    invoker: Arc<dyn Invoker>,
    pool: Pool,
    queue: Queue,
    name: &'static str,
    jobs: Vec<Job>,
) -> bool {
    let fences: Vec<_> = jobs.iter().map(Job::fence).collect();
    let count = fences.len();
    let invocation = Invocation {
        queue: name.to_owned(),
        jobs,
    };
    let invoked = invoker.invoke(invocation).await;
    let is_started = !matches!(invoked, Invoked::NotStarted { .. });
    match invoked {
        Invoked::Answered(response) => {
            let failed = response.batch_item_failures.len();
            tracing::debug!(queue = name, jobs = count, failed, "handled");
        }
        Invoked::Accepted => tracing::debug!(queue = name, jobs = count, "accepted"),
        Invoked::Unknown { reason } => {
            tracing::warn!(
                queue = name,
                jobs = count,
                reason,
                "no answer; expiry decides"
            );
        }
        Invoked::NotStarted { reason } => {
            tracing::warn!(
                queue = name,
                jobs = count,
                reason,
                "not started; giving back"
            );
            let pause = StartAfter::In(NOT_STARTED_PAUSE);
            let given_back = async {
                let client = pool.get().await?;
                queue.release(&**client, name, fences, Some(&pause)).await?;
                Ok::<_, Error>(())
            };
            if let Err(error) = given_back.await {
                tracing::warn!(queue = name, %error, "could not give back; expiry decides");
            }
        }
    }
    is_started
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TELECAST;

    #[test]
    fn a_handler_that_was_not_reached_is_left_alone_whoever_calls() {
        let mut lane = Lane::new(TELECAST[0]);
        let before = Instant::now();
        lane.wake();
        assert!(lane.look >= before && lane.look <= Instant::now());
        lane.hold();
        let held_until = lane.look;
        assert!(held_until >= before + NOT_STARTED_PAUSE);
        lane.wake();
        assert_eq!(lane.look, held_until);
    }
}
