//! What comes with time: upkeep, schedules, and hearing of jobs as they arrive.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::{bench_of, bench_with};
use serde_json::json;
use telecast_queue::{
    BrokenSchedule, CRON_INTERVAL, Failure, JobOptions, Listener, Missed, NewSchedule, Policy,
    QueueOptions, Send, StartAfter, State, Upkeep,
};
use tokio_postgres::NoTls;

fn at_once() -> Upkeep {
    Upkeep {
        monitor_interval: Duration::ZERO,
        maintain_interval: Duration::ZERO,
        ..Upkeep::default()
    }
}

#[tokio::test]
async fn a_job_that_runs_too_long_is_retried_and_then_failed() {
    let bench = bench_with(QueueOptions {
        expire_in: Some(Duration::from_secs(5)),
        retry_limit: Some(1),
        ..QueueOptions::default()
    })
    .await;
    bench.send("a", JobOptions::default()).await;
    for (later, expired, state) in [
        (0, 0, State::Active),
        (6, 1, State::Retry),
        (6, 1, State::Failed),
    ] {
        let fetched = bench.fetch(1).await;
        bench
            .sql(&format!(
                "UPDATE pgboss.job SET started_on = started_on - interval '{later}s'"
            ))
            .await;
        let pass = bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap();
        assert_eq!(pass.expired, expired);
        let jobs = bench
            .queue
            .find(&bench.client, "q", &telecast_queue::Find::default())
            .await
            .unwrap();
        assert_eq!(jobs[0].state, state, "{fetched:?}");
        if state != State::Active {
            assert_eq!(
                jobs[0].output,
                Some(json!({"value": {"message": "job timed out"}}))
            );
        }
    }
}

#[tokio::test]
async fn a_job_without_a_sign_of_life_fails_long_before_it_expires() {
    let bench = bench_of(Policy::Standard).await;
    let options = JobOptions {
        heartbeat: Some(Duration::from_secs(10)),
        ..JobOptions::default()
    };
    bench.send("a", options).await;
    let job = bench.fetch_one().await;
    bench
        .sql("UPDATE pgboss.job SET heartbeat_on = now() - interval '11s'")
        .await;
    bench.queue.touch(&bench.client, "q", [&job]).await.unwrap();
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap()
            .expired,
        0
    );
    bench
        .sql("UPDATE pgboss.job SET heartbeat_on = now() - interval '11s'")
        .await;
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap()
            .expired,
        1
    );
    let output = bench.get(&job).await.output;
    assert_eq!(
        output,
        Some(json!({"value": {"message": "job heartbeat timeout"}}))
    );
}

#[tokio::test]
async fn what_is_long_done_or_waited_too_long_is_deleted() {
    let bench = bench_of(Policy::Standard).await;
    let keep = |seconds| JobOptions {
        delete_after: Some(Duration::from_secs(seconds)),
        ..JobOptions::default()
    };
    for (label, options) in [
        ("done", keep(10)),
        ("kept for ever", keep(0)),
        ("waits", JobOptions::default()),
    ] {
        bench.send(label, options).await;
    }
    let jobs = bench.fetch(2).await;
    bench
        .queue
        .complete(&bench.client, "q", &jobs, None)
        .await
        .unwrap();
    let later = |seconds| Upkeep {
        now: Some(Utc::now() + chrono::TimeDelta::seconds(seconds)),
        ..at_once()
    };
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &later(9), None)
            .await
            .unwrap()
            .deleted,
        0
    );
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &later(12), None)
            .await
            .unwrap()
            .deleted,
        1
    );
    let fortnight = 15 * 86_400;
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &later(fortnight), None)
            .await
            .unwrap()
            .deleted,
        1
    );
    assert_eq!(bench.count("state = 'completed'").await, 1);
}

