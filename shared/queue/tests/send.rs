//! Sending: what a job gets, and when it is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::{bench, bench_of, bench_with, key, labels};
use serde_json::json;
use telecast_queue::{
    Error, JobOptions, NewJob, Policy, QueueOptions, Send, Sent, StartAfter, State,
};
use uuid::Uuid;

#[tokio::test]
async fn a_job_gets_what_its_queue_says_and_what_it_says_itself() {
    let bench = bench_with(QueueOptions {
        retry_limit: Some(7),
        expire_in: Some(Duration::from_secs(60)),
        delete_after: Some(Duration::from_secs(5)),
        ..QueueOptions::default()
    })
    .await;
    let options = JobOptions {
        expire_in: Some(Duration::from_secs(90)),
        priority: 3,
        group_id: Some("g".to_owned()),
        group_tier: Some("t".to_owned()),
        retry_backoff: Some(true),
        retry_delay: Some(Duration::from_secs(4)),
        retry_delay_max: Some(Duration::from_secs(9)),
        heartbeat: Some(Duration::from_secs(30)),
        retention: Some(Duration::from_secs(100)),
        ..JobOptions::default()
    };
    let id = bench.send("a", options).await.id().unwrap();

    let job = bench
        .queue
        .get(&bench.client, "q", id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.state, State::Created);
    assert_eq!(
        (
            job.retry_limit,
            job.expire_in_seconds,
            job.delete_after_seconds
        ),
        (7, 90, 5)
    );
    assert_eq!(
        (job.priority, job.retry_delay, job.retry_delay_max),
        (3, 4, Some(9))
    );
    assert_eq!(
        (job.group_id.as_deref(), job.group_tier.as_deref()),
        (Some("g"), Some("t"))
    );
    assert_eq!(job.heartbeat_seconds, Some(30));
    assert_eq!(job.keep_until - job.start_after, TimeDelta::seconds(100));
    assert_eq!(job.data, json!({"label": "a"}));
}

