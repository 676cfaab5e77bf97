//! Editing and finding jobs that wait.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use chrono::TimeDelta;
use common::{bench_of, key, label};
use serde_json::json;
use telecast_queue::{Change, Find, JobOptions, Match, Policy, StartAfter, Upserted, Which};
use uuid::Uuid;

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
