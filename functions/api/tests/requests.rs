//! What every request meets: rates, foreign pages, waiting.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use common::{
    Api,
    campaign::{act, campaign, planned},
};
use serde_json::json;
use telecast_api::Settings;
use telecast_core::users::Role;

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_to_wait_and_others_are_not() {
    let api = Api::start_with(Settings {
        requests_per_second: 1,
        ..Settings::default()
    })
    .await;
    let ask = async |role| {
        let token = Some(api.token(role));
        api.call(Method::GET, "/api/channels", token, None).await
    };
    let mut refused = None;
    // Four at once, and one a second: a slow machine gives some more.
    for _ in 0..100 {
        let answer = ask(Role::Operator).await;
        if answer.status != StatusCode::OK {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
    );
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert_eq!(ask(Role::Auditor).await.status, StatusCode::OK);

    // An hour later all is forgotten, and the row goes when another token asks.
    api.sql("UPDATE request_rates SET tat = now() - interval '2 hours'")
        .await;
    assert_eq!(ask(Role::Operator).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_foreign_page_may_call_only_where_the_installation_says_so() {
    let preflight = || {
        Request::builder()
            .method(Method::OPTIONS)
            .uri("/api/campaigns")
            .header(header::ORIGIN, "https://ops.example.com")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .body(Body::empty())
            .unwrap()
    };
    let closed = Api::start().await.send(preflight()).await;
    assert!(
        !closed
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    );

    let open = Api::start_with(Settings {
        cors_origin: Some("https://ops.example.com".parse().unwrap()),
        ..Settings::default()
    })
    .await;
    let answer = open.send(preflight()).await;
    assert_eq!(
        answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN],
        "https://ops.example.com"
    );
    assert!(
        !answer
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
    );
}

#[tokio::test]
async fn a_poll_waits_for_a_change_and_answers_when_there_is_one() {
    let api = Api::start().await;
    let id = planned(&api, "RUNNING", "", &["PENDING", "SENT"]).await;
    let path = format!("/api/campaigns/{id}/progress");
    let first = api.get(&path).await.ok();
    assert_eq!(
        (&first["status"], &first["counts"]["pending"]),
        (&json!("RUNNING"), &json!(1))
    );
    let known = first["version"].as_str().unwrap();
    let same = api.get(&format!("{path}?known={known}&seconds=0")).await;
    assert_eq!(same.ok()["version"], known);

    let waiting = format!("{path}?known={known}");
    let (changed, paused) = tokio::join!(api.get(&waiting), act(&api, &id, "pause"));
    paused.ok();
    let changed = changed.ok();
    assert_eq!(
        (&changed["status"], &changed["pauseReason"]),
        (&json!("PAUSED"), &json!("OPERATOR"))
    );
    assert_ne!(changed["version"], known);

    let too_long = api.get(&format!("{path}?seconds=21")).await;
    assert_eq!(too_long.body["error"]["details"]["field"], "seconds");
}

#[tokio::test]
async fn a_job_is_sent_to_a_queue_once_and_seen_there() {
    let api = Api::start().await;
    let id = "01890000-0000-7000-8000-000000000001";
    let new = json!({"id": id, "data": {"campaignId": id}, "startAfter": "2099-01-01T00:00:00Z"});
    let path = "/api/queues/start-campaign/jobs";
    assert_eq!(api.post(path, new.clone()).await.id(), id);
    assert_eq!(api.post(path, new).await.code(), "JOB_EXISTS");
    let slot = json!({"singletonSeconds": 3600, "singletonKey": "k"});
    api.post(path, slot.clone()).await.ok();
    assert_eq!(api.post(path, slot).await.code(), "SLOT_TAKEN");

    let listed = api.get(&format!("{path}?limit=1")).await.ok();
    assert_eq!(listed["pagination"]["hasMore"], true);
    let all = api.get(path).await.ok();
    let ids: Vec<&str> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|job| job["id"].as_str())
        .collect();
    assert!(ids.len() == 2 && ids.contains(&id));
    for unknown in ["no-such-queue", "%20", "a%00b"] {
        let path = format!("/api/queues/{unknown}/jobs");
        assert!(api.get(&path).await.status.is_client_error(), "{unknown}");
        assert!(api.post(&path, json!({})).await.status.is_client_error());
    }
    assert_eq!(api.audited().await, ["QUEUE_JOB_SENT", "QUEUE_JOB_SENT"]);
}

#[tokio::test]
async fn a_scraper_reads_queues_campaigns_and_bots() {
    let api = Api::start().await;
    let new = campaign(&api).await;
    api.post("/api/campaigns", new).await.ok();
    let metrics = api.get("/metrics").await;
    assert_eq!(
        metrics.headers[header::CONTENT_TYPE],
        "text/plain; version=0.0.4"
    );
    let text = metrics.ok();
    let text = text.as_str().unwrap();
    for line in [
        "# TYPE telecast_queue_jobs gauge",
        "telecast_queue_jobs{queue=\"send-message\",state=\"ready\"} 0",
        "telecast_campaigns{status=\"DRAFT\"} 1",
        "telecast_bots{state=\"sending\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
