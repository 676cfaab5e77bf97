//! Connections to a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::collections::BTreeSet;

use telecast_postgres::testing;
use telecast_queue::{Queue, QueueOptions, Send};
use telecast_runtime::database::{DatabaseUrl, Ear, Heard, connect, pool};

async fn url() -> DatabaseUrl {
    let database = testing::database("runtime", |_| async {}).await;
    database.url().parse().unwrap()
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let url = url().await;
    let pool = pool(&url, 1).unwrap();
    let killer = connect(&url).await.unwrap();
    let first: i32 = {
        let client = pool.get().await.unwrap();
        client
            .query_one("SELECT pg_backend_pid()", &[])
            .await
            .unwrap()
            .get(0)
    };
    killer
        .execute("SELECT pg_terminate_backend($1, 5000)", &[&first])
        .await
        .unwrap();
    let client = pool.get().await.unwrap();
    let second: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    assert_ne!(first, second);
}

#[tokio::test]
async fn new_jobs_are_heard_of_and_again_after_the_session_was_cut_off() {
    let url = url().await;
    let queue = Queue::default();
    let client = connect(&url).await.unwrap();
    queue.install(&client).await.unwrap();
    let options = QueueOptions {
        notify: Some(true),
        ..QueueOptions::default()
    };
    queue.create_queue(&client, "mail", &options).await.unwrap();
    let mut ear = Ear::open(url, queue.clone());
    let mail = Heard::Queues(BTreeSet::from(["mail".to_owned()]));
    assert_eq!(ear.next().await, Heard::Connected);
    queue.send(&client, &Send::to("mail")).await.unwrap();
    assert_eq!(ear.next().await, mail);
    client
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(ear.next().await, Heard::Connected);
    queue.send(&client, &Send::to("mail")).await.unwrap();
    assert_eq!(ear.next().await, mail);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let url: DatabaseUrl = "postgres://user:secret@127.0.0.1:1/x".parse().unwrap();
    let error = connect(&url).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
