//! Migrations on a real, empty database.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use telecast_core::migrate::migrate;
use telecast_postgres::testing;
use tokio_postgres::Client;

async fn run(database: &testing::Database) -> Vec<String> {
    let mut lock = database.connect().await;
    let mut client = database.connect().await;
    migrate(&mut lock, &mut client).await.unwrap()
}

/// All columns of all tables, and all indexes: what a migration could change.
async fn shape(client: &Client) -> Vec<String> {
    client
        .query_typed(
            "SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || data_type
             FROM information_schema.columns
             WHERE table_schema IN ('public', 'pgboss')
             UNION ALL
             SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'pgboss')
             ORDER BY 1",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let database = testing::database("empty", |_| async {}).await;
    assert!(run(&database).await.len() >= 7);
    let client = database.connect().await;
    let before = shape(&client).await;
    assert!(run(&database).await.is_empty());
    assert_eq!(shape(&client).await, before);
}

#[tokio::test]
async fn of_two_that_migrate_at_once_one_does_and_both_succeed() {
    let database = testing::database("empty", |_| async {}).await;
    let (first, second) = tokio::join!(run(&database), run(&database));
    assert!(
        first.is_empty() != second.is_empty(),
        "{first:?} {second:?}"
    );
}

#[tokio::test]
async fn every_table_of_the_domain_is_closed_to_an_automatic_api() {
    let database = testing::database("empty", |_| async {}).await;
    run(&database).await;
    let open: Vec<String> = database
        .connect()
        .await
        .query_typed(
            "SELECT relname::text FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
               AND NOT relrowsecurity AND relname <> 'refinery_schema_history'",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn the_queues_own_files_and_the_migrations_are_the_same() {
    for (migration, own) in [
        (
            include_str!("../../../migrations/V6__limits.sql"),
            telecast_queue::limits::SCHEMA,
        ),
        (
            include_str!("../../../migrations/V1__pgboss.sql"),
            telecast_queue::SCHEMA_SQL,
        ),
    ] {
        assert_eq!(migration, own);
    }
}
