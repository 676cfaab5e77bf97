//! Flows, and events.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod common;

use common::{bench_of, labels};
use serde_json::json;
use telecast_queue::{Error, FlowJob, JobOptions, Policy, QueueOptions, Send, Sent};

fn flow_job(reference: &str, depends_on: &[&str]) -> FlowJob {
    FlowJob {
        reference: reference.to_owned(),
        send: Send {
            data: json!({ "label": reference }),
            ..Send::to("q")
        },
        depends_on: depends_on.iter().map(|&parent| parent.to_owned()).collect(),
    }
}

#[tokio::test]
async fn a_job_of_a_flow_waits_for_all_its_parents() {
    let bench = bench_of(Policy::Standard).await;
    let flow = [
        flow_job("a", &[]),
        flow_job("b", &[]),
        flow_job("c", &["a", "b"]),
    ];
    let ids = bench.queue.flow(&bench.client, &flow).await.unwrap();
    let parents = bench.fetch(10).await;
    assert_eq!(parents.len(), 2);
    bench
        .queue
        .complete(&bench.client, "q", [&parents[0]], None)
        .await
        .unwrap();
    assert!(bench.fetch(10).await.is_empty());
    bench
        .queue
        .complete(&bench.client, "q", [&parents[1]], None)
        .await
        .unwrap();
    assert_eq!(labels(&bench.fetch(10).await), ["c"]);

    let waited_for = bench
        .queue
        .dependencies(&bench.client, "q", ids["c"])
        .await
        .unwrap();
    assert_eq!(waited_for.len(), 2);
    let waited = bench
        .queue
        .dependents(&bench.client, "q", ids["a"])
        .await
        .unwrap();
    assert_eq!(waited[0].id, ids["c"]);
}

#[tokio::test]
async fn a_flow_is_created_whole_or_not_at_all() {
    let bench = bench_of(Policy::Standard).await;
    let taken = bench.send("taken", JobOptions::default()).await.id();
    let mut colliding = flow_job("b", &["a"]);
    colliding.send.options.id = taken;
    let error = bench
        .queue
        .flow(&bench.client, &[flow_job("a", &[]), colliding])
        .await;
    assert!(matches!(error, Err(Error::Refused)));
    assert_eq!(bench.count("true").await, 1);
}

#[tokio::test]
async fn a_flow_that_makes_no_sense_says_why() {
    let bench = bench_of(Policy::Standard).await;
    let mut elsewhere = flow_job("b", &["a"]);
    elsewhere.send.queue = "other".to_owned();
    for (flow, message) in [
        (vec![flow_job("a", &[])], "flow requires at least 2 jobs"),
        (
            vec![flow_job("a", &[]), flow_job("b", &[])],
            "flow requires at least one job with dependsOn",
        ),
        (
            vec![flow_job("a", &["a"]), flow_job("b", &[])],
            "flow job \"a\" cannot depend on itself",
        ),
        (
            vec![flow_job("a", &["x"]), flow_job("b", &[])],
            "flow dependsOn ref \"x\" not found in flow",
        ),
        (
            vec![flow_job("a", &[]), flow_job("a", &["a"])],
            "flow has a duplicate ref: \"a\"",
        ),
        (
            vec![
                flow_job("a", &["c"]),
                flow_job("b", &["a"]),
                flow_job("c", &["b"]),
                flow_job("d", &["a"]),
            ],
            "flow contains a dependency cycle: a -> b -> c -> a",
        ),
        (
            vec![flow_job("a", &[]), elsewhere],
            "Queue other does not exist",
        ),
    ] {
        let error = bench.queue.flow(&bench.client, &flow).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[tokio::test]
async fn an_event_makes_a_job_in_each_queue_that_subscribed() {
    let bench = bench_of(Policy::Standard).await;
    bench
        .queue
        .create_queue(&bench.client, "p", &QueueOptions::default())
        .await
        .unwrap();
    for queue in ["q", "p", "q"] {
        bench
            .queue
            .subscribe(&bench.client, "paid", queue)
            .await
            .unwrap();
    }
    let options = JobOptions::default();
    let sent = bench
        .queue
        .publish(&bench.client, "paid", &json!({ "n": 1 }), &options)
        .await
        .unwrap();
    let queues: Vec<&str> = sent.iter().map(|(queue, _)| queue.as_str()).collect();
    assert_eq!(queues, ["p", "q"]);
    assert!(
        sent.iter()
            .all(|(_, sent)| matches!(sent, Sent::Created(_)))
    );
    bench
        .queue
        .unsubscribe(&bench.client, "paid", "q")
        .await
        .unwrap();
    let sent = bench
        .queue
        .publish(&bench.client, "paid", &json!({}), &options)
        .await
        .unwrap();
    assert_eq!(sent.len(), 1);
}
