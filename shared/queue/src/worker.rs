//! Working jobs off: handlers at once, and one conversation with the database for all.

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join, try_join_all};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::{Connection, Error, Failure, Fence, Fetch, Job, Listener, Queue, settle, validate};

/// What a handler makes of a job: its output, an object, or how it failed.
pub type Handled = Result<Option<Value>, Failure>;

/// Works the jobs of a queue.
///
/// Handlers run at once, each with a job of its own; the database hears of all of them
/// together. While one round trip is on its way handlers go on, and the next completes
/// what they did meanwhile and takes as many jobs as there is room for. So the busier
/// the worker is, the more jobs share a statement and its commit, and an idle one
/// completes a job the moment it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// The queue's name.
    pub queue: String,
    /// Handlers at once.
    pub concurrency: usize,
    /// Jobs that are taken before there is a handler for them. They are active from
    /// then on, and their expiry runs.
    pub ahead: usize,
    /// How often to look for jobs that nobody tells of: those that were deferred, and
    /// without a listener all of them.
    pub poll: Duration,
}

/// How long an ended job waits for others that end at the same time, so that they share
/// a trip. It waits for none where half of those begun have ended.
const LINGER: Duration = Duration::from_millis(1);

impl Worker {
    /// Ten jobs at once, none ahead; four looks a second.
    #[must_use]
    pub fn new(queue: impl Into<String>) -> Self {
        Self {
            queue: queue.into(),
            concurrency: 10,
            ahead: 0,
            poll: Duration::from_millis(250),
        }
    }

    /// Works until `stop` ends; then waits for the handlers that run, and puts back what
    /// none has begun. Where the listener's session is lost it goes on by looking. For
    /// more, run it on several connections at once.
    ///
    /// A handler that panics has failed its job.
    ///
    /// # Errors
    /// As of [`Queue::fetch`]. Jobs whose end could not be told expire.
    pub async fn run<C, H, F>(
        &self,
        queue: &Queue,
        connection: &C,
        mut listener: Option<Listener>,
        handler: H,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Error>
    where
        C: Connection + Sync,
        H: Fn(Job) -> F,
        F: Future<Output = Handled> + Send + 'static,
    {
        let mut stop = pin!(stop);
        let mut stopping = false;
        let mut look = interval(self.poll);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whether there may be jobs that were not asked for yet.
        let mut more = true;
        let mut asked = 0;
        let mut waiting: VecDeque<Job> = VecDeque::new();
        let mut running: JoinSet<(Fence, Handled)> = JoinSet::new();
        let mut ended = Ended::default();
        let mut linger = pin!(sleep(LINGER));
        let mut trip: Option<BoxFuture<'_, Result<Vec<Job>, Error>>> = None;
        loop {
            while !stopping && running.len() < self.concurrency {
                let Some(job) = waiting.pop_front() else {
                    break;
                };
                let fence = job.fence();
                let handled = AssertUnwindSafe(handler(job)).catch_unwind();
                running.spawn(async move { (fence, handled.await.unwrap_or_else(panicked)) });
            }
            if trip.is_none() {
                let taken = running.len() + waiting.len();
                let room = match more && !stopping {
                    true => (self.concurrency + self.ahead).saturating_sub(taken),
                    false => 0,
                };
                let ripe = ended.len() >= taken || linger.is_elapsed();
                let worthwhile = if ended.len() > 0 { ripe } else { room > 0 };
                if worthwhile {
                    more &= room == 0;
                    asked = room;
                    trip = Some(Box::pin(self.trip(
                        queue,
                        connection,
                        std::mem::take(&mut ended),
                        room,
                    )));
                } else if stopping && running.is_empty() && ended.len() == 0 {
                    break;
                }
            }
            tokio::select! {
                jobs = under_way(&mut trip) => {
                    trip = None;
                    let jobs = jobs?;
                    more |= asked > 0 && jobs.len() == asked;
                    waiting.extend(jobs);
                }
                Some(joined) = running.join_next() => {
                    if ended.len() == 0 {
                        linger.as_mut().reset(Instant::now() + LINGER);
                    }
                    ended.note(joined);
                    while let Some(joined) = running.try_join_next() {
                        ended.note(joined);
                    }
                }
                names = heard(&mut listener) => match names {
                    Some(names) => more |= names.contains(&self.queue),
                    None => listener = None,
                },
                () = linger.as_mut(), if trip.is_none() && ended.len() > 0 => {}
                _ = look.tick() => more = true,
                () = &mut stop, if !stopping => stopping = true,
            }
        }
        if !waiting.is_empty() {
            queue
                .release(connection, &self.queue, &waiting, None)
                .await?;
        }
        Ok(())
    }

    /// Tells of the jobs that ended, and takes up to `room` new ones, all in one round trip.
    async fn trip(
        &self,
        queue: &Queue,
        connection: &impl Connection,
        ended: Ended,
        room: usize,
    ) -> Result<Vec<Job>, Error> {
        let fail = ended
            .failed
            .iter()
            .map(|(fence, failure)| queue.fail(connection, &self.queue, [*fence], failure));
        let next = Fetch {
            batch: u32::try_from(room).unwrap_or(u32::MAX),
            ..Fetch::from(self.queue.as_str())
        };
        let completed = ended.completed;
        let go_on = async {
            match (completed.is_empty(), room) {
                (true, 0) => Ok(Vec::new()),
                (true, _) => queue.fetch(connection, &next).await,
                (false, 0) => {
                    let complete = queue.complete_each(connection, &self.queue, completed);
                    complete.await.map(|_| Vec::new())
                }
                (false, _) => {
                    queue
                        .complete_each_and_fetch(connection, completed, &next)
                        .await
                }
            }
        };
        let (_, jobs) = try_join(try_join_all(fail), go_on).await?;
        Ok(jobs)
    }
}

/// Attempts that ended, and nobody was told yet.
#[derive(Debug, Default)]
struct Ended {
    completed: Vec<(Fence, Option<Value>)>,
    failed: Vec<(Fence, Failure)>,
}

impl Ended {
    fn len(&self) -> usize {
        self.completed.len() + self.failed.len()
    }