#[tokio::test]
async fn many_share_the_upkeep_and_one_of_them_does_it() {
    let bench = bench_of(Policy::Standard).await;
    let hourly = Upkeep {
        monitor_interval: Duration::from_secs(3600),
        ..Upkeep::default()
    };
    let first = bench
        .queue
        .upkeep(&bench.client, &hourly, None)
        .await
        .unwrap();
    assert_eq!(first.monitored, ["q"]);
    let second = bench
        .queue
        .upkeep(&bench.client, &hourly, None)
        .await
        .unwrap();
    assert!(second.monitored.is_empty());
}

#[tokio::test]
async fn a_backlog_makes_a_warning() {
    let bench = bench_with(QueueOptions {
        warning_size: Some(1),
        ..QueueOptions::default()
    })
    .await;
    bench
        .insert(vec![
            ("a", JobOptions::default()),
            ("b", JobOptions::default()),
        ])
        .await;
    let upkeep = Upkeep {
        keep_warnings: true,
        ..at_once()
    };
    let pass = bench
        .queue
        .upkeep(&bench.client, &upkeep, None)
        .await
        .unwrap();
    assert_eq!(pass.backlogs, [("q".to_owned(), 2)]);
    let row = bench
        .client
        .query_typed_one("SELECT type FROM pgboss.warning", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>("type"), "queue_backlog");
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn every_minute(queue: &str) -> NewSchedule {
    NewSchedule {
        queue: queue.to_owned(),
        cron: "* * * * *".to_owned(),
        data: json!({ "label": "scheduled" }),
        ..NewSchedule::default()
    }
}

#[tokio::test]
async fn each_occurrence_makes_one_job_however_many_passes_run() {
    let bench = bench_of(Policy::Standard).await;
    let schedule = NewSchedule {
        options: JobOptions {
            priority: 3,
            ..JobOptions::default()
        },
        ..every_minute("q")
    };
    bench
        .queue
        .schedule(&bench.client, &schedule)
        .await
        .unwrap();
    let mut sent = Vec::new();
    for now in ["12:00:10", "12:00:15", "12:00:40", "12:01:09", "12:01:40"] {
        let now = time(&format!("2040-01-01T{now}Z"));
        let pass = bench
            .queue
            .run_schedules(&bench.client, CRON_INTERVAL, Some(now))
            .await
            .unwrap();
        sent.push((pass.claimed, pass.sent));
    }
    // The second comes too soon after the first; the third finds nothing new.
    assert_eq!(
        sent,
        [(true, 1), (false, 0), (true, 0), (false, 0), (true, 1)]
    );
    let job = bench.fetch_one().await;
    assert_eq!((common::label(&job), job.priority), ("scheduled", 3));
    let last = bench
        .queue
        .schedules(&bench.client, Some("q"), None)
        .await
        .unwrap()[0]
        .last_job_id;
    assert_eq!(last, Some(bench.fetch_one().await.id));
}

#[tokio::test]
async fn what_was_missed_comes_once_if_asked_for() {
    let bench = bench_of(Policy::Standard).await;
    for (key, missed) in [("skips", Missed::Skip), ("catches-up", Missed::Once)] {
        let schedule = NewSchedule {
            key: key.to_owned(),
            cron: "0 * * * *".to_owned(),
            data: json!({ "label": key }),
            missed,
            ..every_minute("q")
        };
        bench
            .queue
            .schedule(&bench.client, &schedule)
            .await
            .unwrap();
    }
    bench
        .sql("UPDATE pgboss.schedule SET created_on = '2030-01-01'")
        .await;
    for now in ["2040-01-01T09:10:00Z", "2040-01-01T13:10:00Z"] {
        bench
            .queue
            .run_schedules(&bench.client, CRON_INTERVAL, Some(time(now)))
            .await
            .unwrap();
    }
    assert_eq!(common::labels(&bench.fetch(10).await), ["catches-up"]);
}

#[tokio::test]
async fn a_broken_schedule_is_named_and_stops_no_other() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .queue
        .schedule(&bench.client, &every_minute("q"))
        .await
        .unwrap();
    bench
        .sql("INSERT INTO pgboss.schedule (name, key, cron) VALUES ('q', 'bad', 'not cron')")
        .await;
    let pass = bench
        .queue
        .run_schedules(&bench.client, CRON_INTERVAL, None)
        .await
        .unwrap();
    let [BrokenSchedule { key, problem, .. }] = &pass.broken[..] else {
        panic!("{pass:?}")
    };
    assert_eq!(key, "bad");
    assert!(problem.contains("not cron"));
    assert_eq!(pass.sent, 1);
}

