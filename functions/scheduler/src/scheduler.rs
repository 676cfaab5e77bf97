//! The loop: look, dispatch, sleep until something is due or somebody calls.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use serde::Serialize;
use telecast_queue::Queue;
use telecast_runtime::{
    database::{Ear, Heard},
    invoke::Invoker,
};
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Source, Work,
    error::answered,
    lane::{self, Found, Lane},
    report, upkeep,
};

/// Looks for jobs at least this often, whatever is known of when they are due:
/// others may change them.
const POLL: Duration = Duration::from_secs(1);

/// Between two looks that found nothing, at least: another scheduler may hold what
/// is due for a moment.
const BREATH: Duration = Duration::from_millis(2);

/// After a failure.
const RECOVER: Duration = Duration::from_secs(1);

/// A look at the database is answered in milliseconds; one that takes so long never is.
const SILENCE: Duration = Duration::from_secs(10);

/// Upkeep may have much to remove.
const UPKEEP_SILENCE: Duration = Duration::from_secs(120);

/// Looks for flood waits that are over this often.
const RESUME: Duration = Duration::from_millis(500);

/// A pass of upkeep this often.
const UPKEEP: Duration = Duration::from_secs(5);

/// A report this often; a little less than a minute, so that each tick of a schedule
/// makes one.
const REPORT: Duration = Duration::from_secs(55);

/// How long a run lasts.
#[derive(Debug, Clone)]
pub enum Until {
    /// Until it is told to stop. Invocations under way are waited for.
    Stopped(CancellationToken),
    /// The same, but no longer than until a time, and no longer than something is due
    /// within the next minute. Invocations that are under way at the end of it are left
    /// to themselves: handlers elsewhere need no one to wait for them.
    IdleOr {
        /// The latest end.
        deadline: Instant,
        /// What tells it to stop.
        stop: CancellationToken,
    },
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ended {
    /// Nothing was due within the next minute.
    Idle,
    /// Its time was over; more is due.
    Deadline,
    /// It was told to.
    Stopped,
}

/// Kept free before a deadline, for invocations to be answered.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Nothing due for so long is idle.
const IDLE: Duration = Duration::from_secs(60);

/// Dispatches due queue jobs.
pub struct Scheduler {
    pool: Pool,
    queue: Queue,
    invoker: Arc<dyn Invoker>,
    work: Vec<Work>,
    kick: Arc<Notify>,
    ear: Option<Ear>,
    report_on: Instant,
}

/// What ends a wait.
enum Event {
    Time,
    Kick,
    Heard(Heard),
    Finished(Result<Finished, JoinError>),
    Stop,
}

/// An invocation that ended.
struct Finished {
    /// Of which lane.
    at: usize,
    /// Whether its handler was reached.
    is_started: bool,
}

impl Scheduler {
    /// A scheduler of these queues. `kick` makes it look at once; `ear`, where there
    /// is a session connection, tells of new jobs.
    pub fn new(
        pool: Pool,
        queue: Queue,
        invoker: Arc<dyn Invoker>,
        work: &[Work],
        kick: Arc<Notify>,
        ear: Option<Ear>,
    ) -> Self {
        Self {
            pool,
            queue,
            invoker,
            work: work.to_vec(),
            kick,
            ear,
            report_on: Instant::now(),
        }
    }

    /// Runs until told. Failures of the database are logged and waited out.
    pub async fn run(&mut self, until: Until) -> Ended {
        let mut lanes: Vec<Lane> = self.work.iter().copied().map(Lane::new).collect();
        let mut under_way: JoinSet<Finished> = JoinSet::new();
        let mut background: JoinSet<()> = JoinSet::new();
        let (mut resume_on, mut upkeep_on) = (Instant::now(), Instant::now());
        let ended = loop {
            if Instant::now() >= upkeep_on && background.is_empty() {
                upkeep_on = Instant::now() + UPKEEP;
                background.spawn(keep_up(self.pool.clone(), self.queue.clone()));
            }
            if Instant::now() >= self.report_on {
                self.report_on = Instant::now() + REPORT;
                let (pool, queue) = (self.pool.clone(), self.queue.clone());
                background.spawn(report(pool, queue, self.work.clone()));
            }
            if Instant::now() >= resume_on {
                resume_on = Instant::now() + RESUME;
                match answered(upkeep::resume_due(&self.pool), SILENCE).await {
                    Ok(true) => lanes.iter_mut().for_each(Lane::wake),
                    Ok(false) => {}
                    Err(error) => tracing::error!(%error, "could not look for ended flood waits"),
                }
            }
            for (at, lane) in lanes.iter_mut().enumerate() {
                self.dispatch(at, lane, &mut under_way).await;
            }
            while background.try_join_next().is_some() {}
            if let Some(ended) = until.is_over(&lanes) {
                break ended;
            }
            let wake_on = lanes
                .iter()
                .filter(|lane| lane.has_room())
                .map(|lane| lane.look)
                .chain([resume_on, upkeep_on])
                .min()
                .unwrap_or(resume_on);
            match self.wait(wake_on, &until, &mut under_way).await {
                Event::Time | Event::Stop => {}
                Event::Kick | Event::Heard(Heard::Connected) => {
                    lanes.iter_mut().for_each(Lane::wake);
                }
                Event::Heard(Heard::Queues(queues)) => lanes
                    .iter_mut()
                    .filter(|lane| queues.contains(lane.work.queue))
                    .for_each(Lane::wake),
                Event::Finished(done) => finished(done, &mut lanes),
            }
        };
        let all_done = async {
            while under_way.join_next().await.is_some() {}
            // Upkeep that is cut short is done again; nothing is lost by not waiting.
            let tidied = async { while background.join_next().await.is_some() {} };
            timeout(SILENCE, tidied).await.ok();
        };
        let in_time = match until {
            Until::IdleOr { deadline, .. } => timeout_at(deadline, all_done).await.is_ok(),
            Until::Stopped(_) => {
                all_done.await;
                true
            }
        };
        if !in_time {
            let invocations = under_way.len();
            tracing::info!(invocations, "left before the end of invocations");
            under_way.detach_all();
            background.detach_all();
        }
        ended
    }