    /// A task that did not join was aborted with its runtime; its job expires.
    fn note(&mut self, joined: Result<(Fence, Handled), tokio::task::JoinError>) {
        let Ok((fence, handled)) = joined else {
            return;
        };
        match handled.and_then(check_output).map_err(sound) {
            Ok(output) => self.completed.push((fence, output)),
            Err(failure) => self.failed.push((fence, failure)),
        }
    }
}

/// One job's wrong output must not keep the others from being settled.
fn check_output(output: Option<Value>) -> Handled {
    match settle::output("output", output.as_ref()) {
        Ok(_) => Ok(output),
        Err(error) => Err(failed(&error.to_string())),
    }
}

/// Nor must a wrong failure.
fn sound(failure: Failure) -> Failure {
    let output = settle::output("output", failure.output.as_ref()).map(drop);
    let delay = validate::seconds("delay", failure.delay).map(drop);
    match output.and(delay) {
        Ok(()) => failure,
        Err(error) => failed(&error.to_string()),
    }
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Handled {
    Err(failed("the handler panicked"))
}

fn failed(message: &str) -> Failure {
    Failure {
        output: Some(json!({ "message": message })),
        ..Failure::default()
    }
}

async fn under_way<T>(trip: &mut Option<BoxFuture<'_, T>>) -> T {
    match trip {
        Some(trip) => trip.await,
        None => pending().await,
    }
}

async fn heard(listener: &mut Option<Listener>) -> Option<BTreeSet<String>> {
    match listener {
        Some(listener) => listener.next().await,
        None => pending().await,
    }
}