#[tokio::test]
async fn recurrence_rules_are_left_to_pg_boss_which_goes_first() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .sql("INSERT INTO pgboss.schedule (name, kind, cron) VALUES ('q', 'rrule', 'FREQ=DAILY')")
        .await;
    let mut claimed = Vec::new();
    for now in ["12:00:00", "12:00:31", "12:00:46"] {
        let now = time(&format!("2040-01-01T{now}Z"));
        let pass = bench
            .queue
            .run_schedules(&bench.client, CRON_INTERVAL, Some(now))
            .await
            .unwrap();
        claimed.push((pass.claimed, pass.broken.len()));
    }
    assert_eq!(claimed, [(true, 1), (false, 0), (true, 1)]);
}

#[tokio::test]
async fn a_bad_schedule_is_refused() {
    let bench = bench_of(Policy::Standard).await;
    let bad = [
        (
            NewSchedule {
                cron: "61 * * * *".to_owned(),
                ..every_minute("q")
            },
            "cron expression",
        ),
        (
            NewSchedule {
                timezone: Some("Mars".to_owned()),
                ..every_minute("q")
            },
            "time zone",
        ),
        (every_minute("other"), "Queue other does not exist"),
        (
            NewSchedule {
                data: json!(1),
                ..every_minute("q")
            },
            "data must be an object",
        ),
    ];
    for (schedule, message) in bad {
        let error = bench
            .queue
            .schedule(&bench.client, &schedule)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    bench
        .queue
        .schedule(&bench.client, &every_minute("q"))
        .await
        .unwrap();
    bench
        .queue
        .unschedule(&bench.client, "q", "")
        .await
        .unwrap();
    assert!(
        bench
            .queue
            .schedules(&bench.client, None, None)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_listener_hears_of_jobs_that_are_due_and_of_no_others() {
    let bench = bench_with(QueueOptions {
        notify: Some(true),
        ..QueueOptions::default()
    })
    .await;
    bench
        .queue
        .create_queue(&bench.client, "quiet", &QueueOptions::default())
        .await
        .unwrap();
    let config = bench.database.config();
    let mut listener = Listener::connect(&bench.queue, &config, NoTls)
        .await
        .unwrap();
    let later = StartAfter::In(Duration::from_secs(60));
    bench
        .send(
            "later",
            JobOptions {
                start_after: Some(later),
                ..JobOptions::default()
            },
        )
        .await;
    bench
        .queue
        .send(&bench.client, &Send::to("quiet"))
        .await
        .unwrap();
    bench.insert(vec![("now", JobOptions::default())]).await;
    let heard = tokio::time::timeout(Duration::from_secs(10), listener.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(heard.into_iter().collect::<Vec<_>>(), ["q"]);

    let killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    bench.sql(killed).await;
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(10), listener.next())
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_failed_job_of_a_stately_queue_may_expire_too() {
    let bench = bench_of(Policy::Stately).await;
    bench.send("a", JobOptions::default()).await;
    let a = bench.fetch_one().await;
    bench
        .queue
        .fail(
            &bench.client,
            "q",
            [&a],
            &Failure {
                delay: Some(Duration::from_secs(60)),
                ..Failure::default()
            },
        )
        .await
        .unwrap();
    bench.send("b", JobOptions::default()).await;
    let b = bench.fetch_one().await;
    bench
        .sql("UPDATE pgboss.job SET started_on = now() - interval '1h' WHERE state = 'active'")
        .await;
    assert_eq!(
        bench
            .queue
            .upkeep(&bench.client, &at_once(), None)
            .await
            .unwrap()
            .expired,
        1
    );
    assert_eq!(bench.get(&b).await.state, State::Failed);
}
