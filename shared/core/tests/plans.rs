//! The plans of the statements that run for every message: an index each, however
//! many message jobs there are.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use common::{
    campaign::{bot, running},
    database,
};
use tokio_postgres::Client;

/// The plan of a statement with these arguments, on tables of some size.
async fn plan(client: &Client, types: &str, statement: &str, arguments: &str) -> String {
    client
        .batch_execute(&format!("PREPARE statement ({types}) AS {statement}"))
        .await
        .unwrap();
    client
        .query(&format!("EXPLAIN EXECUTE statement ({arguments})"), &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get::<_, String>(0) + "\n")
        .collect()
}

async fn large_campaign() -> Client {
    let mut client = database().await;
    let bot = bot(&client, "bot").await;
    running(&mut client, bot, "news", 5_000, 600).await;
    client.batch_execute("ANALYZE").await.unwrap();
    client
}

/// Ten message jobs, as an array.
async fn ids(client: &Client) -> String {
    let rows = client
        .query("SELECT id::text FROM jobs LIMIT 10", &[])
        .await
        .unwrap();
    let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    format!("'{{{}}}'", ids.join(","))
}

#[tokio::test]
async fn a_claim_reads_its_own_rows_alone() {
    let client = large_campaign().await;
    let ids = ids(&client).await;
    let plan = plan(
        &client,
        "uuid[], integer[], timestamptz[]",
        include_str!("../src/delivery/claim.sql"),
        &format!("{ids}, array_fill(0, ARRAY[10]), array_fill(now(), ARRAY[10])"),
    )
    .await;
    for table in [
        "Seq Scan on jobs",
        "Seq Scan on j8",
        "Seq Scan on job_common",
        "Seq Scan on channels",
    ] {
        assert!(!plan.contains(table), "{plan}");
    }
}

#[tokio::test]
async fn settling_message_jobs_reads_its_own_rows_alone() {
    let client = large_campaign().await;
    let ids = ids(&client).await;
    let plan = plan(
        &client,
        "uuid[], integer[], timestamptz[], text[], integer[], bigint[], text[], text[], bigint[]",
        include_str!("../src/delivery/settle_jobs.sql"),
        &format!(
            "{ids}, array_fill(0, ARRAY[10]), array_fill(now(), ARRAY[10]), array_fill('SENT'::text, ARRAY[10]),
             array_fill(1, ARRAY[10]), array_fill(1::bigint, ARRAY[10]), array_fill(NULL::text, ARRAY[10]),
             array_fill(NULL::text, ARRAY[10]), array_fill(NULL::bigint, ARRAY[10])"
        ),
    )
    .await;
    assert!(!plan.contains("Seq Scan on jobs"), "{plan}");
}

#[tokio::test]
async fn dispatch_reads_each_groups_first_due_jobs_by_their_index() {
    let client = large_campaign().await;
    let statement = include_str!("../../queue/src/limits/dispatch.sql")
        .replace("{schema}", "pgboss")
        .replace("{columns}", "id");
    let plan = plan(
        &client,
        "text, bigint, timestamptz, interval",
        &statement,
        "'send-message', 100, NULL, '1 second'",
    )
    .await;
    assert!(plan.contains("send_message_dispatch_idx"), "{plan}");
    assert!(!plan.contains("Seq Scan on j8"), "{plan}");
}

#[tokio::test]
async fn errors_are_counted_in_their_index() {
    let client = large_campaign().await;
    client
        .batch_execute(
            "UPDATE jobs SET status = 'FAILED', error_class = 'CHANNEL_GONE', error = 'Forbidden'
             WHERE position % 2 = 0",
        )
        .await
        .unwrap();
    client.batch_execute("VACUUM ANALYZE jobs").await.unwrap();
    let id = client
        .query_one("SELECT id::text FROM campaigns", &[])
        .await
        .unwrap()
        .get::<_, String>(0);
    let plan = plan(
        &client,
        "uuid",
        include_str!("../src/campaigns/activity_errors.sql"),
        &format!("'{id}'"),
    )
    .await;
    assert!(
        plan.contains("Index Only Scan using jobs_errors_idx"),
        "{plan}"
    );
    assert!(!plan.contains("Seq Scan on jobs"), "{plan}");
}