    /// Starts invocations for as long as jobs are due and there is room.
    async fn dispatch(&self, at: usize, lane: &mut Lane, under_way: &mut JoinSet<Finished>) {
        while lane.has_room() && lane.look <= Instant::now() {
            match answered(lane.take(&self.pool, &self.queue), SILENCE).await {
                Ok(Found::Jobs(jobs)) => {
                    lane.running += 1;
                    lane.next_due = Some(Instant::now());
                    let name = lane.work.queue;
                    let invocation = lane::invoke(
                        Arc::clone(&self.invoker),
                        self.pool.clone(),
                        self.queue.clone(),
                        name,
                        jobs,
                    );
                    under_way.spawn(async move {
                        // A panic in here must not cost the lane its room.
                        let is_started = tokio::spawn(invocation).await.unwrap_or_else(|error| {
                            tracing::error!(queue = name, %error, "an invocation broke off");
                            true
                        });
                        Finished { at, is_started }
                    });
                }
                Ok(Found::Nothing(next_due)) => {
                    let now = Instant::now();
                    lane.next_due = next_due.map(|wait| now + wait);
                    let pause = next_due.unwrap_or(POLL).clamp(BREATH, POLL);
                    lane.look = now + pause;
                }
                Err(error) => {
                    tracing::error!(queue = lane.work.queue, %error, "could not take jobs");
                    lane.look = Instant::now() + RECOVER;
                }
            }
        }
    }

    async fn wait(
        &mut self,
        wake_on: Instant,
        until: &Until,
        under_way: &mut JoinSet<Finished>,
    ) -> Event {
        let ear = async {
            match &mut self.ear {
                Some(ear) => ear.next().await,
                None => std::future::pending().await,
            }
        };
        let stop = async {
            match until {
                Until::Stopped(token) => token.cancelled().await,
                Until::IdleOr { deadline, stop } => tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep_until(*deadline - LAST_ANSWERS) => {}
                },
            }
        };
        tokio::select! {
            biased;
            () = stop => Event::Stop,
            Some(done) = under_way.join_next() => Event::Finished(done),
            () = self.kick.notified() => Event::Kick,
            heard = ear => Event::Heard(heard),
            () = sleep_until(wake_on) => Event::Time,
        }
    }
}

async fn keep_up(pool: Pool, queue: Queue) {
    if let Err(error) = answered(upkeep::upkeep(&pool, &queue), UPKEEP_SILENCE).await {
        tracing::error!(%error, "upkeep failed; it is tried again");
    }
}

async fn report(pool: Pool, queue: Queue, work: Vec<Work>) {
    if let Err(error) = answered(report::report(&pool, &queue, &work), UPKEEP_SILENCE).await {
        tracing::error!(%error, "could not count the queues");
    }
}

/// A finished invocation makes room. One whose handler could not be reached makes its
/// lane wait; one that is not under limits may have made work for other queues.
fn finished(done: Result<Finished, JoinError>, lanes: &mut [Lane]) {
    let Ok(Finished { at, is_started }) = done else {
        return;
    };
    let Some(lane) = lanes.get_mut(at) else {
        return;
    };
    let was_full = !lane.has_room();
    lane.running -= 1;
    if !is_started {
        lane.hold();
        return;
    }
    match lane.work.source {
        Source::Fetch => lanes.iter_mut().for_each(Lane::wake),
        Source::Limits if was_full => lane.wake(),
        Source::Limits => {}
    }
}

impl Until {
    /// Why the run is over, if it is.
    fn is_over(&self, lanes: &[Lane]) -> Option<Ended> {
        let (Self::Stopped(stop) | Self::IdleOr { stop, .. }) = self;
        if stop.is_cancelled() {
            return Some(Ended::Stopped);
        }
        let Self::IdleOr { deadline, .. } = self else {
            return None;
        };
        if Instant::now() + LAST_ANSWERS >= *deadline {
            return Some(Ended::Deadline);
        }
        let horizon = Instant::now() + IDLE;
        let is_idle = |lane: &Lane| {
            lane.running == 0 && lane.next_due.is_none_or(|next_due| next_due > horizon)
        };
        lanes.iter().all(is_idle).then_some(Ended::Idle)
    }
}
