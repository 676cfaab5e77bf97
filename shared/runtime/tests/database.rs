//! Connections to a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::collections::BTreeSet;

use telecast_postgres::testing;
use telecast_queue::{Queue, QueueOptions, Send};
use telecast_runtime::database::{DatabaseUrl, Ear, Heard, connect, pool};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

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

/// A way to the server through which connections of before a freeze lead nowhere: what is
/// sent into them vanishes, and no word comes back.
async fn way_that_freezes(port: u16) -> (u16, watch::Sender<u32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (freeze, freezes) = watch::channel(0);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut freezes = freezes.clone();
            freezes.mark_unchanged();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = freezes.changed() => {
                        // Both stay open, and nobody reads them.
                        std::future::pending::<()>().await;
                    }
                }
            });
        }
    });
    (address.port(), freeze)
}

#[tokio::test]
async fn a_connection_that_died_in_a_freeze_is_found_out_and_replaced() {
    let database = testing::database("runtime", async |_| {}).await;
    let port = database.config().get_ports()[0];
    let (way, freeze) = way_that_freezes(port).await;
    let url = database
        .url()
        .replace(&format!(":{port}/"), &format!(":{way}/"));
    let pool = pool(&url.parse().unwrap(), 1).unwrap();
    let backend = async || -> i32 {
        let client = pool.get().await.unwrap();
        let row = client.query_typed_one("SELECT pg_backend_pid()", &[]);
        row.await.unwrap().get(0)
    };
    let before = backend().await;
    assert_eq!(backend().await, before, "connections are kept");
    freeze.send_modify(|freezes| *freezes += 1);
    assert_ne!(backend().await, before);
}
