//! Everything around sending and working: queues, edits, flows, events, dead letters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use chrono::TimeDelta;
use common::{bench, bench_of, bench_with, key, label, labels};
use serde_json::json;
use telecast_queue::{
    Change, Empty, Error, Failure, Find, FlowJob, JobOptions, Match, Policy, QueueChange,
    QueueOptions, Redrive, Send, Sent, StartAfter, State, Upserted, Which,
};
use uuid::Uuid;

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
async fn an_edit_changes_what_it_names_and_no_active_job() {
    let bench = bench_of(Policy::Standard).await;
    let id = bench.send("a", key("k")).await.id().unwrap();
    let change = Change {
        data: Some(json!({ "label": "edited" })),
        options: JobOptions {
            start_after: Some(StartAfter::In(Duration::from_secs(60))),
            retry_limit: Some(9),
            ..JobOptions::default()
        },
        ..Change::default()
    };
    let edited = bench
        .queue
        .update(&bench.client, "q", &Which::Id(id), &change)
        .await
        .unwrap();
    assert_eq!(edited, [id]);
    let job = bench
        .queue
        .get(&bench.client, "q", id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (label(&job), job.retry_limit, job.priority),
        ("edited", 9, 0)
    );
    assert_eq!(job.keep_until - job.start_after, TimeDelta::days(14));

    bench.sql("UPDATE pgboss.job SET start_after = now()").await;
    bench.fetch_one().await;
    assert!(
        bench
            .queue
            .update(&bench.client, "q", &Which::Id(id), &change)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_edit_by_key_takes_the_newest_the_oldest_or_all() {
    let bench = bench_of(Policy::Standard).await;
    let mut ids = Vec::new();
    for label in ["old", "middle", "new"] {
        ids.push(bench.send(label, key("k")).await.id().unwrap());
    }
    let change = Change {
        priority: Some(4),
        ..Change::default()
    };
    let update = |which| {
        let (bench, change) = (&bench, &change);
        async move {
            let which = Which::Key("k".to_owned(), which);
            bench
                .queue
                .update(&bench.client, "q", &which, change)
                .await
                .unwrap()
        }
    };
    assert_eq!(update(Match::Newest).await, [ids[2]]);
    assert_eq!(update(Match::Oldest).await, [ids[0]]);
    assert_eq!(update(Match::All).await.len(), 3);
}

#[tokio::test]
async fn an_upsert_creates_what_there_is_not_to_edit() {
    let bench = bench_of(Policy::Standard).await;
    let which = Which::Key("k".to_owned(), Match::Newest);
    let with = |text: &str| Change {
        data: Some(json!({ "label": text })),
        ..Change::default()
    };
    let Upserted::Inserted(id) = bench
        .queue
        .upsert(&bench.client, "q", &which, &with("a"))
        .await
        .unwrap()
    else {
        panic!("there was none");
    };
    let again = bench
        .queue
        .upsert(&bench.client, "q", &which, &with("b"))
        .await
        .unwrap();
    assert_eq!(again, Upserted::Updated(vec![id]));
    let job = bench.fetch_one().await;
    assert_eq!(
        (label(&job), job.singleton_key.as_deref()),
        ("b", Some("k"))
    );
}

fn flow_job(reference: &str, depends_on: &[&str]) -> FlowJob {
    FlowJob {
        reference: reference.to_owned(),
        send: Send {
            data: json!({ "label": reference }),
            ..Send::to("q")
        },
        depends_on: depends_on.iter().map(|&parent| parent.to_owned()).collect(),
    }
}

#[tokio::test]
async fn a_job_of_a_flow_waits_for_all_its_parents() {
    let bench = bench_of(Policy::Standard).await;
    let flow = [
        flow_job("a", &[]),
        flow_job("b", &[]),
        flow_job("c", &["a", "b"]),
    ];
    let ids = bench.queue.flow(&bench.client, &flow).await.unwrap();
    let parents = bench.fetch(10).await;
    assert_eq!(parents.len(), 2);
    bench
        .queue
        .complete(&bench.client, "q", [&parents[0]], None)
        .await
        .unwrap();
    assert!(bench.fetch(10).await.is_empty());
    bench
        .queue
        .complete(&bench.client, "q", [&parents[1]], None)
        .await
        .unwrap();
    assert_eq!(labels(&bench.fetch(10).await), ["c"]);

    let waited_for = bench
        .queue
        .dependencies(&bench.client, "q", ids["c"])
        .await
        .unwrap();
    assert_eq!(waited_for.len(), 2);
    let waited = bench
        .queue
        .dependents(&bench.client, "q", ids["a"])
        .await
        .unwrap();
    assert_eq!(waited[0].id, ids["c"]);
}

#[tokio::test]
async fn a_flow_is_created_whole_or_not_at_all() {
    let bench = bench_of(Policy::Standard).await;
    let taken = bench.send("taken", JobOptions::default()).await.id();
    let mut colliding = flow_job("b", &["a"]);
    colliding.send.options.id = taken;
    let error = bench
        .queue
        .flow(&bench.client, &[flow_job("a", &[]), colliding])
        .await;
    assert!(matches!(error, Err(Error::Refused)));
    assert_eq!(bench.count("true").await, 1);
}

#[tokio::test]
async fn a_flow_that_makes_no_sense_says_why() {
    let bench = bench_of(Policy::Standard).await;
    let mut elsewhere = flow_job("b", &["a"]);
    elsewhere.send.queue = "other".to_owned();
    for (flow, message) in [
        (vec![flow_job("a", &[])], "flow requires at least 2 jobs"),
        (
            vec![flow_job("a", &[]), flow_job("b", &[])],
            "flow requires at least one job with dependsOn",
        ),
        (
            vec![flow_job("a", &["a"]), flow_job("b", &[])],
            "flow job \"a\" cannot depend on itself",
        ),
        (
            vec![flow_job("a", &["x"]), flow_job("b", &[])],
            "flow dependsOn ref \"x\" not found in flow",
        ),
        (
            vec![flow_job("a", &[]), flow_job("a", &["a"])],
            "flow has a duplicate ref: \"a\"",
        ),
        (
            vec![
                flow_job("a", &["c"]),
                flow_job("b", &["a"]),
                flow_job("c", &["b"]),
                flow_job("d", &["a"]),
            ],
            "flow contains a dependency cycle: a -> b -> c -> a",
        ),
        (
            vec![flow_job("a", &[]), elsewhere],
            "Queue other does not exist",
        ),
    ] {
        let error = bench.queue.flow(&bench.client, &flow).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[tokio::test]
async fn an_event_makes_a_job_in_each_queue_that_subscribed() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .queue
        .create_queue(&bench.client, "p", &QueueOptions::default())
        .await
        .unwrap();
    for queue in ["q", "p", "q"] {
        bench
            .queue
            .subscribe(&bench.client, "paid", queue)
            .await
            .unwrap();
    }
    let options = JobOptions::default();
    let sent = bench
        .queue
        .publish(&bench.client, "paid", &json!({ "n": 1 }), &options)
        .await
        .unwrap();
    let queues: Vec<&str> = sent.iter().map(|(queue, _)| queue.as_str()).collect();
    assert_eq!(queues, ["p", "q"]);
    assert!(
        sent.iter()
            .all(|(_, sent)| matches!(sent, Sent::Created(_)))
    );
    bench
        .queue
        .unsubscribe(&bench.client, "paid", "q")
        .await
        .unwrap();
    let sent = bench
        .queue
        .publish(&bench.client, "paid", &json!({}), &options)
        .await
        .unwrap();
    assert_eq!(sent.len(), 1);
}

#[tokio::test]
async fn dead_letters_go_back_where_they_came_from() {
    let bench = bench_with(QueueOptions {
        retry_limit: Some(0),
        ..QueueOptions::default()
    })
    .await;
    bench
        .queue
        .create_queue(&bench.client, "dead", &QueueOptions::default())
        .await
        .unwrap();
    let options = || JobOptions {
        dead_letter: Some("dead".to_owned()),
        ..key("k")
    };
    for label in ["a", "b"] {
        bench.send(label, options()).await;
        let job = bench.fetch_one().await;
        bench
            .queue
            .fail(&bench.client, "q", [&job], &Failure::default())
            .await
            .unwrap();
    }
    bench
        .queue
        .send(&bench.client, &Send::to("dead"))
        .await
        .unwrap();
    let preview = bench
        .queue
        .preview_redrive(&bench.client, "dead", &Redrive::default())
        .await
        .unwrap();
    assert_eq!(preview, [(Some("q".to_owned()), 2), (None, 1)]);
    let one = Redrive {
        limit: 1,
        ..Redrive::default()
    };
    assert_eq!(
        bench
            .queue
            .redrive(&bench.client, "dead", &one)
            .await
            .unwrap(),
        1
    );
    let back = bench.fetch_one().await;
    assert_eq!(
        (
            label(&back),
            back.retry_count,
            back.singleton_key.as_deref()
        ),
        ("a", 0, Some("k"))
    );
    assert_eq!(back.source_id, None);
    assert_eq!(
        bench
            .queue
            .redrive(&bench.client, "dead", &Redrive::default())
            .await
            .unwrap(),
        1
    );
    // What came from nowhere stays.
    let left = bench
        .queue
        .find(&bench.client, "dead", &Find::default())
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn a_dead_letter_that_its_queue_refuses_stays() {
    let bench = bench_of(Policy::Short).await;
    bench
        .queue
        .create_queue(&bench.client, "dead", &QueueOptions::default())
        .await
        .unwrap();
    let options = JobOptions {
        dead_letter: Some("dead".to_owned()),
        retry_limit: Some(0),
        ..key("k")
    };
    bench.send("a", options).await;
    let job = bench.fetch_one().await;
    bench
        .queue
        .fail(&bench.client, "q", [&job], &Failure::default())
        .await
        .unwrap();
    bench.send("in its place", key("k")).await;
    assert_eq!(
        bench
            .queue
            .redrive(&bench.client, "dead", &Redrive::default())
            .await
            .unwrap(),
        0
    );
    assert_eq!(bench.count("name = 'dead'").await, 1);
}

#[tokio::test]
async fn jobs_are_found_by_id_key_data_and_state() {
    let bench = bench_of(Policy::Standard).await;
    let id = bench.send("a", key("k")).await.id().unwrap();
    bench.send("b", key("l")).await;
    bench.fetch_one().await;
    let find = |find: Find| {
        let bench = &bench;
        async move {
            bench
                .queue
                .find(&bench.client, "q", &find)
                .await
                .unwrap()
                .len()
        }
    };
    assert_eq!(find(Find::default()).await, 2);
    assert_eq!(
        find(Find {
            id: Some(id),
            ..Find::default()
        })
        .await,
        1
    );
    assert_eq!(
        find(Find {
            key: Some("k".to_owned()),
            ..Find::default()
        })
        .await,
        1
    );
    assert_eq!(
        find(Find {
            data: Some(json!({ "label": "b" })),
            ..Find::default()
        })
        .await,
        1
    );
    assert_eq!(
        find(Find {
            queued: true,
            ..Find::default()
        })
        .await,
        1
    );
    assert!(
        bench
            .queue
            .get(&bench.client, "q", Uuid::nil())
            .await
            .unwrap()
            .is_none()
    );
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
