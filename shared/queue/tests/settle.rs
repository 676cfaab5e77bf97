//! Settling: completing, failing, releasing, cancelling, and who may.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use chrono::TimeDelta;
use common::{bench_of, bench_with, key, label, labels, output};
use serde_json::json;
use telecast_queue::{Failure, JobOptions, Policy, QueueOptions, StartAfter, State};

fn retries(limit: u32) -> QueueOptions {
    QueueOptions {
        retry_limit: Some(limit),
        ..QueueOptions::default()
    }
}

#[tokio::test]
async fn a_completed_job_keeps_its_output() {
    let bench = bench_of(Policy::Standard).await;
    bench.send("a", JobOptions::default()).await;
    let job = bench.fetch_one().await;
    let done = output("done");
    let settled = bench
        .queue
        .complete(&bench.client, "q", [&job], done.as_ref())
        .await
        .unwrap();
    assert_eq!(settled.ids, [job.id]);
    let job = bench.get(&job).await;
    assert_eq!((job.state, job.output), (State::Completed, done));
    assert!(job.completed_on.is_some());
}

#[tokio::test]
async fn each_job_of_a_batch_may_have_its_own_output() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .insert(vec![
            ("a", JobOptions::default()),
            ("b", JobOptions::default()),
        ])
        .await;
    let jobs = bench.fetch(2).await;
    let outputs = [(&jobs[0], output("one")), (&jobs[1], None)];
    bench
        .queue
        .complete_each(&bench.client, "q", outputs)
        .await
        .unwrap();
    assert_eq!(bench.get(&jobs[0]).await.output, output("one"));
    assert_eq!(bench.get(&jobs[1]).await.output, None);
}

#[tokio::test]
async fn only_an_active_job_is_completed_unless_asked_for() {
    let bench = bench_of(Policy::Standard).await;
    let id = bench.send("a", JobOptions::default()).await.id().unwrap();
    let settled = bench
        .queue
        .complete(&bench.client, "q", [id], None)
        .await
        .unwrap();
    assert_eq!((settled.requested, settled.affected()), (1, 0));
    let settled = bench
        .queue
        .complete_queued(&bench.client, "q", [id], None)
        .await
        .unwrap();
    assert!(settled.all());
}

#[tokio::test]
async fn a_stale_attempt_settles_nothing() {
    let bench = bench_with(retries(5)).await;
    bench.send("a", JobOptions::default()).await;
    let first = bench.fetch_one().await;
    bench
        .queue
        .fail(&bench.client, "q", [&first], &Failure::default())
        .await
        .unwrap();
    let second = bench.fetch_one().await;
    assert_eq!(second.retry_count, 1);

    let settled = bench
        .queue
        .complete(&bench.client, "q", [&first], None)
        .await
        .unwrap();
    assert_eq!(settled.affected(), 0);
    let failure = Failure::default();
    assert_eq!(
        bench
            .queue
            .fail(&bench.client, "q", [&first], &failure)
            .await
            .unwrap()
            .affected(),
        0
    );
    assert_eq!(
        bench
            .queue
            .release(&bench.client, "q", [&first], None)
            .await
            .unwrap()
            .affected(),
        0
    );
    assert_eq!(bench.get(&second).await.state, State::Active);
    assert!(
        bench
            .queue
            .complete(&bench.client, "q", [second.fence()], None)
            .await
            .unwrap()
            .all()
    );
}

#[tokio::test]
async fn a_released_job_is_not_charged_and_its_two_attempts_are_told_apart() {
    let bench = bench_of(Policy::Standard).await;
    bench.send("a", JobOptions::default()).await;
    let first = bench.fetch_one().await;
    assert!(
        bench
            .queue
            .release(&bench.client, "q", [&first], None)
            .await
            .unwrap()
            .all()
    );
    let waiting = bench.get(&first).await;
    assert_eq!((waiting.state, waiting.started_on), (State::Created, None));

    let second = bench.fetch_one().await;
    assert_eq!(second.retry_count, 0);
    assert_ne!(first.fence(), second.fence());
    assert_eq!(
        bench
            .queue
            .complete(&bench.client, "q", [&first], None)
            .await
            .unwrap()
            .affected(),
        0
    );
    assert!(
        bench
            .queue
            .complete(&bench.client, "q", [&second], None)
            .await
            .unwrap()
            .all()
    );
}

#[tokio::test]
async fn a_job_released_for_later_is_kept_for_as_long_after() {
    let bench = bench_of(Policy::Standard).await;
    bench.send("a", JobOptions::default()).await;
    let job = bench.fetch_one().await;
    let later = StartAfter::In(Duration::from_secs(100_000_000));
    bench
        .queue
        .release(&bench.client, "q", [&job], Some(&later))
        .await
        .unwrap();
    let released = bench.get(&job).await;
    assert!(released.start_after - job.start_after > TimeDelta::seconds(99_999_999));
    assert_eq!(
        released.keep_until - released.start_after,
        job.keep_until - job.start_after
    );
    assert!(bench.fetch(1).await.is_empty());
}

