//! Random operations by several workers, on PostgreSQL and on a model of a few lines:
//! both must agree on each answer, and on every job in the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::{Bench, bench};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use telecast_queue::{
    Error, Failure, Fence, Fetch, Find, JobOptions, Policy, QueueOptions, Send, Sent, Settled,
    StartAfter, State, Upkeep,
};
use uuid::Uuid;

const RETRY_LIMIT: i32 = 1;

#[derive(Clone, Debug)]
enum Operation {
    Send {
        key: u8,
        priority: i32,
        deferred: bool,
    },
    Fetch {
        batch: u32,
    },
    /// Of attempts handed out so far, old ones too.
    Complete(usize),
    Fail(usize),
    Release(usize),
    /// Of jobs sent so far.
    Cancel(usize),
    Resume(usize),
    Retry(usize),
    Delete(usize),
    /// An hour passes for active jobs.
    Expire,
    /// An hour passes for waiting jobs.
    BecomeDue,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    prop_oneof![
        6 => (0..3_u8, 0..2_i32, prop::bool::weighted(0.2))
            .prop_map(|(key, priority, deferred)| Send { key, priority, deferred }),
        6 => (1..4_u32).prop_map(|batch| Fetch { batch }),
        3 => any::<usize>().prop_map(Complete),
        3 => any::<usize>().prop_map(Fail),
        2 => any::<usize>().prop_map(Release),
        2 => any::<usize>().prop_map(Cancel),
        2 => any::<usize>().prop_map(Resume),
        2 => any::<usize>().prop_map(Retry),
        1 => any::<usize>().prop_map(Delete),
        1 => Just(Expire),
        1 => Just(BecomeDue),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    use Policy::*;
    prop::sample::select(vec![
        Standard,
        Short,
        Singleton,
        Stately,
        Exclusive,
        KeyStrictFifo,
    ])
}

#[derive(Clone, Debug, PartialEq)]
struct ModelJob {
    id: Uuid,
    key: u8,
    priority: i32,
    due: bool,
    state: State,
    retry_count: i32,
    retry_limit: i32,
    /// The number of the attempt that began last and was not taken back.
    attempt: Option<usize>,
}

/// The state machine, jobs in the order in which they were created.
struct Model {
    policy: Policy,
    jobs: Vec<ModelJob>,
    attempts: usize,
}

impl Model {
    fn waits(state: State) -> bool {
        state < State::Active
    }

    /// Whether another job has the place that a job would take by being in this state.
    fn taken(&self, id: Uuid, key: u8, state: State) -> bool {
        let among: &[State] = match self.policy {
            Policy::Standard => &[],
            Policy::Short => &[State::Created],
            Policy::Singleton => &[State::Active],
            Policy::Stately if state <= State::Active => &[state],
            Policy::Stately => &[],
            Policy::Exclusive => &[State::Created, State::Retry, State::Active],
            Policy::KeyStrictFifo => &[State::Active, State::Retry, State::Failed],
        };
        let other = |job: &&ModelJob| job.id != id && job.key == key;
        among.contains(&state)
            && self
                .jobs
                .iter()
                .filter(other)
                .any(|job| among.contains(&job.state))
    }

    fn has(&self, key: u8, state: State) -> bool {
        self.jobs
            .iter()
            .any(|job| job.key == key && job.state == state)
    }

    fn fetch(&mut self, batch: usize) -> Vec<Uuid> {
        let mut ready: Vec<&ModelJob> = self
            .jobs
            .iter()
            .filter(|job| Self::waits(job.state) && job.due)
            .collect();
        match self.policy {
            Policy::Singleton | Policy::Stately => {
                ready.retain(|job| !self.has(job.key, State::Active))
            }
            Policy::KeyStrictFifo => {
                // The head of each key: a retry, else the oldest.
                ready.sort_by_key(|job| std::cmp::Reverse(job.state));
                let mut seen = HashSet::new();
                ready.retain(|job| seen.insert(job.key));
                ready.retain(|job| {
                    !self.jobs.iter().any(|other| {
                        let blocks = [State::Active, State::Retry, State::Failed];
                        other.id != job.id && other.key == job.key && blocks.contains(&other.state)
                    })
                });
                let age = |id: Uuid| self.jobs.iter().position(|job| job.id == id);
                ready.sort_by_key(|job| age(job.id));
            }
            _ => {}
        }
        ready.sort_by_key(|job| std::cmp::Reverse(job.priority));
        ready.truncate(batch);
        if matches!(self.policy, Policy::Singleton | Policy::Stately) {
            let mut seen = HashSet::new();
            ready.retain(|job| seen.insert(job.key));
        }
        let ids: Vec<Uuid> = ready.iter().map(|job| job.id).collect();
        for id in &ids {
            self.attempts += 1;
            let attempt = self.attempts;
            if let Some(job) = self.jobs.iter_mut().find(|job| job.id == *id) {
                job.state = State::Active;
                job.retry_count += i32::from(job.attempt.is_some());
                job.attempt = Some(attempt);
            }
        }
        ids
    }

