//! Connections to a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use telecast_postgres::testing;
use telecast_runtime::database::{DatabaseUrl, Listener, Notification, connect, pool};

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
async fn a_listener_hears_its_channel_and_comes_back_when_it_is_cut_off() {
    let url = url().await;
    let client = connect(&url).await.unwrap();
    let mut listener = Listener::start(url, "news".to_owned());
    assert_eq!(listener.next().await, Notification::Connected);
    client
        .batch_execute("NOTIFY other, 'no'; NOTIFY news, 'first'")
        .await
        .unwrap();
    assert_eq!(
        listener.next().await,
        Notification::Payload("first".to_owned())
    );
    client
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(listener.next().await, Notification::Connected);
    client.batch_execute("NOTIFY news, 'second'").await.unwrap();
    assert_eq!(
        listener.next().await,
        Notification::Payload("second".to_owned())
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let url: DatabaseUrl = "postgres://user:secret@127.0.0.1:1/x".parse().unwrap();
    let error = connect(&url).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
