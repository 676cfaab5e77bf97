//! Whatever a caller sends, the API answers in its own form and never with a 5xx.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod common;

use axum::http::Method;
use common::{Answer, Api, BOT_TOKEN};
use serde_json::{Value, json};
use telecast_core::users::Role;

/// Values that have broken APIs before, for every field.
fn hostile() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("a\u{0}b"),
        json!("{{title}}{% for x in title %}{{ x }}{% endfor %}"),
        json!("{{ 'x' * 999999999 }}"),
        json!("<b>{{params.x}}"),
        json!("'; DROP TABLE users; --"),
        json!("\u{202e}\u{10ffff}"),
        json!("x".repeat(100_000)),
        json!("+262142-12-31T23:59:59Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!([]),
        json!([null]),
        json!([[[[[[]]]]]]),
        json!({}),
        json!({"a": {"b": {"c": "\u{0}"}}}),
    ]
}

/// A sound body for every route that takes one, by a part of its path.
fn bodies() -> Vec<(Method, &'static str, Value)> {
    let id = "01890000-0000-7000-8000-000000000000";
    vec![
        (
            Method::POST,
            "/api/auth/login",
            json!({"username": "x", "password": "y"}),
        ),
        (
            Method::POST,
            "/api/auth/refresh",
            json!({"refreshToken": "x"}),
        ),
        (
            Method::POST,
            "/api/auth/password",
            json!({"currentPassword": "x", "newPassword": "y"}),
        ),
        (
            Method::POST,
            "/api/users",
            json!({"username": "x", "password": "12345678", "role": "AUDITOR"}),
        ),
        (
            Method::PATCH,
            "/api/users/{id}",
            json!({"role": "AUDITOR", "disabled": true, "password": "12345678"}),
        ),
        (
            Method::POST,
            "/api/service-tokens",
            json!({"name": "x", "role": "AUDITOR", "days": 1}),
        ),
        (
            Method::POST,
            "/api/bots",
            json!({"name": "x", "token": BOT_TOKEN, "ratePerSecond": 1}),
        ),
        (
            Method::PATCH,
            "/api/bots/{id}",
            json!({"name": "x", "token": BOT_TOKEN, "ratePerSecond": 1}),
        ),
        (
            Method::POST,
            "/api/channels",
            json!({
                "username": "some_name", "chatId": -1, "title": "x", "category": "x", "tgstatUrl": "x",
                "collectedAt": "2026-01-31T00:00:00Z", "metadata": {},
            }),
        ),
        (
            Method::PATCH,
            "/api/channels/{id}",
            json!({
                "username": "some_name", "chatId": -1, "title": "x", "category": "x", "metadata": {},
                "active": true, "optedOut": true,
            }),
        ),
        (
            Method::POST,
            "/api/batches",
            json!({
                "name": "x", "description": "x",
                "add": {"channelIds": [id], "filter": {"category": "x", "active": true, "search": "x", "batchId": id}},
            }),
        ),
        (
            Method::PATCH,
            "/api/batches/{id}",
            json!({
                "name": "x", "description": "x", "remove": {"channelIds": [id]}, "add": {"filter": {"search": "x"}},
            }),
        ),
        (
            Method::POST,
            "/api/batches/{id}/clone",
            json!({"name": "x"}),
        ),
        (
            Method::POST,
            "/api/templates",
            json!({
                "name": "x", "text": "x", "parseMode": "HTML", "media": {"kind": "PHOTO", "source": "x"},
                "options": {"buttons": [[{"text": "x", "url": "https://example.com"}]], "protectContent": true},
            }),
        ),
        (
            Method::PATCH,
            "/api/templates/{id}",
            json!({"name": "x", "text": "x", "parseMode": "MARKDOWN_V2"}),
        ),
        (
            Method::POST,
            "/api/templates/{id}/preview",
            json!({"channelId": id, "params": {"x": "y"}}),
        ),
        (
            Method::POST,
            "/api/campaigns",
            json!({
                "name": "x", "batchId": id, "templateId": id, "botId": id, "params": {"x": "y"},
                "deliveryRate": 60, "retryLimit": 3, "onUncertain": "SKIP",
            }),
        ),
        (
            Method::PATCH,
            "/api/campaigns/{id}",
            json!({"name": "x", "params": {"x": "y"}, "deliveryRate": 60}),
        ),
        (
            Method::POST,
            "/api/campaigns/{id}/clone",
            json!({"name": "x"}),
        ),
        (
            Method::POST,
            "/api/campaigns/{id}/split",
            json!({"name": "x", "templateId": id, "percent": 50}),
        ),
        (
            Method::POST,
            "/api/channels/check",
            json!({"botId": id, "channelIds": [id], "filter": {"search": "x"}}),
        ),
        (
            Method::POST,
            "/api/webhooks",
            json!({"name": "x", "url": "https://example.com", "events": ["campaign.started"]}),
        ),
        (
            Method::PATCH,
            "/api/webhooks/{id}",
            json!({"name": "x", "url": "https://example.com", "events": ["campaign.started"], "active": true}),
        ),
        (
            Method::POST,
            "/api/queues/start-campaign/jobs",
            json!({
                "id": id, "data": {"x": "y"}, "startAfter": "2099-01-01T00:00:00Z", "priority": 1,
                "singletonKey": "x", "singletonSeconds": 60, "retryLimit": 1,
            }),
        ),
        (
            Method::POST,
            "/api/campaigns/{id}/action",
            json!({"action": "start"}),
        ),
    ]
}

