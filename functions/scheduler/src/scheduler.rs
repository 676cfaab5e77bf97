//! The loop: look, dispatch, sleep until something is due or somebody calls.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Pool;
use telecast_queue::Queue;
use telecast_runtime::{
    database::{Ear, Heard},
    invoke::Invoker,
};
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Source, Work,
    lane::{self, Found, Lane},
    upkeep,
};

/// Looks for jobs at least this often, whatever is known of when they are due:
/// others may change them.
const POLL: Duration = Duration::from_secs(1);

/// Between two looks that found nothing, at least: another scheduler may hold what
/// is due for a moment.
const BREATH: Duration = Duration::from_millis(2);

/// After a failure.
const RECOVER: Duration = Duration::from_secs(1);

/// Looks for flood waits that are over this often.
const RESUME: Duration = Duration::from_millis(500);

/// A pass of upkeep this often.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long a run lasts.
#[derive(Debug, Clone)]
pub enum Until {
    /// Until it is told to stop. Invocations under way are waited for.
    Stopped(CancellationToken),
    /// Until this time, or until nothing is due within the next minute.
    IdleOr(Instant),
}

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
}

/// What ends a wait.
enum Event {
    Time,
    Kick,
    Heard(Heard),
    Finished(Result<usize, JoinError>),
    Stop,
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
        }
    }

    /// Runs until told. Failures of the database are logged and waited out.
    pub async fn run(&mut self, until: Until) {
        let mut lanes: Vec<Lane> = self.work.iter().copied().map(Lane::new).collect();
        let mut under_way: JoinSet<usize> = JoinSet::new();
        let mut background: JoinSet<()> = JoinSet::new();
        let (mut resume_on, mut upkeep_on) = (Instant::now(), Instant::now());
        loop {
            if Instant::now() >= upkeep_on && background.is_empty() {
                upkeep_on = Instant::now() + UPKEEP;
                background.spawn(keep_up(self.pool.clone(), self.queue.clone()));
            }
            if Instant::now() >= resume_on {
                resume_on = Instant::now() + RESUME;
                match upkeep::resume_due(&self.pool).await {
                    Ok(true) => lanes.iter_mut().for_each(Lane::wake),
                    Ok(false) => {}
                    Err(error) => tracing::error!(%error, "could not look for ended flood waits"),
                }
            }
            for (at, lane) in lanes.iter_mut().enumerate() {
                self.dispatch(at, lane, &mut under_way).await;
            }
            while background.try_join_next().is_some() {}
            if is_over(&until, &lanes) {
                break;
            }
            let wake_on = lanes
                .iter()
                .filter(|lane| lane.has_room())
                .map(|lane| lane.look)
                .chain([resume_on, upkeep_on])
                .min()
                .unwrap_or(resume_on);
            match self.wait(wake_on, &until, &mut under_way).await {
                Event::Time => {}
                Event::Stop => break,
                Event::Kick | Event::Heard(Heard::Connected) => {
                    lanes.iter_mut().for_each(Lane::wake);
                }
                Event::Heard(Heard::Queues(queues)) => lanes
                    .iter_mut()
                    .filter(|lane| queues.contains(lane.work.queue))
                    .for_each(Lane::wake),
                Event::Finished(done) => finished(done, &mut lanes),
            }
        }
        // What was dispatched is not abandoned.
        while under_way.join_next().await.is_some() {}
        while background.join_next().await.is_some() {}
    }

    /// Starts invocations for as long as jobs are due and there is room.
    async fn dispatch(&self, at: usize, lane: &mut Lane, under_way: &mut JoinSet<usize>) {
        while lane.has_room() && lane.look <= Instant::now() {
            match lane.take(&self.pool, &self.queue).await {
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
                        if let Err(error) = tokio::spawn(invocation).await {
                            tracing::error!(queue = name, %error, "an invocation broke off");
                        }
                        at
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
        under_way: &mut JoinSet<usize>,
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
                Until::IdleOr(deadline) => sleep_until(*deadline).await,
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
    if let Err(error) = upkeep::upkeep(&pool, &queue).await {
        tracing::error!(%error, "upkeep failed; it is tried again");
    }
}

/// A finished invocation makes room. A handler that is not under limits may have
/// made work for other queues.
fn finished(done: Result<usize, JoinError>, lanes: &mut [Lane]) {
    let Some(lane) = done.ok().and_then(|at| lanes.get_mut(at)) else {
        return;
    };
    let was_full = !lane.has_room();
    lane.running -= 1;
    match lane.work.source {
        Source::Fetch => lanes.iter_mut().for_each(Lane::wake),
        Source::Limits if was_full => lane.wake(),
        Source::Limits => {}
    }
}

fn is_over(until: &Until, lanes: &[Lane]) -> bool {
    match until {
        Until::Stopped(token) => token.is_cancelled(),
        Until::IdleOr(deadline) => {
            let horizon = Instant::now() + IDLE;
            let is_idle = |lane: &Lane| {
                lane.running == 0 && lane.next_due.is_none_or(|next_due| next_due > horizon)
            };
            Instant::now() >= *deadline || lanes.iter().all(is_idle)
        }
    }
}
