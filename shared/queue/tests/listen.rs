//! Hearing of jobs as they arrive.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use common::bench_with;
use telecast_queue::{JobOptions, Listener, QueueOptions, Send, StartAfter};
use tokio_postgres::NoTls;

#[tokio::test]
async fn a_listener_hears_of_jobs_that_are_due_and_of_no_others() {
    let bench = bench_with(QueueOptions {
        notify: Some(true),
        ..QueueOptions::default()
    })
    .await;
    bench
        .queue
        .create_queue(&bench.client, "quiet", &QueueOptions::default())
        .await
        .unwrap();
    let config = bench.database.config();
    let mut listener = Listener::connect(&bench.queue, &config, NoTls)
        .await
        .unwrap();
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
    bench
        .queue
        .send(&bench.client, &Send::to("quiet"))
        .await
        .unwrap();
    bench.insert(vec![("now", JobOptions::default())]).await;
    let heard = tokio::time::timeout(Duration::from_secs(10), listener.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(heard.into_iter().collect::<Vec<_>>(), ["q"]);

    let killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    bench.sql(killed).await;
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(10), listener.next())
            .await
            .unwrap(),
        None
    );
}
