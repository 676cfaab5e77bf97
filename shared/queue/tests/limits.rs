//! Limits: what is dispatched when. Time is told, so nothing here waits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use common::{Bench, bench_with};
use proptest::{prelude::*, test_runner::TestRunner};
use telecast_queue::{
    Job, QueueOptions,
    limits::{self, Limit},
};
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

/// The time of these tests: any whole second will do, but holds and changes of rate
/// go by the database's clock, so it is near now.
fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(Utc::now().timestamp() + 5, 0).unwrap()
}

fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::microseconds((seconds * 1e6) as i64)
}

/// A queue `q` with limits, and the queue limit `all` at this rate.
async fn limited(all: Limit) -> Bench {
    let bench = bench_with(QueueOptions {
        partition: true,
        ..QueueOptions::default()
    })
    .await;
    bench.client.batch_execute(limits::SCHEMA).await.unwrap();
    limits::set_queue_limit(&bench.client, "all", "q", all)
        .await
        .unwrap();
    bench
}

async fn group(bench: &Bench, id: &str, limit: Limit) {
    limits::set_group_limit(&bench.client, id, "all", limit)
        .await
        .unwrap();
}

/// So many jobs of a group, due at the test's beginning, with a key each or none.
async fn jobs(bench: &Bench, group: &str, count: i32, key: Option<&str>) {
    bench
        .client
        .execute(
            "INSERT INTO pgboss.job (name, data, group_id, group_tier, start_after)
             SELECT 'q', '{}', $1, $3, now() - interval '1 minute' FROM generate_series(1, $2)",
            &[&group, &count, &key],
        )
        .await
        .unwrap();
}

async fn dispatch(bench: &Bench, max: u32, now: DateTime<Utc>) -> Vec<Job> {
    limits::dispatch(&bench.queue, &bench.client, "q", max, Some(now))
        .await
        .unwrap()
}

/// Dispatches every `step` for `span`, until nothing more is granted each time; gives
/// the times of each group's jobs, in seconds.
async fn run(bench: &Bench, span: f64, step: f64) -> BTreeMap<String, Vec<f64>> {
    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let start = start();
    for tick in 0..(span / step) as i64 {
        let at = tick as f64 * step;
        loop {
            let jobs = dispatch(bench, 100, start + seconds(at)).await;
            if jobs.is_empty() {
                break;
            }
            for job in jobs {
                times.entry(job.group_id.unwrap()).or_default().push(at);
            }
        }
    }
    times
}

/// The most of these times in any window of so many seconds.
fn most_in(times: &[f64], window: f64) -> usize {
    times
        .iter()
        .map(|first| {
            times
                .iter()
                .filter(|at| (*first..*first + window).contains(*at))
                .count()
        })
        .max()
        .unwrap_or(0)
}

#[tokio::test]
async fn a_group_goes_at_its_rate() {
    let bench = limited(Limit::rate(100, SECOND)).await;
    group(&bench, "a", Limit::rate(4, SECOND)).await;
    jobs(&bench, "a", 100, None).await;
    let times = run(&bench, 10.0, 0.05).await;
    assert_eq!(times["a"].len(), 40);
    assert_eq!(most_in(&times["a"], 1.0), 4);
}

#[tokio::test]
async fn idle_time_earns_the_tolerance_and_no_more() {
    let generous = Limit {
        step: Duration::from_millis(1),
        tolerance: SECOND,
    };
    let bench = limited(generous).await;
    let limit = Limit {
        step: SECOND,
        tolerance: SECOND * 2,
    };
    group(&bench, "a", limit).await;
    jobs(&bench, "a", 100, None).await;
    let start = start();
    for now in [start, start + TimeDelta::hours(1)] {
        let mut burst = 0;
        loop {
            match dispatch(&bench, 100, now).await.len() {
                0 => break,
                granted => burst += granted,
            }
        }
        assert_eq!(burst, 3);
    }
}

#[tokio::test]
async fn groups_share_their_parents_rate_fairly() {
    let bench = limited(Limit::rate(10, SECOND)).await;
    for id in ["a", "b", "c", "d", "e"] {
        group(&bench, id, Limit::rate(10, SECOND)).await;
        jobs(&bench, id, 200, None).await;
    }
    let times = run(&bench, 20.0, 0.05).await;
    let all: usize = times.values().map(Vec::len).sum();
    assert_eq!(all, 200);
    for (id, times) in times {
        assert!((39..=41).contains(&times.len()), "{id}: {}", times.len());
    }
}

#[tokio::test]
async fn a_slow_group_keeps_its_rate_and_the_others_take_the_rest() {
    let bench = limited(Limit::rate(10, SECOND)).await;
    group(&bench, "slow", Limit::rate(1, SECOND)).await;
    group(&bench, "fast", Limit::rate(100, SECOND)).await;
    for id in ["slow", "fast"] {
        jobs(&bench, id, 300, None).await;
    }
    let times = run(&bench, 20.0, 0.05).await;
    assert_eq!((times["slow"].len(), times["fast"].len()), (20, 180));
}

