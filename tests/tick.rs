//! The scheduler behind HTTP, and the SQL that makes Supabase call it.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test stops where it cannot go on"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use telecast_postgres::testing::{self, Database};

const SECRET: &str = "open sesame";

/// A running `telecast scheduler --tick-on`.
struct Scheduler {
    child: Child,
    url: String,
}

fn telecast(database: &Database, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telecast"));
    command
        .args(arguments)
        .env("DATABASE_URL", database.url())
        .env("HANDLER_SECRET", SECRET)
        .env("JWT_SECRET", "11".repeat(32))
        .env("ENCRYPTION_KEY", "22".repeat(32))
        .stdout(Stdio::piped());
    command
}

impl Scheduler {
    fn start(database: &Database) -> Self {
        let arguments = ["scheduler", "--tick-on", "127.0.0.1:0"];
        let mut child = telecast(database, &arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("POST to ")?.1.to_owned()))
            .unwrap();
        Self { child, url }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A database that `telecast migrate` brought up.
async fn database() -> Database {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let database = testing::database("tick", async |_| {}).await;
    let migrated = telecast(&database, &["migrate"]).output().unwrap();
    assert!(migrated.status.success());
    let printed = String::from_utf8(migrated.stdout).unwrap();
    assert!(printed.contains("made the user admin, with the password "));
    database
}

async fn post(url: &str, authorization: &str) -> (u16, Value) {
    let request = reqwest::Client::new().post(url).json(&json!({}));
    let answer = request.header("authorization", authorization).send().await;
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_post_with_the_secret_is_a_tick_and_without_it_is_refused() {
    let database = database().await;
    let scheduler = Scheduler::start(&database);
    let right = format!("Bearer {SECRET}");
    assert_eq!(
        post(&scheduler.url, &right).await,
        (200, json!({"ended": "IDLE"}))
    );
    for wrong in ["Bearer open barley", "Bearer ", "open sesame"] {
        assert_eq!(post(&scheduler.url, wrong).await.0, 401, "{wrong}");
    }
}

#[tokio::test]
async fn a_second_post_wakes_the_tick_that_runs_and_does_not_wait_for_it() {
    let database = database().await;
    let scheduler = Scheduler::start(&database);
    let client = database.connect().await;
    // A job that is due within the minute keeps the first tick waiting for it.
    client
        .batch_execute(
            "INSERT INTO pgboss.job (name, data, start_after)
             VALUES ('start-campaign', '{}', now() + interval '50 seconds')",
        )
        .await
        .unwrap();
    let right = format!("Bearer {SECRET}");
    let first_answer = tokio::select! {
        answer = post(&scheduler.url, &right) => answer,
        answer = post(&scheduler.url, &right) => answer,
    };
    assert_eq!(first_answer, (200, json!({"ended": "RUNNING_ALREADY"})));
}

/// What Supabase's extensions do, as far as the SQL needs it: the job is kept, the post
/// recorded, the secret given back.
const SUPABASE: &str = "
    CREATE SCHEMA cron;
    CREATE TABLE cron.job (jobname text, schedule text, command text);
    CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint
    LANGUAGE sql AS 'INSERT INTO cron.job VALUES ($1, $2, $3); SELECT 1::bigint';
    CREATE SCHEMA net;
    CREATE TABLE net.posts (url text, body jsonb, headers jsonb);
    CREATE FUNCTION net.http_post(
      url text, body jsonb DEFAULT '{}', params jsonb DEFAULT '{}',
      headers jsonb DEFAULT '{}', timeout_milliseconds integer DEFAULT 5000
    ) RETURNS bigint
    LANGUAGE sql AS 'INSERT INTO net.posts VALUES ($1, $2, $4); SELECT 1::bigint';
    CREATE SCHEMA vault;
    CREATE TABLE vault.decrypted_secrets (name text, decrypted_secret text);
    CREATE FUNCTION vault.create_secret(new_secret text, new_name text, new_description text)
    RETURNS uuid
    LANGUAGE sql AS
      'INSERT INTO vault.decrypted_secrets VALUES ($2, $1); SELECT gen_random_uuid()';
";

#[tokio::test]
async fn supabases_cron_posts_what_the_scheduler_takes() {
    let database = database().await;
    let scheduler = Scheduler::start(&database);
    let client = database.connect().await;
    client.batch_execute(SUPABASE).await.unwrap();
    let sql = include_str!("../docs/supabase-cron.sql")
        .lines()
        .filter(|line| !line.starts_with("CREATE EXTENSION"))
        .collect::<Vec<_>>()
        .join("\n")
        .replace("https://SCHEDULER-URL/", &scheduler.url)
        .replace("HANDLER-SECRET", SECRET);
    client.batch_execute(&sql).await.unwrap();
    let job = client.query_one("SELECT schedule, command FROM cron.job", &[]);
    let job = job.await.unwrap();
    assert_eq!(job.get::<_, String>("schedule"), "* * * * *");
    assert!(!job.get::<_, String>("command").contains(SECRET));
    client
        .batch_execute(job.get::<_, &str>("command"))
        .await
        .unwrap();
    let post_made = client
        .query_one(
            "SELECT url, headers->>'authorization' AS authorization FROM net.posts",
            &[],
        )
        .await
        .unwrap();
    let (url, authorization): (&str, &str) = (post_made.get("url"), post_made.get("authorization"));
    assert_eq!(post(url, authorization).await.0, 200);
}
