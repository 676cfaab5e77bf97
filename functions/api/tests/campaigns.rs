//! Bots and campaigns over HTTP.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use common::{
    Api, BOT_TOKEN,
    campaign::{act, campaign, planned},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_bot_is_checked_at_telegram_and_its_token_never_shown() {
    let api = Api::start().await;
    let answer = api
        .post("/api/bots", json!({"name": "news", "token": BOT_TOKEN}))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let bot = answer.ok();
    assert_eq!(
        (&bot["username"], &bot["telegramId"]),
        (&json!("news_bot"), &json!(123_456))
    );

    let unknown = BOT_TOKEN.replace("ABC", "XYZ");
    let refused = api
        .post("/api/bots", json!({"name": "other", "token": unknown}))
        .await;
    assert_eq!(refused.body["error"]["details"]["field"], "token");
    let malformed = api
        .post(
            "/api/bots",
            json!({"name": "other", "token": "secret-but-wrong"}),
        )
        .await;
    assert_eq!(malformed.body["error"]["details"]["field"], "token");
    assert!(!malformed.body.to_string().contains("secret-but-wrong"));
    let path = format!("/api/bots/{}", bot["id"].as_str().unwrap());
    let slower = api.patch(&path, json!({"ratePerSecond": 5})).await.ok();
    assert_eq!(slower["ratePerSecond"], 5);

    for path in ["/api/bots", path.as_str(), "/api/audit-logs"] {
        let shown = api.get(path).await.ok().to_string();
        assert!(
            !shown.contains("ABC-DEF") && !shown.contains("oken\":\""),
            "{path}: {shown}"
        );
    }
    assert_eq!(api.audited().await, ["BOT_CREATED", "BOT_UPDATED"]);
}

#[tokio::test]
async fn a_campaign_is_drafted_started_paused_resumed_and_cancelled() {
    let api = Api::start().await;
    let new = campaign(&api).await;
    let draft = api.post("/api/campaigns", new).await.ok();
    assert_eq!(
        (&draft["status"], &draft["counts"]["total"]),
        (&json!("DRAFT"), &json!(0))
    );
    let id = draft["id"].as_str().unwrap();
    let path = format!("/api/campaigns/{id}");
    assert_eq!(
        api.patch(&path, json!({"deliveryRate": 120})).await.ok()["deliveryRate"],
        120
    );

    assert_eq!(act(&api, id, "start").await.ok()["status"], "QUEUED");
    assert_eq!(api.kicks(), 1);
    let again = act(&api, id, "start").await;
    assert_eq!(
        (again.status, again.code()),
        (StatusCode::CONFLICT, "ILLEGAL_TRANSITION")
    );
    assert_eq!(
        api.patch(&path, json!({"name": "late"})).await.code(),
        "NOT_A_DRAFT"
    );

    let paused = act(&api, id, "pause").await.ok();
    assert_eq!(
        (&paused["status"], &paused["pauseReason"]),
        (&json!("PAUSED"), &json!("OPERATOR"))
    );
    assert_eq!(api.kicks(), 1);
    assert_eq!(act(&api, id, "resume").await.ok()["status"], "QUEUED");
    assert_eq!(api.kicks(), 2);
    assert_eq!(act(&api, id, "cancel").await.ok()["status"], "CANCELLED");
    assert_eq!(act(&api, id, "resume").await.status, StatusCode::CONFLICT);
    assert_eq!(
        act(&api, id, "explode").await.body["error"]["details"]["field"],
        "action"
    );

    let list = api.get("/api/campaigns?status=CANCELLED").await.ok();
    assert_eq!(list["items"][0]["id"], id);
    assert_eq!(
        api.get("/api/campaigns?status=RUNNING").await.ok()["items"],
        json!([])
    );
    let log = api
        .get(&format!(
            "/api/audit-logs?subjectType=campaign&subjectId={id}"
        ))
        .await
        .ok();
    let deeds: Vec<_> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["action"].clone(), e["actor"].clone()))
        .collect();
    let expected = [
        ("CAMPAIGN_CANCELLED", "operator"),
        ("CAMPAIGN_RESUMED", "operator"),
        ("CAMPAIGN_PAUSED", "operator"),
        ("CAMPAIGN_STARTED", "operator"),
        ("CAMPAIGN_UPDATED", "admin"),
        ("CAMPAIGN_CREATED", "admin"),
    ];
    assert_eq!(
        deeds,
        expected.map(|(action, actor)| (json!(action), json!(actor)))
    );
}

