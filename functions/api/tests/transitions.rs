//! Every action on a campaign in every state, legal or not, over HTTP.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use axum::http::StatusCode;
use common::{
    Api,
    campaign::{act, campaign, planned},
};
use serde_json::json;

/// States with their reason, and what each action makes of them: a state, or why not.
/// `retry-failed` and `resend-uncertain` find one message each.
const TABLE: [(&str, &str, [&str; 6]); 12] = {
    const NO: &str = "ILLEGAL_TRANSITION";
    [
        //                         start     pause     resume        cancel       retry      resend
        ("DRAFT", "", ["QUEUED", NO, NO, "CANCELLED", NO, NO]),
        ("QUEUED", "", [NO, "PAUSED", NO, "CANCELLED", NO, NO]),
        (
            "RUNNING",
            "",
            [NO, "PAUSED", NO, "CANCELLED", "RUNNING", "RUNNING"],
        ),
        (
            "PAUSED",
            "OPERATOR",
            [NO, NO, "RUNNING", "CANCELLED", "PAUSED", "PAUSED"],
        ),
        (
            "PAUSED",
            "FLOOD_WAIT",
            [NO, "PAUSED", "FLOOD_WAIT", "CANCELLED", "PAUSED", "PAUSED"],
        ),
        (
            "PAUSED",
            "TOO_MANY_FLOODS",
            [NO, NO, "RUNNING", "CANCELLED", "PAUSED", "PAUSED"],
        ),
        (
            "PAUSED",
            "MESSAGE_REJECTED",
            [NO, NO, "RUNNING", "CANCELLED", "PAUSED", "PAUSED"],
        ),
        (
            "PAUSED",
            "BOT_REJECTED",
            [NO, NO, "RUNNING", "CANCELLED", "PAUSED", "PAUSED"],
        ),
        ("COMPLETED", "", [NO, NO, NO, NO, "RUNNING", "RUNNING"]),
        ("CANCELLED", "", [NO, NO, NO, NO, NO, NO]),
        ("FAILED", "", [NO, NO, NO, NO, NO, NO]),
        ("MISSED", "", [NO, NO, NO, NO, NO, NO]),
    ]
};

const ACTIONS: [&str; 6] = [
    "start",
    "pause",
    "resume",
    "cancel",
    "retry-failed",
    "resend-uncertain",
];

#[tokio::test]
async fn each_action_leads_where_the_table_says_or_is_refused_with_the_reason() {
    let api = Api::start().await;
    let id = planned(&api, "RUNNING", "", &["FAILED", "UNCERTAIN", "SENT"]).await;
    for (status, reason, row) in TABLE {
        for (action, expected) in ACTIONS.into_iter().zip(row) {
            api.sql(&format!(
                "UPDATE campaigns SET
                   status = '{status}', pause_reason = nullif('{reason}', ''),
                   resumes_at = CASE '{reason}' WHEN 'FLOOD_WAIT' THEN now() + interval '1 hour' END,
                   failed = 1, uncertain = 1, sent = 1, cancelled = 0;
                 UPDATE jobs SET status = (ARRAY['FAILED', 'UNCERTAIN', 'SENT'])[position + 1];
                 DELETE FROM pgboss.job WHERE name = 'send-message'",
            ))
            .await;
            let answer = act(&api, &id, action).await;
            let what = format!("{status} {reason}: {action}: {answer:?}");
            if answer.status == StatusCode::OK {
                assert_eq!(answer.body["status"], expected, "{what}");
                let of_hand = expected == "PAUSED" && action == "pause";
                let told = if of_hand { "OPERATOR" } else { reason };
                if expected == "PAUSED" {
                    assert_eq!(answer.body["pauseReason"], told, "{what}");
                }
            } else {
                assert_eq!(
                    (answer.status, answer.code()),
                    (StatusCode::CONFLICT, expected),
                    "{what}"
                );
                let message = answer.message();
                assert!(
                    expected == "FLOOD_WAIT"
                        || (message.contains(status) && message.contains(action)),
                    "{what}"
                );
            }
        }
    }
}

#[tokio::test]
async fn failed_messages_wait_again_and_are_counted_so() {
    let api = Api::start().await;
    let id = planned(
        &api,
        "COMPLETED",
        "",
        &["FAILED", "FAILED", "UNCERTAIN", "SENT"],
    )
    .await;
    let after = act(&api, &id, "retry-failed").await.ok();
    assert_eq!(after["status"], "RUNNING");
    assert_eq!(
        (&after["counts"]["pending"], &after["counts"]["failed"]),
        (&json!(2), &json!(0))
    );
    let none = act(&api, &id, "retry-failed").await;
    assert_eq!(none.code(), "NOTHING_TO_SEND_AGAIN");

    let after = act(&api, &id, "resend-uncertain").await.ok();
    assert_eq!(
        (&after["counts"]["pending"], &after["counts"]["uncertain"]),
        (&json!(3), &json!(0))
    );
    let jobs = api
        .get(&format!("/api/campaigns/{id}/jobs?status=PENDING"))
        .await
        .ok();
    assert_eq!(jobs["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn two_operators_who_press_start_at_once_start_one_campaign() {
    let api = Api::start().await;
    let new = campaign(&api).await;
    for round in 0..10 {
        let mut new = new.clone();
        new["name"] = format!("round {round}").into();
        let id = api.post("/api/campaigns", new).await.id();
        let (one, other) = tokio::join!(act(&api, &id, "start"), act(&api, &id, "start"));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
    }
    let jobs = api.get("/api/queues/start-campaign/jobs").await.ok();
    assert_eq!(jobs["items"].as_array().unwrap().len(), 10);
    let started = api.audited().await;
    let started = started
        .iter()
        .filter(|action| *action == "CAMPAIGN_STARTED");
    assert_eq!(started.count(), 10);
}
