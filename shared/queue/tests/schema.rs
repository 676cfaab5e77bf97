//! The tables: made once, refused where too old.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use common::bench;
use telecast_queue::{Error, Queue, SCHEMA_SQL};

#[test]
fn the_migration_is_the_crates_own_text() {
    let migration = include_str!("../../../migrations/V1__pgboss.sql");
    assert_eq!(SCHEMA_SQL, migration);
}

#[tokio::test]
async fn many_may_install_at_once_and_again() {
    let bench = bench().await;
    let fresh = Queue::in_schema("fresh").unwrap();
    let clients = [
        bench.database.connect().await,
        bench.database.connect().await,
        bench.database.connect().await,
    ];
    let [a, b, c] = clients.each_ref().map(|client| fresh.install(client));
    let (a, b, c) = tokio::join!(a, b, c);
    a.unwrap();
    b.unwrap();
    c.unwrap();
    assert_eq!(fresh.version(&bench.client).await.unwrap(), 42);
}

#[tokio::test]
async fn an_older_schema_is_refused_and_a_newer_one_accepted() {
    let bench = bench().await;
    for (version, accepted) in [(36, false), (37, true), (46, true), (47, true)] {
        bench
            .sql(&format!("UPDATE pgboss.version SET version = {version}"))
            .await;
        assert_eq!(bench.queue.install(&bench.client).await.is_ok(), accepted);
        assert_eq!(bench.queue.version(&bench.client).await.is_ok(), accepted);
    }
    bench.sql("UPDATE pgboss.version SET version = 36").await;
    let error = bench
        .queue
        .install(&bench.client)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("version 36") && error.contains("12.26"),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_schema_says_what_to_do() {
    let bench = bench().await;
    let none = Queue::in_schema("nowhere").unwrap();
    let error = none.version(&bench.client).await.unwrap_err();
    assert!(
        matches!(&error, Error::Schema(message) if message.contains("install")),
        "{error}"
    );
}
