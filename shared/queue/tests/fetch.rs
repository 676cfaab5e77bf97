//! Fetching: which jobs, in which order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{bench, bench_of, bench_with, key, label, labels, priority};
use serde_json::json;
use telecast_queue::{
    Error, Fetch, GroupConcurrency, JobOptions, Policy, QueueOptions, Send, StartAfter, State,
};

#[tokio::test]
async fn jobs_come_by_priority_and_then_age() {
    let bench = bench_of(Policy::Standard).await;
    for (label, p) in [("a", 0), ("b", 5), ("c", 5), ("d", 1)] {
        bench.send(label, priority(p)).await;
    }
    let jobs = bench.fetch(10).await;
    assert_eq!(labels(&jobs), ["b", "c", "d", "a"]);
    assert!(
        jobs.iter()
            .all(|job| job.state == State::Active && job.retry_count == 0)
    );
    assert!(bench.fetch(1).await.is_empty());
}

#[tokio::test]
async fn a_fetched_job_is_json_in_camel_case_and_back() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .send(
            "a",
            JobOptions {
                group_id: Some("g".to_owned()),
                ..priority(1)
            },
        )
        .await;
    let job = bench.fetch_one().await;
    let json = serde_json::to_value(&job).unwrap();
    assert_eq!(json["name"], "q");
    assert_eq!(json["retryCount"], 0);
    assert_eq!(json["groupId"], "g");
    assert_eq!(json["expireInSeconds"], 900);
    assert!(json["startedOn"].is_string());
    assert_eq!(
        serde_json::from_value::<telecast_queue::Job>(json).unwrap(),
        job
    );
}

#[tokio::test]
async fn only_priorities_in_range() {
    let bench = bench_of(Policy::Standard).await;
    for p in 0..5 {
        bench.send(&p.to_string(), priority(p)).await;
    }
    let fetch = Fetch {
        batch: 9,
        min_priority: Some(1),
        max_priority: Some(3),
        ..Fetch::from("q")
    };
    let jobs = bench.queue.fetch(&bench.client, &fetch).await.unwrap();
    assert_eq!(labels(&jobs), ["3", "2", "1"]);
}

#[tokio::test]
async fn a_deferred_job_comes_early_only_when_asked_for() {
    let bench = bench_of(Policy::Standard).await;
    let later = StartAfter::In(Duration::from_secs(60));
    bench
        .send(
            "later",
            JobOptions {
                start_after: Some(later),
                ..JobOptions::default()
            },
        )
        .await;
    assert!(bench.fetch(1).await.is_empty());
    let fetch = Fetch {
        ignore_start_after: true,
        ..Fetch::from("q")
    };
    assert_eq!(
        bench
            .queue
            .fetch(&bench.client, &fetch)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn due_jobs_are_found_behind_many_deferred_ones_by_priority() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .sql(
            "INSERT INTO pgboss.job (name, priority, start_after, created_on)
             SELECT 'q', 9, now() + interval '1 day', now() - interval '1 day' FROM generate_series(1, 3000)",
        )
        .await;
    for (label, p) in [("low", 0), ("high", 2), ("middle", 1), ("high too", 2)] {
        bench.send(label, priority(p)).await;
    }
    assert_eq!(label(&bench.fetch_one().await), "high");
    assert_eq!(labels(&bench.fetch(2).await), ["high too", "middle"]);
    assert_eq!(labels(&bench.fetch(10).await), ["low"]);
    assert!(bench.fetch(10).await.is_empty());
}

#[tokio::test]
async fn two_workers_never_get_the_same_job() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .insert((0..200).map(|_| ("a", JobOptions::default())).collect())
        .await;
    let mut workers = Vec::new();
    for _ in 0..8 {
        let (queue, client) = (bench.queue.clone(), bench.database.connect().await);
        workers.push(tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let fetch = Fetch {
                    batch: 3,
                    ..Fetch::from("q")
                };
                let jobs = queue.fetch(&client, &fetch).await.unwrap();
                if jobs.is_empty() {
                    return ids;
                }
                ids.extend(jobs.iter().map(|job| job.id));
            }
        }));
    }
    let mut ids = Vec::new();
    for worker in workers {
        ids.extend(worker.await.unwrap());
    }
    // A worker may stop while others hold the rest, but what is left is still there.
    let left = bench.fetch(200).await.len();
    assert_eq!(ids.len() + left, 200);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len() + left, 200);
}

#[tokio::test]
async fn a_short_queue_holds_one_job_of_a_key_and_runs_many() {
    let bench = bench_of(Policy::Short).await;
    assert!(bench.send("a", key("k")).await.id().is_some());
    assert!(bench.send("b", key("k")).await.id().is_none());
    bench.fetch_one().await;
    assert!(bench.send("c", key("k")).await.id().is_some());
    bench.fetch_one().await;
}

#[tokio::test]
async fn a_singleton_queue_runs_one_job_of_a_key() {
    let bench = bench_of(Policy::Singleton).await;
    for (label, options) in [
        ("a", key("k")),
        ("b", key("k")),
        ("c", key("l")),
        ("d", JobOptions::default()),
    ] {
        bench.send(label, options).await;
    }
    let jobs = bench.fetch(10).await;
    assert_eq!(labels(&jobs), ["a", "c", "d"]);
    assert!(bench.fetch(10).await.is_empty());
    bench
        .queue
        .complete(&bench.client, "q", [&jobs[0]], None)
        .await
        .unwrap();
    assert_eq!(labels(&bench.fetch(10).await), ["b"]);
}

