//! Upkeep: what time does to jobs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use chrono::Utc;
use common::{bench_of, bench_with};
use serde_json::json;
use telecast_queue::{Failure, JobOptions, Policy, QueueOptions, State, Upkeep};

fn at_once() -> Upkeep {
    Upkeep {
        monitor_interval: Duration::ZERO,
        maintain_interval: Duration::ZERO,
        ..Upkeep::default()
    }
}

#[tokio::test]
async fn a_job_that_runs_too_long_is_retried_and_then_failed() {
    let bench = bench_with(QueueOptions {
        expire_in: Some(Duration::from_secs(5)),
        retry_limit: Some(1),
        ..QueueOptions::default()
    })
    .await;
    bench.send("a", JobOptions::default()).await;
    for (later, expired, state) in [
        (0, 0, State::Active),
        (6, 1, State::Retry),
        (6, 1, State::Failed),
    ] {
        let fetched = bench.fetch(1).await;
        bench
            .sql(&format!(
                "UPDATE pgboss.job SET started_on = started_on - interval '{later}s'"
            ))
            .await;
        let pass = bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap();
        assert_eq!(pass.expired, expired);
        let jobs = bench
            .queue
            .find(&bench.client, "q", &telecast_queue::Find::default())
            .await
            .unwrap();
        assert_eq!(jobs[0].state, state, "{fetched:?}");
        if state != State::Active {
            assert_eq!(
                jobs[0].output,
                Some(json!({"value": {"message": "job timed out"}}))
            );
        }
    }
}

#[tokio::test]
async fn a_job_without_a_sign_of_life_fails_long_before_it_expires() {
    let bench = bench_of(Policy::Standard).await;
    let options = JobOptions {
        heartbeat: Some(Duration::from_secs(10)),
        ..JobOptions::default()
    };
    bench.send("a", options).await;
    let job = bench.fetch_one().await;
    bench
        .sql("UPDATE pgboss.job SET heartbeat_on = now() - interval '11s'")
        .await;
    bench.queue.touch(&bench.client, "q", [&job]).await.unwrap();
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap()
            .expired,
        0
    );
    bench
        .sql("UPDATE pgboss.job SET heartbeat_on = now() - interval '11s'")
        .await;
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap()
            .expired,
        1
    );
    let output = bench.get(&job).await.output;
    assert_eq!(
        output,
        Some(json!({"value": {"message": "job heartbeat timeout"}}))
    );
}

#[tokio::test]
async fn what_is_long_done_or_waited_too_long_is_deleted() {
    let bench = bench_of(Policy::Standard).await;
    let keep = |seconds| JobOptions {
        delete_after: Some(Duration::from_secs(seconds)),
        ..JobOptions::default()
    };
    for (label, options) in [
        ("done", keep(10)),
        ("kept for ever", keep(0)),
        ("waits", JobOptions::default()),
    ] {
        bench.send(label, options).await;
    }
    let jobs = bench.fetch(2).await;
    bench
        .queue
        .complete(&bench.client, "q", &jobs, None)
        .await
        .unwrap();
    let later = |seconds| Upkeep {
        now: Some(Utc::now() + chrono::TimeDelta::seconds(seconds)),
        ..at_once()
    };
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &later(9), None)
            .await
            .unwrap()
            .deleted,
        0
    );
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &later(12), None)
            .await
            .unwrap()
            .deleted,
        1
    );
    let fortnight = 15 * 86_400;
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &later(fortnight), None)
            .await
            .unwrap()
            .deleted,
        1
    );
    assert_eq!(bench.count("state = 'completed'").await, 1);
}

#[tokio::test]
async fn many_share_the_upkeep_and_one_of_them_does_it() {
    let bench = bench_of(Policy::Standard).await;
    let hourly = Upkeep {
        monitor_interval: Duration::from_secs(3600),
        ..Upkeep::default()
    };
    let first = bench
        .queue
        .upkeep(&bench.client, &hourly, None)
        .await
        .unwrap();
    assert_eq!(first.monitored, ["q"]);
    let second = bench
        .queue
        .upkeep(&bench.client, &hourly, None)
        .await
        .unwrap();
    assert!(second.monitored.is_empty());
}

#[tokio::test]
async fn a_backlog_makes_a_warning() {
    let bench = bench_with(QueueOptions {
        warning_size: Some(1),
        ..QueueOptions::default()
    })
    .await;
    bench
        .insert(vec![
            ("a", JobOptions::default()),
            ("b", JobOptions::default()),
        ])
        .await;
    let upkeep = Upkeep {
        keep_warnings: true,
        ..at_once()
    };
    let pass = bench
        .queue
        .upkeep(&bench.client, &upkeep, None)
        .await
        .unwrap();
    assert_eq!(pass.backlogs, [("q".to_owned(), 2)]);
    let row = bench
        .client
        .query_typed_one("SELECT type FROM pgboss.warning", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>("type"), "queue_backlog");
}

#[tokio::test]
async fn a_failed_job_of_a_stately_queue_may_expire_too() {
    let bench = bench_of(Policy::Stately).await;
    bench.send("a", JobOptions::default()).await;
    let a = bench.fetch_one().await;
    bench
        .queue
        .fail(
            &bench.client,
            "q",
            [&a],
            &Failure {
                delay: Some(Duration::from_secs(60)),
                ..Failure::default()
            },
        )
        .await
        .unwrap();
    bench.send("b", JobOptions::default()).await;
    let b = bench.fetch_one().await;
    bench
        .sql("UPDATE pgboss.job SET started_on = now() - interval '1h' WHERE state = 'active'")
        .await;
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap()
            .expired,
        1
    );
    assert_eq!(bench.get(&b).await.state, State::Failed);
}