#[tokio::test]
async fn a_failing_job_is_retried_until_its_limit() {
    let bench = bench_with(retries(2)).await;
    bench.send("a", JobOptions::default()).await;
    for attempt in 0..3 {
        let job = bench.fetch_one().await;
        assert_eq!(job.retry_count, attempt);
        let failure = Failure {
            output: output("why"),
            ..Failure::default()
        };
        bench
            .queue
            .fail(&bench.client, "q", [&job], &failure)
            .await
            .unwrap();
        let expected = if attempt < 2 {
            State::Retry
        } else {
            State::Failed
        };
        let job = bench.get(&job).await;
        assert_eq!((job.state, job.output), (expected, output("why")));
    }
    assert!(bench.fetch(1).await.is_empty());
}

#[tokio::test]
async fn the_pause_grows_with_backoff_up_to_its_maximum() {
    let bench = bench_of(Policy::Standard).await;
    let options = JobOptions {
        retry_limit: Some(30),
        retry_delay: Some(Duration::from_secs(10)),
        retry_backoff: Some(true),
        retry_delay_max: Some(Duration::from_secs(60)),
        ..JobOptions::default()
    };
    bench.send("a", options).await;
    for (least, most) in [(10, 20), (20, 40), (40, 60), (60, 60)] {
        let job = bench.fetch_one().await;
        bench
            .queue
            .fail(&bench.client, "q", [&job], &Failure::default())
            .await
            .unwrap();
        let pause = bench
            .client
            .query_typed_one(
                "SELECT extract(epoch FROM start_after - now())::float8 FROM pgboss.job",
                &[],
            )
            .await
            .unwrap()
            .get::<_, f64>(0);
        assert!(
            (f64::from(least) - 1.0..=f64::from(most)).contains(&pause),
            "{pause}"
        );
        bench.sql("UPDATE pgboss.job SET start_after = now()").await;
    }
}

#[tokio::test]
async fn a_failure_may_name_its_pause_or_be_the_last() {
    let bench = bench_with(retries(5)).await;
    bench.send("a", JobOptions::default()).await;
    let job = bench.fetch_one().await;
    let failure = Failure {
        delay: Some(Duration::from_secs(50)),
        ..Failure::default()
    };
    bench
        .queue
        .fail(&bench.client, "q", [&job], &failure)
        .await
        .unwrap();
    let waiting = bench.get(&job).await;
    assert_eq!(waiting.state, State::Retry);
    assert!(waiting.start_after - job.start_after >= TimeDelta::seconds(50));

    bench.sql("UPDATE pgboss.job SET start_after = now()").await;
    let job = bench.fetch_one().await;
    let failure = Failure {
        terminal: true,
        ..Failure::default()
    };
    bench
        .queue
        .fail(&bench.client, "q", [&job], &failure)
        .await
        .unwrap();
    assert_eq!(bench.get(&job).await.state, State::Failed);
}

#[tokio::test]
async fn a_failed_job_leaves_a_copy_in_the_dead_letter_queue() {
    let bench = bench_of(Policy::Standard).await;
    let dead = QueueOptions {
        retry_limit: Some(9),
        ..QueueOptions::default()
    };
    bench
        .queue
        .create_queue(&bench.client, "dead", &dead)
        .await
        .unwrap();
    let options = JobOptions {
        dead_letter: Some("dead".to_owned()),
        retry_limit: Some(0),
        priority: 4,
        ..key("k")
    };
    bench.send("a", options).await;
    let job = bench.fetch_one().await;
    let failure = Failure {
        output: output("why"),
        ..Failure::default()
    };
    bench
        .queue
        .fail(&bench.client, "q", [&job], &failure)
        .await
        .unwrap();

    let copies = bench
        .queue
        .find(&bench.client, "dead", &telecast_queue::Find::default())
        .await
        .unwrap();
    let [copy] = &copies[..] else {
        panic!("one copy")
    };
    assert_eq!((label(copy), copy.retry_limit, copy.priority), ("a", 9, 4));
    assert_eq!(
        (copy.source_name.as_deref(), copy.source_id),
        (Some("q"), Some(job.id))
    );
    assert_eq!(
        (copy.output.clone(), copy.singleton_key.as_deref()),
        (output("why"), Some("k"))
    );
}

