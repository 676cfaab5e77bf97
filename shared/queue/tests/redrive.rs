//! Dead letters, and back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use common::{bench_of, bench_with, key, label};
use telecast_queue::{Failure, Find, JobOptions, Policy, QueueOptions, Redrive, Send};

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