#[tokio::test]
async fn a_held_group_waits_and_stops_no_other() {
    let bench = limited(Limit::rate(100, SECOND)).await;
    for id in ["held", "free"] {
        group(&bench, id, Limit::rate(10, SECOND)).await;
        jobs(&bench, id, 10, None).await;
    }
    limits::hold_indefinitely(&bench.client, "held")
        .await
        .unwrap();
    let times = run(&bench, 5.0, 0.1).await;
    assert_eq!(times.keys().collect::<Vec<_>>(), ["free"]);
    let due = limits::next_due(&bench.queue, &bench.client, "q", None).await;
    assert_eq!(due.unwrap(), None);
    limits::release(&bench.client, "held").await.unwrap();
    assert_eq!(run(&bench, 5.0, 0.1).await["held"].len(), 10);
}

#[tokio::test]
async fn a_longer_hold_outlasts_a_shorter_one() {
    let bench = limited(Limit::rate(1, SECOND)).await;
    let first = limits::hold(&bench.client, "all", SECOND * 90)
        .await
        .unwrap();
    let second = limits::hold(&bench.client, "all", SECOND * 5)
        .await
        .unwrap();
    assert!(!first.was_held && second.was_held);
    assert_eq!(first.until, second.until);
}

#[tokio::test]
async fn a_key_that_is_busy_steps_aside_and_hides_no_other() {
    let bench = limited(Limit::rate(100, SECOND)).await;
    group(&bench, "a", Limit::rate(100, SECOND)).await;
    group(&bench, "b", Limit::rate(100, SECOND)).await;
    jobs(&bench, "a", 3, Some("chat")).await;
    jobs(&bench, "b", 3, Some("chat")).await;
    jobs(&bench, "a", 1, Some("other")).await;
    let start = start();
    let mut keys = Vec::new();
    for tick in 0..100 {
        let now = start + TimeDelta::milliseconds(tick * 10);
        for job in dispatch(&bench, 10, now).await {
            keys.push(job.group_tier.unwrap());
        }
    }
    keys.sort();
    assert_eq!(keys, ["chat", "other"]);
    let times = run(&bench, 10.0, 0.1).await;
    assert_eq!(times.values().map(Vec::len).sum::<usize>(), 5);
}

#[tokio::test]
async fn a_faster_rate_counts_at_once() {
    let bench = limited(Limit::rate(1000, SECOND)).await;
    group(&bench, "a", Limit::rate(1, Duration::from_secs(600))).await;
    jobs(&bench, "a", 10, None).await;
    let now = Utc::now();
    assert_eq!(dispatch(&bench, 10, now).await.len(), 1);
    group(&bench, "a", Limit::rate(10, SECOND)).await;
    let soon = now + TimeDelta::milliseconds(500);
    assert_eq!(dispatch(&bench, 10, soon).await.len(), 1);
}

#[tokio::test]
async fn many_dispatchers_at_once_keep_the_limit_and_take_each_job_once() {
    let bench = limited(Limit {
        step: Duration::from_millis(10),
        tolerance: Duration::from_millis(40),
    })
    .await;
    for id in ["a", "b"] {
        group(&bench, id, Limit::rate(1000, SECOND)).await;
        jobs(&bench, id, 500, None).await;
    }
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(bench.database.connect().await);
    }
    let start = start();
    let mut taken: HashSet<Uuid> = HashSet::new();
    for tick in 0..50 {
        let now = Some(start + TimeDelta::milliseconds(tick * 10));
        let dispatches = clients
            .iter()
            .map(|client| limits::dispatch(&bench.queue, client, "q", 100, now));
        for jobs in futures_util::future::join_all(dispatches).await {
            for job in jobs.unwrap() {
                assert!(taken.insert(job.id), "dispatched twice");
            }
        }
        // One each 10 ms, and what the tolerance allows at the beginning.
        assert!(
            taken.len() as i64 <= tick + 1 + 4,
            "{tick}: {}",
            taken.len()
        );
    }
    assert!(taken.len() >= 48, "{}", taken.len());
}

#[tokio::test]
async fn the_next_due_time_is_when_a_limit_grants_again() {
    let bench = limited(Limit::rate(1, SECOND * 10)).await;
    group(&bench, "a", Limit::rate(1, SECOND)).await;
    jobs(&bench, "a", 2, None).await;
    let now = start();
    let due = async |now| {
        limits::next_due(&bench.queue, &bench.client, "q", Some(now))
            .await
            .unwrap()
    };
    assert_eq!(due(now).await, Some(Duration::ZERO));
    dispatch(&bench, 10, now).await;
    assert_eq!(due(now).await, Some(SECOND * 10));
}

/// Something that happens between two looks of a dispatcher.
#[derive(Debug, Clone)]
enum Event {
    Arrive { group: usize, jobs: u8 },
    Rate { group: usize, per_second: u32 },
    Hold { group: usize },
    Release { group: usize },
    Wait { milliseconds: u16 },
}

