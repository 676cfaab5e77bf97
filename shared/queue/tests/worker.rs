//! Sessions, senders and workers: the ways to many jobs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Bench, bench_of, bench_with, key, label};
use futures_util::future::join_all;
use serde_json::json;
use telecast_queue::{
    Error, Failure, Handled, Job, JobOptions, Listener, Policy, Queue, QueueOptions, Send, Sender,
    Sent, Session, State, Worker,
};
use tokio::sync::{Notify, Semaphore};
use tokio_postgres::NoTls;

async fn session(bench: &Bench) -> Session {
    Session::new(bench.database.connect().await).await.unwrap()
}

async fn sender(bench: &Bench) -> Sender {
    Sender::new(bench.queue.clone(), session(bench).await)
}

fn labelled(label: &str, options: JobOptions) -> Send {
    Send {
        data: json!({ "label": label }),
        options,
        ..Send::to("q")
    }
}

/// Works until `handler` has said often enough that a job is done.
async fn work<F>(bench: &Bench, worker: &Worker, times: usize, handler: impl Fn(Job) -> F)
where
    F: Future<Output = Handled> + std::marker::Send + 'static,
{
    let handled = Arc::new(Semaphore::new(0));
    let counted = |job| {
        let (handled, end) = (Arc::clone(&handled), handler(job));
        async move {
            let end = end.await;
            handled.add_permits(1);
            end
        }
    };
    let stop = async {
        handled
            .acquire_many(u32::try_from(times).unwrap())
            .await
            .unwrap()
            .forget();
    };
    let session = session(bench).await;
    worker
        .run(&bench.queue, &session, None, counted, stop)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_says_the_same_once_its_statements_are_prepared() {
    let bench = bench_of(Policy::Standard).await;
    let client = bench.database.connect().await;
    let session = Session::new(client).await.unwrap();
    for _ in 0..10 {
        bench.queue.send(&session, &Send::to("q")).await.unwrap();
    }
    let fetched = bench.queue.fetch(&session, &"q".into()).await.unwrap();
    bench
        .queue
        .complete(&session, "q", &fetched, None)
        .await
        .unwrap();
    assert_eq!(bench.count("state = 'completed'").await, 1);
    assert_eq!(bench.count("state = 'created'").await, 9);
    assert!(!session.is_closed());
}

#[tokio::test]
async fn a_session_goes_on_after_its_statement_failed() {
    let bench = bench_of(Policy::Standard).await;
    let session = session(&bench).await;
    let send = async || bench.queue.send(&session, &Send::to("q")).await;
    send().await.unwrap();
    send().await.unwrap();
    // As an upgrade by a Node client would: what was planned is void.
    bench
        .sql("ALTER TABLE pgboss.job RENAME COLUMN priority TO other")
        .await;
    assert!(send().await.is_err());
    bench
        .sql("ALTER TABLE pgboss.job RENAME COLUMN other TO priority")
        .await;
    send().await.unwrap();
    assert_eq!(bench.count("name = 'q'").await, 3);
}

#[tokio::test]
async fn many_callers_share_a_sender_and_each_hears_of_its_own_job() {
    let bench = bench_of(Policy::Short).await;
    let sender = sender(&bench).await;
    let id = uuid::Uuid::now_v7();
    let with_id = JobOptions {
        id: Some(id),
        ..key("first")
    };
    let same_id = JobOptions {
        id: Some(id),
        ..key("second")
    };
    let mut sends: Vec<Send> = (0..40)
        .map(|n| labelled(&n.to_string(), key(&n.to_string())))
        .collect();
    sends.extend([
        labelled("a", with_id),
        labelled("b", same_id),
        labelled("c", key("7")),
        Send::to("nowhere"),
        labelled(
            "d",
            JobOptions {
                singleton_seconds: Some(0),
                ..JobOptions::default()
            },
        ),
    ]);
    let mut answers = join_all(sends.into_iter().map(|send| sender.send(send))).await;
    let invalid = answers.pop().unwrap();
    assert!(
        matches!(
            invalid,
            Err(Error::Invalid {
                field: "singletonSeconds",
                ..
            })
        ),
        "{invalid:?}"
    );
    let nowhere = answers.pop().unwrap();
    assert!(
        matches!(nowhere, Err(Error::UnknownQueue(_))),
        "{nowhere:?}"
    );
    assert_eq!(answers.pop().unwrap().unwrap(), Sent::Refused);
    assert_eq!(answers.pop().unwrap().unwrap(), Sent::Exists);
    assert_eq!(answers.pop().unwrap().unwrap(), Sent::Created(id));
    for (n, answer) in answers.into_iter().enumerate() {
        let job = bench
            .queue
            .get(&bench.client, "q", answer.unwrap().id().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(label(&job), n.to_string());
    }
    assert_eq!(bench.count("name = 'q'").await, 41);
}

#[tokio::test]
async fn a_sender_says_so_once_its_connection_is_lost() {
    let bench = bench_of(Policy::Standard).await;
    let sender = sender(&bench).await;
    sender.send(Send::to("q")).await.unwrap();
    bench
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        .await;
    let answers = join_all((0..3).map(|_| sender.send(Send::to("q")))).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(Error::Database(_)))),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_worker_settles_each_job_as_its_handler_says() {
    let bench = bench_with(QueueOptions {
        retry_limit: Some(0),
        ..QueueOptions::default()
    })
    .await;
    for name in ["done", "silent", "failed", "panics", "wrong"] {
        bench.send(name, JobOptions::default()).await;
    }
    let handler = async |job: Job| match label(&job) {
        "done" => Ok(Some(json!({"n": 1}))),
        "silent" => Ok(None),
        "failed" => Err(Failure {
            output: Some(json!({"why": "no"})),
            ..Failure::default()
        }),
        "wrong" => Ok(Some(json!("not an object"))),
        _ => panic!("as asked"),
    };
    work(&bench, &Worker::new("q"), 4, handler).await;
    let outcome = async |name: &str| {
        let sql = "SELECT state::text, output FROM pgboss.job WHERE data->>'label' = $1";
        let types = tokio_postgres::types::Type::TEXT;
        let row = bench
            .client
            .query_typed_one(sql, &[(&name, types)])
            .await
            .unwrap();
        (
            row.get::<_, String>(0),
            row.get::<_, Option<serde_json::Value>>(1),
        )
    };
    assert_eq!(
        outcome("done").await,
        ("completed".to_owned(), Some(json!({"n": 1})))
    );
    assert_eq!(outcome("silent").await, ("completed".to_owned(), None));
    assert_eq!(
        outcome("failed").await,
        ("failed".to_owned(), Some(json!({"why": "no"})))
    );
    assert_eq!(outcome("panics").await.0, "failed");
    let wrong = outcome("wrong").await;
    assert_eq!(wrong.0, "failed");
    assert_eq!(wrong.1.unwrap()["message"], "output must be an object");
}

#[tokio::test]
async fn workers_do_every_job_once() {
    let bench = bench_of(Policy::Standard).await;
    let jobs = vec![("job", JobOptions::default()); 1000];
    bench.insert(jobs).await;
    let worker = Worker {
        concurrency: 7,
        ahead: 20,
        ..Worker::new("q")
    };
    let begun = Arc::new(AtomicUsize::new(0));
    let all = Notify::new();
    let handler = |_job: Job| {
        if begun.fetch_add(1, Ordering::Relaxed) + 1 == 1000 {
            all.notify_waiters();
        }
        async { Ok(None) }
    };
    let (one, two) = (session(&bench).await, session(&bench).await);
    let (first, second) = tokio::join!(
        worker.run(&bench.queue, &one, None, handler, all.notified()),
        worker.run(&bench.queue, &two, None, handler, all.notified()),
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(begun.load(Ordering::Relaxed), 1000);
    assert_eq!(
        bench.count("state = 'completed' AND retry_count = 0").await,
        1000
    );
}

#[tokio::test]
async fn a_worker_runs_no_more_handlers_at_once_than_it_was_told() {
    let bench = bench_of(Policy::Standard).await;
    bench.insert(vec![("job", JobOptions::default()); 30]).await;
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let handler = |_job: Job| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(None)
        }
    };
    let worker = Worker {
        concurrency: 3,
        ahead: 10,
        ..Worker::new("q")
    };
    work(&bench, &worker, 30, handler).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_worker_that_stops_finishes_what_runs_and_puts_the_rest_back() {
    let bench = bench_of(Policy::Standard).await;
    bench.insert(vec![("job", JobOptions::default()); 5]).await;
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = |_job: Job| {
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        async move {
            begun.notify_one();
            go.notified().await;
            Ok(None)
        }
    };
    let stop = async {
        begun.notified().await;
        go.notify_one();
    };
    let worker = Worker {
        concurrency: 1,
        ahead: 4,
        ..Worker::new("q")
    };
    let session = session(&bench).await;
    worker
        .run(&bench.queue, &session, None, handler, stop)
        .await
        .unwrap();
    assert_eq!(bench.count("state = 'active'").await, 0);
    assert_eq!(bench.count("state = 'completed'").await, 1);
    let back = bench
        .count("state = 'created' AND started_on IS NULL AND retry_count = 0")
        .await;
    assert_eq!(back, 4);
}

#[tokio::test]
async fn a_worker_hears_of_a_job_long_before_it_would_look() {
    let bench = bench_with(QueueOptions {
        notify: Some(true),
        ..QueueOptions::default()
    })
    .await;
    let listener = Listener::connect(&bench.queue, &bench.database.config(), NoTls)
        .await
        .unwrap();
    let worker = Worker {
        poll: Duration::from_secs(86_400),
        ..Worker::new("q")
    };
    let (session, done) = (session(&bench).await, Arc::new(Notify::new()));
    let handler = |job: Job| {
        if label(&job) == "second" {
            done.notify_one();
        }
        async { Ok(None) }
    };
    let sending = async {
        // Its first look finds nothing, or the first job; of the second it must hear.
        bench.send("first", JobOptions::default()).await;
        while bench.count("state = 'completed'").await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bench.send("second", JobOptions::default()).await;
    };
    let run = worker.run(
        &bench.queue,
        &session,
        Some(listener),
        handler,
        done.notified(),
    );
    let (ran, ()) = tokio::join!(run, sending);
    ran.unwrap();
    let jobs = bench
        .queue
        .find(&bench.client, "q", &telecast_queue::Find::default())
        .await
        .unwrap();
    assert!(
        jobs.iter().all(|job| job.state == State::Completed),
        "{jobs:?}"
    );
}

#[tokio::test]
async fn a_worker_of_an_unknown_queue_says_so() {
    let bench = bench_of(Policy::Standard).await;
    let handler = async |_job: Job| Ok(None);
    let never = std::future::pending();
    let ran = Worker::new("nowhere")
        .run(
            &Queue::default(),
            &session(&bench).await,
            None,
            handler,
            never,
        )
        .await;
    assert!(matches!(ran, Err(Error::UnknownQueue(_))), "{ran:?}");
}