#[tokio::test]
async fn a_stately_queue_holds_one_job_of_a_key_in_each_state() {
    let bench = bench_of(Policy::Stately).await;
    bench.send("a", JobOptions::default()).await;
    let a = bench.fetch_one().await;
    assert!(bench.send("b", JobOptions::default()).await.id().is_some());
    assert!(bench.send("c", JobOptions::default()).await.id().is_none());
    assert!(bench.fetch(5).await.is_empty());
    bench
        .queue
        .complete(&bench.client, "q", [&a], None)
        .await
        .unwrap();
    assert_eq!(label(&bench.fetch_one().await), "b");
}

#[tokio::test]
async fn an_exclusive_queue_holds_one_job_of_a_key_in_all() {
    let bench = bench_of(Policy::Exclusive).await;
    bench.send("a", key("k")).await;
    let a = bench.fetch_one().await;
    assert!(bench.send("b", key("k")).await.id().is_none());
    bench
        .queue
        .complete(&bench.client, "q", [&a], None)
        .await
        .unwrap();
    assert!(bench.send("c", key("k")).await.id().is_some());
}

#[tokio::test]
async fn a_strict_queue_runs_each_key_in_order() {
    let bench = bench_of(Policy::KeyStrictFifo).await;
    for (label, k) in [("a1", "a"), ("a2", "a"), ("b1", "b")] {
        bench.send(label, key(k)).await;
    }
    let jobs = bench.fetch(10).await;
    assert_eq!(labels(&jobs), ["a1", "b1"]);
    assert!(bench.fetch(10).await.is_empty());
    bench
        .queue
        .complete(&bench.client, "q", [&jobs[0]], None)
        .await
        .unwrap();
    assert_eq!(labels(&bench.fetch(10).await), ["a2"]);
}

#[tokio::test]
async fn a_queue_made_anew_with_another_policy_is_fetched_by_that() {
    let bench = bench_of(Policy::KeyStrictFifo).await;
    bench.send("a", key("k")).await;
    assert_eq!(bench.fetch(10).await.len(), 1);
    bench.queue.delete_queue(&bench.client, "q").await.unwrap();
    bench
        .queue
        .create_queue(&bench.client, "q", &QueueOptions::default())
        .await
        .unwrap();
    bench.send("b", key("k")).await;
    bench.send("c", key("k")).await;
    assert_eq!(bench.fetch(10).await.len(), 2);
}

#[tokio::test]
async fn a_group_runs_as_many_jobs_as_its_tier_allows() {
    let bench = bench_of(Policy::Standard).await;
    let of = |group: &str, tier: Option<&str>| JobOptions {
        group_id: Some(group.to_owned()),
        group_tier: tier.map(str::to_owned),
        ..JobOptions::default()
    };
    for (label, options) in [
        ("a1", of("a", None)),
        ("a2", of("a", None)),
        ("b1", of("b", Some("big"))),
        ("b2", of("b", Some("big"))),
        ("b3", of("b", Some("big"))),
        ("alone", JobOptions::default()),
    ] {
        bench.send(label, options).await;
    }
    let fetch = Fetch {
        batch: 10,
        group_concurrency: Some(GroupConcurrency {
            default: 1,
            tiers: BTreeMap::from([("big".to_owned(), 2)]),
        }),
        ..Fetch::from("q")
    };
    let jobs = bench.queue.fetch(&bench.client, &fetch).await.unwrap();
    assert_eq!(labels(&jobs), ["a1", "b1", "b2", "alone"]);
    assert!(
        bench
            .queue
            .fetch(&bench.client, &fetch)
            .await
            .unwrap()
            .is_empty()
    );
    bench
        .queue
        .complete(&bench.client, "q", [&jobs[1]], None)
        .await
        .unwrap();
    let jobs = bench.queue.fetch(&bench.client, &fetch).await.unwrap();
    assert_eq!(labels(&jobs), ["b3"]);

    let others = Fetch {
        ignore_groups: vec!["a".to_owned()],
        ..Fetch::from("q")
    };
    assert!(
        bench
            .queue
            .fetch(&bench.client, &others)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_queue_with_a_table_of_its_own_works_the_same() {
    let bench = bench_with(QueueOptions {
        partition: true,
        ..QueueOptions::default()
    })
    .await;
    bench.send("a", JobOptions::default()).await;
    assert_eq!(label(&bench.fetch_one().await), "a");
    let queue = bench
        .queue
        .get_queue(&bench.client, "q")
        .await
        .unwrap()
        .unwrap();
    assert_ne!(queue.table, "job_common");
    bench.queue.delete_queue(&bench.client, "q").await.unwrap();
}

#[tokio::test]
async fn an_unknown_queue_is_an_error_and_not_an_empty_one() {
    let bench = bench().await;
    let error = bench.queue.fetch(&bench.client, &Fetch::from("q")).await;
    assert!(matches!(error, Err(Error::UnknownQueue(name)) if name == "q"));
}

#[tokio::test]
async fn completing_and_fetching_go_together() {
    let bench = bench_of(Policy::Singleton).await;
    for label in ["a", "b"] {
        let send = Send {
            data: json!({ "label": label }),
            ..Send::to("q")
        };
        bench.queue.send(&bench.client, &send).await.unwrap();
    }
    let a = bench.fetch_one().await;
    // The queue runs one at a time: b is free only because a is done by then.
    let (settled, next) = bench
        .queue
        .complete_and_fetch(&bench.client, [&a], None, &Fetch::from("q"))
        .await
        .unwrap();
    assert!(settled.all());
    assert_eq!(labels(&next), ["b"]);
}