fn event() -> impl Strategy<Value = Event> {
    let group = 0..3_usize;
    prop_oneof![
        (group.clone(), 1..20_u8).prop_map(|(group, jobs)| Event::Arrive { group, jobs }),
        (group.clone(), 1..50_u32)
            .prop_map(|(group, per_second)| Event::Rate { group, per_second }),
        group.clone().prop_map(|group| Event::Hold { group }),
        group.prop_map(|group| Event::Release { group }),
        (1..3_000_u16).prop_map(|milliseconds| Event::Wait { milliseconds }),
    ]
}

/// Plays events; the parent's rate is never exceeded in any window, and once all holds
/// are released everything is dispatched.
async fn play(events: &[Event]) {
    let step = Duration::from_millis(50);
    let tolerance = Duration::from_millis(100);
    let bench = limited(Limit { step, tolerance }).await;
    let name = |group: usize| format!("group-{group}");
    for id in 0..3 {
        group(&bench, &name(id), Limit::rate(20, SECOND)).await;
    }
    let mut now = start();
    let (mut times, mut arrived) = (Vec::new(), 0_usize);
    let epoch = now;
    let look = async |now: DateTime<Utc>, times: &mut Vec<f64>| {
        loop {
            let jobs = dispatch(&bench, 7, now).await;
            if jobs.is_empty() {
                return;
            }
            times.extend(jobs.iter().map(|_| (now - epoch).as_seconds_f64()));
        }
    };
    for event in events {
        match event {
            Event::Arrive { group, jobs: count } => {
                arrived += usize::from(*count);
                jobs(&bench, &name(*group), i32::from(*count), None).await;
            }
            Event::Rate {
                group: id,
                per_second,
            } => {
                group(&bench, &name(*id), Limit::rate(*per_second, SECOND)).await;
            }
            Event::Hold { group } => limits::hold_indefinitely(&bench.client, &name(*group))
                .await
                .unwrap(),
            Event::Release { group } => {
                limits::release(&bench.client, &name(*group)).await.unwrap()
            }
            Event::Wait { milliseconds } => {
                now += TimeDelta::milliseconds(i64::from(*milliseconds));
                look(now, &mut times).await;
            }
        }
    }
    for id in 0..3 {
        limits::release(&bench.client, &name(id)).await.unwrap();
        group(&bench, &name(id), Limit::rate(20, SECOND)).await;
    }
    for _ in 0..arrived * 4 + 40 {
        now += TimeDelta::milliseconds(50);
        look(now, &mut times).await;
    }
    assert_eq!(times.len(), arrived, "work starved");
    for window in [0.5, 1.0, 5.0] {
        let most = ((window + tolerance.as_secs_f64()) / step.as_secs_f64()).round() + 1.0;
        // A hair less, lest rounding lets the window's end count with it.
        let window = window - 1e-6;
        assert!(most_in(&times, window) as f64 <= most, "{window} s");
    }
}

#[test]
fn whatever_happens_the_limit_holds_and_nothing_starves() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    TestRunner::new(ProptestConfig::with_cases(12))
        .run(&prop::collection::vec(event(), 1..30), |events| {
            runtime.block_on(play(&events));
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn a_day_grants_no_more_than_its_number_and_the_next_day_goes_on() {
    let bench = limited(Limit::rate(1_000, SECOND)).await;
    limits::set_daily(&bench.client, "all", Some(5))
        .await
        .unwrap();
    for name in ["a", "b"] {
        group(&bench, name, Limit::rate(1_000, SECOND)).await;
        jobs(&bench, name, 6, None).await;
    }
    let midnight = (start().date_naive() + TimeDelta::days(1))
        .and_time(chrono::NaiveTime::MIN)
        .and_utc();
    let mut granted = Vec::new();
    for hour in 0..72 {
        let now = midnight + TimeDelta::hours(hour);
        let mut jobs = 0;
        for step in 0..20 {
            let now = now + TimeDelta::milliseconds(100 * step);
            jobs += dispatch(&bench, 100, now).await.len();
        }
        granted.push(jobs);
    }
    let days: Vec<usize> = granted.chunks(24).map(|day| day.iter().sum()).collect();
    assert_eq!(days, [5, 5, 2]);
}

#[tokio::test]
async fn when_the_day_is_used_up_the_next_job_is_due_at_midnight() {
    let bench = limited(Limit::rate(1_000, SECOND)).await;
    limits::set_daily(&bench.client, "all", Some(1))
        .await
        .unwrap();
    group(&bench, "a", Limit::rate(1_000, SECOND)).await;
    jobs(&bench, "a", 2, None).await;
    let noon = (start().date_naive() + TimeDelta::days(1))
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
        + TimeDelta::hours(12);
    assert_eq!(dispatch(&bench, 100, noon).await.len(), 1);
    let later = noon + TimeDelta::hours(1);
    assert_eq!(dispatch(&bench, 100, later).await.len(), 0);
    let due = limits::next_due(&bench.queue, &bench.client, "q", Some(later))
        .await
        .unwrap();
    assert_eq!(due, Some(Duration::from_secs(11 * 3_600)));
    // Any number again.
    limits::set_daily(&bench.client, "all", None).await.unwrap();
    assert_eq!(dispatch(&bench, 100, later).await.len(), 1);
}
