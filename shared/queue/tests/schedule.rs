//! Schedules: each occurrence makes one job.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use chrono::{DateTime, Utc};
use common::bench_of;
use serde_json::json;
use telecast_queue::{BrokenSchedule, CRON_INTERVAL, JobOptions, Missed, NewSchedule, Policy};

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
