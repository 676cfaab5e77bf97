//! The plans of fetching: what they read must not grow with what they need not look at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use common::{Bench, bench_of};
use serde_json::Value;
use telecast_queue::{Policy, Queue, Session};

/// Rows that a fetch of one job reads from the job table and its indexes, by EXPLAIN:
/// of both its statements, as if the second always followed.
async fn rows_read(bench: &Bench) -> (u64, Vec<Value>) {
    let [quick, deep] = Queue::default().fetch_statements();
    let quick = explain(bench, &quick, "text, bigint", "'q', 1").await;
    let types = "text, bigint, bool, int, int, int, jsonb, text[]";
    let deep = explain(
        bench,
        &deep,
        types,
        "'q', 1, false, NULL, NULL, NULL, NULL, NULL",
    )
    .await;
    let rows = read(&quick[0]["Plan"]) + read(&deep[0]["Plan"]);
    (rows, vec![quick, deep])
}

async fn explain(bench: &Bench, statement: &str, types: &str, values: &str) -> Value {
    bench
        .sql(&format!(
            "BEGIN;
             PREPARE next_jobs ({types}) AS {statement};
             SET LOCAL plan_cache_mode = force_custom_plan"
        ))
        .await;
    let explain = format!(
        "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF, BUFFERS OFF) EXECUTE next_jobs ({values})"
    );
    let rows = bench.client.simple_query(&explain).await.unwrap();
    let plan = rows
        .iter()
        .find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .unwrap();
    bench.sql("ROLLBACK; DEALLOCATE next_jobs").await;
    serde_json::from_str(plan).unwrap()
}

/// The rows that scans of a table gave or threw away, in all loops.
fn read(plan: &Value) -> u64 {
    let number = |key: &str| plan[key].as_f64().unwrap_or_default();
    let own = if plan["Relation Name"].is_string() {
        let thrown = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        ((number("Actual Rows") + thrown) * number("Actual Loops")) as u64
    } else {
        0
    };
    let below: u64 = plan["Plans"]
        .as_array()
        .into_iter()
        .flatten()
        .map(read)
        .sum();
    own + below
}

async fn deferred(bench: &Bench, jobs: u32) {
    bench
        .sql(&format!(
            "INSERT INTO pgboss.job (name, priority, start_after, created_on, policy)
             SELECT 'q', i % 3, now() + interval '1 day', now() - interval '1 day', 'standard'
             FROM generate_series(1, {jobs}) AS i;
             ANALYZE pgboss.job_common"
        ))
        .await;
}

async fn due(bench: &Bench, jobs: u32) {
    bench
        .sql(&format!(
            "INSERT INTO pgboss.job (name, policy) SELECT 'q', 'standard' FROM generate_series(1, {jobs});
             ANALYZE pgboss.job_common"
        ))
        .await;
}

#[tokio::test]
async fn a_fetch_reads_no_more_behind_many_deferred_jobs_than_behind_few() {
    let bench = bench_of(Policy::Standard).await;
    deferred(&bench, 10_000).await;
    due(&bench, 1).await;
    let (few, first) = rows_read(&bench).await;
    deferred(&bench, 50_000).await;
    let (many, plan) = rows_read(&bench).await;
    assert!(few < 600, "{few} rows: {first:?}");
    assert!(many <= few, "{many} rows rather than {few}: {plan:?}");
}

#[tokio::test]
async fn an_idle_queue_of_deferred_jobs_is_as_cheap() {
    let bench = bench_of(Policy::Standard).await;
    deferred(&bench, 50_000).await;
    let (rows, plan) = rows_read(&bench).await;
    assert!(rows < 600, "{rows} rows: {plan:?}");
}

#[tokio::test]
async fn a_fetch_reads_a_few_of_many_due_jobs() {
    let bench = bench_of(Policy::Standard).await;
    due(&bench, 50_000).await;
    let (rows, plan) = rows_read(&bench).await;
    assert!(rows < 20, "{rows} rows: {plan:?}");
}

#[tokio::test]
async fn many_due_jobs_behind_many_deferred_ones_are_not_sorted() {
    let bench = bench_of(Policy::Standard).await;
    deferred(&bench, 20_000).await;
    due(&bench, 20_000).await;
    let (rows, plan) = rows_read(&bench).await;
    assert!(rows < 600, "{rows} rows: {plan:?}");
}

#[tokio::test]
async fn statistics_from_before_the_backlog_mislead_no_plan() {
    let bench = bench_of(Policy::Standard).await;
    due(&bench, 10).await;
    bench
        .sql(
            "INSERT INTO pgboss.job (name, priority, start_after, created_on, policy)
             SELECT 'q', 1, now() + interval '1 day', now() - interval '1 day', 'standard'
             FROM generate_series(1, 20000)",
        )
        .await;
    let (rows, plan) = rows_read(&bench).await;
    assert!(rows < 600, "{rows} rows: {plan:?}");
}

#[tokio::test]
async fn a_worker_reads_no_completed_jobs_to_complete_more_and_take_the_next() {
    let bench = bench_of(Policy::Standard).await;
    let queue = Queue::default();
    let statement = queue.complete_fetch_statement();
    bench
        .sql(
            "INSERT INTO pgboss.job (name, policy, state)
             SELECT 'q', 'standard', 'completed'
             FROM generate_series(1, 20000);
             INSERT INTO pgboss.job (name, policy, state)
             SELECT 'q', 'standard', 'active'
             FROM generate_series(1, 5);
             INSERT INTO pgboss.job (name, policy)
             SELECT 'q', 'standard'
             FROM generate_series(1, 4)",
        )
        .await;
    bench
        .sql(&format!(
            "{};
             PREPARE next_jobs (text, bigint, uuid[], int[], timestamptz[], jsonb[]) AS {statement}",
            Session::SETTINGS
        ))
        .await;
    let active = "SELECT array_agg(id) FROM pgboss.job WHERE state = 'active'";
    let none = "array_fill(NULL::int, '{5}'), array_fill(NULL::timestamptz, '{5}'), array_fill(NULL::jsonb, '{5}')";
    let row = bench.client.query_typed_one(active, &[]).await.unwrap();
    let ids: Vec<uuid::Uuid> = row.get(0);
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let explain = format!(
        "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF, BUFFERS OFF) EXECUTE next_jobs ('q', 5, '{{{}}}', {none})",
        ids.join(",")
    );
    let rows = bench.client.simple_query(&explain).await.unwrap();
    let plan = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: Value = serde_json::from_str(plan.unwrap()).unwrap();
    let rows = read(&plan[0]["Plan"]);
    assert!(rows < 100, "{rows} rows: {plan:#}");
    assert_eq!(bench.count("state = 'completed'").await, 20_005);
    assert_eq!(bench.count("state = 'active'").await, 4);
}