#[tokio::test]
async fn a_start_without_active_channels_is_a_conflict_that_says_so() {
    let api = Api::start().await;
    let new = campaign(&api).await;
    let id = api.post("/api/campaigns", new).await.id();
    api.sql("UPDATE channels SET active = false").await;
    let refused = act(&api, &id, "start").await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::CONFLICT, "NO_ACTIVE_CHANNELS")
    );
    assert!(
        refused.message().contains("no active channel"),
        "{refused:?}"
    );
    assert_eq!(api.kicks(), 0);
}

#[tokio::test]
async fn a_campaign_of_unknown_things_or_odd_numbers_is_refused() {
    let api = Api::start().await;
    let new = campaign(&api).await;
    for (field, value) in [
        ("batchId", json!("01890000-0000-7000-8000-000000000000")),
        ("templateId", json!("01890000-0000-7000-8000-000000000000")),
        ("botId", json!("01890000-0000-7000-8000-000000000000")),
        ("deliveryRate", json!(0)),
        ("retryLimit", json!(21)),
        ("name", json!("")),
    ] {
        let mut new = new.clone();
        new[field] = value;
        let refused = api.post("/api/campaigns", new).await;
        assert_eq!(
            refused.status,
            StatusCode::BAD_REQUEST,
            "{field}: {refused:?}"
        );
        assert_eq!(refused.body["error"]["details"]["field"], field);
    }
}

#[tokio::test]
async fn what_a_campaign_uses_cannot_be_deleted() {
    let api = Api::start().await;
    let new = campaign(&api).await;
    api.post("/api/campaigns", new.clone()).await.ok();
    for (kind, id) in [
        ("batches", &new["batchId"]),
        ("templates", &new["templateId"]),
    ] {
        let refused = api
            .delete(&format!("/api/{kind}/{}", id.as_str().unwrap()))
            .await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::CONFLICT, "IN_USE")
        );
    }
}

#[tokio::test]
async fn two_operators_who_press_start_at_once_start_one_campaign() {
    let api = Api::start().await;
    let new = campaign(&api).await;
    let id = api.post("/api/campaigns", new).await.id();
    let (first, second) = tokio::join!(act(&api, &id, "start"), act(&api, &id, "start"));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
    assert_eq!(api.kicks(), 1);
}

#[tokio::test]
async fn a_report_tells_what_became_of_each_channel() {
    let api = Api::start().await;
    let mut new = campaign(&api).await;
    let rows: String = (0..250)
        .map(|n| format!("{{\"username\":\"more_{n}\"}}\n"))
        .collect();
    api.import("application/jsonl", rows).await.ok();
    let batch = json!({"name": "more", "add": {"filter": {}}});
    new["batchId"] = json!(api.post("/api/batches", batch).await.id());
    let id = api.post("/api/campaigns", new).await.id();
    act(&api, &id, "start").await.ok();
    let mut database = api.pool.get().await.unwrap();
    let transaction = database.transaction().await.unwrap();
    telecast_core::delivery::plan(&transaction, id.parse().unwrap())
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    api.sql(
        "UPDATE jobs
         SET status = 'FAILED', error_class = 'CHANNEL_GONE', error = 'bot was kicked, it said'
         WHERE position = 7",
    )
    .await;

    let path = format!("/api/campaigns/{id}");
    let failed = api.get(&format!("{path}/jobs?status=FAILED")).await.ok();
    assert_eq!(failed["items"].as_array().unwrap().len(), 1);
    assert_eq!(failed["items"][0]["errorClass"], "CHANNEL_GONE");
    let first = api.get(&format!("{path}/jobs?limit=200")).await.ok();
    let cursor = first["pagination"]["nextCursor"].as_str().unwrap();
    let second = api
        .get(&format!("{path}/jobs?limit=200&cursor={cursor}"))
        .await
        .ok();
    assert_eq!(second["items"][0]["position"], 200);
    assert_eq!(second["items"].as_array().unwrap().len(), 52);

    let report = api.get(&format!("{path}/report.csv")).await.ok();
    let lines: Vec<_> = report.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 253);
    assert!(
        lines[8].starts_with("7,@") && lines[8].contains(",\"bot was kicked, it said\","),
        "{}",
        lines[8]
    );
    let nowhere = "/api/campaigns/01890000-0000-7000-8000-000000000000";
    for kind in ["jobs", "report.csv"] {
        assert_eq!(
            api.get(&format!("{nowhere}/{kind}")).await.code(),
            "NOT_FOUND"
        );
    }
}