    fn active(&self, id: Uuid, attempt: usize) -> Option<usize> {
        self.jobs.iter().position(|job| {
            job.id == id && job.state == State::Active && job.attempt == Some(attempt)
        })
    }

    fn fail(&mut self, place: usize) {
        let job = self.jobs[place].clone();
        let again = job.retry_count < job.retry_limit
            && !(self.policy == Policy::Stately && self.taken(job.id, job.key, State::Retry));
        self.jobs[place].state = if again { State::Retry } else { State::Failed };
    }

    /// False where the policy has no place for it.
    fn release(&mut self, place: usize) -> bool {
        let job = self.jobs[place].clone();
        let (own, other) = if job.retry_count > 0 {
            (State::Retry, State::Created)
        } else {
            (State::Created, State::Retry)
        };
        let is_limited = matches!(self.policy, Policy::Short | Policy::Stately);
        let state = if is_limited && self.taken(job.id, job.key, own) {
            other
        } else {
            own
        };
        if self.taken(job.id, job.key, state) {
            return false;
        }
        self.jobs[place].state = state;
        self.jobs[place].attempt = None;
        self.jobs[place].due = true;
        true
    }
}

/// The answer of the queue: how many it changed, or that there was no place.
fn changed(answer: Result<Settled, Error>) -> Option<usize> {
    match answer {
        Ok(settled) => Some(settled.affected()),
        Err(Error::Conflict(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

struct Run<'a> {
    bench: &'a Bench,
    name: &'a str,
    model: Model,
    /// Attempts handed out: the job, the model's number and the queue's fence.
    handed_out: Vec<(Uuid, usize, Fence)>,
    sent: Vec<Uuid>,
}

impl Run<'_> {
    async fn step(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        let (queue, client, name) = (&self.bench.queue, &self.bench.client, self.name);
        let attempt = |n: usize| {
            (!self.handed_out.is_empty()).then(|| self.handed_out[n % self.handed_out.len()])
        };
        let sent = |n: usize| (!self.sent.is_empty()).then(|| self.sent[n % self.sent.len()]);
        match *operation {
            Operation::Send {
                key,
                priority,
                deferred,
            } => {
                let send = Send {
                    options: JobOptions {
                        singleton_key: Some(key.to_string()),
                        priority,
                        start_after: deferred.then_some(StartAfter::In(Duration::from_secs(3600))),
                        ..JobOptions::default()
                    },
                    ..Send::to(name)
                };
                let answer = queue.send(client, &send).await.unwrap();
                let expected = !self.model.taken(Uuid::nil(), key, State::Created);
                prop_assert_eq!(answer != Sent::Refused, expected);
                if let Some(id) = answer.id() {
                    self.sent.push(id);
                    self.model.jobs.push(ModelJob {
                        id,
                        key,
                        priority,
                        due: !deferred,
                        state: State::Created,
                        retry_count: 0,
                        retry_limit: RETRY_LIMIT,
                        attempt: None,
                    });
                }
            }
            Operation::Fetch { batch } => {
                let fetch = Fetch {
                    batch,
                    ..Fetch::from(name)
                };
                let jobs = queue.fetch(client, &fetch).await.unwrap();
                let ids: Vec<Uuid> = jobs.iter().map(|job| job.id).collect();
                prop_assert_eq!(ids, self.model.fetch(batch as usize));
                let first = self.model.attempts - jobs.len() + 1;
                for (n, job) in jobs.iter().enumerate() {
                    self.handed_out.push((job.id, first + n, job.fence()));
                }
            }
            Operation::Complete(n) => {
                let Some((id, attempt, fence)) = attempt(n) else {
                    return Ok(());
                };
                let answer = changed(queue.complete(client, name, [fence], None).await);
                let place = self.model.active(id, attempt);
                prop_assert_eq!(answer, Some(usize::from(place.is_some())));
                if let Some(place) = place {
                    self.model.jobs[place].state = State::Completed;
                }
            }
            Operation::Fail(n) => {
                let Some((id, attempt, fence)) = attempt(n) else {
                    return Ok(());
                };
                let answer = changed(queue.fail(client, name, [fence], &Failure::default()).await);
                // A fence also holds while the attempt waits again, until the next begins.
                let place = self.model.jobs.iter().position(|job| {
                    job.id == id && job.attempt == Some(attempt) && job.state < State::Completed
                });
                let expected = place.map(|place| {
                    let job = self.model.jobs[place].clone();
                    let fails = job.retry_count >= job.retry_limit;
                    let collides = job.state != State::Active
                        && self.model.taken(
                            job.id,
                            job.key,
                            if fails { State::Failed } else { State::Retry },
                        )
                        && self.model.policy == Policy::KeyStrictFifo;
                    (place, collides)
                });
                match expected {
                    Some((_, true)) => prop_assert_eq!(answer, None),
                    Some((place, false)) => {
                        prop_assert_eq!(answer, Some(1));
                        self.model.fail(place);
                    }
                    None => prop_assert_eq!(answer, Some(0)),
                }
            }
            Operation::Release(n) => {
                let Some((id, attempt, fence)) = attempt(n) else {
                    return Ok(());
                };
                let answer = changed(queue.release(client, name, [fence], None).await);
                let expected = match self.model.active(id, attempt) {
                    Some(place) => self.model.release(place).then_some(1),
                    None => Some(0),
                };
                prop_assert_eq!(answer, expected);
            }
            Operation::Cancel(n) => {
                let Some(id) = sent(n) else { return Ok(()) };
                let answer = changed(queue.cancel(client, name, [id]).await);
                self.settle(
                    answer,
                    id,
                    |state| state < State::Completed,
                    State::Cancelled,
                )?;
            }
            Operation::Resume(n) => {
                let Some(id) = sent(n) else { return Ok(()) };
                let answer = changed(queue.resume(client, name, [id]).await);
                self.settle(
                    answer,
                    id,
                    |state| state == State::Cancelled,
                    State::Created,
                )?;
            }
            Operation::Retry(n) => {
                let Some(id) = sent(n) else { return Ok(()) };
                let answer = changed(queue.retry(client, name, [id]).await);
                if self.settle(answer, id, |state| state == State::Failed, State::Retry)? {
                    let job = self.model.jobs.iter_mut().find(|job| job.id == id);
                    job.unwrap().retry_limit += 1;
                }
            }
            Operation::Delete(n) => {
                let Some(id) = sent(n) else { return Ok(()) };
                let answer = changed(queue.delete(client, name, [id]).await);
                let before = self.model.jobs.len();
                self.model.jobs.retain(|job| job.id != id);
                prop_assert_eq!(answer, Some(before - self.model.jobs.len()));
            }
            Operation::Expire => {
                let upkeep = Upkeep {
                    monitor_interval: Duration::ZERO,
                    maintain_interval: Duration::MAX,
                    now: Some(Utc::now() + TimeDelta::hours(1)),
                    ..Upkeep::default()
                };
                let pass = queue.upkeep(client, &upkeep, Some(&[name])).await.unwrap();
                let late: Vec<usize> = (0..self.model.jobs.len())
                    .filter(|place| self.model.jobs[*place].state == State::Active)
                    .collect();
                prop_assert_eq!(pass.expired, late.len() as u64);
                late.into_iter().for_each(|place| self.model.fail(place));
            }
            Operation::BecomeDue => {
                self.bench
                    .sql("UPDATE pgboss.job SET start_after = now() WHERE start_after > now()")
                    .await;
                self.model.jobs.iter_mut().for_each(|job| job.due = true);
            }
        }
        Ok(())
    }

    /// An operation on a job by its id: from some states into one, if that has place.
    fn settle(
        &mut self,
        answer: Option<usize>,
        id: Uuid,
        from: impl Fn(State) -> bool,
        to: State,
    ) -> Result<bool, TestCaseError> {
        let place = self
            .model
            .jobs
            .iter()
            .position(|job| job.id == id && from(job.state));
        let Some(place) = place else {
            prop_assert_eq!(answer, Some(0));
            return Ok(false);
        };
        let taken = self.model.taken(id, self.model.jobs[place].key, to);
        prop_assert_eq!(answer, (!taken).then_some(1));
        if !taken {
            self.model.jobs[place].state = to;
        }
        Ok(!taken)
    }

    /// Every job in the database, in the model's terms.
    async fn agree(&self) -> Result<(), TestCaseError> {
        let find = Find::default();
        let mut jobs = self
            .bench
            .queue
            .find(&self.bench.client, self.name, &find)
            .await
            .unwrap();
        jobs.sort_by_key(|job| job.created_on);
        let seen: Vec<_> = jobs
            .iter()
            .map(|job| {
                (
                    job.id,
                    job.state,
                    job.retry_count,
                    job.retry_limit,
                    job.started_on.is_some(),
                )
            })
            .collect();
        let expected: Vec<_> = self
            .model
            .jobs
            .iter()
            .map(|job| {
                (
                    job.id,
                    job.state,
                    job.retry_count,
                    job.retry_limit,
                    job.attempt.is_some(),
                )
            })
            .collect();
        prop_assert_eq!(seen, expected);
        Ok(())
    }
}

#[test]
fn the_queue_agrees_with_the_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(bench());
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let cases = (policy(), prop::collection::vec(operation(), 1..80));
    let result = runner.run(&cases, |(policy, operations)| {
        runtime.block_on(async {
            let name = format!("q-{}", Uuid::new_v4());
            let options = QueueOptions {
                policy,
                retry_limit: Some(RETRY_LIMIT.unsigned_abs()),
                ..QueueOptions::default()
            };
            bench
                .queue
                .create_queue(&bench.client, &name, &options)
                .await
                .unwrap();
            let mut run = Run {
                bench: &bench,
                name: &name,
                model: Model {
                    policy,
                    jobs: Vec::new(),
                    attempts: 0,
                },
                handed_out: Vec::new(),
                sent: Vec::new(),
            };
            for operation in &operations {
                run.step(operation).await?;
            }
            run.agree().await
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
