//! Queues: created, changed, emptied, counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use common::{bench, bench_of, bench_with, key};
use telecast_queue::{
    Empty, Error, Failure, JobOptions, Policy, QueueChange, QueueOptions, StartAfter, State,
};

#[tokio::test]
async fn a_queue_is_created_once_and_changed_after() {
    let bench = bench().await;
    let options = QueueOptions {
        retry_delay: Some(Duration::from_secs(3)),
        retry_backoff: Some(true),
        retry_delay_max: Some(Duration::from_secs(30)),
        notify: Some(true),
        ..QueueOptions::default()
    };
    bench
        .queue
        .create_queue(&bench.client, "q", &options)
        .await
        .unwrap();
    bench
        .queue
        .create_queue(&bench.client, "q", &QueueOptions::default())
        .await
        .unwrap();
    let info = bench
        .queue
        .get_queue(&bench.client, "q")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (info.retry_delay, info.retry_delay_max, info.notify),
        (3, Some(30), true)
    );
    assert_eq!((info.retry_limit, info.expire_in_seconds), (2, 900));

    bench
        .queue
        .create_queue(&bench.client, "dead", &QueueOptions::default())
        .await
        .unwrap();
    let change = QueueChange {
        retry_delay_max: Some(None),
        dead_letter: Some(Some("dead".to_owned())),
        ..QueueChange::default()
    };
    bench
        .queue
        .update_queue(&bench.client, "q", &change)
        .await
        .unwrap();
    let info = bench
        .queue
        .get_queue(&bench.client, "q")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (info.retry_delay_max, info.dead_letter.as_deref()),
        (None, Some("dead"))
    );
    assert_eq!(info.retry_delay, 3);

    let all = bench.queue.get_queues(&bench.client, None).await.unwrap();
    let names: Vec<&str> = all.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["dead", "q"]);
    bench.queue.delete_queue(&bench.client, "q").await.unwrap();
    bench.queue.delete_queue(&bench.client, "q").await.unwrap();
    assert!(
        bench
            .queue
            .get_queue(&bench.client, "q")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_bad_queue_is_refused_by_the_field_that_is_wrong() {
    let bench = bench().await;
    let dead = |name: &str| QueueOptions {
        dead_letter: Some(name.to_owned()),
        ..QueueOptions::default()
    };
    let expire = QueueOptions {
        expire_in: Some(Duration::from_secs(90_000)),
        ..QueueOptions::default()
    };
    for (options, message) in [
        (dead("q"), "deadLetter cannot be itself"),
        (dead("nowhere"), "Queue nowhere does not exist"),
        (expire, "expireInSeconds cannot exceed 24 hours"),
    ] {
        let error = bench
            .queue
            .create_queue(&bench.client, "q", &options)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = bench
        .queue
        .update_queue(&bench.client, "q", &QueueChange::default())
        .await;
    assert!(matches!(error, Err(Error::Invalid { .. })));
    let change = QueueChange {
        notify: Some(true),
        ..QueueChange::default()
    };
    let error = bench.queue.update_queue(&bench.client, "q", &change).await;
    assert!(matches!(error, Err(Error::UnknownQueue(_))));
}

#[tokio::test]
async fn emptying_a_queue_takes_what_was_asked_for() {
    let bench = bench_of(Policy::Standard).await;
    for label in ["done", "active", "queued"] {
        bench.send(label, JobOptions::default()).await;
    }
    let done = bench.fetch_one().await;
    bench
        .queue
        .complete(&bench.client, "q", [&done], None)
        .await
        .unwrap();
    bench.fetch_one().await;
    assert_eq!(
        bench
            .queue
            .empty(&bench.client, Some("q"), Empty::Queued)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        bench
            .queue
            .empty(&bench.client, Some("q"), Empty::Stored)
            .await
            .unwrap(),
        1
    );
    assert_eq!(bench.count("state = 'active'").await, 1);
    assert_eq!(
        bench
            .queue
            .empty(&bench.client, None, Empty::All)
            .await
            .unwrap(),
        1
    );
    assert_eq!(bench.count("true").await, 0);
}

#[tokio::test]
async fn a_strict_queue_names_the_keys_that_a_failed_job_holds_back() {
    let bench = bench_with(QueueOptions {
        policy: Policy::KeyStrictFifo,
        retry_limit: Some(0),
        ..QueueOptions::default()
    })
    .await;
    assert!(
        bench
            .queue
            .blocked_keys(&bench.client, "q")
            .await
            .unwrap()
            .is_empty()
    );
    bench.send("a", key("k")).await;
    let job = bench.fetch_one().await;
    bench
        .queue
        .fail(&bench.client, "q", [&job], &Failure::default())
        .await
        .unwrap();
    assert_eq!(
        bench.queue.blocked_keys(&bench.client, "q").await.unwrap(),
        ["k"]
    );
    assert_eq!(bench.get(&job).await.state, State::Failed);
}

#[tokio::test]
async fn counts_are_kept_for_as_long_as_they_are_young_enough() {
    let bench = bench_of(Policy::Standard).await;
    let stats = |age: u64| {
        let bench = &bench;
        async move {
            bench
                .queue
                .queue_stats(&bench.client, "q", Duration::from_secs(age))
                .await
                .unwrap()
        }
    };
    bench.send("a", JobOptions::default()).await;
    let later = StartAfter::In(Duration::from_secs(60));
    bench
        .send(
            "b",
            JobOptions {
                start_after: Some(later),
                ..JobOptions::default()
            },
        )
        .await;
    let first = stats(60).await;
    assert_eq!(
        (first.queued_count, first.deferred_count, first.ready_count),
        (2, 1, 1)
    );
    bench.fetch_one().await;
    assert_eq!(stats(60).await, first);
    let fresh = stats(0).await;
    assert_eq!(
        (fresh.queued_count, fresh.active_count, fresh.total_count),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn jobs_are_looked_through_page_by_page_and_by_state() {
    let bench = bench_of(Policy::Standard).await;
    for label in ["a", "b", "c", "d", "e"] {
        bench.send(label, JobOptions::default()).await;
    }
    bench.fetch(2).await;
    let list = async |state, after, limit| {
        let jobs = bench.queue.list(&bench.client, "q", state, after, limit);
        jobs.await.unwrap()
    };
    let all = list(None, None, 10).await;
    assert_eq!(all.len(), 5);
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id));
    let first = list(None, None, 2).await;
    let second = list(None, Some(first[1].id), 10).await;
    let ids = |jobs: &[telecast_queue::Job]| jobs.iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&all));
    assert_eq!(list(Some(State::Active), None, 10).await.len(), 2);
    assert_eq!(list(Some(State::Created), None, 10).await.len(), 3);
    let nobody = bench.queue.list(&bench.client, "nobody", None, None, 10);
    assert!(nobody.await.unwrap().is_empty());
}
