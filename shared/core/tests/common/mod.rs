//! A migrated database for each test.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use telecast_core::audit::Actor;
use tokio_postgres::{Client, NoTls, types::Type};

pub mod campaign;

/// A connection to a fresh, migrated database.
pub async fn database() -> Client {
    telecast_postgres::testing::database("core", migrate)
        .await
        .connect()
        .await
}

/// Two connections to one.
pub async fn database_twice() -> (Client, Client) {
    let database = telecast_postgres::testing::database("core", migrate).await;
    (database.connect().await, database.connect().await)
}

async fn migrate(url: String) {
    let (mut lock, first) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let (mut client, second) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connections = tokio::spawn(async { tokio::join!(first, second) });
    telecast_core::migrate::migrate(&mut lock, &mut client)
        .await
        .unwrap();
    drop((lock, client));
    let (first, second) = connections.await.unwrap();
    first.and(second).unwrap();
}

/// An operator, for audit rows.
pub fn operator() -> Actor {
    Actor {
        user_id: None,
        name: "olga".to_owned(),
        ip: Some("192.0.2.7".to_owned()),
    }
}

/// The actions in the audit log, oldest first.
pub async fn audited(client: &Client) -> Vec<String> {
    client
        .query_typed("SELECT action FROM audit_logs ORDER BY id", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

/// The first column of the first row of a query.
pub async fn scalar<T: for<'a> tokio_postgres::types::FromSql<'a>>(
    client: &Client,
    sql: &str,
) -> T {
    client.query_typed_one(sql, &[]).await.unwrap().get(0)
}

/// Runs a statement with one text.
pub async fn execute(client: &Client, sql: &str, text: &str) {
    client
        .execute_typed(sql, &[(&text, Type::TEXT)])
        .await
        .unwrap();
}