#[tokio::test]
async fn the_queues_of_the_handlers_are_listed() {
    let api = Api::start().await;
    let queues = api.get("/api/queues").await.ok();
    let names: Vec<_> = queues["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|queue| queue["name"].clone())
        .collect();
    for name in ["start-campaign", "send-message"] {
        assert!(names.contains(&json!(name)), "{names:?}");
    }
}

#[tokio::test]
async fn a_clone_is_a_draft_with_the_same_settings() {
    let api = Api::start().await;
    let mut new = campaign(&api).await;
    new["quietHours"] = json!({"from": "22:00", "to": "07:30", "timezone": "Europe/Berlin"});
    new["notAfter"] = "2099-01-01T00:00:00Z".into();
    let source = api.post("/api/campaigns", new).await.ok();
    let id = source["id"].as_str().unwrap();
    act(&api, id, "start").await.ok();
    let path = format!("/api/campaigns/{id}/clone");
    let copy = api.post(&path, json!({"name": "second"})).await.ok();
    assert_eq!(
        (&copy["name"], &copy["status"], &copy["notAfter"]),
        (&json!("second"), &json!("DRAFT"), &json!(null))
    );
    for kept in [
        "batchId",
        "templateId",
        "botId",
        "params",
        "deliveryRate",
        "retryLimit",
        "quietHours",
    ] {
        assert_eq!(copy[kept], source[kept], "{kept}");
    }
}

#[tokio::test]
async fn a_split_shares_the_channels_between_two_templates() {
    let api = Api::start().await;
    let lines: String = (0..50).map(|n| format!("split_{n:02}\n")).collect();
    api.import("text/csv", format!("username\n{lines}"))
        .await
        .ok();
    let new = campaign(&api).await;
    let other = json!({"name": "other", "text": "Bye {{title}}"});
    let other = api.post("/api/templates", other).await.id();
    let id = api.post("/api/campaigns", new.clone()).await.id();
    let path = format!("/api/campaigns/{id}/split");
    let split = json!({"name": "b", "templateId": other, "percent": 25});
    let both = api.post(&path, split.clone()).await.ok();
    assert_eq!(both["a"]["id"], id.as_str());
    assert_eq!(
        (&both["a"]["templateId"], &both["b"]["templateId"]),
        (&new["templateId"], &json!(other))
    );
    let members = async |campaign: &Value| {
        let batch = campaign["batchId"].as_str().unwrap();
        let path = format!("/api/channels?limit=200&batchId={batch}");
        let list = api.get(&path).await.ok();
        let ids = list["items"].as_array().unwrap().iter();
        ids.map(|channel| channel["id"].to_string())
            .collect::<BTreeSet<_>>()
    };
    let (a, b) = (members(&both["a"]).await, members(&both["b"]).await);
    assert_eq!((a.len(), b.len()), (39, 13));
    assert!(a.is_disjoint(&b));

    assert_eq!(api.post(&path, split.clone()).await.code(), "NAME_TAKEN");
    act(&api, &id, "start").await.ok();
    assert_eq!(api.post(&path, split).await.code(), "NOT_A_DRAFT");
}

#[tokio::test]
async fn a_report_is_the_same_in_both_forms_and_events_tell_what_was_done() {
    let api = Api::start().await;
    let jobs: Vec<&str> = ["SENT", "FAILED", "UNCERTAIN"]
        .into_iter()
        .cycle()
        .take(250)
        .collect();
    let id = planned(&api, "RUNNING", "", &jobs).await;
    let json = api
        .get(&format!("/api/campaigns/{id}/report.json"))
        .await
        .ok();
    let json = json.as_array().unwrap();
    let csv = api
        .get(&format!("/api/campaigns/{id}/report.csv"))
        .await
        .ok();
    let csv: Vec<&str> = csv.as_str().unwrap().lines().skip(1).collect();
    assert_eq!((json.len(), csv.len()), (250, 250));
    for (row, line) in json.iter().zip(csv) {
        let expected = format!(
            "{},{}",
            row["position"],
            row["recipient"]["chat"].as_str().unwrap()
        );
        assert!(line.starts_with(&expected) && line.contains(row["status"].as_str().unwrap()));
    }
    let draft = json!({"name": "none yet", "batchId": api.get("/api/batches").await.ok()["items"][0]["id"],
        "templateId": api.get("/api/templates").await.ok()["items"][0]["id"], "params": {"note": ""}, "deliveryRate": 1});
    let draft = api.post("/api/campaigns", draft).await.id();
    let empty = api
        .get(&format!("/api/campaigns/{draft}/report.json"))
        .await;
    assert_eq!(empty.ok(), json!([]));

    let events = api.get(&format!("/api/campaigns/{id}/events")).await.ok();
    let events: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        ["CAMPAIGN_PLANNED", "CAMPAIGN_STARTED", "CAMPAIGN_CREATED"]
    );
    let activity = api.get(&format!("/api/campaigns/{id}/activity")).await.ok();
    assert_eq!(
        (
            &activity["rateNow"],
            activity["errors"].as_array().unwrap().len()
        ),
        (&json!(0), 2)
    );
}
