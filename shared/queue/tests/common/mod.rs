//! A database with the queue's tables for each test.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use serde_json::{Value, json};
use telecast_postgres::testing::{self, Database};
use telecast_queue::{Fetch, Job, JobOptions, NewJob, Policy, Queue, QueueOptions, Send};
use tokio_postgres::{Client, NoTls};

pub struct Bench {
    pub queue: Queue,
    pub client: Client,
    pub database: Database,
}

/// A database with no queue in it.
pub async fn bench() -> Bench {
    let database = testing::database("queue", |url| async move {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        Queue::default().install(&client).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    })
    .await;
    Bench {
        queue: Queue::default(),
        client: database.connect().await,
        database,
    }
}

/// The same with one queue, named `q`.
pub async fn bench_with(options: QueueOptions) -> Bench {
    let bench = bench().await;
    bench
        .queue
        .create_queue(&bench.client, "q", &options)
        .await
        .unwrap();
    bench
}

pub async fn bench_of(policy: Policy) -> Bench {
    bench_with(QueueOptions {
        policy,
        ..QueueOptions::default()
    })
    .await
}

impl Bench {
    /// Sends a job with these options; its data say which it is.
    pub async fn send(&self, label: &str, options: JobOptions) -> telecast_queue::Sent {
        let send = Send {
            data: json!({ "label": label }),
            options,
            ..Send::to("q")
        };
        self.queue.send(&self.client, &send).await.unwrap()
    }

    pub async fn insert(&self, jobs: Vec<(&str, JobOptions)>) -> usize {
        let jobs: Vec<NewJob> = jobs
            .into_iter()
            .map(|(label, options)| NewJob {
                data: json!({ "label": label }),
                options,
            })
            .collect();
        self.queue
            .insert(&self.client, "q", &jobs)
            .await
            .unwrap()
            .len()
    }

    pub async fn fetch(&self, batch: u32) -> Vec<Job> {
        let fetch = Fetch {
            batch,
            ..Fetch::from("q")
        };
        self.queue.fetch(&self.client, &fetch).await.unwrap()
    }

    pub async fn fetch_one(&self) -> Job {
        self.fetch(1).await.pop().expect("a job is due")
    }

    pub async fn get(&self, job: &Job) -> Job {
        self.queue
            .get(&self.client, "q", job.id)
            .await
            .unwrap()
            .expect("the job is there")
    }

    /// Changes rows as no client would, to let time pass.
    pub async fn sql(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    pub async fn count(&self, condition: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM pgboss.job WHERE {condition}");
        self.client.query_typed_one(&sql, &[]).await.unwrap().get(0)
    }
}

pub fn labels(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(label).collect()
}

pub fn label(job: &Job) -> &str {
    job.data["label"]
        .as_str()
        .expect("the test's jobs have labels")
}

pub fn key(key: &str) -> JobOptions {
    JobOptions {
        singleton_key: Some(key.to_owned()),
        ..JobOptions::default()
    }
}

pub fn priority(priority: i32) -> JobOptions {
    JobOptions {
        priority,
        ..JobOptions::default()
    }
}

pub fn output(text: &str) -> Option<Value> {
    Some(json!({ "text": text }))
}