#[tokio::test]
async fn a_job_starts_at_a_time_or_after_a_delay() {
    let bench = bench_of(Policy::Standard).await;
    let noon = "2040-01-01T12:00:00.123456Z".parse().unwrap();
    let starts = [
        (StartAfter::At(noon), noon),
        (
            StartAfter::Text("2040-01-01 14:00:00.123456+02".to_owned()),
            noon,
        ),
    ];
    for (start_after, expected) in starts {
        let options = JobOptions {
            start_after: Some(start_after),
            ..JobOptions::default()
        };
        let id = bench.send("at", options).await.id().unwrap();
        let job = bench
            .queue
            .get(&bench.client, "q", id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(job.start_after, expected);
    }
    let delays = [
        StartAfter::In(Duration::from_millis(90_500)),
        StartAfter::Text("90.5".to_owned()),
        StartAfter::Text("1 minute 30.5 seconds".to_owned()),
    ];
    for delay in delays {
        let options = JobOptions {
            start_after: Some(delay),
            ..JobOptions::default()
        };
        let id = bench.send("in", options).await.id().unwrap();
        let job = bench
            .queue
            .get(&bench.client, "q", id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            job.start_after - job.created_on,
            TimeDelta::milliseconds(90_500)
        );
    }
    assert!(bench.fetch(10).await.is_empty());
}

#[tokio::test]
async fn a_throttled_job_says_until_when() {
    let bench = bench_of(Policy::Standard).await;
    let hourly = || JobOptions {
        singleton_seconds: Some(3600),
        ..JobOptions::default()
    };

    assert!(matches!(bench.send("a", hourly()).await, Sent::Created(_)));
    let Sent::Throttled { until } = bench.send("b", hourly()).await else {
        panic!("the slot is taken");
    };
    assert_eq!(until.timestamp() % 3600, 0);
    assert!(until > Utc::now() && until < Utc::now() + TimeDelta::seconds(3601));

    // Another key has slots of its own; cancelling frees one.
    let other = JobOptions {
        singleton_key: Some("k".to_owned()),
        ..hourly()
    };
    assert!(matches!(bench.send("c", other).await, Sent::Created(_)));
    bench.sql("UPDATE pgboss.job SET state = 'cancelled'").await;
    assert!(matches!(bench.send("d", hourly()).await, Sent::Created(_)));
}

#[tokio::test]
async fn a_debounced_job_takes_the_next_slot_once() {
    let bench = bench_of(Policy::Standard).await;
    let debounced = || JobOptions {
        singleton_seconds: Some(3600),
        singleton_next_slot: true,
        ..JobOptions::default()
    };
    bench.send("now", debounced()).await;
    let next = bench.send("next", debounced()).await.id().unwrap();
    let job = bench
        .queue
        .get(&bench.client, "q", next)
        .await
        .unwrap()
        .unwrap();
    assert!(job.start_after > job.singleton_on.unwrap());
    assert!(job.start_after < job.singleton_on.unwrap() + TimeDelta::seconds(3));

    assert!(matches!(
        bench.send("no more", debounced()).await,
        Sent::Throttled { .. }
    ));
}

#[tokio::test]
async fn a_key_alone_refuses_nothing_on_a_standard_queue() {
    let bench = bench_of(Policy::Standard).await;
    assert!(bench.send("a", key("k")).await.id().is_some());
    assert!(bench.send("b", key("k")).await.id().is_some());
}

#[tokio::test]
async fn the_same_id_is_sent_once() {
    let bench = bench_of(Policy::Standard).await;
    let options = JobOptions {
        id: Some(Uuid::new_v4()),
        ..JobOptions::default()
    };
    assert_eq!(
        bench.send("a", options.clone()).await,
        Sent::Created(options.id.unwrap())
    );
    assert_eq!(bench.send("a", options).await, Sent::Exists);
}

#[tokio::test]
async fn a_fixed_slot_refuses_a_second_job() {
    let bench = bench_of(Policy::Standard).await;
    let slot = JobOptions {
        singleton_on: Some("2040-01-01T00:00:00Z".parse().unwrap()),
        singleton_key: Some("campaign".to_owned()),
        ..JobOptions::default()
    };
    assert_eq!(
        bench
            .insert(vec![("a", slot.clone()), ("b", slot.clone())])
            .await,
        1
    );
    assert_eq!(bench.send("c", slot).await, Sent::Refused);
}

#[tokio::test]
async fn many_jobs_go_in_at_once_and_those_that_collide_stay_out() {
    let bench = bench_of(Policy::Short).await;
    let inserted = bench
        .insert(vec![
            ("first", key("a")),
            ("refused", key("a")),
            ("second", key("b")),
            (
                "last",
                JobOptions {
                    start_after: Some(StartAfter::In(Duration::from_secs(60))),
                    ..key("c")
                },
            ),
        ])
        .await;
    assert_eq!(inserted, 3);
    // Created at the same moment, they come in no order.
    let jobs = bench.fetch(10).await;
    let mut fetched = labels(&jobs);
    fetched.sort_unstable();
    assert_eq!(fetched, ["first", "second"]);
    let count = bench
        .queue
        .insert_count(&bench.client, "q", &[NewJob::new(json!({}))])
        .await;
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test]
async fn a_job_sent_in_a_transaction_exists_only_if_that_commits() {
    let mut bench = bench_of(Policy::Standard).await;
    let send = Send::to("q");
    let transaction = bench.client.transaction().await.unwrap();
    assert!(
        bench
            .queue
            .send(&transaction, &send)
            .await
            .unwrap()
            .id()
            .is_some()
    );
    transaction.rollback().await.unwrap();
    assert!(bench.fetch(1).await.is_empty());

    let transaction = bench.client.transaction().await.unwrap();
    bench.queue.send(&transaction, &send).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(bench.fetch(1).await.len(), 1);
}

#[tokio::test]
async fn bad_input_names_the_field_and_writes_nothing() {
    let bench = bench_of(Policy::KeyStrictFifo).await;
    let long = "x".repeat(600);
    let cases = [
        (
            Send {
                data: json!("text"),
                ..Send::to("q")
            },
            "data must be an object",
        ),
        (Send::to("a b"), "name can only contain"),
        (Send::to(""), "name is required"),
        (Send::to(long.as_str()), "name cannot exceed 512 bytes"),
        (Send::to("other"), "Queue other does not exist"),
        (
            Send::to("q"),
            "key_strict_fifo queues require a singletonKey",
        ),
        (
            Send {
                options: JobOptions {
                    retention: Some(Duration::ZERO),
                    ..JobOptions::default()
                },
                ..Send::to("q")
            },
            "retentionSeconds must be at least 1 seconds",
        ),
        (
            Send {
                options: JobOptions {
                    retry_limit: Some(u32::MAX),
                    ..JobOptions::default()
                },
                ..Send::to("q")
            },
            "retryLimit cannot exceed",
        ),
        (
            Send {
                options: JobOptions {
                    start_after: Some(StartAfter::Text("soon".to_owned())),
                    ..key("k")
                },
                ..Send::to("q")
            },
            "database: invalid input syntax for type interval",
        ),
    ];
    for (send, message) in cases {
        let error = bench.queue.send(&bench.client, &send).await.unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
    let keyless = [
        NewJob {
            data: json!({}),
            options: key("k"),
        },
        NewJob::new(json!({})),
    ];
    let error = bench.queue.insert(&bench.client, "q", &keyless).await;
    assert!(matches!(error, Err(Error::KeyRequired)));
    assert_eq!(bench.count("true").await, 0);
    let error = bench.queue.insert(&bench.client, "other", &[]).await;
    assert!(matches!(error, Err(Error::UnknownQueue(_))));
}

#[tokio::test]
async fn another_schema_has_queues_of_its_own() {
    let bench = bench().await;
    let other = telecast_queue::Queue::in_schema("Other_1").unwrap();
    other.install(&bench.client).await.unwrap();
    other.install(&bench.client).await.unwrap();
    assert_eq!(other.version(&bench.client).await.unwrap(), 42);
    other
        .create_queue(&bench.client, "q", &QueueOptions::default())
        .await
        .unwrap();
    assert!(
        bench
            .queue
            .get_queue(&bench.client, "q")
            .await
            .unwrap()
            .is_none()
    );
    for bad in ["", "1a", "a-b", "a;b", &"x".repeat(51)] {
        assert!(telecast_queue::Queue::in_schema(bad).is_err());
    }
}