/// Every body that differs from `body` in one field, at any depth.
fn variants(body: &Value) -> Vec<Value> {
    let mut all = hostile();
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                for variant in variants(value) {
                    let mut changed = body.clone();
                    changed[name] = variant;
                    all.push(changed);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for variant in variants(item) {
                    let mut changed = body.clone();
                    changed[index] = variant;
                    all.push(changed);
                }
            }
        }
        _ => {}
    }
    all
}

#[track_caller]
fn assert_sound(answer: &Answer, what: &str) {
    let told = || what.chars().take(300).collect::<String>();
    assert!(!answer.status.is_server_error(), "{}: {answer:?}", told());
    if answer.status.is_client_error() {
        assert!(
            !answer.code().is_empty() && !answer.message().is_empty(),
            "{}",
            told()
        );
    }
}

#[tokio::test]
async fn no_value_of_any_field_breaks_a_route() {
    let api = Api::start().await;
    api.post("/api/bots", json!({"name": "news", "token": BOT_TOKEN}))
        .await
        .ok();
    // Rows to change, so that a change gets as far as the database.
    let template = json!({"name": "t", "text": "{{title}} {{params.x}}"});
    let template = api.post("/api/templates", template).await.id();
    let batch = api.post("/api/batches", json!({"name": "b"})).await.id();
    let channel = api
        .post("/api/channels", json!({"username": "news_ru"}))
        .await
        .id();
    let new = json!({"name": "c", "batchId": batch, "templateId": template, "params": {"x": "y"}, "deliveryRate": 60});
    let campaign = api.post("/api/campaigns", new).await.id();
    let bot = api.get("/api/bots").await.ok()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let user = api.get("/api/users").await.ok()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // The auditor, whose sessions these changes may end; the calls are the administrator's.
    assert_eq!(
        api.get("/api/users").await.ok()["items"][0]["username"],
        "auditor"
    );
    for (method, path, body) in bodies() {
        let ids = [
            ("templates", &template),
            ("batches", &batch),
            ("channels", &channel),
            ("campaigns", &campaign),
            ("bots", &bot),
            ("users", &user),
        ];
        let id = ids
            .iter()
            .find(|(kind, _)| path.contains(kind))
            .map_or("", |(_, id)| id.as_str());
        let path = path.replace("{id}", id);
        for variant in variants(&body) {
            let shown = variant.to_string();
            let token = Some(api.token(Role::Admin));
            let answer = api.call(method.clone(), &path, token, Some(variant)).await;
            assert_sound(&answer, &format!("{method} {path} {shown}"));
        }
    }
}

#[tokio::test]
async fn no_query_breaks_a_list() {
    let api = Api::start().await;
    let values = [
        "",
        "%00",
        "-1",
        "99999999999999999999",
        "%F0%9F%92%A9",
        "%25%5C%5F",
        "null",
        "true",
        "%2B262142-12-31T23:59:59Z",
        "01890000-0000-7000-8000-000000000000",
        "%FF",
        "-262143-01-01T00:00:00Z",
    ];
    let names = [
        "limit",
        "cursor",
        "status",
        "category",
        "active",
        "search",
        "batchId",
        "action",
        "subjectType",
        "subjectId",
        "userId",
        "from",
        "until",
        "format",
    ];
    for route in telecast_api::table() {
        if route.method != Method::GET {
            continue;
        }
        let path = route
            .path
            .replace("{id}", "01890000-0000-7000-8000-000000000000")
            .replace("{name}", "send-message");
        for name in names {
            for value in values {
                let path = format!("{path}?{name}={value}");
                assert_sound(&api.get(&path).await, &path);
            }
        }
    }
}