#[tokio::test]
async fn of_a_stately_queues_retries_the_second_has_failed() {
    let bench = bench_of(Policy::Stately).await;
    let fail = |job: telecast_queue::Job| {
        let bench = &bench;
        async move {
            bench
                .queue
                .fail(&bench.client, "q", [&job], &Failure::default())
                .await
                .unwrap();
        }
    };
    bench.send("a", JobOptions::default()).await;
    let a = bench.fetch_one().await;
    bench.send("b", JobOptions::default()).await;
    fail(a.clone()).await;
    bench
        .sql("UPDATE pgboss.job SET start_after = now() + interval '1h' WHERE state = 'retry'")
        .await;
    let b = bench.fetch_one().await;
    fail(b.clone()).await;
    assert_eq!(bench.get(&a).await.state, State::Retry);
    assert_eq!(bench.get(&b).await.state, State::Failed);
}

#[tokio::test]
async fn both_jobs_of_one_call_cannot_take_a_stately_queues_one_place() {
    let bench = bench_of(Policy::Stately).await;
    bench.send("a", JobOptions::default()).await;
    let a = bench.fetch_one().await;
    let b = bench.send("b", JobOptions::default()).await.id().unwrap();
    let settled = bench
        .queue
        .fail(&bench.client, "q", [a.id, b], &Failure::default())
        .await
        .unwrap();
    assert!(settled.all());
    assert_eq!(bench.count("state = 'retry'").await, 1);
    assert_eq!(bench.count("state = 'failed'").await, 1);
}

#[tokio::test]
async fn a_failed_job_holds_back_its_key_of_a_strict_queue_until_retried() {
    let bench = bench_with(QueueOptions {
        policy: Policy::KeyStrictFifo,
        ..retries(0)
    })
    .await;
    bench.send("first", key("k")).await;
    bench.send("second", key("k")).await;
    let job = bench.fetch_one().await;
    bench
        .queue
        .fail(&bench.client, "q", [&job], &Failure::default())
        .await
        .unwrap();
    assert!(bench.fetch(5).await.is_empty());
    assert!(
        bench
            .queue
            .retry(&bench.client, "q", [job.id])
            .await
            .unwrap()
            .all()
    );
    assert_eq!(labels(&bench.fetch(5).await), ["first"]);
}

#[tokio::test]
async fn a_cancelled_job_can_be_resumed_and_a_failed_one_retried() {
    let bench = bench_with(retries(0)).await;
    let id = bench.send("a", JobOptions::default()).await.id().unwrap();
    assert!(
        bench
            .queue
            .cancel(&bench.client, "q", [id])
            .await
            .unwrap()
            .all()
    );
    assert!(bench.fetch(1).await.is_empty());
    assert_eq!(
        bench
            .queue
            .cancel(&bench.client, "q", [id])
            .await
            .unwrap()
            .affected(),
        0
    );
    assert!(
        bench
            .queue
            .resume(&bench.client, "q", [id])
            .await
            .unwrap()
            .all()
    );
    let job = bench.fetch_one().await;
    bench
        .queue
        .fail(&bench.client, "q", [&job], &Failure::default())
        .await
        .unwrap();
    assert!(
        bench
            .queue
            .retry(&bench.client, "q", [id])
            .await
            .unwrap()
            .all()
    );
    let job = bench.fetch_one().await;
    assert_eq!((job.retry_count, job.retry_limit), (1, 1));
}

#[tokio::test]
async fn a_touched_job_shows_signs_of_life_and_a_deleted_one_is_gone() {
    let bench = bench_of(Policy::Standard).await;
    bench.send("a", JobOptions::default()).await;
    let job = bench.fetch_one().await;
    assert!(
        bench
            .queue
            .touch(&bench.client, "q", [&job])
            .await
            .unwrap()
            .all()
    );
    assert!(bench.get(&job).await.heartbeat_on > job.heartbeat_on);
    assert!(
        bench
            .queue
            .delete(&bench.client, "q", [&job])
            .await
            .unwrap()
            .all()
    );
    assert_eq!(bench.count("true").await, 0);
}

#[tokio::test]
async fn an_output_is_an_object() {
    let bench = bench_of(Policy::Standard).await;
    bench.send("a", JobOptions::default()).await;
    let job = bench.fetch_one().await;
    let error = bench
        .queue
        .complete(&bench.client, "q", [&job], Some(&json!([1])))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "output must be an object");
    assert_eq!(bench.get(&job).await.state, State::Active);
}

#[tokio::test]
async fn settling_in_an_unknown_queue_is_an_error() {
    let bench = bench_of(Policy::Standard).await;
    let none: [uuid::Uuid; 0] = [];
    let error = bench
        .queue
        .complete(&bench.client, "other", none, None)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "Queue other does not exist");
    assert!(
        bench
            .queue
            .complete(&bench.client, "q", none, None)
            .await
            .unwrap()
            .all()
    );
}
